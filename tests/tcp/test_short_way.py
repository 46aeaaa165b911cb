"""What a bulk transfer must not cost: the eight steps for a segment, a window selected twice, a timer set twice. Counts, no times."""

import socket
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack import Network
from stack.tcp import connection as face
from stack.tcp import prediction
from stack.tcp.buffers import ReceiveBuffer
from stack.tcp.congestion.cubic import Cubic
from stack.tcp.connection import Connection
from stack.tcp.receiving import window
from stack.tcp.recovery import tlp
from stack.tcp.sending import transmit
from stack.tcp.sending.output import transmit_next
from stack.tcp.settings import TcpSettings
from tests.tcp.builders import MS, established

SIZE = 2_000_000


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often, on either host, a segment took the eight steps, a window was selected, the probe timer set, a segment made."""
    counted: Counter[str] = Counter()

    def count(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def counting(b: Connection, *rest: Any) -> Any:
            counted[f"{name} {b.local[1]}"] += 1
            return real(b, *rest)

        monkeypatch.setattr(owner, name, counting)

    count(face, "segment_arrives")
    count(window, "select")
    count(window, "offer")
    count(transmit, "transmit_next")
    count(tlp, "schedule_probe")
    monkeypatch.setattr(prediction, "schedule_probe", tlp.schedule_probe)
    return counted


@pytest.fixture
def bulk(calls: Counter[str]) -> tuple[int, int, Counter[str]]:
    """Two megabytes from port 1 to port 80 over 1 Gbit/s, read as they come: segments with text, ACKs, and what was called."""
    with Network(seed=1) as net:
        a, b = (net.host(name, tcp=TcpSettings(prediction=True)) for name in "ab")
        net.link(a, b, rate="1 Gbit", delay="5 ms", queue=None)

        @b.program
        def receive() -> int:
            with socket.create_server(("", 80)) as listener, listener.accept()[0] as connection:
                return sum(map(len, iter(lambda: connection.recv(1 << 20), b"")))

        @a.program
        def send() -> None:
            with socket.create_connection(("b", 80), source_address=("", 1)) as connection:
                connection.sendall(bytes(SIZE))

        net.run()
        assert receive.result() == SIZE
    return calls["offer 1"] + calls["transmit_next 1"], calls["offer 80"], calls


def test_a_transfer_in_one_direction_keeps_to_the_short_way(bulk: tuple[int, int, Counter[str]]) -> None:
    segments, acknowledgments, calls = bulk
    assert segments > SIZE // 1460
    assert acknowledgments > SIZE // 3000
    assert calls["segment_arrives 1"] + calls["segment_arrives 80"] < 10  # those of the opening and of the closing


def test_who_only_sends_selects_no_window_and_who_receives_one_for_each_ack(bulk: tuple[int, int, Counter[str]]) -> None:
    segments, acknowledgments, calls = bulk
    assert calls["select 1"] < 5
    assert calls["offer 1"] < segments * 3 // 4  # the rest of a burst says what its first segment said
    assert calls["select 80"] < acknowledgments * 11 // 10 + 10  # few more: a reader who looks whether its window is to be told


def test_the_probe_is_timed_once_for_an_ack_that_brings_out_data(bulk: tuple[int, int, Counter[str]]) -> None:
    _, acknowledgments, calls = bulk
    assert 10 < calls["schedule_probe 1"] < acknowledgments * 5 // 4  # the program's own calls send too


@given(
    buff=st.integers(2_000, 7_000_000), ratio=st.integers(1, 255), clamp=st.integers(1152, 3_000_000), full=st.integers(88, 65_000),
    ssthresh=st.integers(1, 3_000_000), offered=st.integers(0, 3_000_000), came=st.integers(0, 100_000), scale=st.integers(0, 14),
    shrinks=st.booleans(), unread=st.binary(max_size=10),
)  # fmt: skip
def test_what_is_offered_is_what_would_be_selected(
    buff: int, ratio: int, clamp: int, full: int, ssthresh: int, offered: int, came: int, scale: int, shrinks: bool, unread: bytes
) -> None:
    """The short way of `offer` passes no judgement of its own."""
    both = established(TcpSettings(shrink_window=shrinks))
    b = both.b
    rcv = b.rcv
    rcv.buff, rcv.ratio, rcv.clamp, rcv.full, rcv.scale = buff, ratio, clamp, full, scale
    rcv.ssthresh, rcv.offered, rcv.acked = ssthresh, offered, rcv.nxt - min(came, offered)
    if unread:
        b.incoming = ReceiveBuffer(unread)
    current = rcv.acked + rcv.offered - rcv.nxt
    expected = window.select(b)
    if expected < current and not (shrinks and scale):
        expected = -(-current >> scale) << scale
    field = window.offer(b)
    assert rcv.offered == expected
    assert field == min(expected >> scale, 0x7FFF if b.settings.signed_windows and not scale else 0xFFFF)
    assert (rcv.acked, rcv.selected) == (rcv.nxt, None)


def octets(seed: int, loss: str) -> list[tuple[object, object]]:
    """The frames of a transfer."""
    with Network(seed=seed) as net:
        a, b = net.host("a"), net.host("b")
        net.link(a, b, rate="50 Mbit", delay="5 ms", loss=loss)

        @b.program
        def receive() -> int:
            with socket.create_server(("", 80)) as listener, listener.accept()[0] as connection:
                connection.sendall(bytes(100_000))
                return sum(map(len, iter(lambda: connection.recv(1 << 16), b"")))

        with a.capture() as trace:

            @a.program
            def send() -> int:
                with socket.create_connection(("b", 80)) as connection:
                    connection.sendall(bytes(400_000))
                    connection.shutdown(socket.SHUT_WR)
                    return sum(map(len, iter(lambda: connection.recv(1 << 16), b"")))

            net.run()
        assert (send.result(), receive.result()) == (100_000, 400_000)
        return [(record.time, record.data) for record in trace]


@pytest.mark.parametrize("loss", ["0%", "2%"])
@pytest.mark.parametrize("seed", range(3))
def test_bursts_and_windows_are_the_same_the_long_way(monkeypatch: pytest.MonkeyPatch, seed: int, loss: str) -> None:
    def anew(b: Connection) -> int:
        b.rcv.selected = None
        return offer(b)

    def follow(*rest: Any) -> None:
        followed.append(rest)
        transmit_next(*rest)

    followed: list[object] = []
    offer = window.offer
    monkeypatch.setattr(transmit, "transmit_next", follow)
    shortly = octets(seed, loss)
    assert len(followed) > 20
    monkeypatch.setattr(transmit, "is_plain", lambda b: False)
    monkeypatch.setattr(window, "offer", anew)
    followed.clear()
    assert octets(seed, loss) == shortly
    assert not followed


def test_what_a_connection_does_not_use_is_not_made() -> None:
    both = established(TcpSettings())
    control = both.a.congestion
    assert isinstance(control, Cubic)
    assert (both.a.ack_sample, control._watch, both.a.pieces, both.a.rate, both.a.held) == (None,) * 5
    assert not hasattr(control, "__dict__")
    both.a.send(bytes(100), both.now)
    both.run(500 * MS)
    assert both.a.ack_sample is not None
    assert control._watch is not None
    assert both.b.ack_sample is None
