"""Taking a reduction of the window back: F-RTO (RFC 5682), timestamps (RFC 3522, 4015), D-SACK (RFC 3708)."""

import struct

from tests.ledger import rfc
from tests.tcp.builders import MS, SENDER, Pen, sacks, sender

STAMPED = SENDER.replace(timestamps=True)
SYN_STAMPED = b"\2\4\x03\xf4\4\2\x08\n" + struct.pack(">II", 7, 0)  # 1000 octets beside the timestamps


def stamp(pen: Pen, echo: int) -> bytes:
    """The peer's timestamps option, which echoes what we sent at `echo` ns."""
    return b"\1\1\x08\n" + struct.pack(">II", 7 + pen.now // MS, echo // MS)


@rfc("5682", "3.1")
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
