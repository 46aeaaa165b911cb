"""Faults that a link is told: scripts by the number of a frame, rules, outages; what is told of each."""

from typing import Any

import pytest

from stack.base.event import Drop as Dropped
from stack.base.event import DropReason, Event
from stack.codec.packet import Packet
from stack.link.faults import Corrupt, Delay, Drop, Duplicate, Reorder, Rule
from tests.link.build import Bench, frame, number

MS = 1_000_000


def test_a_script_by_the_number_of_the_frame() -> None:
    bench = Bench()
    there = bench.direction(delay="10 ms", rate="100 Mbit")
    script = there.faults([Drop(3), Duplicate(5, copies=2), Delay(7, "40 ms"), Corrupt(9, bit=8 * 20), Reorder(11, gap=2)])
    bench.send(there, *map(frame, range(1, 16)))
    bench.run()
    assert bench.numbers == [1, 2, 4, 5, 5, 5, 6, 8, 9, 10, 12, 13, 11, 14, 15, 7]
    assert bench.times[-1] == 50 * MS + 8 * 8000  # frame 3 took no time to be sent, the two copies did
    assert script.pending == []
    assert there.faults_done == {"duplicated": 1, "delayed": 1, "corrupted": 1, "reordered": 1}
    assert there.drops == {DropReason.SCRIPTED: 1}
    assert there.delivered == 16


def test_a_corrupted_frame_differs_in_one_bit_and_says_so() -> None:
    bench = Bench()
    there = bench.direction()
    there.faults([Corrupt(1, bit=160), Corrupt(2)])
    sent = Packet.parse(bytes(frame(1)), cause="data")
    bench.send(there, sent, frame(2))
    bench.run()
    first, second = (packet for _, packet in bench.arrived)
    assert int.from_bytes(bytes(first), "big") ^ int.from_bytes(bytes(sent), "big") == 1 << 800 - 1 - 160
    assert first.cause == "data; bit 160 flipped on link a-b"
    assert (int.from_bytes(bytes(second), "big") ^ int.from_bytes(bytes(frame(2)), "big")).bit_count() == 1
    assert sent == frame(1), "what the sender holds is as it was"


def test_a_bit_beyond_the_frame_counts_round_and_an_empty_frame_has_none() -> None:
    bench = Bench()
    there = bench.direction(corruption=1)
    there.faults([Corrupt(2, bit=801)])
    bench.send(there, Packet.parse(b""))
    there.corruption = 0
    bench.send(there, frame(1))
    bench.run()
    assert bytes(bench.arrived[0][1]) == b""
    assert bytes(bench.arrived[1][1])[0] == 0x40


def test_the_frame_check_drops_a_corrupted_frame_after_its_time_on_the_wire() -> None:
    bench = Bench()
    there = bench.direction(rate=8000, fcs=True)
    there.faults([Corrupt(1)])
    bench.send(there, frame(1), frame(2))
    bench.run()
    assert (bench.numbers, bench.times) == ([2], [200 * MS])
    assert bench.reasons() == [DropReason.CORRUPT_FRAME]


def test_a_script_for_both_directions_counts_them_together() -> None:
    bench = Bench()
    link = bench.link()
    script = link.faults([Drop(2), Drop(3)])
    a, b = link.ends
    for sender, n in ((a, 1), (b, 2), (a, 3), (b, 4)):
        sender.send(frame(n), bench.now)
    bench.run()
    assert sorted(bench.numbers) == [1, 4]
    assert script.directions == []


def test_a_script_for_one_direction_counts_only_that() -> None:
    bench = Bench()
    link = bench.link()
    link.toward("a").faults([Drop(1)])
    for sender, n in ((link.ends[0], 1), (link.ends[1], 2), (link.ends[1], 3)):
        sender.send(frame(n), bench.now)
    bench.run()
    assert sorted(bench.numbers) == [1, 3]


def test_several_faults_may_befall_one_frame() -> None:
    bench = Bench()
    there = bench.direction()
    there.faults([Duplicate(1), Delay(1, "1 ms"), Corrupt(1, bit=799)])
    bench.send(there, frame(1))
    bench.run()
    (early, copy), (late, damaged) = bench.arrived
    assert (early, late) == (0, 1 * MS)
    assert copy.cause == "duplicated on link a-b"
    assert damaged.cause == "bit 799 flipped, delayed by 1 ms on link a-b"
    assert (copy == frame(1), damaged == frame(1)) == (True, False)


def test_a_script_that_is_removed_does_nothing_more() -> None:
    bench = Bench()
    there = bench.direction()
    with there.faults([Drop(1), Drop(3), Delay(2, 1)]) as script:
        bench.send(there, frame(1))
    assert script.pending == [Delay(2, 1), Drop(3)]
    bench.send(there, frame(2), frame(3))
    script.remove()
    bench.run()
    assert bench.numbers == [2, 3]


def test_a_rule_drops_what_it_is_for() -> None:
    bench = Bench()
    there = bench.direction()
    with there.drop(lambda packet: number(packet) % 2) as rule:
        bench.send(there, *map(frame, range(6)))
        bench.run()
    bench.send(there, frame(7))
    bench.run()
    assert bench.numbers == [0, 2, 4, 7]
    assert rule.dropped == 3


def test_a_rule_may_end_by_itself() -> None:
    bench = Bench()
    link = bench.link()
    rule = link.drop(lambda packet: True, times=3)
    for n in range(3):
        for end in link.ends:
            end.send(frame(n), 0)
    bench.run()
    assert bench.numbers == [1, 2, 2] or bench.numbers == [2, 1, 2]
    assert rule.directions == []


