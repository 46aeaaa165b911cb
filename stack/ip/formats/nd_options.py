"""The options of neighbor discovery messages (RFC 4861 section 4.6, RFC 8106, RFC 3971)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from construct import BitsInteger, Bytes, Flag, Int8ub, Int16ub, Int32ub, this

from stack.base.address import MAC, IPv6Address
from stack.codec.fields import AddressField, Made, Run, Sealed, Value, wire
from stack.codec.header import header
from stack.codec.options import Option, Options, option

KINDS = {
    1: "source link-layer address", 2: "target link-layer address", 3: "prefix information", 4: "redirected header",
    5: "MTU", 14: "nonce", 24: "route information", 25: "recursive DNS server", 31: "DNS search list",
}  # fmt: skip
LENGTH = "8-octet units of the option"


class NDOptions(Options):
    """The options of a neighbor discovery message: its octets, which iterate as options."""

    __slots__ = ()

    @classmethod
    def pad(cls, octets: bytes) -> bytes:
        return octets

    def measure(self, at: int) -> tuple[int, int]:
        return self[at], 8 * self[at + 1] if at + 1 < len(self) else 0

    @property
    def source(self) -> MAC | None:
        """The sender's link-layer address."""
        found = self.get(SourceLinkLayer)
        return None if found is None else found.address

    @property
    def target(self) -> MAC | None:
        """The target's link-layer address."""
        found = self.get(TargetLinkLayer)
        return None if found is None else found.address


class NDOption(Option):
    """An option whose length counts units of 8 octets."""

    __slots__ = ()

    def counted(self) -> int:
        return (len(self) + 7) // 8


class Addresses(bytes):
    """IPv6 addresses one after the other. Made from octets or from addresses."""

    __slots__ = ()

    def __new__(cls, value: bytes | Iterable[IPv6Address | str] = b"") -> Self:
        if not isinstance(value, bytes | bytearray | memoryview):
            value = b"".join([IPv6Address(one) for one in value])
        return bytes.__new__(cls, value)

    def addresses(self) -> tuple[IPv6Address, ...]:
        """The addresses; octets that are no whole address at the end are left out."""
        return tuple(IPv6Address(self[at : at + 16]) for at in range(0, len(self) - 15, 16))

    def __str__(self) -> str:
        return " ".join(map(str, self.addresses()))


@option(NDOptions)
@header
class UnknownNDOption(NDOption):
    """A neighbor discovery option of any type, RFC 4861 section 4.6."""

    kind: int = wire(Int8ub, names=KINDS)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    data: bytes = wire(Run(this.length * 8 - 2), default=bytes(6))


@option(NDOptions, 1)
@header
class SourceLinkLayer(NDOption):
    """Source link-layer address, RFC 4861 section 4.6.1."""

    label = "source"
    kind: int = wire(Int8ub, default=1, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    address: AddressField[MAC] = wire(Value(MAC, Bytes(6)))


@option(NDOptions, 2)
@header
class TargetLinkLayer(NDOption):
    """Target link-layer address, RFC 4861 section 4.6.1."""

    label = "target"
    kind: int = wire(Int8ub, default=2, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    address: AddressField[MAC] = wire(Value(MAC, Bytes(6)))


@option(NDOptions, 3)
@header
class PrefixInformation(NDOption):
    """Prefix information, RFC 4861 section 4.6.2. Lifetimes in seconds, all ones for ever."""

    label = "prefix"
    kind: int = wire(Int8ub, default=3, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    prefix_length: int = wire(Int8ub, default=64)
    on_link: bool = wire(Flag, default=True, doc="can be used for on-link determination (L)")
    autonomous: bool = wire(Flag, default=True, doc="can be used for stateless address configuration (A)")
    router_address: bool = wire(Flag, default=False, doc="the prefix is the router's address (R, RFC 6275)")
    reserved: int = wire(BitsInteger(5), default=0, kw_only=True)
    valid_lifetime: int = wire(Int32ub, default=2592000)
    preferred_lifetime: int = wire(Int32ub, default=604800)
    reserved_word: int = wire(Int32ub, default=0, kw_only=True)
    prefix: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)), default=IPv6Address.UNSPECIFIED)


@option(NDOptions, 4)
@header
class RedirectedHeader(NDOption):
    """Redirected header, RFC 4861 section 4.6.3: the datagram, or its beginning."""

    label = "redirected header"
    kind: int = wire(Int8ub, default=4, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    reserved: bytes = wire(Bytes(6), default=bytes(6), kw_only=True)
    data: bytes = wire(Run(this.length * 8 - 8), default=b"")


@option(NDOptions, 5)
@header
class MTU(NDOption):
    """MTU, RFC 4861 section 4.6.4, in octets."""

    kind: int = wire(Int8ub, default=5, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    reserved: int = wire(Int16ub, default=0, kw_only=True)
    mtu: int = wire(Int32ub)


@option(NDOptions, 14)
@header
class Nonce(NDOption):
    """Nonce, RFC 3971 section 5.3.2; used by enhanced duplicate address detection (RFC 7527)."""

    label = "nonce"
    kind: int = wire(Int8ub, default=14, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    nonce: bytes = wire(Run(this.length * 8 - 2), default=bytes(6))


@option(NDOptions, 25)
@header
class RecursiveDNSServer(NDOption):
    """Recursive DNS server, RFC 8106 section 5.1."""

    label = "DNS servers"
    kind: int = wire(Int8ub, default=25, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    reserved: int = wire(Int16ub, default=0, kw_only=True)
    lifetime: int = wire(Int32ub, default=0xFFFFFFFF, doc="seconds")
    servers: Made[Addresses, Iterable[IPv6Address | str] | bytes] = wire(Value(Addresses, Run(this.length * 8 - 8)), default=Addresses())
