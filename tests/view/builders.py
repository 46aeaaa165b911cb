"""Packets and records to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stack.base.address import MAC, IPv4Address
from stack.codec.packet import Packet
from stack.ip.formats.ipv4 import IPv4
from stack.link.formats.ethernet import Ethernet
from stack.tcp.formats.options import MSS, SACK, SACKBlocks, SACKPermitted, TCPOptions, Timestamps, WindowScale
from stack.tcp.formats.tcp import TCP

MS = 1_000_000
CLIENT, SERVER = "10.0.0.1", "10.0.0.2"
MACS = {CLIENT: "02:00:00:00:00:01", SERVER: "02:00:00:00:00:02"}
NAMES = {CLIENT: ["client"], SERVER: ["server"]}


@dataclass(frozen=True)
class Seen:
    """A record of a trace."""

    number: int
    time: int
    packet: Packet
    interface: str = "link"
    comment: str | None = None


def frame(source: str = CLIENT, identification: int = 0) -> Packet:
    """Ethernet and IPv4 from one of the two hosts to the other."""
    destination = SERVER if source == CLIENT else CLIENT
    ethernet = Ethernet(destination=MAC(MACS[destination]), source=MAC(MACS[source]))
    ip = IPv4(source=IPv4Address(source), destination=IPv4Address(destination), identification=identification)
    packet: Packet = ethernet / ip.replace(dont_fragment=True)
    return packet


def segment(source: str = CLIENT, text: bytes = b"", options: TCPOptions | None = None, **fields: Any) -> Packet:
    """A TCP segment between port 49152 of the client and port 80 of the server; sequence numbers from 1000 and 5000."""
    ports = {"source": 49152, "destination": 80} if source == CLIENT else {"source": 80, "destination": 49152}
    values: dict[str, Any] = {"window": 502, **ports, **fields}
    header = TCP(options=options or TCPOptions(), **values)
    packet: Packet = frame(source) / header / text
    return packet


SYN_OPTIONS = TCPOptions([MSS(1460), SACKPermitted(), Timestamps(1, 0), WindowScale(7)])


def handshake() -> list[Packet]:
    """SYN, SYN-ACK, ACK."""
    return [
        segment(sequence=1000, syn=True, window=64240, options=SYN_OPTIONS),
        segment(SERVER, sequence=5000, acknowledgment=1001, syn=True, ack=True, window=65160, options=SYN_OPTIONS),
        segment(sequence=1001, acknowledgment=5001, ack=True),
    ]


def lossy() -> list[tuple[int, Packet, str | None]]:
    """A request, an answer of four segments the first of which is lost, and its fast retransmission: (ms, packet, why)."""
    def answer(place: int) -> Packet:
        return segment(SERVER, b"x" * 1000, sequence=5001 + 1000 * place, acknowledgment=1019, ack=True)

    def duplicate(right: int) -> Packet:
        sack = TCPOptions([SACK(SACKBlocks([(6001, right)]))])
        return segment(sequence=1019, acknowledgment=5001, ack=True, options=sack)

    syn, syn_ack, ack = handshake()
    return [
        (0, syn, None), (20, syn_ack, None), (40, ack, None),
        (40, segment(text=b"GET / HTTP/1.1\r\n\r\n", sequence=1001, acknowledgment=5001, ack=True, psh=True), None),
        (60, answer(0), "fault: lost on the link"), (61, answer(1), None), (62, answer(2), None), (63, answer(3), None),
        (81, duplicate(7001), None), (82, duplicate(8001), None), (83, duplicate(9001), None),
        (103, answer(0), "fast retransmit"),
        (123, segment(sequence=1019, acknowledgment=9001, ack=True), None),
        (1123, segment(SERVER, sequence=9001, acknowledgment=1019, ack=True, fin=True), None),
        (1143, segment(sequence=1019, acknowledgment=9002, ack=True, rst=True), None),
    ]  # fmt: skip


def records(packets: Sequence[Packet | tuple[int, Packet, str | None]], interface: str = "link") -> list[Seen]:
    """Records of packets, a millisecond apart, or of (milliseconds, packet, comment)."""
    rows = [one if isinstance(one, tuple) else (place, one, None) for place, one in enumerate(packets)]
    return [Seen(place, time * MS, packet, interface, why) for place, (time, packet, why) in enumerate(rows, 1)]
