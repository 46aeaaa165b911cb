"""Domain names on the wire: labels, and compression pointers (RFC 1035 sections 3.1 and 4.1.4)."""

from __future__ import annotations

from typing import Any, Self

import construct as c

from stack.base.errors import WireError

MOST_OCTETS = 255
MOST_LABEL = 63
_POINTER = 0xC0
_REACH = 0x4000  # what a pointer of 14 bits can say
_ESCAPED = b'"().;\\@$'


class Name(bytes):
    """A domain name: its octets without compression. Made from text ('www.example.com', '\\\\.' for a dot in a label)."""

    __slots__ = ()

    def __new__(cls, value: str | bytes = b"\0") -> Self:
        octets = _encode(value) if isinstance(value, str) else bytes(value)
        if len(octets) > MOST_OCTETS:
            raise ValueError(f"a name of {len(octets)} octets; at most {MOST_OCTETS} are allowed")
        name = bytes.__new__(cls, octets)
        if isinstance(value, bytes) and not isinstance(value, Name) and expand(octets, 0)[1] != len(octets):
            raise ValueError("octets after the end of the name")
        return name

    def labels(self) -> tuple[bytes, ...]:
        """The labels, without the empty one of the root."""
        found, at = [], 0
        while size := self[at]:
            found.append(self[at + 1 : at + 1 + size])
            at += 1 + size
        return tuple(found)

    def lower(self) -> Name:
        """The name as it is compared: in small letters (RFC 4343)."""
        return bytes.__new__(Name, bytes.lower(self))  # lengths of labels are below the letters

    def parent(self) -> Name | None:
        """The name without its first label, or None for the root."""
        return bytes.__new__(Name, self[1 + self[0] :]) if self[0] else None

    def __str__(self) -> str:
        return ".".join(map(_show, self.labels())) or "."

    def __repr__(self) -> str:
        return f"Name({str(self)!r})"


def _show(label: bytes) -> str:
    return "".join(
        f"\\{chr(one)}" if one in _ESCAPED else chr(one) if 0x20 < one < 0x7F else f"\\{one:03d}" for one in label
    )


def _encode(text: str) -> bytes:
    """The octets of a name in text; raises `ValueError`."""
    octets = b""
    label = b""
    if text in ("", "."):
        return b"\0"
    at = 0
    while at <= len(text):
        letter = text[at : at + 1]
        at += 1
        if letter in ("", "."):
            if not letter and not label and text.endswith("."):
                break
            if not 0 < len(label) <= MOST_LABEL:
                raise ValueError(f"{text!r} has a label of {len(label)} octets; expected 1 to {MOST_LABEL}")
            octets += bytes((len(label),)) + label
            label = b""
        elif letter == "\\" and text[at : at + 3].isdecimal() and len(text[at : at + 3]) == 3:
            if int(text[at : at + 3]) > 255:
                raise ValueError(f"{text!r} has an escape above 255")
            label += bytes((int(text[at : at + 3]),))
            at += 3
        elif letter == "\\":
            label += text[at : at + 1].encode()
            at += 1
        elif letter.isascii():
            label += letter.encode()
        else:
            return _encode(text.encode("idna").decode())
    return octets + b"\0"


def expand(message: bytes, at: int) -> tuple[Name, int]:
    """The name at octet `at` of a message, and where it ends; raises `WireError`.

    A pointer must lead to before where its own name began, so that there are no loops.
    """
    parts: list[bytes] = []
    size = 1
    start, place, stop = at, at, 0
    while True:
        if place >= len(message):
            raise WireError("name", at, "ends after the message")
        length = message[place]
        if length >= _POINTER:
            if place + 2 > len(message):
                raise WireError("name", at, "ends after the message")
            stop = stop or place + 2
            target = (length & ~_POINTER) << 8 | message[place + 1]
            if target >= start:
                raise WireError("name", at, f"a pointer at octet {place} to {target}, which is not before the name")
            start = place = target
            continue
        if length > MOST_LABEL:
            raise WireError("name", at, f"0x{length:02x} is no length of a label")
        place += 1
        if length == 0:
            return bytes.__new__(Name, b"".join(parts) + b"\0"), stop or place
        size += 1 + length
        if place + length > len(message) or size > MOST_OCTETS:
            raise WireError("name", at, "too long" if size > MOST_OCTETS else "ends after the message")
        parts.append(message[place - 1 : place + length])
        place += length


class Compressor:
    """Remembers at which octet of a message which name stands, so that later ones can point there."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}

    def write(self, name: Name, at: int, compress: bool = True) -> bytes:
        """The octets of a name that will stand at octet `at`; those who do not `compress` can still be pointed to."""
        octets = b""
        rest: Name | None = name
        while rest is not None and rest[0]:
            known = self._places.get(rest)
            if known is not None and compress:
                return octets + (_POINTER << 8 | known).to_bytes(2, "big")
            if known is None and at + len(octets) < _REACH:
                self._places[rest] = at + len(octets)
            octets += rest[: 1 + rest[0]]
            rest = rest.parent()
        return octets + b"\0"


class NameFormat(c.Construct):
    """A name without compression, as a construct format. Pointers in it are damage."""

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        start = stream.tell()
        octets = stream.read(MOST_OCTETS)
        try:
            name, stop = expand(octets, 0)
        except WireError as error:
            raise c.ConstructError(error.reason, path) from None
        stream.seek(start + stop)
        return bytes(name)

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        stream.write(obj)
        return obj

    def _sizeof(self, context: Any, path: str) -> int:
        raise c.SizeofError("names vary")
