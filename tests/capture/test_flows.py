"""Flows: who spoke with whom, and what each side said, in order however it travelled."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.capture.flows import reassemble
from stack.capture.trace import Trace
from tests.capture.build import SHARED, handshake, needs_shared, needs_tshark, segment, trace_of, tshark

TEXT = bytes(range(256)) * 4


def test_a_conversation_is_put_in_order(tmp_path: Path) -> None:
    packets = [
        *handshake(),
        segment("c", "PA", 1006, 5001, b" world"),
        segment("c", "PA", 1001, 5001, b"hello"),
        segment("c", "PA", 1001, 5001, b"hello"),
        segment("s", "PA", 5001, 1012, b"hi"),
        segment("c", "FA", 1012, 5003),
    ]
    (flow,) = trace_of(tmp_path / "a.pcapng", packets).flows()
    assert (flow.protocol, flow.client, flow.server) == ("tcp", ("10.0.0.1", 4000), ("10.0.0.2", 80))
    assert (flow.sent, flow.received, flow.missing) == (b"hello world", b"hi", (0, 0))
    assert (flow.packets, flow.octets) == ((6, 2), (16, 2))
    assert len(flow.trace) == 8
    assert str(flow) == "tcp 10.0.0.1:4000 → 10.0.0.2:80: 6 packets, 16 octets; back 2 packets, 2 octets"


def test_what_the_capture_lacks_is_counted(tmp_path: Path) -> None:
    packets = [*handshake(), segment("c", "PA", 1001, 5001, b"one"), segment("c", "PA", 1014, 5001, b"two")]
    (flow,) = trace_of(tmp_path / "a.pcapng", packets).flows()
    assert (flow.sent, flow.missing) == (b"onetwo", (10, 0))


def test_who_answers_is_the_server_though_its_answer_is_first(tmp_path: Path) -> None:
    (flow,) = trace_of(tmp_path / "a.pcapng", handshake()[1:]).flows()
    assert (flow.client, flow.server) == (("10.0.0.1", 4000), ("10.0.0.2", 80))
    assert flow.packets == (1, 1)


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 200)), max_size=20), st.randoms(), st.integers(0, 2**32 - 1))
def test_any_order_overlap_and_wrap_give_the_stream(cuts: list[tuple[int, int]], mixer: object, first: int) -> None:
    pieces = [(at, TEXT[at : at + size]) for at, size in cuts] + [(at, TEXT[at : at + 100]) for at in range(0, 1024, 100)]
    mixer.shuffle(pieces)  # type: ignore[attr-defined]
    assert reassemble([(first + at & 0xFFFFFFFF, text) for at, text in pieces]) == (TEXT, 0)


@needs_shared
@needs_tshark
@pytest.mark.parametrize("name", ["zeek/irc-basic.pcap", "zeek/smtp.pcap", "arkime/wireshark-retrans.pcap"])
def test_streams_are_those_that_tshark_follows(name: str) -> None:
    flows = [flow for flow in Trace.read(SHARED / name).flows() if flow.protocol == "tcp"]
    assert flows
    for flow in flows[:3]:
        rows, _ = tshark(SHARED / name, "-q", "-z", f"follow,tcp,raw,{flow.stream}")
        lines = [row for row in rows if row and all(c in "0123456789abcdef" for c in row[-1]) and row[-1]]
        forward = bytes.fromhex("".join(row[0] for row in lines if len(row) == 1))
        backward = bytes.fromhex("".join(row[1] for row in lines if len(row) == 2))
        if flow.missing == (0, 0):
            assert {flow.sent, flow.received} == {forward, backward}
