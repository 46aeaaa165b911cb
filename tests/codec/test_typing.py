"""What type checkers are told of headers: a field takes what it can be made of, and reads as what it is.

This file is the test: `mypy --strict` checks it with all others. What it must reject stands in `WRONG`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import assert_type

import pytest

from stack import MAC, TCP, Ethernet, IPv4, IPv4Address, Packet, TCPOptions
from stack.tcp.formats.options import MSS, SACK, NoOperation, SACKBlocks

WRONG = '''
from stack import IPv4, TCP
IPv4(source=1.5)
TCP(source="80")
TCP(options=5)
TCP().options = b""
IPv4(sauce="10.0.0.1")
'''


def test_a_field_takes_what_it_is_made_of() -> None:
    ip = IPv4(source="10.0.0.9", destination=b"\x0a\0\0\1")
    assert_type(ip.source, IPv4Address)
    assert ip.source == IPv4Address("10.0.0.9") == IPv4(source=0x0A000009).source
    assert_type(Ethernet(source="02:00:00:00:00:01").source, MAC)
    tcp = TCP(80, options=[NoOperation(), MSS(1460), b"\0"])
    assert_type(tcp.options, TCPOptions)
    assert_type(tcp.source, int)
    assert_type(tcp.syn, bool)
    assert tcp.options.mss == TCP(options=b"\2\4\5\xb4").options.mss == 1460
    assert_type(SACK([(1, 2)]).blocks, SACKBlocks)


def test_a_packet_gives_the_type_that_was_asked_for() -> None:
    packet = Ethernet() / IPv4() / TCP(80)
    assert isinstance(packet, Packet)
    assert_type(packet[TCP], TCP)
    assert_type(packet.get(IPv4), IPv4 | None)
    match packet[IPv4]:
        case IPv4(source=source):
            assert_type(source, IPv4Address)


def test_a_type_checker_finds_mistakes(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    snippet = tmp_path / "wrong.py"
    snippet.write_text(WRONG)
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path), str(snippet)]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout
    lines = [line.split(": error:")[0].rpartition(":")[2] for line in found.splitlines() if "wrong.py" in line and ": error:" in line]
    assert lines == ["3", "4", "5", "6", "7"], found
