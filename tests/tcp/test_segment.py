import struct

import pytest

from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.segment import FIN, SYN, Segment, sack_option, syn_options, timestamps_option
from tests.ledger import rfc


def read(options: bytes, syn: bool = True) -> Segment:
    return Segment.read(TCP(sequence=7, syn=syn, options=TCPOptions(options)), b"", 0, 0)


@rfc("9293", "MUST-4")
@rfc("9293", "MUST-5")
@rfc("9293", "MUST-14")
@rfc("9293", "MUST-64")
def test_options_are_read_wherever_they_stand() -> None:
    seg = read(b"\1\2\4\x05\xb4\3\3\7\4\2\x08\n" + struct.pack(">II", 5, 6) + b"\0\xff")
    assert (seg.mss, seg.scale, seg.sack_permitted, seg.ts_val, seg.ts_ecr) == (1460, 7, True, 5, 6)


@rfc("9293", "MUST-6")
def test_unknown_options_are_passed_over() -> None:
    assert read(b"\xfd\5abc\2\4\x02\x00").mss == 512


@rfc("9293", "MUST-7")
@pytest.mark.parametrize("bad", [b"\xfd\0\2\4\2\0", b"\xfd\1\2\4\2\0", b"\xfd\x20\2\4\2\0", b"\xfd"])
def test_a_bad_length_ends_the_list(bad: bytes) -> None:
    assert read(b"\1" + bad).mss is None


@rfc("2018", "2")
@rfc("9293", "MUST-65")
def test_options_of_a_syn_count_in_a_syn_only() -> None:
    seg = read(b"\2\4\2\0\3\3\7\4\2", syn=False)
    assert (seg.mss, seg.scale, seg.sack_permitted) == (None, None, False)


@rfc("7323", "2.2")
def test_a_window_scale_beyond_14_is_14() -> None:
    assert read(b"\3\3\x20").scale == 14


def test_what_is_written_is_read() -> None:
    seg = read(syn_options(1460, 7, True, (1, 2)))
    assert (seg.mss, seg.scale, seg.sack_permitted, seg.ts_val, seg.ts_ecr) == (1460, 7, True, 1, 2)
    assert read(syn_options(1460, None, True, None)).sack_permitted
    assert read(syn_options(1460, 0, False, (1, 2))).ts_val == 1
    seg = read(timestamps_option(9, 8) + sack_option([(100, 200), (300, 400)]), syn=False)
    assert (seg.ts_val, seg.sack) == (9, [(100, 200), (300, 400)])


def test_the_length_counts_syn_and_fin() -> None:
    assert Segment(0, None, SYN | FIN, 0, b"abc").len == 5


@rfc("9293", "3.10.7.4")
def test_a_segment_is_trimmed_to_the_window() -> None:
    seg = Segment(10, 0, SYN | FIN, 0, b"abcdef")  # SYN 10, text 11 to 16, FIN 17
    seg.trim(13, 15)
    assert (seg.seq, seg.text, seg.flags, seg.len) == (13, b"cd", 0, 2)
    seg = Segment(10, 0, FIN, 0, b"abc")
    seg.trim(10, 13)
    assert (seg.text, seg.flags) == (b"abc", 0)
    seg = Segment(10, 0, FIN, 0, b"abc")
    seg.trim(10, 14)
    assert seg.flags == FIN
