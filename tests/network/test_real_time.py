"""Real time: the network keeps to the monotonic clock while a file of the outside is open, and hears what comes in."""

import os
from collections.abc import Iterator
from select import select
from time import monotonic_ns
from typing import Any

import pytest

from stack.network import real_time
from stack.network.programs import Programs
from stack.network.real_time import RealTime
from stack.network.scheduler import Scheduler

MS = 1_000_000


class World:
    """A pipe whose one end is outside."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.programs = Programs(self.scheduler)
        self.real = RealTime(self.scheduler)
        self.programs.resume = self.real.resume
        self.file, self.outside = os.pipe()
        self.heard: list[tuple[int, bytes]] = []
        self.real.open(self.file, lambda now: self.heard.append((now, os.read(self.file, 100))))

    def close(self) -> None:
        os.close(self.file)
        os.close(self.outside)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def test_events_happen_at_their_time(world: World) -> None:
    start, seen = monotonic_ns(), []
    for delay in (30, 10, 20):
        world.scheduler.call_at(delay * MS, lambda: seen.append((world.scheduler.now // MS, monotonic_ns() - start)))
    world.programs.run(until=40 * MS)
    assert [now for now, _ in seen] == [10, 20, 30]
    assert all(now * MS <= real + MS for now, real in seen)
    assert monotonic_ns() - start >= 39 * MS


def test_what_comes_in_comes_at_its_time(world: World) -> None:
    world.scheduler.call_at(20 * MS, lambda: os.write(world.outside, b"x"))
    world.programs.run(until=60 * MS)
    [(now, data)] = world.heard
    assert data == b"x"
    assert 20 * MS <= now < 50 * MS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stands in for the machine's clock, which a busy machine does not stop: it moves while the network sleeps, and by hand."""
    shown = [0]

    def sleep(files: Any, _: Any, __: Any, timeout: float) -> Any:
        ready = select(files, (), (), 0)
        if not ready[0]:
            shown[0] += round(timeout * 1000 * MS)
        return ready

    def look() -> int:
        shown[0] += 1
        return shown[0]

    monkeypatch.setattr(real_time, "monotonic_ns", look)
    monkeypatch.setattr(real_time, "select", sleep)
    return shown


def test_what_waited_comes_before_what_became_due_meanwhile(clock: list[int], world: World) -> None:
    """The computer is slow: for 15 ms it does not look. A timer of 10 ms is late, and what came in was earlier."""
    order: list[str] = []
    world.real.open(world.file, lambda now: order.append(f"heard {os.read(world.file, 100).decode()}"))

    def slow() -> None:
        os.write(world.outside, b"x")
        clock[0] += 15 * MS

    world.scheduler.call_at(5 * MS, slow)
    world.scheduler.call_at(10 * MS, lambda: order.append("timer"))
    world.programs.run(until=40 * MS)
    assert order == ["heard x", "timer"]
    assert clock[0] // MS == 40


def test_it_is_driven_on_whatever_else_moves_the_clock(world: World) -> None:
    """Runs that begin after a rest, beside things that are due sooner or later, never lose it: time would be virtual."""
    start, rested = monotonic_ns(), 0
    for round in range(20):
        for delay in (1, 3, 7):
            world.scheduler.call_at(world.scheduler.now + delay * MS, lambda: None)
        if round % 3 == 0:
            before = monotonic_ns()
            while monotonic_ns() < before + 25 * MS:
                pass
            rested += monotonic_ns() - before
        world.programs.run(until=world.scheduler.now + 4 * MS)
        assert world.real.deadline is not None
        assert world.scheduler.now <= monotonic_ns() - start + 5 * MS
    assert monotonic_ns() - start - rested >= 75 * MS


def test_an_error_of_a_reader_does_not_stop_the_clock(world: World) -> None:

    def broken(now: int) -> None:
        os.read(world.file, 100)
        raise ZeroDivisionError

    world.real.open(world.file, broken)
    os.write(world.outside, b"x")
    with pytest.raises(ZeroDivisionError):
        world.programs.run(until=20 * MS)
    start = monotonic_ns()
    world.programs.run(until=world.scheduler.now + 20 * MS)
    assert monotonic_ns() - start >= 19 * MS


def test_time_is_virtual_again_without_files(world: World) -> None:
    world.real.close(world.file)
    start = monotonic_ns()
    world.scheduler.call_at(3600 * 1000 * MS, lambda: None)
    world.programs.run()
    assert world.scheduler.now == 3600 * 1000 * MS
    assert monotonic_ns() - start < 1000 * MS
