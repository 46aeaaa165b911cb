"""The clock moves to what is due next, in order, and to nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from stack.network import scheduler as scheduler_module
from stack.network.scheduler import Scheduler


class Engine:
    """Due at each of some times; keeps a log of when it was driven."""

    def __init__(self, *times: int, housekeeping: bool = False) -> None:
        self.times = list(times)
        self.housekeeping = housekeeping
        self.log: list[int] = []

    @property
    def deadline(self) -> int | None:
        return self.times[0] if self.times else None

    def timeout(self, now: int) -> None:
        self.log.append(now)
        self.times.pop(0)


def drain(scheduler: Scheduler) -> None:
    while scheduler.step():
        pass


def test_calls_run_in_order_of_time_and_ties_in_order_of_insertion() -> None:
    scheduler = Scheduler()
    log: list[object] = []
    for time, what in ((20, "c"), (10, "a"), (20, "d"), (10, "b")):
        scheduler.call_at(time, log.append, what)
    drain(scheduler)
    assert log == ["a", "b", "c", "d"]
    assert scheduler.now == 20


def test_an_engine_is_driven_at_each_of_its_deadlines() -> None:
    scheduler, engine = Scheduler(), Engine(5, 7, 7, 30)
    scheduler.poke(engine)
    drain(scheduler)
    assert engine.log == [5, 7, 7, 30]


def test_a_deadline_that_moves_earlier_is_met_and_one_that_moves_later_is_waited_for() -> None:
    scheduler, engine = Scheduler(), Engine(50)
    scheduler.poke(engine)
    engine.times = [10, 90]
    scheduler.poke(engine)
    drain(scheduler)
    assert engine.log == [10, 90]


def test_the_clock_does_not_move_for_what_was_cancelled() -> None:
    scheduler, engine = Scheduler(), Engine(40)
    scheduler.call_at(100, engine.times.clear).cancel()
    scheduler.poke(engine)
    engine.times.clear()
    assert scheduler.next_time() is None
    assert not scheduler.step()
    assert scheduler.now == 0


def test_what_is_due_in_the_past_is_due_now() -> None:
    scheduler = Scheduler()
    log: list[object] = []
    scheduler.call_at(10, lambda: scheduler.call_at(3, lambda: log.append(scheduler.now)))
    drain(scheduler)
    assert log == [10]


def test_an_engine_that_is_poked_often_does_not_fill_the_queue() -> None:
    scheduler, engine = Scheduler(), Engine()
    for time in range(1000):
        engine.times = [time, 10_000]                        # a retransmission timer far away, something near each time
        scheduler.poke(engine)
        scheduler.step()
    assert len(scheduler._heap) <= 2


def test_busy_means_more_than_housekeeping() -> None:
    scheduler = Scheduler()
    scheduler.poke(Engine(10, housekeeping=True))
    assert not scheduler.busy()
    scheduler.call_at(20, print)
    assert scheduler.busy()


def test_an_exception_loses_nothing_that_is_due() -> None:
    scheduler, engine = Scheduler(), Engine(10, 20)
    def interrupted(now: int) -> None:
        del engine.timeout
        raise KeyboardInterrupt
    engine.timeout = interrupted                             # type: ignore[method-assign]
    scheduler.poke(engine)
    with pytest.raises(KeyboardInterrupt):
        scheduler.step()
    drain(scheduler)
    assert engine.log == [10, 20]


def test_what_turns_out_to_be_due_later_takes_nobody_elses_turn() -> None:
    """A host's deadline may be earlier than the truth; that it is asked what is due, between `peek` and `fire`, corrects it."""
    scheduler, engine, other = Scheduler(), Engine(10), Engine(10)
    for one in (engine, other):
        scheduler.poke(one)
    thing = scheduler.peek()
    assert thing is engine
    engine.times = [30]
    assert scheduler.next_time() == 10
    scheduler.fire(engine)
    assert (engine.log, other.log) == ([], [])
    drain(scheduler)
    assert (engine.log, other.log) == ([30], [10])


class Ring(Exception):
    """What a signal handler raises."""


@contextmanager
def ringing(at: int) -> Iterator[None]:
    """Raise before the line number `at`, counted as they run, of the scheduler."""
    lines = [0]

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != scheduler_module.__file__:
            return None
        if event == "line":
            lines[0] += 1
            if lines[0] == at:
                raise Ring
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def test_an_exception_between_any_two_lines_loses_nothing_that_is_due() -> None:
    """As a signal handler's may come: what fires, what is put off, what is due again."""
    at, rang = 0, True
    while rang:
        at += 1
        rang = False
        scheduler, often, put_off = Scheduler(), Engine(10, 20, 30), Engine(15)
        scheduler.poke(often)
        scheduler.poke(put_off)
        put_off.times = [25]
        try:
            with ringing(at):
                drain(scheduler)
        except Ring:
            rang = True
        drain(scheduler)
        assert (often.log[-2:], put_off.log) == ([20, 30], [25]), f"interrupted at line {at}"
    assert at > 50


def test_an_exception_between_any_two_lines_of_a_poke_does_no_harm() -> None:
    at, rang = 0, True
    while rang:
        at += 1
        rang = False
        scheduler, engine = Scheduler(), Engine(30)
        scheduler.poke(engine)
        engine.times = [20, 30]
        try:
            with ringing(at):
                scheduler.poke(engine)
        except Ring:
            rang = True
            scheduler.poke(engine)
        drain(scheduler)
        assert engine.log == [20, 30], f"interrupted at line {at}"
    assert at > 5
