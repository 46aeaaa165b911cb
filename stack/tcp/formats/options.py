"""The options of a TCP header (RFC 9293 section 3.2, RFC 7323, RFC 2018, RFC 7413, RFC 5482, RFC 2385)."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Self

from construct import BitsInteger, Bytes, Flag, Int8ub, Int16ub, Int32ub, this

from stack.codec.fields import Made, Run, Sealed, Value, wire
from stack.codec.header import header
from stack.codec.options import Option, Options, option

END, NO_OPERATION, MSS_KIND, WINDOW_SCALE, SACK_PERMITTED, SACK_KIND, TIMESTAMPS = 0, 1, 2, 3, 4, 5, 8
KINDS = {
    0: "end of options", 1: "no-operation", 2: "maximum segment size", 3: "window scale", 4: "SACK permitted", 5: "SACK",
    8: "timestamps", 19: "MD5 signature", 28: "user timeout", 29: "TCP-AO", 30: "multipath TCP", 34: "fast open cookie",
    69: "encryption negotiation", 172: "accurate ECN order 0", 174: "accurate ECN order 1",
    253: "experiment 1", 254: "experiment 2",
}  # fmt: skip

LENGTH = "octets of the option, kind and length included"
_TIMESTAMPS_FIRST = b"\1\1\x08\n"  # how nearly every segment's options begin: two NOPs, then timestamps of length 10
_pair = Struct(">II")


class SACKBlocks(bytes):
    """The blocks of a SACK option: octets that iterate as (left edge, right edge). Made from octets or such pairs."""

    __slots__ = ()

    def __new__(cls, value: bytes | Iterable[tuple[int, int]] = b"") -> Self:
        if not isinstance(value, bytes | bytearray | memoryview):
            value = b"".join([_pair.pack(left & 0xFFFFFFFF, right & 0xFFFFFFFF) for left, right in value])
        return bytes.__new__(cls, value)

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The blocks; octets that are no whole block at the end are left out."""
        whole = len(self) & ~7
        return tuple(_pair.iter_unpack(self[:whole]))

    def __str__(self) -> str:
        return " ".join(f"{left}:{right}" for left, right in self.pairs())


class TCPOptions(Options):
    """The options of a TCP header: its octets, which iterate as options.

    `TCPOptions([MSS(1460), SACKPermitted()])` encodes options and pads them to whole words.
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

    @property
    def mss(self) -> int | None:
        """The maximum segment size that the sender can take, in octets."""
        found = self.get(MSS)
        return None if found is None else found.mss

    @property
    def window_scale(self) -> int | None:
        """By how many bits to the left the sender's window is to be shifted, as sent (RFC 7323 uses at most 14)."""
        found = self.get(WindowScale)
        return None if found is None else found.shift

    @property
    def sack_permitted(self) -> bool:
        """Whether the sender understands SACK options."""
        return self.get(SACKPermitted) is not None

    @property
    def sack(self) -> tuple[tuple[int, int], ...]:
        """Blocks that have arrived out of order: (first sequence number, the one after the last)."""
        found = self.get(SACK)
        return () if found is None else found.blocks.pairs()

    @property
    def timestamps(self) -> tuple[int, int] | None:
        """TSval and TSecr."""
        if len(self) >= 12 and self[:4] == _TIMESTAMPS_FIRST:
            value, echo = _pair.unpack_from(self, 4)
            return value, echo
        found = self.get(Timestamps)
        return None if found is None else (found.value, found.echo)


@option(TCPOptions)
@header
class UnknownTCPOption(Option):
    """A TCP option of any kind that has a length, RFC 9293 section 3.1."""

    kind: int = wire(Int8ub, names=KINDS)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    data: bytes = wire(Run(this.length - 2), default=b"")


@option(TCPOptions, END)
@header
class EndOfOptions(Option):
    """End of option list, RFC 9293 section 3.2: what follows is padding."""

    label = "end"
    kind: int = wire(Int8ub, default=END, names=KINDS, kw_only=True)


@option(TCPOptions, NO_OPERATION)
@header
class NoOperation(Option):
    """No-operation, RFC 9293 section 3.2: aligns what follows."""

    label = "NOP"
    kind: int = wire(Int8ub, default=NO_OPERATION, names=KINDS, kw_only=True)


@option(TCPOptions, MSS_KIND)
@header
class MSS(Option):
    """Maximum segment size, RFC 9293 section 3.7.1: the greatest payload that the sender can take."""

    kind: int = wire(Int8ub, default=MSS_KIND, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    mss: int = wire(Int16ub, doc="octets")


@option(TCPOptions, WINDOW_SCALE)
@header
class WindowScale(Option):
    """Window scale, RFC 7323 section 2."""

    label = "window scale"
    kind: int = wire(Int8ub, default=WINDOW_SCALE, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    shift: int = wire(Int8ub, doc="the window is shifted left by so many bits")


@option(TCPOptions, SACK_PERMITTED)
@header
class SACKPermitted(Option):
    """SACK permitted, RFC 2018 section 2."""

    label = "SACK permitted"
    kind: int = wire(Int8ub, default=SACK_PERMITTED, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)


@option(TCPOptions, SACK_KIND)
@header
class SACK(Option):
    """Selective acknowledgment, RFC 2018 section 3: `SACK([(left, right), …])`."""

    kind: int = wire(Int8ub, default=SACK_KIND, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    blocks: Made[SACKBlocks, Iterable[tuple[int, int]] | bytes] = wire(Value(SACKBlocks, Run(this.length - 2)), default=SACKBlocks())


@option(TCPOptions, TIMESTAMPS)
@header
class Timestamps(Option):
    """Timestamps, RFC 7323 section 3."""

    label = "timestamps"
    kind: int = wire(Int8ub, default=TIMESTAMPS, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    value: int = wire(Int32ub, doc="the sender's clock (TSval)")
    echo: int = wire(Int32ub, default=0, doc="the value last received (TSecr)")


@option(TCPOptions, 19)
@header
class MD5Signature(Option):
    """MD5 signature, RFC 2385."""

    label = "MD5"
    kind: int = wire(Int8ub, default=19, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    digest: bytes = wire(Bytes(16))


@option(TCPOptions, 28)
@header
class UserTimeout(Option):
    """User timeout, RFC 5482."""

    label = "user timeout"
    kind: int = wire(Int8ub, default=28, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    minutes: bool = wire(Flag, default=False, kw_only=True, doc="the time is in minutes, not seconds")
    timeout: int = wire(BitsInteger(15))


@option(TCPOptions, 34)
@header
class FastOpenCookie(Option):
    """Fast open cookie, RFC 7413: empty to ask for one."""

    label = "fast open cookie"
    kind: int = wire(Int8ub, default=34, names=KINDS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    cookie: bytes = wire(Run(this.length - 2), default=b"")
