"""`tcp.analysis.*` says of every segment of made conversations what Wireshark says (of captures: test_shared_captures)."""

from pathlib import Path

import pytest

from stack.codec.packet import Packet
from tests.capture.build import FINDINGS, NUMBERS, ask, handshake, needs_tshark, said, segment, trace_of


def d(size: int) -> bytes:
    return bytes(size)


CONVERSATIONS: dict[str, list[Packet]] = {
    "lost and retransmitted after a time-out": [
        segment("c", "PA", 1001, 5001, d(100)), segment("c", "PA", 1201, 5001, d(100)), segment("s", "A", 5001, 1101),
        *[segment("s", "A", 5001, 1101)] * 3, segment("c", "PA", 1101, 5001, d(100)), segment("s", "A", 5001, 1301),
        segment("c", "PA", 1101, 5001, d(100)),
    ],
    "acknowledged but never seen": [
        segment("s", "PA", 5001, 1001, d(100)), segment("c", "A", 1001, 5151), segment("c", "A", 1001, 5151),
        segment("c", "A", 1001, 5201), segment("c", "PA", 1001, 5201, d(10)), segment("c", "A", 1011, 5251),
        segment("s", "PA", 5301, 1011, d(100)), segment("c", "A", 1011, 5401), segment("c", "A", 1011, 5451),
        segment("s", "PA", 5101, 1011, d(10)), segment("c", "A", 1011, 5461),
    ],
    "a window that closes and is probed": [
        segment("c", "PA", 1001, 5001, d(1000)), segment("s", "A", 5001, 2001, window=0),
        segment("c", "A", 2001, 5001, d(1)), segment("s", "A", 5001, 2001, window=0),
        segment("c", "A", 2001, 5001, d(1)), segment("s", "A", 5001, 2002, window=0),
        segment("s", "A", 5001, 2002, window=3000), segment("c", "PA", 2002, 5001, d(3000)),
    ],
    "kept alive": [
        segment("c", "PA", 1001, 5001, d(10)), segment("s", "A", 5001, 1011), segment("c", "A", 1010, 5001),
        segment("s", "A", 5001, 1011), segment("c", "A", 1010, 5001, d(1)), segment("s", "A", 5001, 1011),
    ],
    "the same ports again": [
        segment("c", "FA", 1001, 5001), segment("s", "FA", 5001, 1002), segment("c", "A", 1002, 5002),
        segment("c", "S", 9000), segment("s", "SA", 7000, 9001), segment("c", "A", 9001, 7001), segment("c", "S", 9000),
    ],
    "a second answer to a SYN": [segment("s", "SA", 5000, 1001), segment("s", "SA", 6000, 1001), segment("c", "R", 1001)],
    "across the end of the numbers": [
        segment("c", "S", 0xFFFFFF00), segment("s", "SA", 0xFFFFFFFF, 0xFFFFFF01), segment("c", "A", 0xFFFFFF01, 0),
        segment("c", "PA", 0xFFFFFF01, 0, d(500)), segment("s", "PA", 0, 0xF5, d(9)), segment("c", "PA", 0xFFFFFF01, 9, d(500)),
        segment("c", "PA", 0xF5, 9, d(9)),
    ],
}  # fmt: skip


@needs_tshark
@pytest.mark.parametrize("story", CONVERSATIONS)
@pytest.mark.parametrize("step", [1_000_000, 300_000_000], ids=["quick", "slow"])
def test_a_conversation_is_judged_as_wireshark_judges_it(tmp_path: Path, story: str, step: int) -> None:
    trace = trace_of(tmp_path / "a.pcapng", handshake() + CONVERSATIONS[story], step)
    # The round trip of the handshake is shown where there is something else to say, and this story has more than we know.
    shown = [name for name in NUMBERS if name != "tcp.analysis.initial_rtt" or story != "acknowledged but never seen"]
    fields = ["frame.number", *FINDINGS, *shown]
    rows = [tuple(said(value) for value in row) for row in ask(tmp_path / "a.pcapng", *fields)]
    assert trace.fields(*fields) == rows


def test_a_made_retransmission_needs_no_tshark(tmp_path: Path) -> None:
    trace = trace_of(tmp_path / "a.pcapng", handshake() + CONVERSATIONS["lost and retransmitted after a time-out"])
    assert [record.number for record in trace.filter("tcp.analysis.lost_segment")] == [5]
    assert [record.number for record in trace.filter("tcp.analysis.duplicate_ack")] == [7, 8, 9]
    assert [record.number for record in trace.filter("tcp.analysis.fast_retransmission")] == [10]
    assert [record.number for record in trace.filter("tcp.analysis.spurious_retransmission")] == [12]
    assert trace.values("tcp.analysis.duplicate_ack_num")[6:9] == [1, 2, 3]
