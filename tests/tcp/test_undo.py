"""Taking a reduction of the window back: F-RTO (RFC 5682), timestamps (RFC 3522, 4015), D-SACK (RFC 3708)."""

import struct

import pytest

from stack.tcp.congestion.base import CongestionState
from stack.tcp.settings import TcpSettings
from tests.ledger import rfc
from tests.tcp.builders import MS, SENDER, Pen, sacks, sender

STAMPED = SENDER.replace(timestamps=True)
SYN_STAMPED = b"\2\4\x03\xf4\4\2\x08\n" + struct.pack(">II", 7, 0)  # 1000 octets beside the timestamps


def stamp(pen: Pen, echo: int) -> bytes:
    """The peer's timestamps option, which echoes what we sent at `echo` ns."""
    return b"\1\1\x08\n" + struct.pack(">II", 7 + pen.now // MS, echo // MS)


@rfc("5682", "3.1")
@rfc("5682", "4")
def test_a_timeout_is_found_spurious_when_what_was_sent_once_arrives() -> None:
    pen = sender(SENDER.replace(loss_probe=False), 6)
    pen.wait(200 * MS)
    assert pen.read() == [". 1:1001(1000) ack 1"]
    assert pen.connection.info()["recovery"] == "loss"
    pen.connection.send(bytes(4000), pen.now)
    pen.read()
    pen.write(".", 1, ack=1001)
    assert pen.read()[0] == ". 6001:7001(1000) ack 1", "step 2.b: new data, not more repetitions"
    pen.write(".", 1, ack=2001)
    info = pen.connection.info()
    assert (info["recovery"], info["snd_ssthresh"], info["lost"]) == ("open", 0x7FFFFFFF, 0)
    assert info["snd_cwnd"] >= 10
    assert info["total_retrans"] == 1


@rfc("5682", "3.1")
def test_a_timeout_for_a_loss_goes_on_as_such() -> None:
    pen = sender(SENDER.replace(loss_probe=False), 6)
    pen.wait(200 * MS)
    pen.read()
    pen.connection.send(bytes(4000), pen.now)
    pen.wait(100 * MS)
    pen.write(".", 1, ack=1001)
    assert pen.read()[0] == ". 6001:7001(1000) ack 1"
    pen.wait(100 * MS)
    pen.write(".", 1, ack=1001, options=sacks(pen, (6001, 7001)))
    assert ". 1001:2001(1000) ack 1" in pen.read(), "step 3.a: only the new data arrived"
    assert pen.connection.info()["recovery"] == "loss"


@rfc("4015", "3")
def test_an_echo_from_before_the_repetition_undoes_a_fast_retransmit() -> None:
    pen = sender(STAMPED, 10, SYN_STAMPED)
    sent = pen.now - 100 * MS
    pen.write(".", 1, ack=1, options=stamp(pen, sent) + sacks(pen, (1001, 4001)))
    assert pen.read() == [". 1:1001(1000) ack 1"]
    assert pen.connection.info()["snd_ssthresh"] == 5
    pen.now += 5 * MS
    pen.write(".", 1, ack=10_001, options=stamp(pen, sent))
    info = pen.connection.info()
    assert (info["recovery"], info["snd_cwnd"], info["snd_ssthresh"]) == ("open", 17, 0x7FFFFFFF), "as it was, and slow start goes on"


@rfc("2883", "5")
@rfc("3708", "3")
def test_dsacks_for_all_repetitions_undo_the_recovery() -> None:
    pen = sender(SENDER, 10)
    pen.write(".", 1, ack=1, options=sacks(pen, (2001, 5001)))
    assert pen.read() == [". 1:1001(1000) ack 1"]
    pen.write(".", 1, ack=1, options=sacks(pen, (2001, 6001)))
    pen.write(".", 1, ack=1, options=sacks(pen, (2001, 7001)))
    assert ". 1001:2001(1000) ack 1" in pen.read()
    pen.wait(50 * MS)
    pen.write(".", 1, ack=7001)
    assert pen.connection.info()["recovery"] == "recovery"
    pen.wait(50 * MS)
    pen.write(".", 1, ack=7001, options=sacks(pen, (1, 1001)))
    assert pen.connection.info()["recovery"] == "recovery"
    pen.write(".", 1, ack=7001, options=sacks(pen, (1001, 2001)))
    info = pen.connection.info()
    assert (info["recovery"], info["snd_ssthresh"], info["snd_cwnd"]) == ("open", 0x7FFFFFFF, 10)


def test_without_proof_the_window_stays_down() -> None:
    pen = sender(STAMPED, 10, SYN_STAMPED)
    pen.write(".", 1, ack=1, options=stamp(pen, pen.now - 100 * MS) + sacks(pen, (1001, 4001)))
    resent = pen.now
    pen.read()
    pen.wait(100 * MS)
    pen.write(".", 1, ack=10_001, options=stamp(pen, resent + 1 * MS))
    info = pen.connection.info()
    assert (info["recovery"], info["snd_cwnd"], info["snd_ssthresh"]) == ("open", 6, 5), "half, and what the last ACK adds"


QUIET = SENDER.replace(loss_probe=False)


def timed_out(settings: TcpSettings = QUIET, segments: int = 10) -> Pen:
    """Ten segments were sent, and the first again after the timeout."""
    pen = sender(settings, segments)
    pen.wait(205 * MS)
    assert pen.read() == [". 1:1001(1000) ack 1"]
    assert (pen.connection.recovery.state, pen.connection.congestion.cwnd) == (CongestionState.LOSS, 1)
    return pen


@rfc("5682", "2.1")
@rfc("5682", "3.1")
@pytest.mark.parametrize("sack", [True, False])
def test_new_data_goes_before_repetitions_and_decides(sack: bool) -> None:
    for real in (True, False):
        pen = timed_out(QUIET.replace(sack=sack), 12)
        pen.write(".", 1, ack=1001)
        assert pen.read() == [". 10001:11001(1000) ack 1", "P. 11001:12001(1000) ack 1"]
        if real:
            pen.write(".", 1, ack=1001, options=sacks(pen, (10001, 11001)) if sack else b"")
            pen.write(".", 1, ack=1001, options=sacks(pen, (10001, 12001)) if sack else b"")
            assert ". 1001:2001(1000) ack 1" in pen.read()
            assert pen.connection.info()["snd_cwnd"] < 10
        else:
            pen.write(".", 1, ack=2001)
            assert pen.connection.info()["snd_cwnd"] >= 10
            assert not any(line.startswith(". 2001:") for line in pen.read())


def test_without_f_rto_and_timestamps_a_timeout_is_believed() -> None:
    pen = timed_out(QUIET.replace(frto=False))
    pen.write(".", 1, ack=3001)
    assert pen.connection.info()["recovery"] == "loss"
    assert pen.read()[0] == ". 3001:4001(1000) ack 1"


@rfc("3522", "3.2")
@rfc("4015", "3")
def test_an_echo_from_before_the_repetition_tells_that_the_original_arrived() -> None:
    settings = QUIET.replace(frto=False, timestamps=True, initial_segments=10)
    for echo, undone in ((100, True), (400, False)):
        pen = sender(settings, 0, SYN_STAMPED)
        pen.connection.send(bytes(10_000), 100 * MS)
        pen.wait(205 * MS)
        pen.read()
        size = pen.connection.snd.mss
        assert pen.connection.recovery.state is CongestionState.LOSS
        pen.write(".", 1, ack=1 + size, options=stamp(pen, echo * MS))
        assert (pen.connection.info()["snd_cwnd"] >= 10) == undone, echo
        assert pen.connection.info()["recovery"] == ("open" if undone else "loss")
