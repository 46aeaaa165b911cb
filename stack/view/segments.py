"""The TCP segments of one conversation as numbers to plot: relative, unwrapped, window in octets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from stack.base.address import ip_address
from stack.capture.analysis import Finding
from stack.capture.conversations import Tcp
from stack.capture.dissect import Transport
from stack.tcp.formats.tcp import ACK, SYN, TCP
from stack.view.following import follow, origin
from stack.view.record import Record


class Segment(NamedTuple):
    """One segment. Times in nanoseconds from the capture's first packet, numbers from the connection's first."""

    time: int
    forward: bool  # from the side that opened
    sequence: int
    acknowledgment: int | None
    length: int
    window: int
    sacks: tuple[tuple[int, int], ...]
    flags: int
    findings: int


@dataclass(frozen=True, slots=True)
class Conversation:
    """The segments of one TCP connection, and who its two sides are."""

    opener: str
    other: str
    segments: tuple[Segment, ...]

    def side(self, forward: bool) -> str:
        """The name of the side that sends forward, or back."""
        return self.opener if forward else self.other

    def busier(self) -> bool:
        """The direction (forward?) that carries more octets."""
        octets = [0, 0]
        for segment in self.segments:
            octets[segment.forward] += segment.length
        return octets[True] >= octets[False]


def conversation(records: Iterable[Record], stream: int | None = None) -> Conversation:
    """The TCP connection number `stream` of a trace (in order of their first segments), or the one with the most octets.

    Raises `ValueError` where there is none. Of a capture of several interfaces, the first that saw it counts.
    """
    found: dict[int, list[tuple[Record, Transport, Tcp]]] = {}
    streams: dict[tuple[str, int], int] = {}
    for record, transport, tcp in _followed(records):
        number = streams.setdefault((record.interface, tcp.stream), len(streams))
        found.setdefault(number, []).append((record, transport, tcp))
    if not found or (stream is not None and stream not in found):
        raise ValueError("there is no TCP connection in this trace" if stream is None else f"no TCP stream {stream}")
    if stream is None:
        stream = max(found, key=lambda one: sum(transport.length for _, transport, _ in found[one]))
    first = origin(records)
    near = [0, 0]
    segments = []
    for record, transport, tcp in found[stream]:
        segment = _segment(record.time - first, transport, tcp, near)
        # Where the sender tells, no guess is needed: one that is soon enough looks as if it were out of order only.
        told = record.comment is not None and "retransmi" in record.comment
        segments.append(segment._replace(findings=segment.findings | Finding.RETRANSMISSION) if told else segment)
    _, transport, tcp = found[stream][0]
    here, there = (_name(end) for end in (transport.source, transport.destination))
    return Conversation(here, there, tuple(segments)) if tcp.forward else Conversation(there, here, tuple(segments))


def _name(end: tuple[bytes, int]) -> str:
    address = str(ip_address(end[0]))
    return f"[{address}]:{end[1]}" if ":" in address else f"{address}:{end[1]}"


def _followed(records: Iterable[Record]) -> Iterator[tuple[Record, Transport, Tcp]]:
    """Each TCP segment with what its conversation says, of the interface where the connection was first seen."""
    seen: dict[tuple[object, ...], str] = {}
    for record, dissection, tcp, _ in follow(records):
        transport = dissection.transport
        if tcp is not None and transport is not None:
            key = tuple(sorted((transport.source, transport.destination)))
            if seen.setdefault(key, record.interface) == record.interface:
                yield record, transport, tcp


def _segment(time: int, transport: Transport, tcp: Tcp, near: list[int]) -> Segment:
    header = transport.header
    assert isinstance(header, TCP)
    here, there = tcp.forward, not tcp.forward
    sequence = near[here] = _unwrap(header.sequence - tcp.base, near[here])
    acknowledgment = None
    if header.flags & ACK:
        acknowledgment = _unwrap(header.acknowledgment - tcp.peer_base, near[there])
    sacks = tuple(
        (_unwrap(left - tcp.peer_base, near[there]), _unwrap(right - tcp.peer_base, near[there]))
        for left, right in header.options.sack
    )
    scale = max(tcp.scale, 1) if not header.flags & SYN else 1
    return Segment(
        time, tcp.forward, sequence, acknowledgment, transport.length, header.window * scale, sacks, header.flags, tcp.findings
    )


def _unwrap(number: int, near: int) -> int:
    """The integer nearest to `near` that is the 32-bit `number`."""
    return near + (number - near + 0x80000000 & 0xFFFFFFFF) - 0x80000000
