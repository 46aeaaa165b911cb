"""User Datagram Protocol (RFC 768)."""

from __future__ import annotations

from construct import Int16ub, this

from stack.codec.checksum import ones_sum
from stack.codec.fields import Sealed, wire
from stack.codec.header import Header, header
from stack.codec.registry import carried
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6

PROTOCOL = 17


@carried(IPv4, protocol=PROTOCOL)
@carried(IPv6, next_header=PROTOCOL)
@header
class UDP(Header):
    """User datagram header. `length` counts header and data; a checksum of 0 says that there is none (IPv4 only)."""

    source: int = wire(Int16ub, default=0)
    destination: int = wire(Int16ub, default=0)
    length: int = wire(Int16ub, default=Sealed)
    checksum: int = wire(Int16ub, default=Sealed, hexadecimal=True)

    usual = True
    reach = this.length - 8

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        length = 8 + len(body)
        stated = length if self.length is Sealed else self.length
        if self.checksum is not Sealed:
            return self.pack(stated)
        head = self.pack(stated, 0)
        pseudo = headers[index - 1].pseudo_sum(PROTOCOL, length, headers, index - 1) if index else 0
        # Never 0, which would say that there is no checksum: 0xffff is the same number in one's complement.
        return head[:6] + (0xFFFF - (pseudo + ones_sum(head + body)) % 0xFFFF).to_bytes(2, "big")
