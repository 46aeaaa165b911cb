"""A trace is a sequence: of a file, of a part of it, of what was just recorded; one type with the same answers."""

from pathlib import Path

import pytest

from stack.capture.error import FilterError
from stack.capture.frame import Interface
from stack.capture.recorder import Recorder
from stack.capture.trace import Trace
from stack.tcp.formats.tcp import TCP
from tests.capture.build import MILLISECOND, START, handshake, segment, trace_of

PACKETS = [
    *handshake(),
    segment("c", "PA", 1001, 5001, b"hello", cause="data 1:6"),
    segment("s", "A", 5001, 1006, cause="delayed ACK, 40 ms"),
]


def recorded() -> Trace:
    recorder = Recorder()
    for place, packet in enumerate(PACKETS):
        recorder.record(START + place * MILLISECOND, packet, "eth0")
    return recorder.close()


def test_a_sequence_of_records(tmp_path: Path) -> None:
    trace = trace_of(tmp_path / "a.pcapng", PACKETS)
    assert len(trace) == 5
    assert [record.number for record in trace] == [1, 2, 3, 4, 5]
    assert trace[-1].number == 5
    assert trace[3].packet[TCP].psh
    assert (trace[3].comment, trace[3].packet.cause, trace[2].comment) == ("data 1:6", "data 1:6", None)
    assert (trace[3].time, trace[3].interface, trace[3].linktype) == (START + 3 * MILLISECOND, "eth0", 1)
    assert trace[3].captured_length == trace[3].length == len(bytes(PACKETS[3]))
    with pytest.raises(IndexError):
        trace[5]


def test_parts_keep_their_numbers(tmp_path: Path) -> None:
    trace = trace_of(tmp_path / "a.pcapng", PACKETS)
    assert [record.number for record in trace[1:4][::-1]] == [4, 3, 2]
    assert [record.number for record in trace.filter("tcp.srcport == 80")[1:]] == [5]
    assert trace[2:].interfaces == [Interface("eth0", 1)]


def test_emulated_or_from_a_file_the_answers_are_the_same(tmp_path: Path) -> None:
    file, memory = trace_of(tmp_path / "a.pcapng", PACKETS), recorded()
    fields = ("frame.number", "frame.time_epoch", "frame.comment", "ip.len", "tcp.checksum", "tcp.seq", "tcp.payload")
    assert memory.fields(*fields) == file.fields(*fields)
    assert [(r.data, r.comment, r.interface) for r in memory] == [(r.data, r.comment, r.interface) for r in file]
    memory.save(tmp_path / "b.pcapng")
    assert (tmp_path / "b.pcapng").read_bytes() == (tmp_path / "a.pcapng").read_bytes()


def test_saving_a_part_in_another_format(tmp_path: Path) -> None:
    trace = trace_of(tmp_path / "a.pcapng", PACKETS)
    trace.filter("tcp.len > 0").save(tmp_path / "part.pcap.gz")
    again = Trace.read(tmp_path / "part.pcap.gz")
    assert [(record.time, record.data) for record in again] == [(trace[3].time, trace[3].data)]


def test_values_are_numbers_to_plot(tmp_path: Path) -> None:
    trace = trace_of(tmp_path / "a.pcapng", PACKETS)
    assert trace.values("tcp.seq") == [0, 0, 1, 1, 1]
    assert trace.values("frame.time_relative")[-1] == 4 * MILLISECOND
    assert [str(address) for address in trace.values("ip.src")[:2]] == ["10.0.0.1", "10.0.0.2"]
    assert trace.values("tcp.options.mss_val") == [None] * 5
    with pytest.raises(FilterError, match=r"there is tcp\.seq"):
        trace.values("tcp.seqq")


def test_the_index_takes_eight_octets_a_packet(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "many.pcapng"
    trace_of(path, PACKETS * 4000)
    tracemalloc.start()
    trace = Trace.read(path)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(trace) == 20_000
    assert size < 20_000 * 8 * 1.2 + 100_000
