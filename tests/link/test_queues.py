"""Queue disciplines that mark or drop before they are full: step marking, RED (Floyd and Jacobson), CoDel (RFC 8289)."""

from itertools import pairwise
from typing import Any

import pytest

from stack.base.event import DropReason
from stack.base.quantity import nanoseconds
from stack.codec.packet import Packet
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.link.codel import CoDel
from stack.link.ecn_threshold import EcnThreshold
from stack.link.formats.ethernet import Ethernet
from stack.link.formats.vlan import VLAN
from stack.link.frame import Frame
from stack.link.marking import mark
from stack.link.red import Red
from tests.ledger import rfc
from tests.link.build import Bench

MS = 1_000_000


def datagram(ecn: int, size: int = 1250) -> Packet:
    """A frame of `size` octets with an IPv4 header."""
    return Packet.parse(bytes(Ethernet() / IPv4(source="192.0.2.1", destination="192.0.2.2", ecn=ecn, protocol=17) / bytes(size - 34)))


def ecn_of(packet: Packet) -> int:
    return packet[IPv4].ecn


@rfc("3168", "5")
@pytest.mark.parametrize("ecn", [1, 2, 3])
@pytest.mark.parametrize("tags", [0, 2])
def test_a_mark_changes_two_bits_and_the_checksum_after_them(ecn: int, tags: int) -> None:
    def made(ecn: int) -> bytes:
        outer = Packet(Ethernet(), *[VLAN(identifier=tag + 1) for tag in range(tags)])
        return bytes(outer / IPv4(source="192.0.2.1", destination="192.0.2.2", ecn=ecn, dscp=46, time_to_live=7) / b"data")

    frame = Frame(Packet.parse(made(ecn)), 38)
    assert mark(frame)
    assert bytes(frame.packet) == made(3)


@rfc("3168", "5")
def test_what_is_not_ecn_capable_is_not_marked() -> None:
    for packet in (datagram(0), Packet.parse(bytes(14)), Packet.parse(b"\x08\x00"), Packet.parse(bytes(12) + b"\x08\x00\x45\x02")):
        frame = Frame(packet, len(packet))
        assert not mark(frame)
        assert frame.packet is packet
    six = Packet.parse(bytes(Ethernet() / IPv6(ecn=0) / b"data"))
    assert not mark(Frame(six, len(six)))


def test_ipv6_is_marked_in_its_traffic_class() -> None:
    six = Packet.parse(bytes(Ethernet() / IPv6(dscp=46, ecn=2, flow_label=0xABCDE) / b"data"))
    frame = Frame(six, len(six))
    assert mark(frame)
    assert frame.packet[IPv6] == six[IPv6].replace(ecn=3)


@rfc("8257", "3.1")
def test_step_marking_marks_what_finds_the_threshold_waiting() -> None:
    bench = Bench()
    there = bench.direction(rate="10 Mbit", queue=lambda: EcnThreshold(3, frames=6))
    bench.send(there, *[datagram(2)] * 9)  # one is sent, six wait, two find the queue full
    bench.run()
    assert [ecn_of(packet) for _, packet in bench.arrived] == [2, 2, 2, 2, 3, 3, 3]
    assert there.drops == {DropReason.QUEUE_FULL: 2}


def test_step_marking_drops_nothing_that_cannot_be_marked() -> None:
    bench = Bench()
    there = bench.direction(rate="10 Mbit", queue=lambda: EcnThreshold(1, frames=6))
    bench.send(there, *[datagram(0)] * 7)
    bench.run()
    assert [ecn_of(packet) for _, packet in bench.arrived] == [0] * 7


def crowd(bench: Bench, there: Any, ecn: int, each: int, until: int, size: int = 1250) -> None:
    """A frame each so many ns."""
    while bench.now < until:
        bench.send(there, datagram(ecn, size))
        bench.run(bench.now + each)


def red(**settings: Any) -> tuple[Bench, Any]:
    bench = Bench()
    return bench, bench.direction(rate="10 Mbit", queue=lambda: Red(**settings))


def test_red_lets_short_bursts_pass() -> None:
    """Its average follows slowly: 50 frames at once leave it at less than 5, though half of them found 25 before them."""
    bench, there = red(minimum=5, maximum=15)
    bench.send(there, *[datagram(2)] * 50)
    bench.run()
    assert len(bench.arrived) == 50
    assert there.discipline.average >> 9 < 5


