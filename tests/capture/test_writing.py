"""What is written is what other readers find: tshark, scapy, dpkt; to the nanosecond, and the same on every run."""

import gzip
import tracemalloc
from pathlib import Path

import dpkt
import pytest
from scapy.utils import RawPcapNgReader, RawPcapReader

from stack.capture.output import BUFFER, Output
from stack.capture.pcap import PcapWriter
from stack.capture.trace import Trace
from stack.capture.writer import open_writer
from tests.capture.build import ask, handshake, needs_tshark, tshark, write

ODD_TIME = 1_700_000_000_123_456_789  # microseconds through floats would lose its end
FRAME = bytes(range(60))
each_format = pytest.mark.parametrize("name", ["a.pcap", "a.pcapng", "a.pcap.gz", "a.pcapng.gz"])


@needs_tshark
@each_format
def test_tshark_reads_what_was_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    writer = open_writer(str(path))
    writer.add_interface("eth0")
    for size in range(60, 64):
        writer.write_frame(ODD_TIME, bytes(size))
    writer.write_frame(ODD_TIME + 1, FRAME, length=1514)
    writer.close()
    rows = ask(path, "frame.time_epoch", "frame.cap_len", "frame.len")
    assert rows[:4] == [["1700000000.123456789", str(size), str(size)] for size in range(60, 64)]
    assert rows[4] == ["1700000000.123456790", "60", "1514"]


@needs_tshark
def test_a_pcapng_says_where_and_why(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path / "a.pcapng"))
    first, second = writer.add_interface("client eth0"), writer.add_interface("wire", description="10 Mbit, 20 ms")
    writer.write_frame(0, FRAME, second, "fast retransmit of 1461:2921 – dü")
    writer.write_frame(1, FRAME, first)
    writer.close()
    rows = ask(tmp_path / "a.pcapng", "frame.interface_name", "frame.interface_description", "frame.comment")
    assert rows == [["wire", "10 Mbit, 20 ms", "fast retransmit of 1461:2921 – dü"], ["client eth0", "", ""]]


@needs_tshark
def test_wireshark_learns_names_and_secrets(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    keylog = f"CLIENT_RANDOM {'ab' * 32} {'cd' * 48}\n"
    writer = open_writer(str(path))
    writer.add_names({"10.0.0.1": ["client"], "2001:db8::1": ["server", "www"]})
    writer.add_interface("eth0")
    writer.add_tls_secrets(keylog)
    writer.write_frame(0, bytes(handshake()[0]))
    writer.close()
    trace = Trace.read(path)
    assert trace.names == {"10.0.0.1": ["client"], "2001:db8::1": ["server", "www"]}
    assert trace.secrets == [keylog.encode()]
    rows, complaints = tshark(path, "-N", "n", "-T", "fields", "-e", "ip.src_host")
    assert (rows, complaints) == ([["client"]], "")


def test_scapy_and_dpkt_find_the_same(tmp_path: Path) -> None:
    packets = handshake()
    write(tmp_path / "a.pcap", packets)
    write(tmp_path / "a.pcapng", packets)
    want = [bytes(packet) for packet in packets]
    with RawPcapReader(str(tmp_path / "a.pcap")) as reader:
        assert [data for data, _ in reader] == want
    with RawPcapNgReader(str(tmp_path / "a.pcapng")) as reader:
        found = list(reader)
    assert [data for data, _ in found] == want
    assert [(about.tshigh << 32) + about.tslow for _, about in found] == [1_000_000_000, 1_001_000_000, 1_002_000_000]
    with (tmp_path / "a.pcapng").open("rb") as file:
        assert [data for _, data in dpkt.pcapng.Reader(file)] == want


@each_format
def test_the_same_packets_give_the_same_file(tmp_path: Path, name: str) -> None:
    one, other = write(tmp_path / f"1{name}", handshake()), write(tmp_path / f"2{name}", handshake())
    assert one.read_bytes() == other.read_bytes()
    assert b"10.0" not in one.read_bytes(), "no version in it"


def test_microseconds_on_request(tmp_path: Path) -> None:
    writer = PcapWriter(Output(str(tmp_path / "a.pcap")), nanoseconds=False)
    writer.add_interface("eth0")
    writer.write_frame(ODD_TIME, FRAME)
    writer.close()
    assert Trace.read(tmp_path / "a.pcap")[0].time == 1_700_000_000_123_456_000


def test_a_pcap_has_one_link_type(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path / "a.pcap"))
    writer.add_interface("eth0")
    with pytest.raises(ValueError, match="link type 101, the pcap file has 1: use pcapng"):
        writer.add_interface("tun0", 101)
    writer.close()


def test_a_name_must_say_the_format(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'http\.cap' does not say a format; expected a name that ends in \.pcap"):
        open_writer("http.cap")


@pytest.mark.parametrize("name", ["a.pcap", "a.pcapng"])
def test_whoever_looks_meanwhile_sees_whole_packets(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    writer = open_writer(str(path))
    writer.add_interface("eth0")
    seen = set()
    for number in range(1000):
        writer.write_frame(number, bytes(1500), 0, "data")
        if path.stat().st_size and number % 50 == 0:
            trace = Trace.read(path)
            assert trace.damage is None
            seen.add(len(trace))
    writer.close()
    assert len(seen) > 2, "the file grew while it was written"
    assert len(Trace.read(path)) == 1000


def test_memory_does_not_grow_with_the_capture(tmp_path: Path) -> None:
    writer = open_writer(str(tmp_path / "a.pcapng"))
    writer.add_interface("eth0")
    frame = bytes(1500)
    tracemalloc.start()
    for number in range(20_000):  # 30 MB
        writer.write_frame(number, frame, 0, f"cause {number % 2000}")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    writer.close()
    assert peak < 4 * BUFFER


def test_an_empty_capture_is_a_capture(tmp_path: Path) -> None:
    for name in ("a.pcap", "a.pcapng", "a.pcapng.gz"):
        open_writer(str(tmp_path / name)).close()
        assert len(Trace.read(tmp_path / name)) == 0


def test_a_gzip_file_has_no_name_and_no_time_inside(tmp_path: Path) -> None:
    path = write(tmp_path / "secret-name.pcap.gz", handshake())
    raw = path.read_bytes()
    assert raw[3] == 0
    assert raw[4:8] == bytes(4)
    assert gzip.decompress(raw) == write(tmp_path / "plain.pcap", handshake()).read_bytes()
