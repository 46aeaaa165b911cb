"""Internet Protocol version 6 (RFC 8200 section 3)."""

from __future__ import annotations

from struct import Struct

from construct import BitsInteger, Bytes, Int8ub, Int16ub

from stack.base.address import IPv6Address
from stack.codec.fields import AddressField, Sealed, Value, wire
from stack.codec.header import Header, header
from stack.codec.registry import LinkType, begins, carried, choose_beginning
from stack.ip.formats.ipv4 import PROTOCOLS, IPv4
from stack.link.formats.capture_types import Null
from stack.link.formats.ethernet import Ethernet

NO_NEXT_HEADER = 59
HOP_BY_HOP = 0
NEXT_HEADERS = PROTOCOLS | {
    0: "hop-by-hop options", 43: "routing", 44: "fragment", 58: "ICMPv6", 59: "none", 60: "destination options",
}  # fmt: skip


from_bytes = int.from_bytes
_essentials = Struct(">4xHB").unpack_from  # what says where the datagram ends and what follows


@begins(LinkType.IPV6)
@carried(IPv4, protocol=41)  # 6in4, RFC 4213
@carried(Null, family=10)  # Linux
@carried(Null, family=23)  # Windows
@carried(Null, family=28)  # FreeBSD
@carried(Null, family=30)  # Darwin
@carried(Null, family=24)  # NetBSD, OpenBSD
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
    source: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)), default=IPv6Address.UNSPECIFIED)
    destination: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)), default=IPv6Address.UNSPECIFIED)

    usual = True

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(
            len(body) if self.payload_length is Sealed else self.payload_length,
            NO_NEXT_HEADER if self.next_header is Sealed else self.next_header,
        )

    def extent(self, available: int) -> int:
        if self.payload_length == 0 and self.next_header == HOP_BY_HOP:  # a jumbogram, RFC 2675: an option has the length
            return available
        return self.payload_length

    @staticmethod
    def skip(data: bytes, at: int, end: int) -> tuple[type[Header] | None, int, int]:
        after = at + 40
        if after > end:
            return None, at, end
        size, following = _essentials(data, at)
        if after + size < end and (size or following != HOP_BY_HOP):
            end = after + size
        return (_carried.get(following) if after < end else None), after, end

    def pseudo_sum(self, protocol: int, length: int, headers: tuple[Header, ...], index: int) -> int:
        """The pseudo-header's part of a transport checksum (RFC 8200 section 8.1), as a number to be taken modulo 0xffff."""
        return from_bytes(self.source + self.destination, "big") + protocol + length


carried(IPv6, next_header=41)(IPv6)  # RFC 2473
carried(IPv6, next_header=4)(IPv4)
_carried = IPv6.carried[0][1]


@choose_beginning(LinkType.RAW, LinkType.RAW_OLD, LinkType.RAW_BSD)
def raw_ip(data: bytes) -> type[Header] | None:
    """Frames that are datagrams begin with the version of IP."""
    return {4: IPv4, 6: IPv6}.get(data[0] >> 4) if data else None
