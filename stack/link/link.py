"""A link: full duplex between two interfaces, a direction each way, with settings and faults for one way or both."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from stack.base.event import Drop, Event
from stack.base.randomness import Randomness
from stack.codec.packet import Packet
from stack.link.direction import Direction
from stack.link.faults import Fault, Outage, Rule, Script
from stack.link.interface import Interface
from stack.link.setting import Both

SETTINGS = (
    "rate", "delay", "jitter", "queue", "loss", "duplication", "reordering", "reordering_gap", "reordering_wait",
    "corruption", "fcs", "mtu",
)  # fmt: skip


class Link:
    """Between the interfaces `ends`; `directions` are the ways from the first to the second, and back.

    A setting is set for both ways at once (`link.loss = "5%"`), or for one: `link.toward("b").loss = "5%"`.
    `cost` counts in shortest-path routes. With `as_bytes`, what arrives is parsed from the frame's bytes alone.
    """

    rate = Both(Direction.rate)
    delay = Both(Direction.delay)
    jitter = Both(Direction.jitter)
    queue = Both(Direction.queue)
    loss = Both(Direction.loss)
    duplication = Both(Direction.duplication)
    reordering = Both(Direction.reordering)
    reordering_gap = Both(Direction.reordering_gap)
    reordering_wait = Both(Direction.reordering_wait)
    corruption = Both(Direction.corruption)
    fcs = Both(Direction.fcs)
    mtu = Both(Direction.mtu)

    def __init__(
        self,
        name: str,
        ends: tuple[Interface, Interface],
        randomness: Randomness,
        poke: Callable[[Direction], None],
        clock: Callable[[], int],
        tell: Callable[[Drop | Event], None] | None = None,
        *,
        cost: int = 1,
        as_bytes: bool = False,
        **settings: Any,
    ) -> None:
        self.name = name
        self.ends = ends
        self.cost = cost
        self.on_change: list[Callable[[Link], None]] = []  # called when it goes down or up
        sink = _parsed if as_bytes else _straight
        there, back = _direction_names(ends)
        self.directions = (
            Direction(name, there, randomness, sink(ends[1]), poke, clock, tell),
            Direction(name, back, randomness, sink(ends[0]), poke, clock, tell),
        )
        self.set(**settings)
        for end, out, into in zip(ends, self.directions, reversed(self.directions), strict=True):
            end.wire = out
            end.source = into

    def set(self, **settings: Any) -> None:
        """Several settings at once; raises TypeError for one that does not exist."""
        for setting, value in settings.items():
            if setting not in SETTINGS:
                raise TypeError(f"a link has no setting {setting!r}; expected one of {', '.join(SETTINGS)}")
            setattr(self, setting, value)

    def toward(self, end: Any) -> Direction:
        """The direction that leads to this end: an interface, the name of its owner, or what has that name."""
        return self.directions[1 - self._index(end)]

    def _index(self, end: Any) -> int:
        for index, interface in enumerate(self.ends):
            if end is interface:
                return index
        name = end if isinstance(end, str) else getattr(end, "name", None)
        found = [index for index, interface in enumerate(self.ends) if name in (interface.owner, interface.name)]
        if len(found) != 1:
            names = " and ".join(f"{interface.owner} ({interface.name})" for interface in self.ends)
            raise ValueError(f"{end!r} is not one end of link {self.name}, which joins {names}")
        return found[0]

    def drop(self, predicate: Callable[[Packet], Any], times: int | None = None) -> Rule:
        """Drop frames of both directions for which the predicate is true: all, or the first `times` in all."""
        rule = Rule(predicate, times)
        for direction in self.directions:
            direction.enforce(rule)
        return rule

    def faults(self, faults: Iterable[Fault]) -> Script:
        """Faults by number: frames of both directions count together as they enter, as a capture of the link does."""
        script = Script(faults)
        for direction in self.directions:
            direction.follow(script)
        return script

    def down(self) -> Outage:
        """Cut the link: what is queued and under way is lost, and so is what enters. `up()` or the end of `with` mends it."""
        for direction in self.directions:
            direction.down()
        self._changed()
        return Outage(self.up)

    def up(self) -> None:
        """Mend the link."""
        for direction in self.directions:
            direction.up()
        self._changed()

    @property
    def is_up(self) -> bool:
        """Both ways are up."""
        return all(direction.is_up for direction in self.directions)

    def _changed(self) -> None:
        for listener in self.on_change:
            listener(self)

    def __repr__(self) -> str:
        return f"<Link {self.name}: {self.directions[0]!r}, {self.directions[1]!r}>"


def _straight(interface: Interface) -> Callable[[Packet, int], None]:
    return interface.receive


def _parsed(interface: Interface) -> Callable[[Packet, int], None]:
    """Hand over nothing but the bytes, and why they were sent."""
    receive, parse = interface.receive, Packet.parse

    def deliver(packet: Packet, now: int) -> None:
        receive(parse(bytes(packet), packet.linktype, cause=packet.cause), now)

    return deliver


def _direction_names(ends: tuple[Interface, Interface]) -> tuple[str, str]:
    names = [end.owner or end.name for end in ends]
    if names[0] == names[1]:
        names = [f"{end.owner}.{end.name}" for end in ends]
    return f"{names[0]}>{names[1]}", f"{names[1]}>{names[0]}"
