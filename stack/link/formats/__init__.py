"""Formats of the link layer: what the bytes of a frame mean."""
