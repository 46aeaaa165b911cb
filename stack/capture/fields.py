"""The fields that filters know, by Wireshark's names: where each is found in a packet, of what kind, how it is shown."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, NamedTuple

from stack.capture.context import View
from stack.capture.error import FilterError


class Kind(Enum):
    """What a field's values are, and so what they can be compared with."""

    INTEGER = "an integer"
    BOOLEAN = "True, False, 1 or 0"
    IPV4 = "an IPv4 address or prefix"
    IPV6 = "an IPv6 address or prefix"
    MAC = "an Ethernet address"
    STRING = "a text"
    BYTES = "octets in hexadecimal, or a text"
    TIME = "a time in seconds"  # held in ns
    PRESENCE = "nothing: it is there or it is not"


Reader = Callable[[View], Iterable[Any]]


class Field(NamedTuple):
    """A name, and how its values are read from a packet. `digits`: hexadecimal digits where it is shown so."""

    name: str
    kind: Kind
    read: Reader
    digits: int = 0

    def text(self, view: View) -> str:
        """As `tshark -T fields` prints it."""
        return ",".join(self.show(value) for value in self.read(view))

    def show(self, value: Any) -> str:
        """One value as text."""
        if self.digits:
            return f"0x{value:0{self.digits}x}"
        if self.kind is Kind.BOOLEAN:
            return "1" if value else "0"
        if self.kind is Kind.TIME:
            return f"{'-' if value < 0 else ''}{abs(value) // 1_000_000_000}.{abs(value) % 1_000_000_000:09d}"
        if self.kind is Kind.BYTES:
            return bytes(value).hex()
        if self.kind is Kind.PRESENCE:
            return self.name.partition(".")[0] if "." not in self.name else "1"
        return str(value)


def all_fields() -> dict[str, Field]:
    """Every field by its name; made once, when it is first asked for."""
    if not _fields:
        from stack.capture import fields_application, fields_frame, fields_link, fields_network, fields_transport

        for module in (fields_frame, fields_link, fields_network, fields_transport, fields_application):
            _fields.update((field.name, field) for field in module.FIELDS)
    return _fields


_fields: dict[str, Field] = {}


def find_field(name: str) -> Field:
    """The field of this name; raises `FilterError` with names that come near."""
    field = all_fields().get(name)
    if field is None:
        near = difflib.get_close_matches(name, all_fields(), 3)
        raise FilterError(name, 0, f"no field {name!r}" + (f"; there is {', '.join(near)}" if near else ""))
    return field


def of_headers(kind: str, value: Callable[[Any], Any]) -> Reader:
    """A reader of a value of each header of this type, outermost first; a value of None is left out."""

    def read(view: View) -> Iterable[Any]:
        found = []
        for header in view.dissection.headers:
            if type(header).__name__ == kind:
                one = value(header)
                if one is not None:
                    found.append(one)
        return found

    return read


def presence(name: str, *kinds: str) -> Field:
    """A protocol: it is there when a header of one of these types is. Its value is the octets from there on."""

    def read(view: View) -> Iterable[Any]:
        dissection = view.dissection
        for place, header in enumerate(dissection.headers):
            if type(header).__name__ in kinds:
                return [_octets_from(view, dissection.offsets[place])]
        return ()

    return Field(name, Kind.PRESENCE, read)


def _octets_from(view: View, offset: int) -> bytes:
    data = view.record.data
    return data[offset : len(data) - len(view.dissection.packet.trailer)]


Row = tuple[str, Kind, Callable[[Any], Any]] | tuple[str, Kind, Callable[[Any], Any], int]


def table(prefix: str, kind: str, rows: Iterable[Row]) -> list[Field]:
    """Fields `prefix.name` of headers of one type, from (name, kind, value of a header, hexadecimal digits)."""
    return [Field(f"{prefix}.{row[0]}", row[1], of_headers(kind, row[2]), row[3] if len(row) > 3 else 0) for row in rows]


def either(name: str, *fields: Field) -> Field:
    """A field that stands for several: `ip.addr` for `ip.src` and `ip.dst`."""
    return Field(name, fields[0].kind, lambda view: [v for field in fields for v in field.read(view)], fields[0].digits)
