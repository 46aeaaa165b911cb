"""Header prediction changes nothing but the time it takes: the same segments, states and results both ways."""

import random
from collections.abc import Iterable
from enum import Enum

import pytest

from stack.tcp import connection as face
from stack.tcp import prediction
from stack.tcp.block import Block
from stack.tcp.congestion.ecn import CE, ECT_0
from stack.tcp.settings import TcpSettings
from stack.tcp.state import FIN_WAIT_1, FIN_WAIT_2, State
from tests.tcp.builders import MS, Pair, Sent, established, pair

WAYS = ("TCPHPHits", "TCPHPAcks", "TCPPureAcks")  # counters that tell which way was taken


def everything(thing: object, seen: set[int]) -> object:
    """All that an object holds, by name, down to numbers and octets."""
    if thing is None or isinstance(thing, int | str | bytes | bytearray | memoryview | Enum | type):
        return thing
    if id(thing) in seen or callable(thing) or isinstance(thing, TcpSettings | random.Random):
        return type(thing).__name__
    seen.add(id(thing))
    if isinstance(thing, dict):
        return {repr(name): everything(value, seen) for name, value in thing.items()}
    if isinstance(thing, Iterable):
        return [everything(value, seen) for value in thing]
    names = [name for one in type(thing).__mro__ for name in getattr(one, "__slots__", ())] + list(getattr(thing, "__dict__", ()))
    return {name: everything(getattr(thing, name, None), seen) for name in names if name not in WAYS}


def story(settings: TcpSettings, seed: int, loss: float, late: float = 0.0) -> tuple[list[str], list[object], Pair]:
    """Transfers both ways, at once and in turn, over a path that loses, delays and doubles; what was sent and told.

    `late`: how often a second copy comes long after the first. Where ECN is agreed on, some turns are marked.
    """
    rng = random.Random(seed)

    def fate(n: int, sent: Sent) -> list[int] | None:
        if rng.random() < loss:
            return None
        delays = [10 * MS + rng.getrandbits(3) * MS if loss else 10 * MS]
        if rng.random() < late:
            return [*delays, delays[0] + rng.getrandbits(6) * MS]
        return delays * 2 if rng.random() < loss / 3 else delays

    both: Pair = pair(settings, fate=fate)
    told: list[object] = []
    for one in (both.a, both.b):
        one.watch()
    both.a.open_active(0)
    both.run(5000 * MS)
    for turn in range(12):
        if both.a.ecn is not None:
            both.a.arriving, both.b.arriving = (CE if rng.random() < 0.2 else ECT_0 for _ in range(2))
        both.a.send(bytes([turn]) * rng.getrandbits(14), both.now, urgent=turn == 7)
        both.b.send(bytes([turn]) * rng.getrandbits(12), both.now)
        both.run(rng.getrandbits(6) * MS)
        told += [both.a.recv(100_000, both.now), both.b.recv(rng.getrandbits(13), both.now)]
        told += [everything(both.a, set()), everything(both.b, set())]
    both.a.send(bytes(rng.getrandbits(16)), both.now)
    both.a.shutdown_write(both.now)
    both.run(2000 * MS)
    told += [both.b.recv(1 << 20, both.now)]
    both.b.close(both.now)
    both.run(500_000 * MS)
    for one in (both.a, both.b):
        told += [one.state, one.info(), one.take_events(), one.deadline]
    return [f"{sent} {bytes(sent.header.options).hex()}" for sent in both.log], told, both


def compared(seed: int, loss: float, late: float = 0.0, **options: object) -> Pair:
    """The same story both ways; the connections of the fast one."""
    sent, told, both = story(TcpSettings(prediction=True, **options), seed, loss, late)  # type: ignore[arg-type]
    slowly = story(TcpSettings(prediction=False, **options), seed, loss, late)  # type: ignore[arg-type]
    assert (sent, told) == slowly[:2]
    assert len(sent) > 50
    return both


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("plain", [False, True])
def test_the_same_segments_and_states_both_ways(seed: int, loss: float, plain: bool) -> None:
    compared(seed, loss, timestamps=not plain, sack=not plain, window_scaling=not plain)


@pytest.mark.parametrize("loss", [0.0, 0.05])
@pytest.mark.parametrize("seed", range(6))
def test_copies_that_come_late_are_reported_both_ways(seed: int, loss: float) -> None:
    both = compared(seed, loss, late=0.2)
    assert both.a.recovery.dsack_dups
    assert both.b.recovery.dsack_dups


@pytest.mark.parametrize("ecn", [1, 3])
@pytest.mark.parametrize("loss", [0.0, 0.05])
@pytest.mark.parametrize("seed", range(6))
def test_marks_are_echoed_both_ways(seed: int, loss: float, ecn: int) -> None:
    both = compared(seed, loss, ecn=ecn)
    assert both.a.rtx.delivered_ce or both.b.rtx.delivered_ce


@pytest.mark.parametrize("seed", range(4))
def test_the_delivery_rate_is_sampled_both_ways(seed: int) -> None:
    compared(seed, 0.02, congestion="bbr")


def test_what_a_fin_waits_behind_is_acknowledged_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[State] = []
    real = prediction.predicted

    def seen(b: Block, *rest: object) -> bool:
        met = real(b, *rest)  # type: ignore[arg-type]
        if met:
            states.append(b.state)
        return met

    monkeypatch.setattr(face, "predicted", seen)
    both = established(TcpSettings(prediction=True))
    both.a.send(bytes(80_000), both.now)
    both.a.shutdown_write(both.now)
    both.run(1000 * MS)
    assert states.count(FIN_WAIT_1) > 5
    assert both.a.state is FIN_WAIT_2


def test_prediction_meets_most_of_a_bulk_transfer(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[bool] = []
    real = prediction.predicted

    def counted(*args: object) -> bool:
        met.append(real(*args))  # type: ignore[arg-type]
        return met[-1]

    monkeypatch.setattr(face, "predicted", counted)
    both = established(TcpSettings(prediction=True))
    both.transfer(bytes(1_000_000))
    assert met.count(True) > 0.95 * len(met)


def test_the_environment_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK_TCP_PREDICTION", "0")
    assert not TcpSettings().prediction
    monkeypatch.delenv("STACK_TCP_PREDICTION")
    assert TcpSettings().prediction
