"""The oracle for info lines: tshark says the same, word for word, over captures from other people's test suites."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from stack.capture.trace import Trace
from stack.view.summary import summaries

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "captures"
KNOWN = ["frame", "data", "eth", "ethertype", "llc", "vlan", "arp", "ip", "ipv6", "ipv6.fraghdr", "ipv6.hopopts", "ipv6.routing", "ipv6.dstopts", "icmp", "icmpv6", "igmp", "udp", "tcp", "dns", "mdns", "llmnr", "sll", "raw", "null"]
FILES = [
    "arkime/wireshark-retrans.pcap", "tcpreplay/test.pcap", "ndpi/default__pcap__dns_fragmented.pcap",
    "ndpi/default__pcap__punycode-idn.pcap", "suricata-verify/tcp-urgp-01-oob__tcp-urgent1.pcap",
    "suricata-verify/smtp-attachment-md5__input.pcap", "zeek/icmp__icmp-timeexceeded.pcap",
]  # fmt: skip

pytestmark = [
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
    pytest.mark.skipif(not SHARED.is_dir(), reason="the shared captures are not here"),
]


@cache
def unknown() -> tuple[str, ...]:
    """Arguments that switch off the protocols that we do not speak for."""
    out = subprocess.run(["tshark", "-G", "protocols"], capture_output=True, text=True, check=True).stdout
    names = [line.split("\t")[2] for line in out.splitlines()]
    return tuple(word for name in names if name not in KNOWN for word in ("--disable-protocol", name))


def theirs(path: Path) -> list[str]:
    columns = [word for name in ("Source", "Destination", "Protocol", "Info") for word in ("-e", f"_ws.col.{name}")]
    preferences = ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o", "tcp.desegment_tcp_streams:FALSE"]
    command = ["tshark", "-n", "-r", str(path), *unknown(), *preferences, "-T", "fields", "-E", "separator=/t", *columns]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def expected(line: str) -> str | None:
    """Their line as we would say it; None where we mean to differ."""
    if re.search(r"\t(0x[0-9a-f]{4}|LLC)\t|EIGRP|off=0,", line):
        return None  # frames of protocols that neither of us was to know; first fragments, which we show as fragments
    return re.sub(r" \(request in \d+\)$", "", line.replace("ff:ff:ff:ff:ff:ff", "Broadcast"))


@pytest.mark.parametrize("name", FILES)
def test_every_line_is_the_one_of_wireshark(name: str) -> None:
    path = SHARED / name
    compared = 0
    for (record, ours), line in zip(summaries(Trace.read(path)), theirs(path), strict=True):
        wanted = expected(line)
        if wanted is None or ours.protocol == "HTTP" or re.search(r"off=0[, ]", ours.info):
            continue
        assert "\t".join((ours.source, ours.destination, ours.protocol, ours.info)) == wanted, f"packet {record.number}"
        compared += 1
    assert compared >= 1
