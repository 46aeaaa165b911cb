"""RACK: losses found by time (RFC 8985)."""

from tests.ledger import rfc
from tests.tcp.builders import MS, SENDER, sacks, sender


@rfc("8985", "6.2")
def test_a_segment_may_be_a_quarter_of_a_round_trip_late() -> None:
    pen = sender(SENDER, 4)
    pen.write(".", 1, ack=1, options=sacks(pen, (3001, 4001)))
    pen.wait(26 * MS)
    assert pen.read() == []
    pen.wait(2 * MS)  # and Linux's two ticks
    assert pen.read() == [". 1:1001(1000) ack 1"]
    info = pen.connection.info()
    assert (info["recovery"], info["lost"], info["snd_ssthresh"]) == ("recovery", 3, 5)


def test_what_was_only_late_is_not_sent_again() -> None:
    pen = sender(SENDER, 4)
    pen.write(".", 1, ack=1, options=sacks(pen, (1001, 4001)))
    assert pen.read() == [". 1:1001(1000) ack 1"], "three above it: as good as three duplicates"
    pen = sender(SENDER, 4)
    pen.write(".", 1, ack=1, options=sacks(pen, (1001, 3001)))
    pen.wait(20 * MS)
    pen.write(".", 1, ack=3001)
    pen.wait(80 * MS)
    pen.write(".", 1, ack=4001)
    info = pen.connection.info()
    assert (pen.read(), info["reord_seen"], info["total_retrans"], info["recovery"]) == ([], 1, 0, "open")


@rfc("8985", "6.2")
def test_a_repetition_that_is_lost_is_found_out_by_what_was_sent_after_it() -> None:
    pen = sender(SENDER)
    pen.write(".", 1, ack=1, options=sacks(pen, (1001, 6001)))
    assert pen.read() == [". 1:1001(1000) ack 1"]
    pen.connection.send(bytes(5000), pen.now)
    pen.write(".", 1, ack=1, options=sacks(pen, (1001, 10_001)))
    new = pen.read()
    assert new
    assert all(line.split()[1] > "1" for line in new)
    pen.wait(110 * MS)
    pen.write(".", 1, ack=1, options=sacks(pen, (1001, 11_001)))
    pen.wait(30 * MS)
    assert ". 1:1001(1000) ack 1" in pen.read(), "11001 was sent after the repetition, and arrived"


@rfc("8985", "7.2")
def test_dsacks_widen_the_window() -> None:
    pen = sender(SENDER)
    rack = pen.connection.rack
    pen.write(".", 1, ack=1, options=sacks(pen, (2001, 3001)))
    pen.write(".", 1, ack=3001)  # what came late filled the hole: reordering
    assert pen.connection.info()["reord_seen"] == 1
    pen.write(".", 1, ack=3001, options=sacks(pen, (4001, 10_001)))
    pen.wait(30 * MS)
    assert pen.read() == [". 3001:4001(1000) ack 1"]
    pen.write(".", 1, ack=10_001)
    assert rack.steps == 1
    pen.write(".", 1, ack=10_001, options=sacks(pen, (3001, 4001)))
    assert rack.dsack_seen
    pen.connection.send(bytes(1000), pen.now)
    pen.wait(100 * MS)
    pen.write(".", 1, ack=11_001)
    assert (rack.steps, rack.persist) == (2, 16)
