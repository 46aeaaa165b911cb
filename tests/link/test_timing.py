"""When frames arrive: to the nanosecond."""

import pytest

from stack.base.event import DropReason
from stack.base.randomness import Stream
from stack.codec.packet import Packet
from tests.link.build import Bench, frame

MS = 1_000_000


def test_a_frame_takes_its_time_to_be_sent_and_to_travel() -> None:
    bench = Bench()
    there = bench.direction(rate="10 Mbit", delay="20 ms")
    bench.send(there, frame(1, 1250), frame(2, 125))
    bench.run()
    assert bench.times == [1 * MS + 20 * MS, 1 * MS + 100_000 + 20 * MS]
    assert there.deadline is None


def test_without_a_rate_frames_take_no_time_to_be_sent() -> None:
    bench = Bench()
    there = bench.direction(delay=0.5)
    bench.send(there, *map(frame, range(5000)))
    bench.run()
    assert bench.times == [500 * MS] * 5000
    assert bench.numbers == list(range(5000))


@pytest.mark.parametrize("general", [False, True])
def test_a_long_run_does_not_drift(general: bool) -> None:
    """Three octets at 7 bit/s are 24/7 s: seven of them are 24 s, not 24 s less the roundings."""
    bench = Bench()
    there = bench.direction(rate=7, queue=None)
    if general:
        there.drop(lambda packet: False)
    bench.send(there, *[Packet.parse(b"abc")] * 70)
    bench.run()
    assert bench.times[0] == 24_000_000_000 // 7
    assert bench.times[6::7] == [24_000_000_000 * n for n in range(1, 11)]


@pytest.mark.parametrize("limit", [0, 1, 3])
@pytest.mark.parametrize("general", [False, True])
def test_a_full_queue_drops_the_last(limit: int, general: bool) -> None:
    bench = Bench()
    there = bench.direction(rate=8000, queue=limit)  # an octet a millisecond
    if general:
        there.drop(lambda packet: False)
    bench.send(there, *map(frame, range(10)))
    assert there.drops == {DropReason.QUEUE_FULL: 9 - limit}
    bench.run(until=100 * MS)  # the first is sent: one place is free
    bench.send(there, frame(20), frame(21))
    bench.run()
    assert bench.numbers == [*range(1 + limit), 20]
    assert bench.reasons() == [DropReason.QUEUE_FULL] * (10 - limit)


def test_a_queue_may_be_limited_in_octets() -> None:
    bench = Bench()
    there = bench.direction(rate=8000, queue="1 KB")
    bench.send(there, frame(0, 600), frame(1, 600), frame(2, 600), frame(3, 400), frame(4, 20))
    bench.run()
    assert bench.numbers == [0, 1, 3]


def delays_of(spacing: int) -> list[int]:
    bench = Bench()
    there = bench.direction(delay="20 ms", jitter="5 ms")
    for n in range(2000):
        bench.run(until=n * spacing)
        bench.send(there, frame(n))
    bench.run()
    assert bench.numbers == list(range(2000)), "frames keep their order"
    return [time - n * spacing for n, time in enumerate(bench.times)]


def test_jitter_varies_the_delay_evenly() -> None:
    delays = delays_of(12 * MS)
    assert 15 * MS <= min(delays) < 15.1 * MS
    assert 24.9 * MS < max(delays) <= 25 * MS
    assert 19.8 * MS < sum(delays) / 2000 < 20.2 * MS
    assert len(set(delays)) > 1990


def test_a_frame_waits_for_a_slower_one_before_it() -> None:
    delays = delays_of(1 * MS)
    assert max(delays) <= 25 * MS
    assert sum(delays) / 2000 > 21 * MS


def test_jitter_larger_than_the_delay_stops_at_zero() -> None:
    bench = Bench()
    there = bench.direction(jitter="5 ms")
    for n in range(100):
        bench.run(until=n * 20 * MS)
        bench.send(there, frame(n))
    bench.run()
    delays = [time - n * 20 * MS for n, time in enumerate(bench.times)]
    assert 30 < delays.count(0) < 70
    assert max(delays) <= 5 * MS


def test_a_shorter_delay_does_not_let_frames_overtake() -> None:
    bench = Bench()
    there = bench.direction(delay="20 ms")
    bench.send(there, frame(1))
    there.delay = "1 ms"
    bench.send(there, frame(2))
    bench.run()
    assert (bench.numbers, bench.times) == ([1, 2], [20 * MS, 20 * MS])


def test_a_new_rate_counts_for_what_still_waits() -> None:
    bench = Bench()
    there = bench.direction(rate=8000)
    bench.send(there, *map(frame, range(3)))  # 100 ms each
    bench.run(until=50 * MS)
    there.rate = 80_000  # the first is half sent, and goes on as it began; the others take 10 ms
    assert there.rate == 80_000
    bench.run()
    assert bench.times == [100 * MS, 110 * MS, 120 * MS]


def test_no_rate_empties_the_queue_at_once() -> None:
    bench = Bench()
    there = bench.direction(rate=8000)
    bench.send(there, *map(frame, range(3)))
    there.rate = None
    bench.run()
    assert bench.times == [100 * MS] * 3


def test_frames_longer_than_the_mtu_are_dropped_in_silence() -> None:
    bench = Bench()
    there = bench.direction(mtu=100)
    tagged = Packet.parse(bytes(12) + b"\x81\x00" + bytes(104))
    bench.send(there, frame(1, 114), frame(2, 115), tagged, frame(3, 119))
    bench.run()
    assert [len(packet) for _, packet in bench.arrived] == [114, 118]
    assert there.drops == {DropReason.TOO_BIG: 2}


@pytest.mark.parametrize("seed", range(20))
def test_the_plain_way_and_the_general_way_are_one(seed: int) -> None:
    """Random traffic with live changes: a rule that never hits forces the general way, and nothing else differs."""

    def story(general: bool) -> tuple[list[int], list[int], dict[DropReason, int]]:
        draws = Stream(seed)
        bench = Bench()
        there = bench.direction(rate=999_983, delay="3 ms", queue=5)
        if general:
            there.drop(lambda packet: False)
        for n in range(500):
            bench.run(until=bench.now + draws.below(3 * MS))
            bench.send(there, frame(n, 18 + draws.below(500)))
            if draws.chance(0.02):
                there.queue = draws.below(8)
            if draws.chance(0.02):
                there.delay = draws.random() / 100
        bench.run()
        return bench.times, bench.numbers, there.drops

    plain, general = story(False), story(True)
    # A change puts waiting frames back, and the fraction of a nanosecond carried so far is forgotten.
    assert plain[1:] == general[1:]
    assert all(abs(a - b) <= 5 for a, b in zip(plain[0], general[0], strict=True))
    assert plain[2], "the queue was full at times"


@pytest.mark.parametrize("general", [False, True])
def test_how_many_frames_wait(general: bool) -> None:
    bench = Bench()
    there = bench.direction(rate="10 Mbit")
    if general:
        there.drop(lambda packet: False)
    bench.send(there, *[frame(n, 1250) for n in range(5)])
    seen = [there.waiting]
    for milliseconds in range(1, 7):
        bench.run(milliseconds * MS)
        seen.append(there.waiting)
    assert seen == [4, 3, 2, 1, 0, 0, 0]
