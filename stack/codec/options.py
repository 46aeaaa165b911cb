"""A row of options as its octets: read on demand, so that order, padding and damage survive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, ClassVar, Self, TypeAlias, TypeVar

from stack.base.errors import WireError
from stack.codec.fields import Made, Sealed
from stack.codec.header import Header

_O = TypeVar("_O", bound="Option")
_R = TypeVar("_R", bound="Options")
_K = TypeVar("_K", bound=type[Header])


class Option(Header):
    """A header type that is one option of a row. Its fields before the first positional one say kind and length."""

    __slots__ = ()
    label: ClassVar[str] = ""  # as people call it

    length: int

    def counted(self) -> int:
        """What the field `length` must say."""
        return len(self)

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        if "length" in self.fields and self.length is Sealed:
            return self.pack(length=self.counted())
        return self.pack()

    def __eq__(self, other: object) -> bool:
        """An option is its octets: a made one, with its length still Sealed, equals the one that is parsed from it."""
        return bytes(self) == bytes(other) if isinstance(other, Option) and type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash((type(self), bytes(self)))

    def __str__(self) -> str:
        shown = [self.fields[name].show(getattr(self, name)) for name in self.__match_args__]
        return " ".join([self.label or type(self).__name__, *shown])


class Options(bytes):
    """A row of options: a `bytes` value whose iteration gives options, and last, as bytes, what cannot be read.

    Made from octets, or from options, which are then padded as their header wants.
    """

    __slots__ = ()
    kinds: ClassVar[dict[int, type[Option]]]
    unknown: ClassVar[type[Option]]
    _new: ClassVar[Callable[[bytes], Any]]

    def __init_subclass__(cls) -> None:
        cls.kinds = {}
        cls._new = partial(bytes.__new__, cls)

    def __new__(cls, value: bytes | Iterable[Header | bytes] = b"") -> Self:
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes.__new__(cls, value)
        return bytes.__new__(cls, cls.pad(b"".join([bytes(one) for one in value])))

    @classmethod
    def pad(cls, octets: bytes) -> bytes:
        """The octets of a row of options, and what fills them up: zeros to a multiple of four."""
        return octets + bytes(-len(octets) % 4)

    def measure(self, at: int) -> tuple[int, int]:
        """Kind and size in octets of the option at `at`; a size of 0 where that cannot be told."""
        raise NotImplementedError

    def ends(self, kind: int) -> bool:
        """Whether nothing but padding follows an option of this kind."""
        return False

    def __iter__(self) -> Iterator[Option | bytes]:  # type: ignore[override]
        at, end = 0, len(self)
        while at < end:
            kind, size = self.measure(at)
            if not 0 < size <= end - at:
                break
            yield self._read(kind, at, at + size)
            at += size
            if self.ends(kind):
                break
        if at < end:
            yield self[at:]

    def _read(self, kind: int, at: int, end: int) -> Option:
        known = self.kinds.get(kind)
        if known is not None:
            try:
                option: Option
                option, stop = known.decode(self, at, end)
                if stop == end:
                    return option
            except WireError:
                pass
        option, _ = self.unknown.decode(self, at, end)
        return option

    def get(self, kind: type[_O]) -> _O | None:
        """The first option of this type, or None."""
        for one in self:
            if type(one) is kind:
                return one
        return None

    def __str__(self) -> str:
        return ", ".join(one.hex() if isinstance(one, bytes) else str(one) for one in self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{', '.join(map(repr, self))}])"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (bytes(self),)


OptionsField: TypeAlias = Made[_R, bytes | Iterable[Header | bytes]]  # the annotation of a field that is such a row


def option(row: type[Options], *kinds: int) -> Callable[[_K], _K]:
    """Mark an option type as what these kinds mean in such a row; with no kind, as what all others are read as."""

    def mark(kind: Any) -> Any:
        for number in kinds:
            row.kinds[number] = kind
        if not kinds:
            row.unknown = kind
        return kind

    return mark
