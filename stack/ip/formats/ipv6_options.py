"""The options of IPv6 hop-by-hop and destination headers (RFC 8200 section 4.2, RFC 2675, RFC 2711, RFC 6275)."""

from __future__ import annotations

from construct import Bytes, Int8ub, Int16ub, Int32ub, this

from stack.base.address import IPv6Address
from stack.codec.fields import AddressField, Run, Sealed, Value, wire
from stack.codec.header import header
from stack.codec.options import Option, Options, option

PAD1, PADN = 0, 1
KINDS = {0: "Pad1", 1: "PadN", 4: "tunnel encapsulation limit", 5: "router alert", 0xC2: "jumbo payload", 0xC9: "home address"}
LENGTH = "octets of the option, without its first two"


class IPv6Options(Options):
    """The options of a hop-by-hop or destination options header: its octets, which iterate as options.

    Made from options they are padded to 8n + 6 octets by a PadN, so that the header is of whole 8-octet units.
    """

    __slots__ = ()

    @classmethod
    def pad(cls, octets: bytes) -> bytes:
        missing = (6 - len(octets)) % 8
        if missing == 0:
            return octets
        return octets + (bytes((PADN, missing - 2)) + bytes(missing - 2) if missing > 1 else b"\0")

    def measure(self, at: int) -> tuple[int, int]:
        kind = self[at]
        if kind == PAD1:
            return kind, 1
        return kind, 2 + self[at + 1] if at + 1 < len(self) else 0


class IPv6Option(Option):
    """An option whose length does not count its first two octets."""

    __slots__ = ()

    def counted(self) -> int:
        return len(self) - 2


@option(IPv6Options)
@header
class UnknownIPv6Option(IPv6Option):
    """An IPv6 option of any type, RFC 8200 section 4.2. The two highest bits of the type say what to do who knows it not."""

    kind: int = wire(Int8ub, names=KINDS, hexadecimal=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    data: bytes = wire(Run(this.length), default=b"")


@option(IPv6Options, PAD1)
@header
class Pad1(IPv6Option):
    """One octet of padding, RFC 8200 section 4.2."""

    kind: int = wire(Int8ub, default=PAD1, names=KINDS, kw_only=True)


@option(IPv6Options, PADN)
@header
class PadN(IPv6Option):
    """Two or more octets of padding, RFC 8200 section 4.2."""

    kind: int = wire(Int8ub, default=PADN, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    padding: bytes = wire(Run(this.length), default=b"")


@option(IPv6Options, 4)
@header
class TunnelLimit(IPv6Option):
    """Tunnel encapsulation limit, RFC 2473 section 4.1.1."""

    label = "tunnel encapsulation limit"
    kind: int = wire(Int8ub, default=4, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    limit: int = wire(Int8ub)


@option(IPv6Options, 5)
@header
class IPv6RouterAlert(IPv6Option):
    """Router alert, RFC 2711."""

    label = "router alert"
    kind: int = wire(Int8ub, default=5, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    value: int = wire(Int16ub, default=0, names={0: "multicast listener discovery", 1: "RSVP", 2: "active networks"})


@option(IPv6Options, 0xC2)
@header
class JumboPayload(IPv6Option):
    """Jumbo payload, RFC 2675: the length of the datagram after its IPv6 header."""

    label = "jumbo payload"
    kind: int = wire(Int8ub, default=0xC2, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    payload_length: int = wire(Int32ub)


@option(IPv6Options, 0xC9)
@header
class HomeAddress(IPv6Option):
    """Home address of a mobile node, RFC 6275 section 6.3."""

    label = "home address"
    kind: int = wire(Int8ub, default=0xC9, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    address: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)))
