"""Whatever is done to a link while it works: each frame that enters leaves, or ends with a reason."""

from collections.abc import Callable
from typing import Any

import pytest

from stack.base.randomness import Stream
from stack.link.faults import Corrupt, Delay, Drop, Duplicate, Fault, Reorder, Rule
from tests.link.build import Bench, frame, number
from tests.link.test_link import LastFirst

MS = 1_000_000
KINDS: list[Callable[[int], Fault]] = [Drop, Duplicate, Corrupt, Reorder, lambda n: Delay(n, "5 ms")]


@pytest.mark.parametrize("seed", range(40))
def test_frames_are_delivered_or_accounted_for(seed: int) -> None:
    draws = Stream(seed)
    bench = Bench(seed)
    there = bench.direction(rate="1 Mbit", delay="4 ms", queue=20)
    rules: list[Rule] = []
    acts: list[Callable[[], Any]] = [
        lambda: setattr(there, "rate", draws.below(5) * 400_000 or None),
        lambda: setattr(there, "delay", draws.random() / 50),
        lambda: setattr(there, "jitter", draws.below(2) * 0.002),
        lambda: setattr(there, "loss", draws.below(2) * 0.1),
        lambda: setattr(there, "duplication", draws.below(2) * 0.1),
        lambda: setattr(there, "corruption", draws.below(2) * 0.1),
        lambda: setattr(there, "reordering", draws.below(2) * 0.1),
        lambda: setattr(there, "fcs", draws.below(2)),
        lambda: setattr(there, "mtu", draws.below(2) * 200 or None),
        lambda: setattr(there, "queue", (draws.below(30), "3 KB", None, LastFirst)[draws.below(4)]),
        lambda: there.faults([fault(1 + draws.below(9)) for fault in KINDS]),
        lambda: rules.append(there.drop(lambda packet: number(packet) % 3 == 0, times=1 + draws.below(9))),
        lambda: rules.pop().remove() if rules else None,
        there.down,
        there.up,
        there.up,
    ]
    copies: list[str] = []
    there.on_fault.append(lambda time, packet, what: copies.append(what) if "duplicated" in what else None)
    for n in range(1500):
        bench.run(until=bench.now + draws.below(2 * MS))
        bench.send(there, frame(n, 50 + draws.below(200)))
        if draws.chance(0.05):
            acts[draws.below(len(acts))]()
    bench.run()
    assert there.deadline is None
    assert set(copies) == {"duplicated"}
    assert there.entered + len(copies) == there.delivered + sum(there.drops.values())
    assert there.delivered == len(bench.arrived) > 100
    assert there.octets_delivered == sum(len(packet) for _, packet in bench.arrived)
    assert bench.times == sorted(bench.times)
    if not {"delayed", "reordered"} & set(there.faults_done):
        assert bench.numbers == sorted(bench.numbers)
