"""The TCP segments of one conversation as numbers to plot: relative, unwrapped, window in octets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from stack.base.address import ip_address
from stack.capture.conversations import Conversations, Tcp
from stack.capture.dissect import Transport
from stack.capture.trace import Trace
from stack.tcp.formats.tcp import ACK, SYN, TCP
from stack.view.record import Record
from stack.view.summary import dissect, origin


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
    """The TCP connection number `stream` of a trace (as in `tcp.stream`), or the one with the most octets.

    Raises `ValueError` where there is none. Of a capture of several interfaces, the first that saw it counts.
    """
    found: dict[int, list[tuple[int, Transport, Tcp]]] = {}
    for time, transport, tcp in _followed(records):
        found.setdefault(tcp.stream, []).append((time, transport, tcp))
    if not found or (stream is not None and stream not in found):
        raise ValueError("there is no TCP connection in this trace" if stream is None else f"no TCP stream {stream}")
    if stream is None:
        stream = max(found, key=lambda one: sum(transport.length for _, transport, _ in found[one]))
    first = origin(records)
    near = [0, 0]
    segments = []
    for time, transport, tcp in found[stream]:
        segments.append(_segment(time - first, transport, tcp, near))
    _, transport, tcp = found[stream][0]
    here, there = (_name(end) for end in (transport.source, transport.destination))
    return Conversation(here, there, tuple(segments)) if tcp.forward else Conversation(there, here, tuple(segments))


def _name(end: tuple[bytes, int]) -> str:
    address = str(ip_address(end[0]))
    return f"[{address}]:{end[1]}" if ":" in address else f"{address}:{end[1]}"


def _followed(records: Iterable[Record]) -> Iterable[tuple[int, Transport, Tcp]]:
    """Each TCP segment with what its conversation says."""
    if isinstance(records, Trace) and len(records.interfaces) < 2:
        for view in records.views():
            if view.tcp is not None and view.dissection.transport is not None:
                yield view.record.time, view.dissection.transport, view.tcp
        return
    conversations = Conversations()
    seen: dict[tuple[object, ...], str] = {}
    for record in records:
        dissection = dissect(record.packet, getattr(record, "length", None))
        transport = dissection.transport
        if transport is None or not isinstance(transport.header, TCP):
            continue
        key = tuple(sorted((transport.source, transport.destination)))
        if seen.setdefault(key, record.interface) != record.interface:
            continue
        conversations.take(record.time, dissection)
        tcp = conversations.tcp(conversations.taken - 1)
        if tcp is not None:
            yield record.time, transport, tcp


def _segment(time: int, transport: Transport, tcp: Tcp, near: list[int]) -> Segment:
    header = transport.header
    assert isinstance(header, TCP)
    here, there = tcp.forward, not tcp.forward
    sequence = near[here] = _unwrap(header.sequence - tcp.base, near[here])
    acknowledgment = None
    if header.flags & ACK:
        acknowledgment = near[there] = max(_unwrap(header.acknowledgment - tcp.peer_base, near[there]), near[there])
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
