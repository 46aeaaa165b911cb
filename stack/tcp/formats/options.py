"""The options of a TCP header (RFC 9293 section 3.2)."""

from __future__ import annotations


class TCPOptions(bytes):
    """The options of a TCP header: its octets."""

    __slots__ = ()
