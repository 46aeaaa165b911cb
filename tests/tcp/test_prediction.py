"""Header prediction changes nothing but the time it takes: the same segments, states and results both ways."""

import random

import pytest

from stack.tcp import connection as face
from stack.tcp import prediction
from stack.tcp.settings import TcpSettings
from tests.tcp.builders import MS, Pair, Sent, established, pair


def story(settings: TcpSettings, seed: int, loss: float) -> tuple[list[str], list[object]]:
    """Transfers both ways, at once and in turn, over a path that loses, delays and doubles; what was sent and told."""
    rng = random.Random(seed)

    def fate(n: int, sent: Sent) -> list[int] | None:
        if rng.random() < loss:
            return None
        delays = [10 * MS + rng.getrandbits(3) * MS if loss else 10 * MS]
        return delays * 2 if rng.random() < loss / 3 else delays

    both: Pair = pair(settings, fate=fate)
    told: list[object] = []
    for one in (both.a, both.b):
        one.watch()
    both.a.open_active(0)
    both.run(5000 * MS)
    for turn in range(12):
        both.a.send(bytes([turn]) * rng.getrandbits(14), both.now, urgent=turn == 7)
        both.b.send(bytes([turn]) * rng.getrandbits(12), both.now)
        both.run(rng.getrandbits(6) * MS)
        told += [both.a.recv(100_000, both.now), both.b.recv(rng.getrandbits(13), both.now)]
    both.a.shutdown_write(both.now)
    both.run(2000 * MS)
    told += [both.b.recv(1 << 20, both.now)]
    both.b.close(both.now)
    both.run(500_000 * MS)
    for one in (both.a, both.b):
        told += [one.state, one.info(), one.take_events(), one.deadline]
    return [str(sent) for sent in both.log], told


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("plain", [False, True])
def test_the_same_segments_and_states_both_ways(seed: int, loss: float, plain: bool) -> None:
    options = {"timestamps": not plain, "sack": not plain, "window_scaling": not plain}
    fast = story(TcpSettings(prediction=True, **options), seed, loss)  # type: ignore[arg-type]
    slow = story(TcpSettings(prediction=False, **options), seed, loss)  # type: ignore[arg-type]
    assert fast == slow
    assert len(fast[0]) > 50


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
