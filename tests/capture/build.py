"""What the tests of captures share: frames of one TCP connection, captures of them, and tshark's word on any capture."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from stack.base.address import IPv4Address
from stack.capture.analysis import Finding
from stack.capture.trace import Trace
from stack.capture.writer import open_writer
from stack.codec.packet import Packet
from stack.ip.formats.ipv4 import IPv4
from stack.link.formats.ethernet import Ethernet
from stack.tcp.formats.tcp import TCP

SHARED = Path(__file__).resolve().parents[3] / "shared" / "captures"
TSHARK = shutil.which("tshark")
CLIENT, SERVER = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
MILLISECOND = 1_000_000
START = 1_000_000_000
# Wireshark puts fragments together before it looks inside; we look at what is in each frame.
FRAMES_AS_THEY_ARE = ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]

# What the analysis of TCP finds, and the numbers it gives.
FINDINGS = [f"tcp.analysis.{finding.name.lower()}" for finding in Finding if finding.name]
NUMBERS = [
    "tcp.stream", "tcp.seq", "tcp.ack", "tcp.len", "tcp.nxtseq", "tcp.window_size", "tcp.window_size_scalefactor",
    "tcp.analysis.duplicate_ack_num", "tcp.analysis.duplicate_ack_frame", "tcp.analysis.acks_frame",
    "tcp.analysis.ack_rtt", "tcp.analysis.initial_rtt", "tcp.options.sack_le", "tcp.options.sack_re",
]  # fmt: skip

needs_tshark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared captures are not beside this repository")


def shared_files() -> list[str]:
    """The names of the shared captures; none where they are absent."""
    manifest = SHARED / "MANIFEST.tsv"
    if not manifest.is_file():
        return []
    with manifest.open(encoding="utf-8", newline="") as text:
        return [row["file"] for row in csv.DictReader(text, delimiter="\t")]


def tshark(path: Path | str, *arguments: str) -> tuple[list[list[str]], str]:
    """(rows of columns that tshark prints, what it complains of)"""
    assert TSHARK is not None
    run = subprocess.run(
        [TSHARK, "-n", *FRAMES_AS_THEY_ARE, "-r", str(path), *arguments],
        capture_output=True, text=True, encoding="utf-8", errors="replace", env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    complaints = [line for line in run.stderr.splitlines() if not line.startswith("Running as user")]
    return [line.split("\t") for line in run.stdout.splitlines()], "\n".join(complaints)


def ask(path: Path | str, *fields: str) -> list[list[str]]:
    """The values of fields, as tshark finds them."""
    rows, _ = tshark(path, "-T", "fields", *(word for field in fields for word in ("-e", field)))
    return rows


def said(value: str) -> str:
    """A finding that tshark prints twice for one segment, once."""
    return "1" if value == "1,1" else value


def segment(
    sender: str, flags: str, seq: int, ack: int = 0, text: bytes = b"", window: int = 60000, cause: str | None = None
) -> Packet:
    """A TCP segment from "c" (port 4000) or "s" (port 80); flags as letters of SAFRP."""
    there = sender == "c"
    network = IPv4(source=CLIENT if there else SERVER, destination=SERVER if there else CLIENT)
    transport = TCP(
        source=4000 if there else 80, destination=80 if there else 4000, sequence=seq, acknowledgment=ack, window=window,
        syn="S" in flags, ack="A" in flags, fin="F" in flags, rst="R" in flags, psh="P" in flags,
    )  # fmt: skip
    return Packet(Ethernet(), network, transport, payload=text, cause=cause)


def handshake() -> list[Packet]:
    """Client begins at 1000, server at 5000: the next octets are 1001 and 5001."""
    return [segment("c", "S", 1000), segment("s", "SA", 5000, 1001), segment("c", "A", 1001, 5001)]


def write(path: Path, packets: list[Packet], step: int = MILLISECOND) -> Path:
    """A capture of packets, `step` ns apart."""
    writer = open_writer(str(path))
    interface = writer.add_interface("eth0")
    for place, packet in enumerate(packets):
        writer.write_frame(START + place * step, bytes(packet), interface, packet.cause)
    writer.close()
    return path


def trace_of(path: Path, packets: list[Packet], step: int = MILLISECOND) -> Trace:
    """The trace in a capture of packets."""
    return Trace.read(write(path, packets, step))
