"""Faults by chance: as often as asked for, the same for the same seed, and each on its own."""

from math import sqrt
from typing import Any

import pytest

from stack.base.event import DropReason
from stack.base.randomness import Randomness
from stack.codec.packet import Packet
from tests.link.build import Bench, frame

FRAMES = 100_000
PLAIN = Packet.parse(bytes(60))


def within(count: int, probability: float, trials: int = FRAMES) -> bool:
    """Within four standard deviations of what a binomial distribution expects: 1 in 16,000 would fall outside."""
    return abs(count - trials * probability) <= 4 * sqrt(trials * probability * (1 - probability))


@pytest.mark.parametrize("probability", ["0.1%", "1%", 0.2])
def test_loss_is_as_frequent_as_asked_for(probability: str | float) -> None:
    bench = Bench()
    there = bench.direction(loss=probability)
    bench.send(there, *[PLAIN] * FRAMES)
    bench.run()
    assert within(there.drops[DropReason.LOSS], there.loss)
    assert len(bench.arrived) == FRAMES - there.drops[DropReason.LOSS]


def test_each_kind_is_as_frequent_as_asked_for() -> None:
    bench = Bench()
    there = bench.direction(duplication=0.01, corruption=0.02, reordering=0.03)
    bench.send(there, *[PLAIN] * FRAMES)
    bench.run()
    assert within(there.faults_done["duplicated"], 0.01)
    assert within(there.faults_done["corrupted"], 0.02)
    assert within(there.faults_done["reordered"], 0.03)
    assert there.delivered == FRAMES + there.faults_done["duplicated"]
    damaged = [bytes(packet) for _, packet in bench.arrived if bytes(packet) != bytes(PLAIN)]
    assert len(damaged) == there.faults_done["corrupted"]
    assert {sum(octet.bit_count() for octet in one) for one in damaged} == {1}
    hit = [int.from_bytes(one, "big").bit_length() - 1 for one in damaged]
    assert len(set(hit)) > 460, "all 480 bits are hit alike"


def losses(**settings: Any) -> list[int]:
    bench = Bench()
    there = bench.direction(loss=0.1, **settings)
    lost: list[int] = []
    there.on_fault.append(lambda time, packet, what: lost.append(there.entered) if what == DropReason.LOSS.value else None)
    bench.send(there, *map(frame, range(1000)))
    return lost


def test_one_kind_does_not_shift_the_draws_of_another() -> None:
    alone = losses()
    assert 60 < len(alone) < 140
    assert losses(duplication=0.2, corruption=0.2, reordering=0.2, jitter=0.01) == alone


def test_losses_do_not_shift_which_bits_are_flipped() -> None:
    def flips(loss: float) -> dict[int, str]:
        bench = Bench()
        there = bench.direction(corruption=0.5, loss=loss)
        found: list[tuple[int, str]] = []
        there.on_fault.append(lambda time, packet, what: found.append((there.entered, what)))
        bench.send(there, *map(frame, range(200)))
        return {n: what for n, what in found if "bit" in what}

    alone, lossy = flips(0), flips(0.3)
    assert 20 < len(lossy) < len(alone)
    assert lossy.items() <= alone.items()


def test_directions_and_links_draw_on_their_own() -> None:
    bench = Bench()
    ways = [bench.direction(link, name, loss=0.5) for link, name in (("a-b", "a>b"), ("a-b", "b>a"), ("a-c", "a>c"))]
    stories = []
    for there in ways:
        lost: list[int] = []
        there.on_fault.append(lambda time, packet, what, lost=lost, there=there: lost.append(there.entered))  # type: ignore[misc]
        bench.send(there, *[PLAIN] * 100)
        stories.append(tuple(lost))
    assert len(set(stories)) == 3


def test_the_same_seed_is_the_same_story() -> None:
    def story(seed: int) -> list[tuple[int, bytes]]:
        bench = Bench(seed)
        there = bench.direction(
            rate="1 Mbit", delay="5 ms", jitter="3 ms", queue=50, loss=0.1, duplication=0.1, corruption=0.1, reordering=0.1
        )
        for n in range(500):
            bench.run(until=n * 700_000)
            bench.send(there, frame(n))
        bench.run()
        return [(time, bytes(packet)) for time, packet in bench.arrived]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_nothing_is_drawn_for_a_probability_of_zero() -> None:
    bench = Bench()
    there = bench.direction(loss=0.5, jitter=1)
    there.loss = there.jitter = 0
    bench.send(there, *[PLAIN] * 100)
    assert there.entered == 100
    fresh = Randomness(1)
    for kind in ("loss", "jitter", "duplication", "corruption", "reordering"):
        name = ("link a-b", "a>b", kind)
        assert bench.randomness.at(*name).random() == fresh.at(*name).random()


def test_frames_count_their_draws_while_the_link_is_down() -> None:
    """So that an outage does not change which of the later frames are lost."""
    def lost_after(outage: bool) -> list[int]:
        bench = Bench()
        there = bench.direction(loss=0.2)
        if outage:
            there.down()
        bench.send(there, *[PLAIN] * 50)
        there.up()
        lost: list[int] = []
        there.on_fault.append(lambda time, packet, what: lost.append(there.entered))
        bench.send(there, *[PLAIN] * 200)
        return lost

    assert lost_after(True) == lost_after(False) != []


def test_a_reordered_frame_lets_the_gap_pass() -> None:
    bench = Bench()
    there = bench.direction(reordering=0.05, reordering_gap=2, delay="1 ms")
    bench.send(there, *map(frame, range(2000)))
    bench.run()
    assert sorted(bench.numbers) == list(range(2000))
    late = [n for before, n in zip(bench.numbers, bench.numbers[1:], strict=False) if n < before]
    assert 60 < len(late) <= there.faults_done["reordered"]
