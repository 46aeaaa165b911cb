"""Who is carried in whom: numbers of one header that say the type of the next, and what a link type begins with."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeVar

from stack.codec.fields import Sealed
from stack.codec.header import Header
from stack.codec.step import relink

_H = TypeVar("_H", bound=type[Header])


class LinkType(IntEnum):
    """Link-layer header types of capture files that have a format here (LINKTYPE_ values of tcpdump.org)."""

    NULL = 0
    ETHERNET = 1
    RAW_OLD = 12  # DLT_RAW where it leaked into files
    RAW_BSD = 14  # the same, from OpenBSD
    RAW = 101
    LOOP = 108
    LINUX_SLL = 113
    IPV4 = 228
    IPV6 = 229
    LINUX_SLL2 = 276


Beginning = Callable[[bytes], type[Header] | None]
_beginnings: dict[int, Beginning | type[Header]] = {}
firsts: dict[int, type[Header]] = {}  # link types whose frames all begin alike; filled when all formats are there
_loaded = False


def carried(outer: type[Header], **numbers: int) -> Callable[[_H], _H]:
    """Mark a header type as what follows `outer` where the field of that name has that number."""

    def mark(kind: _H) -> _H:
        for field, number in numbers.items():
            if field not in outer.fields:
                raise TypeError(f"{outer.__name__} has no field {field!r} to say that {kind.__name__} follows")
            tables = dict(outer.carried)
            if field not in tables:
                outer.carried.append((field, {}))
                relink(Header)
                tables = dict(outer.carried)
            tables[field][number] = kind
            kind.carriers.setdefault(outer, (field, number))
        return kind

    return mark


def numbered_like(other: type[Header]) -> Callable[[_H], _H]:
    """Mark a header type as one that says what follows in the field, and by the numbers, of `other`."""

    def mark(kind: _H) -> _H:
        kind.alike = other
        kind.carried = other.carried
        return kind

    return mark


def begins(*link_types: int) -> Callable[[_H], _H]:
    """Mark a header type as the first of frames of these link types."""

    def mark(kind: _H) -> _H:
        for link_type in link_types:
            _beginnings[link_type] = kind
        return kind

    return mark


def choose_beginning(*link_types: int) -> Callable[[Beginning], Beginning]:
    """Mark a function from a frame's bytes to its first header type, for link types that do not say it."""

    def mark(choice: Beginning) -> Beginning:
        for link_type in link_types:
            _beginnings[link_type] = choice
        return choice

    return mark


def beginning(link_type: int, data: bytes) -> type[Header] | None:
    """The first header type of a frame, or None where the link type has no format here."""
    load_formats()
    choice = _beginnings.get(link_type)
    return choice if choice is None or isinstance(choice, type) else choice(data)


def linked(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    """The headers with each Sealed number set that says what the next header is."""
    result = list(headers)
    for place in range(len(headers) - 1):
        outer = result[place]
        carriers = type(headers[place + 1]).carriers
        field, number = carriers.get(type(outer)) or carriers.get(outer.alike or Header, ("", 0))
        if field and getattr(outer, field) is Sealed:
            result[place] = outer.replace(**{field: number})
    return tuple(result)


def load_formats() -> None:
    """Import every format there is: all of `stack.*.formats`, and each application's `messages`."""
    global _loaded
    if _loaded:
        return
    _loaded = True
    root: Any = importlib.import_module(__name__.partition(".")[0])
    for room in pkgutil.iter_modules(root.__path__, "stack."):
        if not room.ispkg:
            continue
        package = importlib.import_module(room.name)
        for part in pkgutil.iter_modules(package.__path__, room.name + "."):
            if part.name.endswith(".formats"):
                formats = importlib.import_module(part.name)
                for module in pkgutil.iter_modules(formats.__path__, part.name + "."):
                    importlib.import_module(module.name)
            elif part.ispkg and room.name == "stack.application":
                application = importlib.import_module(part.name)
                if any(module.name == "messages" for module in pkgutil.iter_modules(application.__path__)):
                    importlib.import_module(part.name + ".messages")
    firsts.update((number, kind) for number, kind in _beginnings.items() if isinstance(kind, type))
