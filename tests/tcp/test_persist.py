"""Zero-window probes: their backoff, when they end, when they change nothing (RFC 9293 section 3.8.6.1, RFC 6429)."""

import errno

import pytest

from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED
from tests.ledger import rfc
from tests.tcp.builders import MS, PLAIN, Pair, Pen, Sent, client, established

S = 1000 * MS
SMALL = TcpSettings(receive_buffer=16_384, fixed_receive_buffer=True)


def stuck() -> Pair:
    """b's program does not read, its window is shut, and a has probed for a long time."""
    both = established(SMALL)
    both.a.send(bytes(20_000), both.now)
    both.run(500 * S)
    both.log.clear()
    return both


def shut(settings: TcpSettings = PLAIN) -> Pen:
    """A peer whose window is shut while we have text."""
    pen = client(settings)
    pen.write(".", 1, ack=1, win=0)
    pen.connection.send(b"y" * 3000, pen.now)
    assert pen.read() == []
    return pen


def test_the_backoff_of_probes_is_forgotten_when_the_window_opens() -> None:
    both = stuck()
    assert both.a.timer_at - both.now > 60 * S

    def fate(number: int, sent: Sent) -> list[int] | None:
        return None if sent.text and sent.side == "a" and number < 3 else [10 * MS]

    both.fate = fate
    start = both.now
    both.b.recv(1 << 20, both.now)
    both.run(1 * S)
    repeated = next(sent for sent in both.log if sent.cause and "retransmit" in sent.cause)
    assert repeated.time - start < 300 * MS


@rfc("9293", "MUST-37")
def test_a_window_that_stays_shut_is_probed_for_ever_and_changes_nothing() -> None:
    both = stuck()
    assert both.a.housekeeping
    assert both.b.housekeeping
    both.run(24 * 3600 * S)
    assert both.a.error is None
    assert 24 * 30 - 2 <= sum(sent.side == "a" for sent in both.log) <= 24 * 30 + 2
    both.run()  # ends


def test_a_probe_that_is_not_answered_is_no_housekeeping() -> None:
    pen = shut()
    assert not pen.connection.housekeeping  # the window may have opened unheard
    pen.wait(1 * S)
    assert not pen.connection.housekeeping
    pen.write(".", 1, ack=1, win=0)
    assert pen.connection.housekeeping
    pen.wait(120 * S)
    assert not pen.connection.housekeeping
    pen.write(".", 1, ack=1, win=5000)
    assert not pen.connection.housekeeping
    assert len(pen.read()) >= 3


def test_the_network_does_not_rest_while_a_lost_window_update_is_to_be_found_out() -> None:
    both = stuck()
    both.fate = lambda number, sent: None if sent.cause == "window update" else [10 * MS]
    got = both.b.recv(1 << 20, both.now)
    assert not both.b.housekeeping
    while len(got) < 20_000:
        both.run()
        more = both.b.recv(1 << 20, both.now)
        assert more
        got += more
    both.run()
    assert both.a.housekeeping
    assert both.b.housekeeping


@pytest.mark.parametrize(("settings", "probes"), [(PLAIN, 15), (PLAIN.replace(data_retries=4), 4)])
def test_probes_that_nobody_answers_end_in_a_timeout(settings: TcpSettings, probes: int) -> None:
    pen = shut(settings)
    pen.wait(4000 * S)
    assert len(pen.read()) == probes
    assert (pen.connection.state, pen.connection.error) == (CLOSED, errno.ETIMEDOUT)


def test_a_closed_socket_does_not_probe_for_ever() -> None:
    """Linux: an orphan whose probes have backed off to the end is given up, answered or not."""
    both = stuck()
    both.a.close(both.now)
    both.run(121 * S)
    assert both.a.state is CLOSED
    both = established(SMALL)
    both.a.send(bytes(20_000), both.now)
    both.a.close(both.now)
    both.run(100 * S)
    assert both.a.state is not CLOSED
    both.run(300 * S)
    assert both.a.state is CLOSED


@pytest.mark.parametrize(("delay", "least", "most"), [(1, 924, 946), (50, 924, 1045), (1000, 924, 1100)])
def test_a_transfer_to_nowhere_ends_when_it_would_on_linux(delay: int, least: int, most: int) -> None:
    """924.6 s are the least; the first timeout after them ends it, however long the path and so each timeout."""
    both = established(TcpSettings(), delay=delay * MS)
    both.a.send(b"before", both.now)
    both.run(60 * S)
    both.fate = lambda number, sent: None
    start = both.now
    both.a.send(b"after", both.now)
    both.run()
    assert both.a.error == errno.ETIMEDOUT
    assert least * S <= both.now - start <= most * S


def test_a_user_timeout_takes_the_place_of_the_number_of_keep_alive_probes() -> None:
    """tcp(7): "TCP_USER_TIMEOUT will override keepalive to determine when to close a connection"."""
    pen = client(PLAIN.replace(keepalive=True, keepalive_idle=10 * S, keepalive_interval=5 * S, keepalive_probes=2, user_timeout=40 * S))
    pen.wait(39 * S)
    assert len(pen.read()) == 6
    pen.wait(2 * S)
    assert (pen.connection.state, pen.connection.error) == (CLOSED, errno.ETIMEDOUT)


def test_keep_alive_does_not_probe_beside_the_zero_window_probes() -> None:
    pen = shut(PLAIN.replace(keepalive=True, keepalive_idle=20 * S, keepalive_interval=20 * S))
    for _ in range(100):
        pen.wait(2 * S)
        pen.write(".", 1, ack=1, win=0)
    assert all(line == ". 0:0(0) ack 1" for line in pen.read())


def test_the_time_behind_a_shut_window_does_not_count_towards_giving_up() -> None:
    both = stuck()
    both.run(1000 * S)
    both.log.clear()
    opened = both.now
    both.fate = lambda number, sent: None if sent.side == "a" and sent.time - opened < 1 * S else [10 * MS]
    both.b.recv(1 << 20, both.now)
    both.run(5 * S)
    assert sum(sent.lost for sent in both.log) >= 3
    assert both.a.error is None
    assert both.b.available >= 4096
