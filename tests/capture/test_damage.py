"""A file that is cut or damaged gives every packet before the damage, then one clear error, and never another."""

import gzip
import random
from pathlib import Path

import pytest

from stack.capture.error import CaptureError
from stack.capture.trace import Trace
from tests.capture.build import handshake, segment, write

PACKETS = [*handshake(), segment("c", "PA", 1001, 5001, b"hello", cause="data"), segment("s", "A", 5001, 1006)]


def good_packets(path: Path) -> tuple[list[bytes], CaptureError | None]:
    found: list[bytes] = []
    try:
        for record in Trace.read(path):
            found.append(record.data)
    except CaptureError as error:
        return found, error
    return found, None


@pytest.mark.parametrize("name", ["a.pcap", "a.pcapng"])
def test_cut_at_every_octet(tmp_path: Path, name: str) -> None:
    raw = write(tmp_path / name, PACKETS).read_bytes()
    want = [bytes(packet) for packet in PACKETS]
    clean_ends = 0
    for size in range(len(raw)):
        path = tmp_path / f"cut-{name}"
        path.write_bytes(raw[:size])
        found, error = good_packets(path)
        assert found == want[: len(found)]
        if error is None:
            clean_ends += 1
        else:
            assert error.offset <= size
            assert error.reason
    # A file may end after its header blocks, and after each packet: nobody can tell that more was meant.
    assert clean_ends == (5 if name == "a.pcap" else 6)


def test_a_gzip_stream_that_is_cut_gives_what_there_is(tmp_path: Path) -> None:
    noise = random.Random(1)
    packets = [segment("c", "PA", 1001 + 100 * n, 5001, noise.randbytes(100)) for n in range(40)]
    raw = write(tmp_path / "a.pcapng.gz", packets).read_bytes()
    counts = []
    for size in range(40, len(raw), 97):
        path = tmp_path / "cut.pcapng.gz"
        path.write_bytes(raw[:size])
        found, error = good_packets(path)
        assert error is not None
        assert found == [bytes(packet) for packet in packets[: len(found)]]
        counts.append(len(found))
    assert counts == sorted(counts)
    assert counts[-1] > 35


def test_a_gzip_stream_that_is_damaged_gives_what_comes_before(tmp_path: Path) -> None:
    noise = random.Random(2)
    packets = [segment("c", "PA", 1001 + 100 * n, 5001, noise.randbytes(100)) for n in range(400)]
    raw = bytearray(gzip.compress(write(tmp_path / "a.pcap", packets).read_bytes(), mtime=0))
    raw[len(raw) - 6] ^= 0xFF  # in the check at the end
    (tmp_path / "b.pcap.gz").write_bytes(raw)
    found, error = good_packets(tmp_path / "b.pcap.gz")
    assert found == [bytes(packet) for packet in packets]
    assert "gzip" in str(error)


@pytest.mark.parametrize("name", ["a.pcap", "a.pcapng"])
def test_changed_octets_raise_nothing_else(tmp_path: Path, name: str) -> None:
    raw = write(tmp_path / name, PACKETS).read_bytes()
    noise = random.Random(3)
    path = tmp_path / f"changed-{name}"
    for _ in range(400):
        changed = bytearray(raw)
        for _ in range(noise.randrange(1, 4)):
            changed[noise.randrange(len(raw))] = noise.choice((0, 1, 0x7F, 0x80, 0xFF, noise.randrange(256)))
        path.write_bytes(changed)
        try:
            trace = Trace.read(path)
        except CaptureError:
            continue
        trace.fields("frame.time_epoch", "frame.comment", "frame.interface_name", "tcp.seq")
        assert trace.names is not None


def test_what_is_made_of_the_good_packets_works(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcapng", PACKETS)
    path.write_bytes(path.read_bytes()[:-10])
    trace = Trace.read(path)
    with pytest.raises(CaptureError, match=r"octet \d+: the file ends inside a block"):
        list(trace)
    assert len(trace) == len(trace[:]) == len(list(trace[:])) == 4
    assert [record.number for record in trace.filter("tcp.len > 0")] == [4]
    assert trace.filter("tcp").damage is trace.damage
    trace.save(tmp_path / "whole.pcapng")
    assert len(list(Trace.read(tmp_path / "whole.pcapng"))) == 4
