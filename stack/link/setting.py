"""A setting of a link: read from text or numbers, kept as an integer, changed while the link works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, Self, TypeVar, overload

from stack.base.quantity import SECOND, nanoseconds

_T = TypeVar("_T")


class Changeable(Protocol):
    """What has settings: it is told of each change."""

    def change(self, slot: str, value: Any) -> None: ...


class Setting(Generic[_T]):
    """An attribute of a direction: `read` makes the value of what people write, and raises for what is none.

    `show` makes what people get, where that is something else: a time is kept in nanoseconds, and is seconds to people.
    """

    def __init__(self, read: Callable[[Any], Any], doc: str, show: Callable[[Any], _T] | None = None) -> None:
        self.read = read
        self.show = show
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.slot = f"_{name}"

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...

    def __get__(self, instance: object | None, owner: type) -> Self | _T:
        if instance is None:
            return self
        value: Any = getattr(instance, self.slot)
        shown: _T = value if self.show is None else self.show(value)
        return shown

    def __set__(self, instance: Changeable, value: Any) -> None:
        instance.change(self.slot, self.read(value))


class Both(Generic[_T]):
    """The same setting of both directions of a link: set together; read as one value where they agree."""

    def __init__(self, setting: Setting[_T]) -> None:
        self.__doc__ = setting.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> _T: ...

    def __get__(self, instance: Any, owner: type) -> Self | _T:
        if instance is None:
            return self
        values: list[_T] = [getattr(direction, self.name) for direction in instance.directions]
        if values[0] != values[1]:
            raise ValueError(f"{self.name} is {values[0]!r} one way and {values[1]!r} the other: ask a direction, link.toward(host)")
        return values[0]

    def __set__(self, instance: Any, value: Any) -> None:
        for direction in instance.directions:
            setattr(direction, self.name, value)


def time_setting(doc: str) -> Setting[float]:
    """A setting that is a time: "20 ms", or seconds; read in seconds."""
    return Setting(nanoseconds, doc, lambda time: time / SECOND)


def optional(read: Callable[[Any], _T]) -> Callable[[Any], _T | None]:
    """`read`, or None for no limit."""
    return lambda value: None if value is None else read(value)


def whole(name: str, least: int) -> Callable[[Any], int]:
    """An integer of at least so much."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} is {value!r}; expected an integer of at least {least}")
        return value

    return read
