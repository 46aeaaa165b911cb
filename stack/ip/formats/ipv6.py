"""Internet Protocol version 6 (RFC 8200 section 3)."""

from __future__ import annotations

from construct import BitsInteger, Bytes, Int8ub, Int16ub

from stack.base.address import IPv6Address
from stack.codec.checksum import ones_sum
from stack.codec.fields import Sealed, Value, wire
from stack.codec.header import Header, header
from stack.codec.registry import LinkType, begins, carried
from stack.ip.formats.ipv4 import PROTOCOLS
from stack.link.formats.ethernet import Ethernet

NO_NEXT_HEADER = 59
NEXT_HEADERS = PROTOCOLS | {0: "hop-by-hop options", 43: "routing", 44: "fragment", 58: "ICMPv6", 59: "none", 60: "destination options"}


@begins(LinkType.IPV6)
@carried(Ethernet, type=0x86DD)
@header
class IPv6(Header):
    """IPv6 header. `payload_length` counts the octets after it, extension headers included."""

    version: int = wire(BitsInteger(4), default=6)
    dscp: int = wire(BitsInteger(6), default=0)
    ecn: int = wire(BitsInteger(2), default=0)
    flow_label: int = wire(BitsInteger(20), default=0)
    payload_length: int = wire(Int16ub, default=Sealed)
    next_header: int = wire(Int8ub, default=Sealed, names=NEXT_HEADERS)
    hop_limit: int = wire(Int8ub, default=64)
    source: IPv6Address = wire(Value(IPv6Address, Bytes(16)), default=IPv6Address.UNSPECIFIED)
    destination: IPv6Address = wire(Value(IPv6Address, Bytes(16)), default=IPv6Address.UNSPECIFIED)

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(
            len(body) if self.payload_length is Sealed else self.payload_length,
            NO_NEXT_HEADER if self.next_header is Sealed else self.next_header,
        )

    def extent(self, available: int) -> int:
        return self.payload_length

    def pseudo_sum(self, protocol: int, length: int, headers: tuple[Header, ...], index: int) -> int:
        """The pseudo-header's part of a transport checksum (RFC 8200 section 8.1), as a residue."""
        return ones_sum(self.source + self.destination) + protocol + length
