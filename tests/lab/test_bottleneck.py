"""Congestion controls on a shared bottleneck: how much of the link they use, and how they share it."""

from __future__ import annotations

from statistics import median

import pytest

from stack.link.ecn_threshold import EcnThreshold
from tests.lab.bottleneck import MEGABIT, flows, goodput, jain
from tests.lab.goodput import BUFFERS, CONTROLS, LOSSES, cell, written
from tests.ledger import rfc

MINUTE = 60.0


@pytest.mark.parametrize("control", ["reno", "cubic", "bbr"])
def test_two_flows_of_a_kind_share_a_bottleneck(control: str) -> None:
    """The median of five: who comes late to a queue that only drops may need half a minute for his share, or none."""
    runs = [flows(control, control, rate=2 * MEGABIT, queue=30, seconds=MINUTE, apart=apart) for apart in (0.1, 0.3, 0.5, 0.8, 1.3)]
    assert median(map(jain, runs)) >= 0.95
    assert min(goodput(shares, 2 * MEGABIT, MINUTE) for shares in runs) >= 0.9


@rfc("8257", "3.3")
def test_two_flows_of_dctcp_share_a_bottleneck_that_marks() -> None:
    queues: list[EcnThreshold] = []

    def marking() -> EcnThreshold:
        queues.append(EcnThreshold(8, 30))
        return queues[-1]

    shares = flows("dctcp", "dctcp", rate=2 * MEGABIT, queue=marking, seconds=40)
    assert jain(shares) >= 0.95
    assert goodput(shares, 2 * MEGABIT, 40) >= 0.9
    assert sum(queue.marked for queue in queues) > 100


@rfc("9438", "4.3")
def test_cubic_leaves_reno_its_share_where_the_path_is_short() -> None:
    cubic, reno = flows("cubic", "reno", rate=2 * MEGABIT, delay=0.005, queue=10, seconds=MINUTE, apart=0.1)
    assert jain([cubic, reno]) >= 0.95


@rfc("9438", "5.1")
def test_cubic_gets_more_than_reno_where_the_path_is_long_and_fast() -> None:
    cubic, reno = flows("cubic", "reno", rate=10 * MEGABIT, delay=0.1, queue=80, seconds=25, apart=0.1)
    assert cubic > 1.5 * reno
    assert goodput([cubic, reno], 10 * MEGABIT, 25) > 0.8


@pytest.mark.parametrize("control", ["cubic", "bbr"])
def test_a_fast_path_without_loss_is_filled(control: str) -> None:
    """30 Mbit/s, 40 ms, a queue that holds more than the path does: slow start and all, of at most 95.6 %."""
    assert goodput(flows(control, rate=30 * MEGABIT, queue=120, seconds=6), 30 * MEGABIT, 6) >= 0.9


def test_the_same_seed_gives_the_same_shares() -> None:
    once, again = (flows("bbr", "cubic", rate=2 * MEGABIT, loss=0.01, seconds=5) for _ in range(2))
    assert once == again


@pytest.mark.parametrize("control", CONTROLS)
def test_the_table_of_the_docs_is_what_is_measured(control: str) -> None:
    """Within three points: what changes the engine's timing a little is no reason to write it anew."""
    rows = [[part.strip(" %") for part in row.split("|")[1:-1]] for row in written()[2:]]
    column = 2 + CONTROLS.index(control)
    said = {(int(row[0]), float(row[1])): int(row[column]) for row in rows}
    for buffer in BUFFERS:
        for loss in LOSSES:
            assert abs(cell(control, buffer, loss) - said[buffer, 100 * loss]) <= 3, (buffer, loss)