def test_red_keeps_the_average_between_its_thresholds() -> None:
    """A load of 125 %: what is too much is dropped, one in five, before the queue is full."""
    bench, there = red(minimum=5, maximum=50, inverse=2, weight=4)
    crowd(bench, there, 0, 800_000, 2000 * MS)
    assert DropReason.QUEUE_FULL not in there.drops
    early = there.drops[DropReason.QUEUE_EARLY]
    assert 0.15 < early / there.entered < 0.25
    assert 5 <= there.discipline.average >> 4 < 50


def test_red_spreads_its_drops_evenly() -> None:
    """The count makes the gaps uniform on 1 … 1/p instead of geometric: none is longer than that."""
    bench, there = red(minimum=1, maximum=1000, inverse=1, weight=0, frames=1000)
    queue = there.discipline
    bench.send(there, *[datagram(0)] * 102)
    hits: list[int] = []
    there.discipline.drop = lambda frame, now, reason: hits.append(now)
    for arrival in range(3000):  # the queue stands at 101: p_b is about a tenth
        queue.enqueue(Frame(datagram(0), 1250), arrival)
        if len(queue) > 101:
            queue._waiting.pop()
    gaps = [after - before for before, after in pairwise(hits)]
    assert min(gaps) >= 1
    assert max(gaps) <= 10
    assert max(gaps) > 7
    assert 4.5 < sum(gaps) / len(gaps) < 5.5


def test_red_marks_instead_where_it_may_but_drops_above_its_maximum() -> None:
    bench, there = red(minimum=2, maximum=10, inverse=1, weight=0, ecn=True, frames=40)
    bench.send(there, *[datagram(2)] * 30)
    bench.run()
    marked = [ecn_of(packet) for _, packet in bench.arrived].count(3)
    assert marked == there.discipline.marked > 0
    assert there.drops[DropReason.QUEUE_EARLY] == 30 - len(bench.arrived)
    assert len(bench.arrived) <= 12


def test_red_forgets_while_it_is_idle() -> None:
    bench, there = red(minimum=5, maximum=15, weight=2)
    bench.send(there, *[datagram(0)] * 12)
    bench.run()
    before = there.discipline.average
    bench.now += 1000 * MS
    bench.send(there, datagram(0), datagram(0))
    assert there.discipline.average >> 2 == 0 < before >> 2


@rfc("8289", "5")
def test_codel_lets_a_queue_stand_for_one_interval_only() -> None:
    """Load 125 %: the queue grows over 5 ms and is looked at for 100 ms; then it drops faster and faster."""
    bench = Bench()
    drops: list[int] = []
    there = bench.direction(rate="10 Mbit", queue=CoDel)
    there.on_fault.append(lambda now, packet, what: drops.append(now))
    crowd(bench, there, 0, 800_000, 1000 * MS)
    # The sojourn time grows by 0.25 ms with each frame sent: 5 ms at the 20th
    assert 120 * MS < drops[0] < 130 * MS
    # next = last + interval / sqrt(count); the drop happens when a frame leaves after that
    for count, (before, after) in enumerate(pairwise(drops[:5]), 2):
        exact = nanoseconds("100 ms") / count**0.5
        assert abs((drops[0] + sum(nanoseconds("100 ms") / n**0.5 for n in range(1, count))) - after) <= 1.01 * MS
        assert after - before <= exact * 1.5 + MS
    assert there.drops == {DropReason.QUEUE_EARLY: len(drops)}


@rfc("8289", "5")
def test_codel_leaves_a_burst_alone_that_drains_within_the_interval() -> None:
    bench = Bench()
    there = bench.direction(rate="10 Mbit", queue=CoDel)
    bench.send(there, *[datagram(0)] * 90)
    bench.run()
    assert len(bench.arrived) == 90


def test_codel_marks_instead_of_dropping_where_it_may() -> None:
    bench = Bench()
    queue = CoDel(ecn=True)
    there = bench.direction(rate="10 Mbit", queue=queue)
    crowd(bench, there, 2, 800_000, 500 * MS)
    bench.run()
    assert not there.drops
    assert [ecn_of(packet) for _, packet in bench.arrived].count(3) == queue.marked > 4


def test_impossible_thresholds_are_refused() -> None:
    with pytest.raises(ValueError, match="RED with 9, 3"):
        Red(9, 3)


def test_marking_is_told_in_the_packets_cause() -> None:
    bench = Bench()
    there = bench.direction(rate="10 Mbit", queue=lambda: EcnThreshold(0))
    bench.send(there, datagram(2), Packet.parse(bytes(datagram(2)), cause="data"))
    bench.run()
    assert bench.arrived[1][1].cause == "data; congestion experienced: marked by a queue"
