"""Tagging the queue by SACK blocks (RFC 2018, 2883, 6675), and the counts that the window is reckoned by."""

import random
import struct

import pytest

from stack.tcp.recovery.retransmit_queue import LOST, RESENT, SACKED
from tests.ledger import rfc
from tests.tcp.builders import MS, SACK_OK, SENDER, Pen, client, sacks, sender


def consistent(pen: Pen) -> None:
    """The counts say what a walk would."""
    rtx, snd = pen.connection.rtx, pen.connection.snd
    records = list(rtx.records)
    assert rtx.sacked_out == sum(record.marks & SACKED > 0 for record in records)
    assert rtx.lost_out == sum(record.marks & LOST > 0 for record in records)
    assert rtx.retrans_out == sum(record.marks & RESENT > 0 for record in records)
    assert not any(record.marks & SACKED and record.marks & (LOST | RESENT) == LOST for record in records)
    ends = [record.end for record in records]
    assert [record.seq for record in records[1:]] == ends[:-1]
    assert not records or (records[0].seq <= snd.una < records[0].end and ends[-1] == snd.nxt)
    assert rtx.in_flight >= 0


@rfc("6675", "4")
@pytest.mark.parametrize("rack", [True, False])
@pytest.mark.parametrize("seed", range(30))
def test_the_counts_say_what_a_walk_would(seed: int, rack: bool) -> None:
    rng = random.Random(seed)
    pen = sender(SENDER.replace(rack=rack), 10)
    for _ in range(80):
        iss, snd = pen.connection.iss, pen.connection.snd
        una, nxt = snd.una - iss, snd.nxt - iss
        blocks = []
        for _ in range(rng.randrange(4)):
            left = max(1, una - 2000) + rng.randrange(max(1, nxt - una + 1000)) // 500 * 500
            blocks.append((left, left + 500 * rng.randrange(1, 9)))
        ack = min(una + 500 * rng.randrange(0, 3), nxt) if rng.random() < 0.3 else una
        pen.write(".", 1, ack=ack, options=sacks(pen, *blocks) if blocks else b"")
        consistent(pen)
        if rng.random() < 0.3:
            pen.connection.send(bytes(rng.randrange(1, 3000)), pen.now)
        pen.wait(rng.choice([0, 5, 40, 300]) * MS)
        consistent(pen)


def test_blocks_outside_the_outstanding_data_are_not_believed() -> None:
    pen = sender(SENDER, 10)
    pen.write(".", 1, ack=2001)
    for block in ((1, 2001), (500, 2001), (10_001, 12_001), (3001, 3001), (4001, 3001), (2001, 3001)):
        pen.write(".", 1, ack=2001, options=sacks(pen, block))
        assert pen.connection.info()["sacked"] == 0, block
    pen.write(".", 1, ack=2001, options=sacks(pen, (3001, 5500)))
    assert pen.connection.info()["sacked"] == 2, "a segment of which half was received is not held"
    pen.write(".", 1, ack=2001, options=sacks(pen, (3001, 6001)))
    assert pen.connection.info()["sacked"] == 3


@rfc("2883", "5")
def test_a_report_of_what_we_never_repeated_is_the_networks_doing() -> None:
    pen = sender(SENDER, 4)
    pen.write(".", 1, ack=2001, options=sacks(pen, (1, 1001)))
    assert pen.connection.recovery.dsack_dups == 1
    assert not pen.connection.rack.dsack_seen
    assert pen.connection.rtx.delivered == 3, "the SYN, and two segments"


@rfc("2018", "3")
@pytest.mark.parametrize(("timestamps", "most"), [(False, 4), (True, 3)])
def test_as_many_blocks_as_fit_are_reported(timestamps: bool, most: int) -> None:
    stamp = b"\x08\n\0\0\0\1\0\0\0\0"
    pen = client(SENDER.replace(timestamps=timestamps, sack_compression_count=0), SACK_OK + stamp * timestamps)
    for seq in (11, 21, 31, 41, 51):
        pen.write("P", seq, ack=1, text=b"x" * 5, options=(b"\1\1" + stamp) * timestamps)
    *_, (header, _, _) = pen.connection.take_output()
    at = 12 * timestamps
    assert header.options[at : at + 4] == bytes((1, 1, 5, 2 + 8 * most))
    assert struct.unpack(">II", header.options[at + 4 : at + 12]) == (51, 56), "the last that came is first"
    assert len(header.options) <= 40
