"""RACK: losses found by time (RFC 8985)."""

from stack.tcp.congestion.base import CongestionState
from stack.tcp.recovery.rack import Rack, reordering_window
from stack.tcp.recovery.retransmit_queue import EVER_RESENT, Record
from stack.tcp.segment import ACK
from tests.ledger import rfc
from tests.tcp.builders import MS, SENDER, sacks, sender


@rfc("8985", "6.2 step 5")
def test_a_segment_may_be_a_quarter_of_a_round_trip_late() -> None:
    pen = sender(SENDER, 4)
    pen.write(".", 1, ack=1, options=sacks(pen, (3001, 4001)))
    pen.wait(26 * MS)
    assert pen.read() == []
    pen.wait(2 * MS)  # and Linux's two ticks
    assert pen.read() == [". 1:1001(1000) ack 1"]
    info = pen.connection.info()
    assert (info["recovery"], info["lost"], info["snd_ssthresh"]) == ("recovery", 3, 5)


@rfc("8985", "6.2 step 3")
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


@rfc("8985", "6.2 step 5")
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


@rfc("8985", "6.2 step 4")
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


@rfc("8985", "6.2 step 2")
def test_an_answer_sooner_than_any_round_trip_is_none_to_the_repetition() -> None:
    record = Record(1, 1001, ACK, 500 * MS, 0, 7)
    record.marks = EVER_RESENT
    rack = Rack()
    rack.advance(record, 100 * MS, 550 * MS)
    assert (rack.advanced, rack.number) == (False, 0)
    rack.advance(record, 100 * MS, 600 * MS)
    assert (rack.advanced, rack.number, rack.rtt, rack.end) == (True, 7, 100 * MS, 1001)
    older = Record(2001, 3001, ACK, 400 * MS, 0, 5)
    rack.advance(older, 100 * MS, 610 * MS)
    assert (rack.number, rack.end) == (7, 1001), "the newest that was delivered is kept"


@rfc("8985", "6.2 step 3")
@rfc("8985", "6.2 step 4")
def test_the_reordering_window_follows_what_was_seen() -> None:
    pen = sender(SENDER, 10)
    b = pen.connection
    pen.write(".", 1, ack=1, options=sacks(pen, (2001, 3001)))
    assert reordering_window(b) == 25 * MS, "a quarter of the least round-trip time"
    pen.write(".", 1, ack=1, options=sacks(pen, (3001, 5001), (2001, 3001)))
    assert reordering_window(b) == 0, "three arrived, and nothing was ever reordered: as DupThresh says"
    assert pen.read()[0] == ". 1:1001(1000) ack 1"

    pen = sender(SENDER, 10)
    b = pen.connection
    pen.write(".", 1, ack=1, options=sacks(pen, (2001, 3001)))
    pen.write(".", 1, ack=1, options=sacks(pen, (1001, 3001)))
    assert b.recovery.reordering_seen == 1
    pen.write(".", 1, ack=1, options=sacks(pen, (1001, 5001)))
    assert (reordering_window(b), pen.read()) == (25 * MS, []), "reordering was seen: three are not enough"
    pen.wait(28 * MS)
    assert pen.read() == [". 1:1001(1000) ack 1"]
    pen.write(".", 1, ack=5001)
    pen.write(".", 1, ack=5001, options=sacks(pen, (1, 1001)))  # the repetition was not needed
    pen.write(".", 1, ack=6001)
    assert reordering_window(b) == 50 * MS, "so the window is wider"
    for at in range(16):  # sixteen recoveries without such a report, and it is as narrow as before
        assert reordering_window(b) == 50 * MS, at
        una = b.snd.una - b.iss
        b.send(bytes(8000), pen.now)
        pen.wait(100 * MS)
        nxt = b.snd.nxt - b.iss
        pen.write(".", 1, ack=una, options=sacks(pen, (una + 1000, nxt)))
        pen.wait(60 * MS)
        assert b.recovery.state is CongestionState.RECOVERY
        pen.wait(60 * MS)
        pen.read()
        pen.write(".", 1, ack=b.snd.nxt - b.iss)
        pen.read()
    una = b.snd.una - b.iss
    b.send(bytes(2000), pen.now)
    pen.wait(100 * MS)
    pen.write(".", 1, ack=una, options=sacks(pen, (una + 1000, una + 2000)))
    assert reordering_window(b) == 25 * MS
    b.rack.steps = 255
    assert reordering_window(b) == b.rtt.srtt, "and never wider than a round trip"


@rfc("8985", "6.3")
def test_a_timeout_spares_what_was_sent_just_now() -> None:
    pen = sender(SENDER.replace(loss_probe=False), 1)
    pen.write(".", 1, ack=1001)
    pen.connection.send(bytes(1000), pen.now)
    pen.wait(250 * MS)
    pen.connection.send(bytes(1000), pen.now)
    pen.read()
    pen.wait(60 * MS)
    assert pen.read() == ["P. 1001:2001(1000) ack 1"]
    assert (pen.connection.rtx.lost_out, pen.connection.rtx.in_flight) == (1, 2), "the second may be on its way"
