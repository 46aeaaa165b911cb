"""Faults that are told to a link: scripts that name frames by number, and rules that name them by a predicate."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from stack.base.event import DropReason
from stack.base.quantity import nanoseconds
from stack.codec.packet import Packet
from stack.link.frame import Frame


class Fault(Protocol):
    """What a script is made of: the number of a frame (from 1), and what to do with it."""

    @property
    def number(self) -> int: ...

    def apply(self, frame: Frame) -> None:
        """Write into the frame what is to happen to it."""


def _count(value: int, what: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{what} is {value!r}; expected an integer of at least 1")


@dataclass(frozen=True, slots=True)
class Drop:
    """Frame `number` is lost."""

    number: int

    def __post_init__(self) -> None:
        _count(self.number, "number")

    def apply(self, frame: Frame) -> None:
        frame.reason = DropReason.SCRIPTED


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Frame `number` is followed by as many copies."""

    number: int
    copies: int = 1

    def __post_init__(self) -> None:
        _count(self.number, "number")
        _count(self.copies, "copies")

    def apply(self, frame: Frame) -> None:
        frame.copies += self.copies


@dataclass(frozen=True, slots=True)
class Delay:
    """Frame `number` arrives later by `time` ("40 ms" or seconds); those behind it do not wait."""

    number: int
    time: str | float | int

    def __post_init__(self) -> None:
        _count(self.number, "number")
        nanoseconds(self.time)

    def apply(self, frame: Frame) -> None:
        frame.delay += nanoseconds(self.time)


@dataclass(frozen=True, slots=True)
class Corrupt:
    """One bit of frame `number` is flipped: bit `bit` (0 is the first of the frame, modulo its length), or any."""

    number: int
    bit: int | None = None

    def __post_init__(self) -> None:
        _count(self.number, "number")
        if self.bit is not None and (not isinstance(self.bit, int) or self.bit < 0):
            raise ValueError(f"bit is {self.bit!r}; expected an integer of at least 0, or None")

    def apply(self, frame: Frame) -> None:
        frame.flips.append(self.bit)


@dataclass(frozen=True, slots=True)
class Reorder:
    """Frame `number` arrives after the `gap` frames that follow it (or when the link's `reordering_wait` is over)."""

    number: int
    gap: int = 1

    def __post_init__(self) -> None:
        _count(self.number, "number")
        _count(self.gap, "gap")

    def apply(self, frame: Frame) -> None:
        frame.gap = max(frame.gap, self.gap)


class Faulty(Protocol):
    """A direction of a link, as what is in force on it sees it."""

    def withdraw(self, fault: Removable) -> None: ...


class Removable:
    """Something in force on directions of links until it is removed; as a context manager, until the block ends."""

    def __init__(self) -> None:
        self.directions: list[Faulty] = []

    def remove(self) -> None:
        """Take it off; a second time does nothing."""
        directions, self.directions = self.directions, []
        for direction in directions:
            direction.withdraw(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.remove()


class Script(Removable):
    """Faults by the number of the frame, counted as frames enter from when the script is given, from 1."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__()
        if not isinstance(faults, Iterable):
            raise TypeError(f"{faults!r} is no list of faults; expected one such as [Drop(3), Duplicate(5)]")
        self.frames = 0
        self._by_number: dict[int, list[Fault]] = {}
        for fault in faults:
            if not callable(getattr(fault, "apply", None)):
                raise TypeError(f"{fault!r} is not a fault; expected Drop, Duplicate, Delay, Corrupt or Reorder")
            self._by_number.setdefault(fault.number, []).append(fault)

    @property
    def pending(self) -> list[Fault]:
        """The faults whose frame has not come yet."""
        return [fault for number in sorted(self._by_number) for fault in self._by_number[number]]

    def __repr__(self) -> str:
        return f"<Script after {self.frames} frames; to come: {self.pending}>"

    def enter(self, frame: Frame) -> None:
        """Count a frame, and tell it what the script has for it."""
        self.frames += 1
        for fault in self._by_number.pop(self.frames, ()):
            fault.apply(frame)
        if not self._by_number:
            self.remove()


class Rule(Removable):
    """Frames for which the predicate is true are dropped: all of them, or the first `times`."""

    def __init__(
        self, predicate: Callable[[Packet], Any], times: int | None = None, reason: DropReason = DropReason.SCRIPTED
    ) -> None:
        super().__init__()
        if not callable(predicate):
            raise TypeError(f"predicate is {predicate!r}; expected a function of a packet")
        if times is not None:
            _count(times, "times")
        self.predicate = predicate
        self.times = times
        self.reason = reason
        self.dropped = 0

    def __repr__(self) -> str:
        return f"<Rule: {self.dropped} dropped{'' if self.times is None else f' of {self.times}'}{'' if self.directions else ', removed'}>"

    def enter(self, frame: Frame) -> None:
        """Drop the frame if the rule is for it."""
        if frame.reason is not None or not self.predicate(frame.packet):
            return
        frame.reason = self.reason
        self.dropped += 1
        if self.dropped == self.times:
            self.remove()


class Outage(Removable):
    """A link, or one way of it, that is down until this is removed."""

    def __init__(self, up: Callable[[], None]) -> None:
        super().__init__()
        self._up: Callable[[], None] | None = up

    def remove(self) -> None:
        """Up again."""
        up, self._up = self._up, None
        if up is not None:
            up()