def test_the_first_rule_that_holds_counts() -> None:
    bench = Bench()
    there = bench.direction()
    first, second = there.drop(lambda packet: True), there.drop(lambda packet: True)
    bench.send(there, frame(1))
    assert (first.dropped, second.dropped) == (1, 0)


def test_a_link_that_is_down_loses_what_is_on_its_way() -> None:
    bench = Bench()
    link = bench.link(rate=8000, delay="1 s", queue=2, reordering=0)
    link.faults([Delay(1, 5)])
    a, b = link.ends
    for n in range(4):
        a.send(frame(n), 0)
    bench.run(until=150 * MS)
    assert link.directions[0].drops == {DropReason.QUEUE_FULL: 1}
    with link.down():
        assert not link.is_up
        assert link.directions[0].deadline is None
        a.send(frame(5), bench.now)
        b.send(frame(6), bench.now)
        bench.run(until=10_000 * MS)
    assert link.is_up
    a.send(frame(7), bench.now)
    bench.run()
    assert (bench.numbers, bench.times) == ([7], [11_100 * MS])
    assert bench.reasons().count(DropReason.LINK_DOWN) == 5


def test_one_direction_may_be_down() -> None:
    bench = Bench()
    link = bench.link()
    changes: list[bool] = []
    link.on_change.append(lambda link: changes.append(link.is_up))
    outage = link.toward("b").down()
    for n, end in enumerate(link.ends):
        end.send(frame(n), 0)
    bench.run()
    assert (bench.numbers, link.is_up) == ([1], False)
    outage.remove()
    outage.remove()
    assert link.is_up
    link.down()
    link.up()
    assert changes == [False, True]


def test_a_reordered_frame_with_none_behind_it_waits_a_while() -> None:
    bench = Bench()
    there = bench.direction(delay="1 ms", reordering_wait="7 ms")
    there.faults([Reorder(1)])
    bench.send(there, frame(1))
    bench.run()
    assert bench.times == [8 * MS]


def test_a_reordered_frame_is_passed_by_those_behind_it_alone() -> None:
    bench = Bench()
    there = bench.direction(delay="5 ms")
    bench.send(there, frame(1), frame(2))
    there.faults([Reorder(1, gap=2), Reorder(2, gap=1)])
    bench.send(there, *map(frame, range(3, 8)))
    bench.run()
    assert bench.numbers == [1, 2, 5, 4, 6, 3, 7] or bench.numbers == [1, 2, 5, 4, 3, 6, 7]


def test_a_delayed_frame_does_not_hold_up_the_others() -> None:
    bench = Bench()
    there = bench.direction()
    there.faults([Delay(1, "2 ms"), Delay(2, "1 ms"), Delay(3, "3 ms")])
    bench.send(there, *map(frame, range(1, 5)))
    bench.run()
    assert (bench.numbers, bench.times) == ([4, 2, 1, 3], [0, 1 * MS, 2 * MS, 3 * MS])


def test_faults_are_told_before_the_frame_is_tapped() -> None:
    bench = Bench()
    there = bench.direction(mtu=150)
    seen: list[Any] = []
    there.on_fault.append(lambda time, packet, what: seen.append((number(packet), what)))
    there.taps.append(lambda time, packet, direction: seen.append(number(packet)))
    there.faults([Drop(1), Corrupt(2, bit=400), Duplicate(3, 2), Delay(4, "1 ms"), Reorder(5)])
    bench.send(there, *map(frame, range(1, 6)), frame(6, 200))
    assert seen == [
        (1, "dropped by a rule"), 1, (2, "bit 400 flipped"), 2, (3, "duplicated 2 times"), 3, (4, "delayed by 1 ms"), 4,
        (5, "reordered: to be overtaken by 1"), 5, (6, "larger than the MTU"), 6,
    ]  # fmt: skip
    kinds = [one.reason.name if isinstance(one, Dropped) else one.what for one in bench.told]
    assert kinds == ["SCRIPTED", "corrupted", "duplicated", "delayed", "reordered", "TOO_BIG"]
    assert isinstance(bench.told[1], Event)
    assert bench.told[1].where == "link a-b a>b"


def test_a_tap_sees_what_the_full_queue_drops() -> None:
    bench = Bench()
    there = bench.direction(rate=8000, queue=0)
    seen: list[Any] = []
    there.on_fault.append(lambda time, packet, what: seen.append(what))
    there.taps.append(lambda time, packet, direction: seen.append(number(packet)))
    bench.send(there, frame(1), frame(2))
    assert seen == [1, "queue full", 2]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Drop(0), "number is 0; expected an integer of at least 1"),
        (lambda: Duplicate(1, 0), "copies is 0"),
        (lambda: Delay(1, "soon"), "'soon' is not a time"),
        (lambda: Corrupt(1, -1), "bit is -1"),
        (lambda: Reorder(1, 0), "gap is 0"),
        (lambda: Rule(lambda packet: True, times=0), "times is 0"),
        (lambda: Rule(5), "predicate is 5; expected a function of a packet"),  # type: ignore[arg-type]
        (lambda: Bench().direction().faults([3]), "3 is not a fault"),  # type: ignore[list-item]
        (lambda: Bench().direction().faults(Drop(3)), r"Drop\(number=3\) is no list of faults"),  # type: ignore[arg-type]
    ],
)
def test_mistakes_raise_at_once(make: Any, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_an_error_behind_the_link_leaves_it_in_order() -> None:
    bench = Bench()
    there = bench.direction()
    bench.send(there, frame(1), frame(2))

    def fail(packet: Packet, now: int) -> None:
        raise ZeroDivisionError

    arrive, there._sink = there._sink, fail
    with pytest.raises(ZeroDivisionError):
        bench.run()
    there._sink = arrive
    bench.run()
    assert bench.numbers == [2]
