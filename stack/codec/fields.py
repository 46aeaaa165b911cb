"""What a field of a header is: its construct format, its default, and how a caller's value is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, TypeVar, overload

import construct as c

from stack.base.errors import WireError

_V = TypeVar("_V")
_T = TypeVar("_T", contravariant=True)


class SealedType:
    """The value of a field that a neighbour decides: a length, a checksum, the number of what follows."""

    __slots__ = ()
    _only: SealedType | None = None

    def __new__(cls) -> SealedType:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "Sealed"

    def __reduce__(self) -> str:
        return "Sealed"


Sealed: Final[Any] = SealedType()
REQUIRED: Final[Any] = object()


class Run(c.Bytes):
    """Octets whose number an earlier field gives. Building takes what there is, so that a length can be set wrongly."""

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        c.stream_write(stream, bytes(obj), len(obj), path)
        return obj


class Value(c.Adapter):
    """Octets as a `bytes` subclass: an address, a list of options. Where the subclass interns, so do we."""

    def __init__(self, kind: type[bytes], subcon: Any) -> None:
        super().__init__(subcon)
        self.kind = kind
        self.wrap = kind.of.__getitem__ if hasattr(kind, "of") else getattr(kind, "_new", kind)

    def _decode(self, obj: Any, context: Any, path: str) -> Any:
        return self.wrap(bytes(obj))

    def _encode(self, obj: Any, context: Any, path: str) -> Any:
        return bytes(obj)


class Made(Protocol[_V, _T]):
    """The annotation of a field that reads as one type and is made of others as well: `name: Made[Name, str | bytes]`.

    It is there for type checkers only, which take from a descriptor what `__init__` accepts.
    """

    @overload
    def __get__(self, instance: None, owner: Any) -> Made[_V, _T]: ...
    @overload
    def __get__(self, instance: object, owner: Any) -> _V: ...
    def __set__(self, instance: object, value: _V | _T) -> None: ...


AddressField: TypeAlias = Made[_V, str | bytes | int]


@dataclass(slots=True)
class Field:
    """A field as declared. `bits` is its width where that is fixed, `names` shows numbers as words."""

    format: Any
    default: Any
    names: Mapping[int, str] | None
    doc: str
    kw_only: bool = False
    hexadecimal: bool = False
    name: str = ""
    bits: int | None = None

    @property
    def sealable(self) -> bool:
        """May stay `Sealed` until the packet is built."""
        return self.default is Sealed

    def check(self, value: Any) -> Any:
        """A caller's value, converted; raises `WireError` that names field, value and what was expected."""
        if value is Sealed:
            if self.sealable:
                return value
            raise WireError(self.name, None, "Sealed, but no neighbour decides it; give a value")
        inner = bare(self.format)
        if inner is c.Flag:
            return bool(value)
        if isinstance(inner, Value):
            try:
                return inner.kind(value)
            except (ValueError, TypeError) as error:
                raise WireError(self.name, None, f"{value!r}: {error}") from None
        limits = integer_limits(inner)
        if limits is not None:
            if not isinstance(value, int) or not limits[0] <= value <= limits[1]:
                raise WireError(self.name, None, f"{value!r}; expected an integer from {limits[0]} to {limits[1]}")
            return int(value)
        if isinstance(inner, c.Bytes) or inner is c.GreedyBytes:
            if not isinstance(value, bytes | bytearray | memoryview):
                raise WireError(self.name, None, f"{value!r}; expected bytes")
            value = bytes(value)
            size = fixed_bytes(inner)
            if size is not None and len(value) != size:
                raise WireError(self.name, None, f"{len(value)} octets; expected {size}")
        return value

    def show(self, value: Any) -> str:
        """The value as people read it."""
        if isinstance(value, int) and not isinstance(value, bool):
            number = f"0x{value:0{(self.bits or 0) // 4}x}" if self.hexadecimal else str(value)
            return f"{self.names[value]} ({number})" if self.names is not None and value in self.names else number
        if isinstance(value, bytes):
            return str(value) if type(value) is not bytes else value.hex() or "(empty)"
        return str(value)


def wire(
    format: Any,
    *,
    default: Any = REQUIRED,
    names: Mapping[int, str] | None = None,
    doc: str = "",
    kw_only: bool = False,
    hexadecimal: bool = False,
) -> Any:
    """A field of a header: its construct `format`, its default, names for its numbers, a line for readers.

    `kw_only` fields are given by name, never by position: so that an option is `MSS(1460)`, for all its kind and length.
    """
    return Field(format, default, names, doc, kw_only, hexadecimal)


def bare(format: Any) -> Any:
    """The format without the names that construct wraps around it."""
    while isinstance(format, c.Renamed):
        format = format.subcon
    return format


def bit_width(format: Any) -> int | None:
    """The width of a field that is counted in bits (`Flag`, `Bit`, `BitsInteger`), or None."""
    inner = bare(format)
    if inner is c.Flag or inner is c.Bit:
        return 1
    if isinstance(inner, c.BitsInteger) and isinstance(inner.length, int) and not (inner.signed or inner.swapped):
        return inner.length
    return None


def fixed_bytes(format: Any) -> int | None:
    """The size of a run of octets of constant size, or None."""
    inner = bare(format)
    if isinstance(inner, Value):
        inner = bare(inner.subcon)
    return inner.length if isinstance(inner, c.Bytes) and isinstance(inner.length, int) else None


def unsigned_octets(format: Any) -> int | None:
    """The size of a big-endian integer of odd size (24 bits, …), or None."""
    inner = bare(format)
    plain = isinstance(inner, c.BytesInteger) and isinstance(inner.length, int)
    return inner.length if plain and not (inner.signed or inner.swapped) else None


def integer_limits(format: Any) -> tuple[int, int] | None:
    """The least and greatest value of an integer field, or None."""
    inner = bare(format)
    bits = bit_width(inner)
    if bits is None and (size := unsigned_octets(inner)) is not None:
        bits = 8 * size
    if bits is not None:
        return 0, (1 << bits) - 1
    if isinstance(inner, c.FormatField) and inner.fmtstr[-1] in "bBhHlLqQ":
        bits = 8 * inner.length
        return (0, (1 << bits) - 1) if inner.fmtstr[-1].isupper() else (-(1 << bits - 1), (1 << bits - 1) - 1)
    return None
