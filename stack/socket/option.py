"""What a row of the tables of socket options is made of: how an option is read, how it is set, on which sockets."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from socket import SOCK_DGRAM, SOCK_STREAM
from typing import Any

from stack.socket.description import Description, error

Value = int | bytes
Getter = Callable[[Any], Value]
Setter = Callable[[Any, bytes], None]
Reader = Callable[[bytes], int]

STREAM, DATAGRAM, BOTH = (SOCK_STREAM,), (SOCK_DGRAM,), (SOCK_STREAM, SOCK_DGRAM)
READ_ONLY: Setter | None = None
MOST = 0x7FFFFFFF


class Option:
    """One option: how it is read, and how it is set (None: it cannot be)."""

    __slots__ = ("get", "kinds", "set")

    def __init__(self, get: Getter, set: Setter | None, kinds: tuple[int, ...] = BOTH) -> None:
        self.get = get
        self.set = set
        self.kinds = kinds


Table = dict[tuple[int, int], Option]


def integer(value: bytes) -> int:
    """A number as setsockopt takes it; raises EINVAL where there are too few octets."""
    if len(value) < 4:
        raise error(errno.EINVAL)
    return int(struct.unpack_from("i", value)[0])


def small(value: bytes) -> int:
    """ip(7) takes one octet where it takes a number."""
    return value[0] if 1 <= len(value) < 4 else integer(value)


def between(value: int, low: int, high: int) -> int:
    """The value; raises EINVAL outside of the range."""
    if not low <= value <= high:
        raise error(errno.EINVAL)
    return value


def no_value(description: Description) -> Value:
    """An option that can be set only."""
    raise error(errno.ENOPROTOOPT)


def constant(value: int, kinds: tuple[int, ...] = BOTH) -> Option:
    """What is always so here."""
    return Option(lambda description: value, READ_ONLY, kinds)


def kept(
    level: int,
    option: int,
    default: int = 0,
    low: int = 0,
    high: int = MOST,
    *,
    back: int | None = None,
    read: Reader = integer,
    kinds: tuple[int, ...] = BOTH,
) -> Option:
    """A number that is kept, for whoever asks the description. `back`: the value that brings the default back."""

    def put(description: Description, value: bytes) -> None:
        number = read(value)
        description.keep(level, option, default if number == back else between(number, low, high))

    return Option(lambda description: description.option(level, option, default), put, kinds)


def switch(
    level: int, option: int, default: int = 0, read: Reader = integer, *, strict: bool = False, kinds: tuple[int, ...] = BOTH
) -> Option:
    """On or off. `strict`: nothing but 0 and 1 is taken."""

    def put(description: Description, value: bytes) -> None:
        number = read(value)
        description.keep(level, option, between(number, 0, 1) if strict else int(number != 0))

    return Option(lambda description: description.option(level, option, default), put, kinds)


def setting(name: str, low: int = 0, high: int = MOST, unit: int = 1) -> Option:
    """A number among the connection's settings."""

    def put(description: Any, value: bytes) -> None:
        description.configure(**{name: between(integer(value), low, high) * unit})

    return Option(lambda description: of_settings(description, name) // unit, put, STREAM)


def flag(level: int, option: int, name: str, kinds: tuple[int, ...] = BOTH) -> Option:
    """A switch among the connection's settings; datagram sockets keep it, to no effect."""

    def put(description: Any, value: bytes) -> None:
        on = integer(value) != 0
        if description.kind == SOCK_STREAM:
            description.configure(**{name: on})
        else:
            description.keep(level, option, int(on))

    def read(description: Any) -> int:
        if description.kind == SOCK_STREAM:
            return of_settings(description, name)
        return int(description.option(level, option))

    return Option(read, put, kinds)


def of_settings(description: Any, name: str) -> int:
    """A number of the connection's settings, or of those to come."""
    return int(getattr(description.settings, name))
