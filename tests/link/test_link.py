"""A link as people hold it: settings for both ways or one, checked at once; queue disciplines of one's own."""

from collections import deque
from typing import Any

import pytest

from stack.base.event import DropReason
from stack.base.randomness import Randomness
from stack.link.direction import Direction
from stack.link.drop_tail import DropTail
from stack.link.frame import Frame
from stack.link.interface import Interface
from stack.link.link import Link
from stack.link.queueing import QueueDiscipline
from tests.link.build import Bench, frame

MS = 1_000_000


def test_a_setting_counts_for_both_ways_or_one() -> None:
    link = Bench().link(rate="10 Mbit", delay="20 ms")
    assert (link.rate, link.delay, link.loss, link.mtu) == (10_000_000, 0.02, 0, None)
    link.delay *= 2
    assert link.directions[1].delay == 0.04
    link.delay = "20 ms"
    link.loss = "5%"
    assert [direction.loss for direction in link.directions] == [0.05, 0.05]
    link.toward("b").rate = "1 Mbit"
    assert [direction.rate for direction in link.directions] == [1_000_000, 10_000_000]
    with pytest.raises(ValueError, match="rate is 1000000 one way and 10000000 the other: ask a direction"):
        _ = link.rate
    assert repr(link) == "<Link a-b: <Direction a>b 1 Mbit, 20 ms>, <Direction b>a 10 Mbit, 20 ms>>"


def test_settings_say_what_they_are() -> None:
    assert Link.rate.__doc__ == Direction.rate.__doc__ == 'Bits a second: "10 Mbit"; None: frames take no time to send.'


def test_an_end_is_named_by_its_interface_its_owner_or_what_has_its_name() -> None:
    link = Bench().link()
    a, b = link.ends
    there, back = link.directions
    assert link.toward(b) is link.toward("b") is there
    assert link.toward(Interface("b")) is there
    assert link.toward(a) is link.toward("a") is back
    for stranger in ("c", "eth0", 5):
        with pytest.raises(ValueError, match=r"is not one end of link a-b, which joins a \(eth0\) and b \(eth0\)"):
            link.toward(stranger)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("loss", "150%", "'150%' is not a fraction"),
        ("rate", 0, "0 is not a rate"),
        ("delay", "20 parsecs", "'20 parsecs' is not a time"),
        ("queue", -1, "queue is -1; expected an integer of at least 0"),
        ("queue", "many", "'many' is not a size"),
        ("queue", 1.5, "queue is 1.5"),
        ("queue", dict, "queue makes {}; expected a QueueDiscipline"),
        ("reordering_gap", True, "reordering_gap is True; expected an integer"),
        ("mtu", 0, "mtu is 0"),
    ],
)
def test_a_wrong_value_raises_and_changes_nothing(setting: str, value: Any, message: str) -> None:
    link = Bench().link()
    before = getattr(link, setting)
    with pytest.raises((ValueError, TypeError), match=message):
        setattr(link, setting, value)
    assert getattr(link, setting) == before


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(TypeError, match="a link has no setting 'lose'; expected one of rate, delay,"):
        Bench().link(lose="5%")


class LastFirst(QueueDiscipline):
    """A stack of two: the latest goes first; a third pushes the oldest out."""

    def __init__(self) -> None:
        self.waiting: deque[Frame] = deque()

    def enqueue(self, frame: Frame, now: int) -> None:
        self.waiting.append(frame)
        if len(self.waiting) > 2:
            self.drop(self.waiting.popleft(), now, DropReason.QUEUE_FULL)

    def dequeue(self, now: int) -> Frame | None:
        return self.waiting.pop() if self.waiting else None

    def __len__(self) -> int:
        return len(self.waiting)


def test_a_queue_discipline_of_ones_own() -> None:
    bench = Bench()
    link = bench.link(rate=8000, queue=LastFirst)
    assert link.queue is LastFirst
    bench.send(link.directions[0], *map(frame, range(1, 5)))
    bench.run(until=150 * MS)
    bench.send(link.directions[0], frame(5))
    bench.run()
    assert (bench.numbers, bench.times) == ([1, 4, 5, 3], [100 * MS, 200 * MS, 300 * MS, 400 * MS])
    assert link.directions[0].drops == {DropReason.QUEUE_FULL: 1}


class Weary(LastFirst):
    """Has dropped all that it holds when it is asked for the next."""

    def dequeue(self, now: int) -> Frame | None:
        while self.waiting:
            self.drop(self.waiting.popleft(), now, DropReason.QUEUE_FULL)
        return None


def test_a_discipline_may_drop_what_it_is_asked_for() -> None:
    bench = Bench()
    there = bench.direction(rate=8000, queue=Weary())
    bench.send(there, frame(1), frame(2), frame(3))
    bench.run()
    assert (bench.numbers, there.drops) == ([1], {DropReason.QUEUE_FULL: 2})
    bench.send(there, frame(4), frame(5))
    there.queue = None
    bench.send(there, frame(6))
    bench.run()
    assert bench.numbers == [1, 4, 6]


def test_a_discipline_serves_one_direction() -> None:
    link = Bench().link()
    with pytest.raises(ValueError, match="serves a direction already; give its class"):
        link.queue = LastFirst()


def test_frames_that_wait_move_to_the_new_queue() -> None:
    bench = Bench()
    there = bench.direction(rate=8000)
    bench.send(there, *map(frame, range(1, 6)))
    there.queue = 2
    assert there.drops == {DropReason.QUEUE_FULL: 2}
    there.queue = LastFirst
    there.queue = None
    bench.run()
    assert bench.numbers == [1, 3, 2]


def test_after_its_faults_a_direction_is_quick_again() -> None:
    bench = Bench()
    there = bench.direction(rate=8000)
    quick = there.send
    there.loss = 0.5
    assert there.send != quick
    there.loss = 0
    assert there.send == quick
    rule = there.drop(lambda packet: True, times=1)
    bench.send(there, frame(1), frame(2), frame(3))
    assert rule.dropped == 1
    bench.run(until=120 * MS)
    assert there.send == quick
    bench.send(there, frame(4))
    bench.run()
    assert (bench.numbers, bench.times) == ([2, 3, 4], [100 * MS, 200 * MS, 300 * MS])


def test_drop_tail_alone() -> None:
    queue = DropTail(frames=1, octets=None)
    assert queue.dequeue(0) is None
    queue.enqueue(Frame(frame(1), 100), 0)
    queue.enqueue(Frame(frame(2), 100), 0)  # forgotten: no direction hears of it
    assert len(queue) == 1


def test_a_cable_from_a_host_to_itself_names_its_ways() -> None:
    ends = Interface("eth0", owner="a"), Interface("eth1", owner="a")
    link = Link("a-a", ends, Randomness(1), lambda direction: None, lambda: 0)
    assert [direction.name for direction in link.directions] == ["a.eth0>a.eth1", "a.eth1>a.eth0"]
    assert link.toward("eth1") is link.directions[0]


def test_an_interface_says_what_it_is() -> None:
    interface = Interface("eth0", "02:00:00:00:00:01", owner="a")
    assert repr(interface) == "<Interface eth0 of a 02:00:00:00:00:01>"
    assert repr(Interface("lo", loopback=True)) == "<Interface lo 00:00:00:00:00:00>"
