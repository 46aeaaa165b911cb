"""The options of an IPv4 header (RFC 791 section 3.1, RFC 2113, RFC 1108)."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Self

from construct import BitsInteger, Int8ub, Int16ub, this

from stack.base.address import IPv4Address
from stack.codec.fields import Made, Run, Sealed, Value, wire
from stack.codec.header import header
from stack.codec.options import Option, Options, option

END, NO_OPERATION = 0, 1
KINDS = {
    0: "end of options", 1: "no-operation", 7: "record route", 68: "timestamp", 82: "traceroute", 130: "security",
    131: "loose source route", 134: "commercial security", 136: "stream identifier", 137: "strict source route",
    148: "router alert",
}  # fmt: skip
LENGTH = "octets of the option, kind and length included"
POINTER = "place of the next slot, counted from 1 at the option's kind"

_word = Struct(">I")


class Route(bytes):
    """Addresses one after the other. Made from octets or from addresses."""

    __slots__ = ()

    def __new__(cls, value: bytes | Iterable[IPv4Address | str] = b"") -> Self:
        if not isinstance(value, bytes | bytearray | memoryview):
            value = b"".join([IPv4Address(one) for one in value])
        return bytes.__new__(cls, value)

    def addresses(self) -> tuple[IPv4Address, ...]:
        """The addresses; octets that are no whole address at the end are left out."""
        return tuple(IPv4Address(self[at : at + 4]) for at in range(0, len(self) - 3, 4))

    def __str__(self) -> str:
        return " ".join(map(str, self.addresses()))


class IPv4Options(Options):
    """The options of an IPv4 header: its octets, which iterate as options.

    `IPv4Options([RecordRoute(Route(["0.0.0.0"] * 3))])` encodes options and pads them to whole words.
    """

    __slots__ = ()

    def measure(self, at: int) -> tuple[int, int]:
        kind = self[at]
        if kind <= NO_OPERATION:
            return kind, 1
        length = self[at + 1] if at + 1 < len(self) else 0
        return kind, length if length >= 2 else 0

    def ends(self, kind: int) -> bool:
        return kind == END

    def final(self) -> IPv4Address | None:
        """The last destination of a source route that has not come to its end (RFC 1122 section 3.2.1.8)."""
        for one in self:
            if isinstance(one, LooseSourceRoute | StrictSourceRoute) and one.pointer <= len(one) and one.route.addresses():
                return one.route.addresses()[-1]
        return None

    def copied(self) -> IPv4Options:
        """The options that go into every fragment: those with the copied flag (RFC 791 section 3.2), padded."""
        return IPv4Options([one for one in self if isinstance(one, Option) and bytes(one)[0] & 0x80])


@option(IPv4Options)
@header
class UnknownIPv4Option(Option):
    """An IPv4 option of any kind that has a length, RFC 791 section 3.1."""

    kind: int = wire(Int8ub, names=KINDS)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    data: bytes = wire(Run(this.length - 2), default=b"")


@option(IPv4Options, END)
@header
class EndOfIPv4Options(Option):
    """End of option list, RFC 791 section 3.1: what follows is padding."""

    label = "end"
    kind: int = wire(Int8ub, default=END, names=KINDS, kw_only=True)


@option(IPv4Options, NO_OPERATION)
@header
class NoIPv4Operation(Option):
    """No operation, RFC 791 section 3.1: aligns what follows."""

    label = "NOP"
    kind: int = wire(Int8ub, default=NO_OPERATION, names=KINDS, kw_only=True)


@option(IPv4Options, 7)
@header
class RecordRoute(Option):
    """Record route, RFC 791 section 3.1: routers write their addresses into the slots."""

    label = "record route"
    kind: int = wire(Int8ub, default=7, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    pointer: int = wire(Int8ub, default=4, doc=POINTER, kw_only=True)
    route: Made[Route, Iterable[IPv4Address | str] | bytes] = wire(Value(Route, Run(this.length - 3)), default=Route())


@option(IPv4Options, 131)
@header
class LooseSourceRoute(Option):
    """Loose source and record route, RFC 791 section 3.1."""

    label = "loose source route"
    kind: int = wire(Int8ub, default=131, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    pointer: int = wire(Int8ub, default=4, doc=POINTER, kw_only=True)
    route: Made[Route, Iterable[IPv4Address | str] | bytes] = wire(Value(Route, Run(this.length - 3)), default=Route())


@option(IPv4Options, 137)
@header
class StrictSourceRoute(Option):
    """Strict source and record route, RFC 791 section 3.1."""

    label = "strict source route"
    kind: int = wire(Int8ub, default=137, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    pointer: int = wire(Int8ub, default=4, doc=POINTER, kw_only=True)
    route: Made[Route, Iterable[IPv4Address | str] | bytes] = wire(Value(Route, Run(this.length - 3)), default=Route())


@option(IPv4Options, 68)
@header
class InternetTimestamp(Option):
    """Internet timestamp, RFC 791 section 3.1: milliseconds since midnight UT, alone or after each address."""

    label = "timestamp"
    kind: int = wire(Int8ub, default=68, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    pointer: int = wire(Int8ub, default=5, doc=POINTER, kw_only=True)
    overflow: int = wire(BitsInteger(4), default=0, doc="hosts that found no slot left", kw_only=True)
    flag: int = wire(
        BitsInteger(4), default=0, kw_only=True,
        names={0: "timestamps", 1: "addresses and timestamps", 3: "addresses are given"},
    )  # fmt: skip
    stamps: bytes = wire(Run(this.length - 4), default=b"")

    def entries(self) -> tuple[tuple[IPv4Address | None, int], ...]:
        """(address or None, timestamp) of each slot."""
        words = [_word.unpack_from(self.stamps, at)[0] for at in range(0, len(self.stamps) - 3, 4)]
        if self.flag == 0:
            return tuple((None, word) for word in words)
        return tuple((IPv4Address(a), b) for a, b in zip(words[::2], words[1::2], strict=False))


@option(IPv4Options, 148)
@header
class RouterAlert(Option):
    """Router alert, RFC 2113: routers look closer at this datagram."""

    label = "router alert"
    kind: int = wire(Int8ub, default=148, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    value: int = wire(Int16ub, default=0)
