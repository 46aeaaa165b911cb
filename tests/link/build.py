"""A direction or a link between two plain interfaces, with a clock of its own, and what it delivers."""

from __future__ import annotations

from typing import Any

from stack.base.event import Drop, DropReason, Event
from stack.base.randomness import Randomness
from stack.codec.packet import Packet
from stack.link.direction import Direction
from stack.link.interface import Interface
from stack.link.link import Link


def frame(number: int, size: int = 100) -> Packet:
    """A frame of so many octets that carries its number."""
    return Packet.parse(bytes(12) + b"\x88\xb5" + number.to_bytes(4, "big") + bytes(size - 18))


def number(packet: Packet) -> int:
    return int.from_bytes(bytes(packet)[14:18], "big")


class Bench:
    """Drives directions as the scheduler does: the earliest deadline first, ties in the order of poking."""

    def __init__(self, seed: int = 1) -> None:
        self.now = 0
        self.randomness = Randomness(seed)
        self.directions: list[Direction] = []
        self.arrived: list[tuple[int, Packet]] = []
        self.told: list[Drop | Event] = []

    def poke(self, direction: Direction) -> None:
        if direction not in self.directions:
            self.directions.append(direction)

    def clock(self) -> int:
        return self.now

    def direction(self, link: str = "a-b", name: str = "a>b", **settings: Any) -> Direction:
        made = Direction(link, name, self.randomness, self.arrive, self.poke, self.clock, self.told.append)
        for setting, value in settings.items():
            setattr(made, setting, value)
        return made

    def link(self, **settings: Any) -> Link:
        ends = Interface("eth0", owner="a"), Interface("eth0", owner="b")
        for end in ends:
            end.handler = lambda interface, packet, now: self.arrive(packet, now)
        return Link("a-b", ends, self.randomness, self.poke, self.clock, self.told.append, **settings)

    def arrive(self, packet: Packet, now: int) -> None:
        assert now == self.now
        self.arrived.append((now, packet))

    def run(self, until: int | None = None) -> Bench:
        """Deliver all that is due until then, or everything."""
        while True:
            due = [one for one in self.directions if one.deadline is not None]
            if not due:
                break
            first = min(due, key=lambda one: one.deadline or 0)
            assert first.deadline is not None
            if until is not None and first.deadline > until:
                break
            self.now = first.deadline
            first.timeout(self.now)
        self.now = max(self.now, until or 0)
        return self

    def send(self, direction: Direction, *frames: Packet) -> None:
        for one in frames:
            direction.send(one, self.now)

    @property
    def numbers(self) -> list[int]:
        return [number(packet) for _, packet in self.arrived]

    @property
    def times(self) -> list[int]:
        return [time for time, _ in self.arrived]

    def reasons(self) -> list[DropReason]:
        return [one.reason for one in self.told if isinstance(one, Drop)]
