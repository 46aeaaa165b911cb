"""What is compared in a display filter: fields, slices and functions of them, and values read as the field's kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from stack.base.address import MAC, IPv4Address, IPv6Address
from stack.base.errors import AddressError
from stack.capture.context import View
from stack.capture.error import FilterError
from stack.capture.fields import Field, Kind
from stack.capture.filter_tokens import Token

OCTETS = (Kind.BYTES, Kind.PRESENCE, Kind.MAC)
_HEX_OCTETS = re.compile(r"[0-9a-fA-F]{2}(?:[:.-]?[0-9a-fA-F]{2})*")


class Operand(NamedTuple):
    """A side of a comparison that a packet decides. `bare`: a field as it stands, that a presence test can ask for."""

    kind: Kind
    read: Callable[[View], Iterable[Any]]
    bare: bool = True


class Prefix(NamedTuple):
    """A network: an address is equal to it when it lies inside."""

    network: int
    mask: int

    def holds(self, address: bytes) -> bool:
        return int.from_bytes(address, "big") & self.mask == self.network


def value_of(token: Token, kind: Kind, expression: str) -> Any:
    """The value of a literal that is compared with a field of this kind; raises `FilterError`."""
    try:
        return _READERS[kind](token)
    except (ValueError, AddressError, IndexError):
        raise FilterError(expression, token.position, f"expected {kind.value}, not {token.text!r}") from None


def _integer(token: Token) -> int:
    if token.kind == "character":
        return ord(token.text)
    text = token.text.lower()
    if text.startswith(("0x", "-0x")):
        return int(text, 16)
    return int(text, 8) if re.fullmatch(r"0[0-7]+", text) else int(text)


def _boolean(token: Token) -> bool:
    text = token.text.lower()
    if text in ("true", "set", "false", "not set"):
        return text in ("true", "set")
    return bool(_integer(token))


def _address(token: Token, kind: type[IPv4Address] | type[IPv6Address]) -> bytes | Prefix:
    address, slash, length = token.text.partition("/")
    octets = kind(address)
    if not slash:
        return octets
    bits = 8 * len(octets)
    if not 0 <= int(length) <= bits:
        raise ValueError(length)
    mask = (1 << bits) - (1 << bits - int(length))
    return Prefix(int(octets) & mask, mask)


def _octets(token: Token) -> bytes:
    if token.kind == "word":
        if not _HEX_OCTETS.fullmatch(token.text):
            raise ValueError(token.text)
        return bytes.fromhex(re.sub("[:.-]", "", token.text))
    return token.text.encode("utf-8" if not token.text.isascii() else "latin-1")


def _mac(token: Token) -> bytes:
    octets = _octets(token._replace(kind="word"))
    return MAC(octets) if len(octets) == MAC.length else octets


def _time(token: Token) -> int:
    match = re.fullmatch(r"(-?)(\d*)\.?(\d{0,9})", token.text)
    if not match or not (match[2] or match[3]):
        raise ValueError(token.text)
    return (int(match[2] or 0) * 1_000_000_000 + int(match[3].ljust(9, "0"))) * (-1 if match[1] else 1)


_READERS: dict[Kind, Callable[[Token], Any]] = {
    Kind.INTEGER: _integer,
    Kind.BOOLEAN: _boolean,
    Kind.IPV4: lambda token: _address(token, IPv4Address),
    Kind.IPV6: lambda token: _address(token, IPv6Address),
    Kind.MAC: _mac,
    Kind.STRING: lambda token: token.text,
    Kind.BYTES: _octets,
    Kind.TIME: _time,
    Kind.PRESENCE: _octets,
}


def sliced(operand: Operand, token: Token, expression: str) -> Operand:
    """`field[first:count]`, `[first-last]`, `[:count]`, `[first:]`, `[one]`, several joined by commas."""
    if operand.kind not in (*OCTETS, Kind.STRING):
        raise FilterError(expression, token.position, "only octets and texts have slices")
    parts = [_range(part.strip(), token, expression) for part in token.text.split(",")]
    empty: Any = "" if operand.kind is Kind.STRING else b""

    def cut(value: Any) -> Any:
        return empty.join(_part(value, *part) for part in parts)

    kind = Kind.STRING if operand.kind is Kind.STRING else Kind.BYTES
    read = operand.read
    return Operand(kind, lambda view: [piece for piece in map(cut, read(view)) if piece], False)


def _part(value: Any, first: int, count: int | None) -> Any:
    start = first + len(value) if first < 0 else first
    return value[max(start, 0) :] if count is None else value[max(start, 0) : max(start, 0) + count]


def _range(text: str, token: Token, expression: str) -> tuple[int, int | None]:
    """(first, how many, or None for all that follow)"""
    if match := re.fullmatch(r"(-?\d*):(\d*)", text):
        return int(match[1] or 0), int(match[2]) if match[2] else None
    if match := re.fullmatch(r"(\d+)-(\d+)", text):
        return int(match[1]), int(match[2]) - int(match[1]) + 1
    if re.fullmatch(r"-?\d+", text):
        return int(text), 1
    raise FilterError(expression, token.position, "expected a slice such as [0:3], [4-7] or [2]")


def function(name: str, operand: Operand, token: Token, expression: str) -> Operand:
    """`len`, `count`, `lower`, `upper` of a field."""
    read = operand.read
    if name == "count":
        return Operand(Kind.INTEGER, lambda view: [len(list(read(view)))], False)
    if name == "len" and operand.kind in (*OCTETS, Kind.STRING):
        return Operand(Kind.INTEGER, lambda view: [len(value) for value in read(view)], False)
    if name in ("lower", "upper") and operand.kind is Kind.STRING:
        change = str.lower if name == "lower" else str.upper
        return Operand(Kind.STRING, lambda view: [change(value) for value in read(view)], False)
    raise FilterError(expression, token.position, f"{name} of {operand.kind.value} has no meaning")


FUNCTIONS = ("count", "len", "lower", "upper")


def masked(operand: Operand, mask: int) -> Operand:
    """`field & mask`; octets count as one number."""
    read = operand.read
    if operand.kind in OCTETS:
        return Operand(Kind.INTEGER, lambda view: [int.from_bytes(value, "big") & mask for value in read(view)], False)
    return Operand(Kind.INTEGER, lambda view: [value & mask for value in read(view)], False)


def field_operand(field: Field) -> Operand:
    """A field as an operand."""
    return Operand(field.kind, field.read)
