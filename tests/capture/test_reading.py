"""Every kind of block, in every byte order, reads as tshark reads it (captures of others: test_shared_captures)."""

import gzip
from pathlib import Path
from struct import pack

import pytest

from stack.capture.error import CaptureError
from stack.capture.trace import Trace
from tests.capture.build import SHARED, handshake, needs_shared, needs_tshark, tshark, write


@needs_shared
@needs_tshark
def test_link_types_are_tsharks() -> None:
    names = {1: "1", 0: "15", 101: "7", 113: "25"}  # LINKTYPE_ → Wireshark's own number of it
    for name in ("tcpreplay/test.pcap", "pcapplusplus/radius_3.pcap", "tcpdump/mptcp-tcprst.pcap",
                 "tcpdump/tftp-heapoverflow.pcap"):  # fmt: skip
        rows, _ = tshark(SHARED / name, "-c", "1", "-T", "fields", "-e", "frame.encap_type")
        assert names[Trace.read(SHARED / name)[0].linktype] == rows[0][0]


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = pack(order + "I", len(body) + 12)
    return pack(order + "I", kind) + length + body + length


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))


def option(order: str, code: int, value: bytes) -> bytes:
    return pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def interface(order: str, *options: bytes, linktype: int = 1, snaplen: int = 0) -> bytes:
    return block(order, 1, pack(order + "HHI", linktype, 0, snaplen) + b"".join(options) + bytes(4))


def enhanced(order: str, number: int, ticks: int, data: bytes, *options: bytes, length: int | None = None) -> bytes:
    head = pack(order + "5I", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), length or len(data))
    return block(order, 6, head + data + bytes(-len(data) % 4) + b"".join(options) + (bytes(4) if options else b""))


DATA = bytes(range(62))  # not a multiple of four: there is padding
TICKS = 1_700_000_000 << 20


@needs_tshark
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "ticks"),
    [(b"", 1_700_000_000_000_001), (b"\x09", 1_700_000_000_000_000_001), (b"\x03", 1_700_000_000_001), (b"\x94", TICKS + 3)],
)
def test_any_resolution_in_any_byte_order(tmp_path: Path, order: str, resolution: bytes, ticks: int) -> None:
    path = tmp_path / "a.pcapng"
    options = [option(order, 9, resolution)] if resolution else []
    path.write_bytes(section(order) + interface(order, option(order, 2, b"lo"), *options) + enhanced(order, 0, ticks, DATA))
    rows, complaint = tshark(path, "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.interface_name")
    assert [list(row) for row in Trace.read(path).fields("frame.time_epoch", "frame.interface_name")] == rows
    assert complaint == ""


@needs_tshark
def test_sections_number_their_interfaces_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    path.write_bytes(
        section("<") + interface("<", option("<", 2, b"a")) + interface("<", option("<", 2, b"b"), linktype=101)
        + enhanced("<", 1, 5, DATA) + enhanced("<", 0, 6, DATA)
        + section(">") + interface(">", option(">", 2, b"c")) + enhanced(">", 0, 7, DATA, length=99)
    )  # fmt: skip
    trace = Trace.read(path)
    assert [(r.interface, r.linktype, r.time, r.length) for r in trace] == [
        ("b", 101, 5000, 62), ("a", 1, 6000, 62), ("c", 1, 7000, 99),
    ]  # fmt: skip
    assert trace[0].data == DATA, "the first section is still there after the last was read"
    assert [row[0] for row in tshark(path, "-T", "fields", "-e", "frame.time_epoch")[0]] == [
        row[0] for row in trace.fields("frame.time_epoch")
    ]


@needs_tshark
def test_blocks_that_are_rare(tmp_path: Path) -> None:
    simple = block("<", 3, pack("<I", 62) + DATA)
    obsolete = block("<", 2, pack("<HH4I", 0, 0, 0, 9, 62, 62) + DATA + bytes(2) + option("<", 1, b"old") + bytes(4))
    unknown = block("<", 0xABCD, b"what is this")
    path = tmp_path / "a.pcapng"
    path.write_bytes(section("<") + interface("<") + unknown + simple + obsolete + enhanced("<", 0, 10, DATA))
    trace = Trace.read(path)
    assert [(r.time, r.data, r.comment) for r in trace] == [(0, DATA, None), (9000, DATA, "old"), (10000, DATA, None)]
    rows, complaint = tshark(path, "-T", "fields", "-e", "frame.cap_len", "-e", "frame.comment")
    assert (rows, complaint) == ([["62", ""], ["62", "old"], ["62", ""]], "")


def test_comments_offsets_and_options_of_the_wrong_size(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    shifted = interface("<", option("<", 14, pack("<q", 100)))
    two = enhanced("<", 0, 1, DATA, option("<", 1, b"one"), option("<", 1, "zwölf".encode()))
    odd = enhanced("<", 0, 2, DATA, option("<", 2, b"xy"))
    path.write_bytes(section("<") + shifted + two + odd)
    trace = Trace.read(path)
    assert [record.comment for record in trace] == ["one\nzwölf", None]
    assert trace[0].time == 100_000_001_000, "if_tsoffset counts seconds"


def test_two_gzip_members_are_one_file(tmp_path: Path) -> None:
    raw = write(tmp_path / "a.pcapng", handshake()).read_bytes()
    path = tmp_path / "b.pcapng.gz"
    path.write_bytes(gzip.compress(raw[:100]) + gzip.compress(raw[100:]))
    assert [record.data for record in Trace.read(path)] == [bytes(packet) for packet in handshake()]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "the file is empty"), (b"GET / HTTP", "neither pcap nor pcapng: the file begins with 47455420"),
     (b"\xd4\xc3\xb2\xa1\x02", "the file ends inside the pcap header")],
)  # fmt: skip
def test_what_is_no_capture_is_said_so(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(content)
    with pytest.raises(CaptureError, match=reason) as caught:
        Trace.read(path)
    assert str(path) in str(caught.value)


def test_an_old_pcap_has_its_lengths_the_other_way_round(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pack("<IHHIIII", 0xA1B2C3D4, 2, 2, 0, 0, 1500, 1) + pack("<IIII", 1, 2, 99, 62) + DATA)
    record = Trace.read(path)[0]
    assert (record.length, record.data, record.time) == (99, DATA, 1_000_002_000)
