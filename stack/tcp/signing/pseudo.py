"""What a signature covers of a segment: the pseudo-header and the header, as octets (RFC 9293 section 3.1)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stack.tcp.formats.tcp import TCP

_PROTOCOL = 6
_V4, _V6 = Struct(">BBH").pack, Struct(">II").pack
_HEADER = Struct(">HHIIHHHH").pack


def pseudo_header(source: bytes, destination: bytes, length: int) -> bytes:
    """The pseudo-header of IPv4, or that of IPv6 (RFC 8200 section 8.1); `length` of header and text, in octets."""
    addresses = bytes(source) + bytes(destination)
    return addresses + (_V4(0, _PROTOCOL, length) if len(source) == 4 else _V6(length, _PROTOCOL))


def fixed_header(header: TCP) -> bytes:
    """The twenty octets before the options, with a checksum of zero."""
    words = 5 + len(header.options) // 4
    return _HEADER(
        header.source, header.destination, header.sequence, header.acknowledgment,
        words << 12 | header.reserved << 9 | header.flags, header.window, 0, header.urgent_pointer,
    )  # fmt: skip
