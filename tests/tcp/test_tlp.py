"""Tail loss probe (RFC 8985 section 7)."""

from stack.tcp.congestion.base import INFINITE, CongestionState
from tests.ledger import rfc
from tests.tcp.builders import MS, SENDER, sacks, sender


@rfc("8985", "7.2")
@rfc("8985", "7.3")
def test_the_last_segment_is_sent_again_after_two_round_trips() -> None:
    pen = sender(SENDER, 4)  # 100 ms have passed
    pen.wait(101 * MS)
    assert pen.read() == []
    pen.wait(1 * MS)
    (header, _, cause), = pen.connection.take_output()
    assert (header.sequence - 1000, cause) == (3001, "tail loss probe of 3001:4001")
    pen.wait(290 * MS)
    assert pen.read() == [], "the retransmission timer counts from the probe"
    pen.wait(10 * MS)
    assert pen.read() == [". 1:1001(1000) ack 1"]


@rfc("8985", "7.3")
def test_new_data_is_the_better_probe() -> None:
    pen = sender(SENDER.replace(initial_segments=2), 4)
    pen.wait(102 * MS)
    assert pen.read() == [". 2001:3001(1000) ack 1"], "beyond the congestion window"
    pen.write(".", 1, ack=3001)
    assert pen.connection.recovery.probe_end == 0


def test_a_probe_of_new_data_is_no_repetition_that_has_to_be_disproved() -> None:
    pen = sender(SENDER.replace(initial_segments=2), 4)
    pen.wait(102 * MS)
    pen.read()
    pen.write(".", 1, ack=1, options=sacks(pen, (1001, 3001)))
    pen.wait(60 * MS)
    assert ". 1:1001(1000) ack 1" in pen.read()
    pen.write(".", 1, ack=3001, options=sacks(pen, (1, 1001)))  # the one repetition was for nothing
    assert (pen.connection.recovery.state, pen.connection.congestion.ssthresh) == (CongestionState.OPEN, INFINITE)


@rfc("8985", "7.2")
def test_a_single_segment_waits_for_a_delayed_ack_too() -> None:
    pen = sender(SENDER, 1)
    pen.wait(199 * MS)
    assert pen.read() == []
    pen.wait(2 * MS)
    assert pen.read() == ["P. 1:1001(1000) ack 1"], "the retransmission timeout, 300 ms, is sooner than the 400 ms of the probe"


@rfc("8985", "7.4")
def test_a_probe_that_repaired_a_loss_lets_the_window_down() -> None:
    pen = sender(SENDER, 4)
    pen.wait(102 * MS)
    pen.read()
    pen.connection.send(bytes(1000), pen.now)
    pen.wait(90 * MS)
    pen.write(".", 1, ack=5001)
    info = pen.connection.info()
    assert (info["snd_cwnd"], info["snd_ssthresh"], info["recovery"]) == (5, 5, "open")


@rfc("8985", "7.4")
def test_a_probe_that_was_not_needed_changes_nothing() -> None:
    pen = sender(SENDER, 4)
    pen.wait(102 * MS)
    pen.read()
    pen.wait(10 * MS)
    pen.write(".", 1, ack=4001)
    pen.wait(90 * MS)
    pen.write(".", 1, ack=4001, options=sacks(pen, (3001, 4001)))
    info = pen.connection.info()
    assert (info["snd_cwnd"], info["snd_ssthresh"], info["dsack_dups"]) == (10, 0x7FFFFFFF, 1)
    assert pen.connection.recovery.probe_end == 0


def test_a_lost_tail_is_mended_without_a_timeout() -> None:
    pen = sender(SENDER, 5)
    pen.write(".", 1, ack=2001)
    pen.wait(202 * MS)
    assert pen.read() == ["P. 4001:5001(1000) ack 1"]
    pen.wait(100 * MS)
    pen.write(".", 1, ack=2001, options=sacks(pen, (4001, 5001)))
    assert pen.read() == [". 2001:3001(1000) ack 1"]
    pen.wait(100 * MS)
    pen.write(".", 1, ack=3001, options=sacks(pen, (4001, 5001)))
    assert pen.read() == [". 3001:4001(1000) ack 1"]
    pen.wait(100 * MS)
    pen.write(".", 1, ack=5001)
    assert pen.connection.info()["recovery"] == "open"


@rfc("8985", "7.4")
def test_a_probe_is_judged_by_the_ack_of_what_was_sent_after_it() -> None:
    for blocks, ssthresh in (((), 5), (((3001, 4001),), INFINITE)):
        pen = sender(SENDER, 4)
        pen.wait(103 * MS)
        pen.read()
        pen.write(".", 1, ack=4001, options=sacks(pen, *blocks) if blocks else b"")
        pen.connection.send(bytes(1000), pen.now)
        pen.write(".", 1, ack=5001)
        assert pen.connection.recovery.state is CongestionState.OPEN
        assert pen.connection.congestion.ssthresh == ssthresh
