"""Internet Control Message Protocol for IPv6 (RFC 4443)."""

from __future__ import annotations

from typing import Self

from construct import Bytes, Int8ub, Int16ub

from stack.codec.checksum import ones_sum
from stack.codec.fields import Sealed, wire
from stack.codec.header import Header, HeaderType, header
from stack.codec.registry import carried
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6

PROTOCOL = 58
UNREACHABLE, PACKET_TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM = 1, 2, 3, 4
ECHO_REQUEST, ECHO_REPLY = 128, 129
TYPES = {
    1: "destination unreachable", 2: "packet too big", 3: "time exceeded", 4: "parameter problem",
    128: "echo request", 129: "echo reply", 130: "multicast listener query", 131: "multicast listener report",
    132: "multicast listener done", 133: "router solicitation", 134: "router advertisement",
    135: "neighbor solicitation", 136: "neighbor advertisement", 137: "redirect", 138: "router renumbering",
    143: "multicast listener report v2",
}  # fmt: skip
NO_ROUTE, PROHIBITED, BEYOND_SCOPE, ADDRESS, PORT, SOURCE_POLICY, REJECT_ROUTE = range(7)  # codes of UNREACHABLE
UNREACHABLE_CODES = {
    0: "no route", 1: "prohibited", 2: "beyond scope of source", 3: "address unreachable", 4: "port unreachable",
    5: "source failed policy", 6: "reject route",
}  # fmt: skip
ERRORS = frozenset({UNREACHABLE, PACKET_TOO_BIG, TIME_EXCEEDED, PARAMETER_PROBLEM})  # these quote a datagram
EXTENDED = frozenset({UNREACHABLE, TIME_EXCEEDED})  # these may have extensions after it, RFC 4884


@carried(IPv4, protocol=PROTOCOL)
@carried(IPv6, next_header=PROTOCOL)
@header
class ICMPv6(Header):
    """ICMPv6 header: what `rest` means depends on the type, and the properties read it."""

    type: int = wire(Int8ub, default=Sealed, names=TYPES)
    code: int = wire(Int8ub, default=0)
    checksum: int = wire(Int16ub, default=Sealed, hexadecimal=True)
    rest: bytes = wire(Bytes(4), default=bytes(4), doc="the rest of the header, by its type")

    @classmethod
    def echo(cls, identifier: int, sequence: int, *, reply: bool = False) -> Self:
        """An echo request or reply."""
        return cls(ECHO_REPLY if reply else ECHO_REQUEST, 0, rest=identifier.to_bytes(2, "big") + sequence.to_bytes(2, "big"))

    @classmethod
    def packet_too_big(cls, mtu: int) -> Self:
        """The next link takes datagrams of `mtu` octets."""
        return cls(PACKET_TOO_BIG, 0, rest=mtu.to_bytes(4, "big"))

    @classmethod
    def router(cls, hop_limit: int, lifetime: int, *, managed: bool = False, other: bool = False) -> Self:
        """The first part of a router advertisement; `lifetime` in seconds. `RouterAdvertisement` follows it."""
        return cls(134, 0, rest=bytes((hop_limit, managed << 7 | other << 6)) + lifetime.to_bytes(2, "big"))

    @classmethod
    def neighbor(cls, *, router: bool = False, solicited: bool = False, override: bool = False) -> Self:
        """The first part of a neighbor advertisement. `NeighborAdvertisement` follows it."""
        return cls(136, 0, rest=bytes((router << 7 | solicited << 6 | override << 5, 0, 0, 0)))

    @property
    def identifier(self) -> int:
        """Echo: whose it is."""
        return int.from_bytes(self.rest[:2], "big")

    @property
    def sequence(self) -> int:
        """Echo: its number."""
        return int.from_bytes(self.rest[2:], "big")

    @property
    def mtu(self) -> int:
        """Packet too big: the MTU of the next link in octets."""
        return int.from_bytes(self.rest, "big")

    @property
    def pointer(self) -> int:
        """Parameter problem: the octet of the datagram where it is."""
        return int.from_bytes(self.rest, "big")

    @property
    def is_router(self) -> bool:
        """Neighbor advertisement: the sender is a router (R)."""
        return bool(self.rest[0] & 0x80)

    @property
    def solicited(self) -> bool:
        """Neighbor advertisement: it answers a solicitation (S)."""
        return bool(self.rest[0] & 0x40)

    @property
    def override(self) -> bool:
        """Neighbor advertisement: it replaces what is known (O)."""
        return bool(self.rest[0] & 0x20)

    @property
    def hop_limit(self) -> int:
        """Router advertisement: the hop limit to use, 0 for no advice."""
        return self.rest[0]

    @property
    def managed(self) -> bool:
        """Router advertisement: addresses come by DHCPv6 (M)."""
        return bool(self.rest[1] & 0x80)

    @property
    def other(self) -> bool:
        """Router advertisement: other settings come by DHCPv6 (O)."""
        return bool(self.rest[1] & 0x40)

    @property
    def lifetime(self) -> int:
        """Router advertisement: seconds for which it is a default router."""
        return int.from_bytes(self.rest[2:], "big")

    @property
    def quoted(self) -> int:
        """Octets of the quoted datagram if extensions follow it, else 0 (RFC 4884 section 4)."""
        return 8 * self.rest[0] if self.type in EXTENDED else 0

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        kind = ECHO_REQUEST if self.type is Sealed else self.type
        if self.checksum is not Sealed:
            return self.pack(kind)
        head = self.pack(kind, 0)
        pseudo = headers[index - 1].pseudo_sum(PROTOCOL, len(head) + len(body), headers, index - 1) if index else 0
        checksum = -(pseudo + ones_sum(head + body)) % 0xFFFF
        return head[:2] + checksum.to_bytes(2, "big") + head[4:]

    def extent(self, available: int) -> int:
        return self.quoted or available

    def carries(self) -> HeaderType | None:
        if self.type in ERRORS:
            return IPv6
        return self.carried[0][1].get(self.type) if self.carried else None
