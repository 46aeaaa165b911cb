"""Capture files: what recording costs per packet beside scapy's own writers, and reading beside scapy and dpkt."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import dpkt
from scapy.utils import RawPcapNgReader, RawPcapNgWriter, RawPcapWriter

from stack.capture.recorder import Recorder
from stack.capture.trace import Trace
from stack.codec.packet import Packet
from stack.ip.formats.ipv4 import IPv4
from stack.link.formats.ethernet import Ethernet
from stack.tcp.formats.tcp import TCP

PACKETS = 50_000
ROUNDS = 3
CEILING = 4.0  # µs to record a packet whose octets are made: 1460 octets at 40 MB a second are 36 µs for everything
PACKET = Packet(Ethernet(), IPv4(), TCP(source=4000, destination=80, ack=True), payload=bytes(1460), cause="data 1:1461")


def record(path: Path | None) -> None:
    """Record the packets through a tap, as a host's capture does."""
    recorder = Recorder(path)
    for number in range(PACKETS):
        recorder.record(number * 1000, PACKET, "eth0")
    recorder.close()


def write_with_scapy(writer: Any) -> None:
    """Write the packets as scapy does."""
    data = bytes(PACKET)
    writer.linktype = 1
    writer.write_header(None)
    for number in range(PACKETS):
        writer.write_packet(data, sec=number, usec=0)
    writer.close()


def read_with_dpkt(path: Path) -> None:
    """Read all packets with dpkt."""
    with path.open("rb") as file:
        for _ in dpkt.pcapng.Reader(file):
            pass


def read_with_scapy(path: Path) -> None:
    """Read all packets with scapy, as octets."""
    with RawPcapNgReader(str(path)) as reader:
        for _ in reader:
            pass


def read(path: Path) -> None:
    """Index a capture, and look at each record."""
    for _ in Trace.read(path):
        pass


def cost(work: Callable[[], None]) -> float:
    """Microseconds of CPU a packet: the best of some rounds."""
    best = 1e9
    for _ in range(ROUNDS):
        start = process_time()
        work()
        best = min(best, process_time() - start)
    return best / PACKETS * 1e6


def main() -> bool:
    """Print the table; whether recording to a file costs no more than it may."""
    assert bytes(PACKET)
    with tempfile.TemporaryDirectory() as folder:
        pcap, pcapng, other = (Path(folder) / name for name in ("a.pcap", "a.pcapng", "b"))
        rows = [
            ("record in memory", cost(lambda: record(None))),
            ("record to pcap", cost(lambda: record(pcap))),
            ("record to pcapng, with comments", cost(lambda: record(pcapng))),
            ("write pcap with scapy", cost(lambda: write_with_scapy(RawPcapWriter(str(other), nano=True)))),
            ("write pcapng with scapy, without comments", cost(lambda: write_with_scapy(RawPcapNgWriter(str(other))))),
            ("read pcapng: index, records", cost(lambda: read(pcapng))),
            ("read pcapng with scapy, octets", cost(lambda: read_with_scapy(pcapng))),
            ("read pcapng with dpkt, octets", cost(lambda: read_with_dpkt(pcapng))),
        ]
    for name, microseconds in rows:
        print(f"{name:45}{microseconds:8.2f} µs/packet")
    return max(rows[1][1], rows[2][1]) <= CEILING


if __name__ == "__main__":
    main()
