"""Display filters choose the packets that `tshark -Y` chooses, and say where they are not understood."""

from pathlib import Path

import pytest

from stack.capture.error import FilterError
from stack.capture.fields import Kind, all_fields
from stack.capture.recorder import Recorder
from stack.capture.trace import Trace
from tests.capture.build import SHARED, TSHARK, handshake, needs_shared, needs_tshark, segment, trace_of, tshark

# Captures of which each frame's protocols have formats here, so that both look equally deep.
CAPTURES = ("arkime/wireshark-retrans.pcap", "tcpdump/eapon1.pcap", "ndpi/default__pcap__dns_fragmented.pcap")

EXPRESSIONS = r"""
tcp
!tcp
not tcp and not udp
tcp.flags.syn == 1 && tcp.flags.ack == 0
tcp.flags.syn == 1 or udp and ip.ttl > 64
(tcp.flags.syn == 1 or udp) and ip.ttl > 64
ip.addr == 172.17.0.0/16
ip.addr != 172.17.96.77
ip.src !== 172.17.96.77
ip.src == ip.dst
ip.addr == 10.1.2.3/32 || ip.dst == 255.255.255.255
tcp.port == 4000
tcp.port != 4000
tcp.port in {80, 443, 3999..4001}
not tcp.port in {80}
udp.port not in {53}
tcp.len >= 100 and tcp.len < 1000
tcp.flags & 0x02
tcp.flags & 2 and not tcp.flags & 16
tcp.srcport > tcp.dstport
all tcp.port > 5000
any ip.addr == 172.17.96.143
eth.src[0:3] == 00:00:0c
eth.dst[-1] == 01
eth.dst[0-1,5] == ff:ff:ff
eth.dst[0] & 1
ip[8] == 40
ip[9:1] == 06
tcp[13] & 2
eth.addr == ff:ff:ff:ff:ff:ff
eth.addr contains 00:0c
eth.type == 0x0806
eth.type == 2054
arp
arp.opcode eq 1
arp.dst.proto_ipv4 == 192.168.0.0/16
ip.flags.df == 1
ip.flags.df == True
ip.frag_offset gt 0
ip.flags.mf
ip.ttl in {64, 128}
frame.number > 10 and frame.number <= 20
frame.time_relative < 0.0035
frame.time_delta > 0.5
frame.len > 500
frame contains "HTTP"
tcp contains 48:54:54:50
tcp matches "post /\\w+ http"
tcp.payload contains "POST"
udp.payload[0:2] != 00:01
len(tcp.payload) > 1000
count(ip.addr) == 2
tcp.flags.str contains "S"
lower(tcp.flags.str) contains "s"
upper(tcp.flags.str) matches "a.*f"
tcp.stream eq 0
tcp.seq == 1 && tcp.ack == 1
tcp.window_size > 17000
tcp.options.mss_val == 1460
tcp.analysis.flags
tcp.analysis.retransmission || tcp.analysis.out_of_order
tcp.analysis.duplicate_ack_num > 1
tcp.hdr_len > 20
ipv6
ipv6.addr == 2000::/3
ipv6.hlim > 60
ipv6.fraghdr.more == 1
icmp or icmpv6 or igmp
"""


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One capture of all of them, one after the other."""
    path = tmp_path_factory.mktemp("filter") / "all.pcapng"
    with Recorder(path) as recorder:
        for name in CAPTURES:
            for record in Trace.read(SHARED / name):
                recorder.record(record.time, record.packet, name)
    return path


@needs_shared
@needs_tshark
@pytest.mark.parametrize("expression", EXPRESSIONS.strip().splitlines())
def test_the_same_packets_as_tshark(everything: Path, expression: str) -> None:
    rows, complaint = tshark(everything, "-Y", expression, "-T", "fields", "-e", "frame.number")
    found = Trace.read(everything).filter(expression)
    assert ([record.number for record in found], "") == ([int(row[0]) for row in rows], complaint)


@needs_tshark
def test_fields_have_the_kinds_that_tshark_gives_them() -> None:
    import subprocess

    listing = subprocess.run([str(TSHARK), "-G", "fields"], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in listing.splitlines()]
    known = {row[2]: row[3] for row in rows if row[0] == "F"} | {row[2]: "FT_PROTOCOL" for row in rows if row[0] == "P"}
    kinds = {
        Kind.INTEGER: ("FT_UINT", "FT_INT", "FT_FRAMENUM"), Kind.BOOLEAN: ("FT_BOOLEAN",), Kind.IPV4: ("FT_IPv4",),
        Kind.IPV6: ("FT_IPv6",), Kind.MAC: ("FT_ETHER",), Kind.STRING: ("FT_STRING",), Kind.BYTES: ("FT_BYTES",),
        Kind.TIME: ("FT_RELATIVE_TIME", "FT_ABSOLUTE_TIME"), Kind.PRESENCE: ("FT_NONE", "FT_PROTOCOL"),
    }  # fmt: skip
    for field in all_fields().values():
        assert known[field.name].startswith(kinds[field.kind]), field.name


@pytest.mark.parametrize(
    ("expression", "column", "expected"),
    [
        ("tcp.flags.sin == 1", 1, "no field 'tcp.flags.sin'; there is tcp.flags.syn"),
        ("tcp.port == http", 13, "expected an integer, not 'http'"),
        ("ip.addr == 10.0.0", 12, "expected an IPv4 address or prefix, not '10.0.0'"),
        ("ip.addr == 10.0.0.0/40", 12, "expected an IPv4 address or prefix"),
        ("tcp and", 8, "expected a field or a value"),
        ("(tcp or udp", 12, "expected ')'"),
        ("tcp udp", 5, "expected 'and', 'or' or the end"),
        ("tcp.port in 80", 13, "expected '{'"),
        ("tcp.port in {80", 16, "expected a value or '}'"),
        ('frame contains "GET', 16, 'expected a text that ends in "'),
        ('tcp.payload matches "("', 21, "expected a regular expression"),
        ("tcp.len contains 1", 9, "expected a text or octets before 'contains'"),
        ("tcp.port[0] == 1", 9, "only octets and texts have slices"),
        ("eth.src[x] == 1", 8, "expected a slice such as [0:3]"),
        ("ip.src < 10.0.0.0/8", 10, "expected an address; a prefix has no order"),
        ("80 == 80", 1, "expected a field"),
        ("ip.src == tcp.port", 19, "expected an IPv4 address or prefix after '=='"),
    ],
)
def test_errors_point_at_the_place(tmp_path: Path, expression: str, column: int, expected: str) -> None:
    trace = trace_of(tmp_path / "a.pcapng", handshake())
    with pytest.raises(FilterError) as caught:
        trace.filter(expression)
    assert str(caught.value).splitlines()[0].startswith(f"column {column}: {expected}")


def test_what_tshark_4_0_does_not_know_works_too(tmp_path: Path) -> None:
    packets = [*handshake(), segment("c", "PA", 1001, 5001, bytes(100)), segment("c", "PA", 1101, 5001, bytes(300))]
    trace = trace_of(tmp_path / "a.pcapng", packets)
    assert [record.number for record in trace.filter("50 < tcp.len <= 100")] == [4]
    assert [record.number for record in trace.filter("tcp.port in {4000 80} and tcp.len in {0..200} && !tcp.flags.syn == 1")] == [3, 4]
    assert len(trace.filter("")) == 5


def test_a_field_that_is_absent_never_compares(tmp_path: Path) -> None:
    trace = trace_of(tmp_path / "a.pcapng", handshake())
    assert len(trace.filter("udp.port != 53")) == 0
    assert len(trace.filter("!(udp.port == 53)")) == 3


def test_relative_numbers_are_those_of_the_whole_capture(tmp_path: Path) -> None:
    packets = [*handshake(), segment("c", "PA", 1001, 5001, b"hello"), segment("s", "A", 5001, 1006)]
    trace = trace_of(tmp_path / "a.pcapng", packets)
    later = trace[3:]
    assert later.fields("frame.number", "tcp.seq", "tcp.ack") == [("4", "1", "1"), ("5", "1", "6")]
    assert [record.number for record in later.filter("tcp.ack == 6")] == [5]
