"""Whatever a path does to segments, the stream arrives whole and in order, and both ends come to rest."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED, TIME_WAIT
from tests.tcp.builders import MS, Sent, established

S = 1000 * MS
FATES = st.lists(st.lists(st.integers(1, 120), max_size=2), max_size=120)
SETTINGS = st.builds(
    TcpSettings,
    timestamps=st.booleans(), sack=st.booleans(), window_scaling=st.booleans(), nodelay=st.booleans(),
    receive_buffer=st.sampled_from([3000, 20_000, 131_072]), fixed_receive_buffer=st.booleans(),
    initial_segments=st.sampled_from([1, 4, 10]), maximum_segment=st.sampled_from([None, 100, 536]),
    quick_acks=st.sampled_from([0, 16]), prediction=st.booleans(),
    data_retries=st.just(30), orphan_retries=st.just(30), time_wait=st.just(10_000 * S),  # no row of losses is to be the end
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(SETTINGS, SETTINGS, FATES, st.integers(1, 40_000), st.integers(0, 8000), st.integers(0, 2**32 - 1))
def test_streams_arrive_whole(one: TcpSettings, other: TcpSettings, fates: list[list[int]], there: int, back: int, iss: int) -> None:
    """The first segments are lost, doubled, delayed and reordered as drawn; after that the path is sound."""

    def fate(n: int, sent: Sent) -> list[int] | None:
        return [delay * MS for delay in fates[n]] if n < len(fates) else [10 * MS]

    both = established(one, other, iss=(iss, iss // 2), fate=fate)
    request, reply = random.Random(there).randbytes(there), random.Random(back).randbytes(back)
    assert both.transfer(request, piece=5000) == request
    assert both.transfer(reply, forward=False) == reply
    both.a.shutdown_write(both.now)
    both.run()
    assert both.b.eof
    both.b.close(both.now)
    both.run()
    assert both.a.eof
    assert both.b.state is CLOSED
    assert both.a.state in (TIME_WAIT, CLOSED)
    assert (both.a.error, both.b.error) == (None, None)


@pytest.mark.parametrize(("loss", "seconds"), [(0.01, 20), (0.05, 60), (0.2, 3500)])
@pytest.mark.parametrize("sack", [True, False])
def test_a_megabyte_over_a_bad_path(loss: float, seconds: int, sack: bool) -> None:
    rng = random.Random(7)
    data = random.Random(8).randbytes(1_000_000)

    def fate(n: int, sent: Sent) -> list[int] | None:
        if rng.random() < loss:
            return None
        delays = [20 * MS + (15 * MS if rng.random() < loss else 0)]
        return delays + [30 * MS] if rng.random() < loss / 2 else delays

    both = established(TcpSettings(sack=sack, timestamps=sack), fate=fate)
    assert both.transfer(data) == data
    assert both.now < seconds * S


def test_a_path_that_dies_ends_in_the_error_that_linux_gives() -> None:
    import errno

    both = established()
    both.fate = lambda n, sent: None
    both.a.send(bytes(100_000), both.now)
    both.run()
    assert both.a.take_error() == errno.ETIMEDOUT
    assert 900 * S < both.now < 1200 * S


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.data())
def test_no_segment_at_all_raises(seed: int, data: st.DataObject) -> None:
    """Random segments near the windows, at every state that they lead to."""
    from stack.tcp.connection import Connection
    from tests.tcp.builders import A, B, Pen

    rng = random.Random(seed)
    pen = Pen(Connection(A, B, TcpSettings(prediction=rng.random() < 0.5), iss=rng.getrandbits(32)), irs=rng.getrandbits(32))
    (pen.connection.open_active if rng.random() < 0.5 else pen.connection.open_passive)(0)
    for _ in range(40):
        flags = "".join(letter for letter in "FSRPU" if rng.random() < {"S": 0.2, "R": 0.05}.get(letter, 0.25))
        near = pen.connection.rcv.nxt - pen.irs if pen.connection.irs else 0
        una = pen.connection.snd.una - pen.connection.iss
        pen.write(
            flags, near + rng.choice([0, 0, 0, 1, -1, 5, 70_000]),
            ack=una + rng.choice([0, 0, 1, 2, 50, -5, 10**6]) if rng.random() < 0.85 else None,
            text=rng.randbytes(rng.choice([0, 0, 1, 9, 2000])), win=rng.choice([0, 1, 500, 65535]),
            options=rng.choice([b"", rng.randbytes(4 * rng.randrange(10)), b"\2\4\5\xb4\4\2\3\3", b"\1\1\5\n" + rng.randbytes(8)]),
            urgent=rng.getrandbits(4),
        )  # fmt: skip
        if rng.random() < 0.3 and pen.connection.state.value in ("ESTABLISHED", "CLOSE-WAIT") and pen.connection.error is None:
            pen.connection.send(rng.randbytes(rng.randrange(1, 3000)), pen.now, urgent=rng.random() < 0.2)
        if rng.random() < 0.05:
            pen.connection.close(pen.now)
        pen.connection.recv(rng.randrange(3000), pen.now)
        pen.wait(rng.choice([0, MS, 300 * MS, 100 * S]))
        pen.connection.take_output()
        assert pen.connection.snd.una <= pen.connection.snd.nxt


def test_what_a_peer_can_make_grow_is_bounded() -> None:
    from tests.tcp.builders import client

    pen = client(TcpSettings(timestamps=False, out_of_order_limit=100), options=b"\2\4\x03\xe8\4\2")
    for n in range(5000):
        pen.write("P", 3 + 2 * n, ack=1, text=b"x")
        pen.connection.take_output()
    held = pen.connection.held
    assert held is not None
    assert len(held) == 100
