"""Internet Protocol version 4 (RFC 791)."""

from __future__ import annotations

from struct import Struct

from construct import BitsInteger, Bytes, Flag, Int8ub, Int16ub, this

from stack.base.address import IPv4Address
from stack.base.errors import WireError
from stack.codec.fields import AddressField, Run, Sealed, Value, wire
from stack.codec.header import Header, header
from stack.codec.options import OptionsField
from stack.codec.registry import LinkType, begins, carried
from stack.ip.formats.options import IPv4Options
from stack.link.formats.capture_types import Null
from stack.link.formats.ethernet import LLC, Ethernet

__all__ = ["PROTOCOLS", "RESERVED_PROTOCOL", "IPv4", "IPv4Options"]

PROTOCOLS = {1: "ICMP", 2: "IGMP", 4: "IPv4", 6: "TCP", 17: "UDP", 41: "IPv6", 47: "GRE", 50: "ESP", 51: "AH"}
RESERVED_PROTOCOL = 255  # what a datagram with nothing in it carries


from_bytes = int.from_bytes
_essentials = Struct(">BxHxxHxB").unpack_from  # what says where the header ends and what follows


def whole_words(options: bytes, field: str) -> int:
    """How many 32-bit words options are; a header length that is Sealed cannot say a part of one."""
    if len(options) & 3:
        raise WireError(field, None, f"{len(options)} octets; expected a multiple of 4 where the header's length is Sealed")
    return len(options) >> 2


@begins(LinkType.IPV4)
@carried(LLC, destination=0x06)
@carried(Null, family=2)
@carried(Ethernet, type=0x0800)
@header
class IPv4(Header):
    """IPv4 header, RFC 791 section 3.1. `header_length` counts 32-bit words, `fragment_offset` units of 8 octets."""

    version: int = wire(BitsInteger(4), default=4)
    header_length: int = wire(BitsInteger(4), default=Sealed)
    dscp: int = wire(BitsInteger(6), default=0)
    ecn: int = wire(BitsInteger(2), default=0)
    total_length: int = wire(Int16ub, default=Sealed)
    identification: int = wire(Int16ub, default=0, hexadecimal=True)
    reserved_flag: bool = wire(Flag, default=False)
    dont_fragment: bool = wire(Flag, default=False)
    more_fragments: bool = wire(Flag, default=False)
    fragment_offset: int = wire(BitsInteger(13), default=0)
    time_to_live: int = wire(Int8ub, default=64)
    protocol: int = wire(Int8ub, default=Sealed, names=PROTOCOLS)
    checksum: int = wire(Int16ub, default=Sealed, hexadecimal=True)
    source: AddressField[IPv4Address] = wire(Value(IPv4Address, Bytes(4)), default=IPv4Address.UNSPECIFIED)
    destination: AddressField[IPv4Address] = wire(Value(IPv4Address, Bytes(4)), default=IPv4Address.UNSPECIFIED)
    options: OptionsField[IPv4Options] = wire(Value(IPv4Options, Run(this.header_length * 4 - 20)), default=IPv4Options())

    usual = True
    reach = this.total_length - this.header_length * 4
    opaque = this.fragment_offset

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        words, total, protocol, options = self.header_length, self.total_length, self.protocol, self._options
        if words is Sealed:
            words = 5 + whole_words(options, "IPv4.options") if options else 5
        if total is Sealed:
            total = 20 + len(options) + len(body)
        if protocol is Sealed:
            protocol = RESERVED_PROTOCOL
        if self.checksum is not Sealed:
            return self.pack(words, total, protocol)
        # A header is never all zeros, so its sum modulo 0xffff is what its one's complement sum is.
        head = self.pack(words, total, protocol, 0)
        return head[:10] + (-from_bytes(head, "big") % 0xFFFF).to_bytes(2, "big") + head[12:]

    @staticmethod
    def skip(data: bytes, at: int, end: int) -> tuple[type[Header] | None, int, int]:
        if at + 20 > end:
            return None, at, end
        first, total, place, protocol = _essentials(data, at)
        after = at + ((first & 15) << 2)
        if first & 15 < 5 or after > end:
            return None, at, end
        if after <= at + total < end:
            end = at + total
        return (None if place & 0x1FFF or after >= end else _carried.get(protocol)), after, end

    def pseudo_sum(self, protocol: int, length: int, headers: tuple[Header, ...], index: int) -> int:
        """The pseudo-header's part of a transport checksum (RFC 9293 section 3.1), as a number to be taken modulo 0xffff."""
        final = self.options.final() if self._options else None
        return from_bytes(self.source + (final or self.destination), "big") + protocol + length


carried(IPv4, protocol=4)(IPv4)  # IP in IP, RFC 2003
_carried = IPv4.carried[0][1]
