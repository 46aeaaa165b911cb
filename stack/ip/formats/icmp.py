"""Internet Control Message Protocol (RFC 792, RFC 1191, RFC 1256, RFC 4884)."""

from __future__ import annotations

from typing import Self

from construct import Bytes, Int8ub, Int16ub

from stack.base.address import IPv4Address
from stack.codec.checksum import internet_checksum
from stack.codec.fields import Sealed, wire
from stack.codec.header import Header, HeaderType, header
from stack.codec.registry import carried
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6

PROTOCOL = 1
ECHO_REPLY, UNREACHABLE, SOURCE_QUENCH, REDIRECT, ECHO_REQUEST, TIME_EXCEEDED, PARAMETER_PROBLEM = 0, 3, 4, 5, 8, 11, 12
TYPES = {
    0: "echo reply", 3: "destination unreachable", 4: "source quench", 5: "redirect", 8: "echo request",
    9: "router advertisement", 10: "router solicitation", 11: "time exceeded", 12: "parameter problem",
    13: "timestamp request", 14: "timestamp reply", 15: "information request", 16: "information reply",
    17: "address mask request", 18: "address mask reply", 30: "traceroute", 42: "extended echo request",
    43: "extended echo reply",
}  # fmt: skip
NETWORK, HOST, PROTOCOL_UNREACHABLE, PORT, FRAGMENTATION_NEEDED = range(5)  # codes of UNREACHABLE
UNREACHABLE_CODES = {
    0: "network unreachable", 1: "host unreachable", 2: "protocol unreachable", 3: "port unreachable",
    4: "fragmentation needed", 5: "source route failed", 6: "network unknown", 7: "host unknown", 8: "host isolated",
    9: "network prohibited", 10: "host prohibited", 11: "network unreachable for service",
    12: "host unreachable for service", 13: "communication prohibited", 14: "host precedence violation",
    15: "precedence cutoff",
}  # fmt: skip
ERRORS = frozenset({UNREACHABLE, SOURCE_QUENCH, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM})  # these quote a datagram
EXTENDED = frozenset({UNREACHABLE, TIME_EXCEEDED, PARAMETER_PROBLEM})  # these may have extensions after it, RFC 4884


@carried(IPv6, next_header=PROTOCOL)
@carried(IPv4, protocol=PROTOCOL)
@header
class ICMP(Header):
    """ICMP header: what `rest` means depends on the type, and the properties read it."""

    type: int = wire(Int8ub, default=ECHO_REQUEST, names=TYPES)
    code: int = wire(Int8ub, default=0)
    checksum: int = wire(Int16ub, default=Sealed, hexadecimal=True)
    rest: bytes = wire(Bytes(4), default=bytes(4), doc="the rest of the header, by its type")

    @classmethod
    def echo(cls, identifier: int, sequence: int, *, reply: bool = False) -> Self:
        """An echo request or reply."""
        return cls(ECHO_REPLY if reply else ECHO_REQUEST, 0, rest=identifier.to_bytes(2, "big") + sequence.to_bytes(2, "big"))

    @classmethod
    def fragmentation_needed(cls, mtu: int) -> Self:
        """Destination unreachable: the next hop takes datagrams of `mtu` octets (RFC 1191)."""
        return cls(UNREACHABLE, FRAGMENTATION_NEEDED, rest=mtu.to_bytes(4, "big"))

    @property
    def identifier(self) -> int:
        """Echo, timestamp and mask messages: whose they are."""
        return int.from_bytes(self.rest[:2], "big")

    @property
    def sequence(self) -> int:
        """Echo, timestamp and mask messages: their number."""
        return int.from_bytes(self.rest[2:], "big")

    @property
    def mtu(self) -> int:
        """Fragmentation needed: the MTU of the next hop in octets, 0 from routers before RFC 1191."""
        return int.from_bytes(self.rest[2:], "big")

    @property
    def pointer(self) -> int:
        """Parameter problem: the octet of the datagram where it is."""
        return self.rest[0]

    @property
    def gateway(self) -> IPv4Address:
        """Redirect: the better router."""
        return IPv4Address(self.rest)

    @property
    def quoted(self) -> int:
        """Octets of the quoted datagram if extensions follow it, else 0 (RFC 4884 section 4)."""
        return 4 * self.rest[1] if self.type in EXTENDED else 0

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        if self.checksum is not Sealed:
            return self.pack()
        head = self.pack(0)
        checksum = internet_checksum(head + body)
        return head[:2] + checksum.to_bytes(2, "big") + head[4:]

    def extent(self, available: int) -> int:
        return self.quoted or available

    def carries(self) -> HeaderType | None:
        return IPv4 if self.type in ERRORS else None
