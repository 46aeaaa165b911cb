"""Formats of the Internet layer: what the bytes of a datagram mean."""
