"""Flows: the TCP and UDP conversations of a trace, with what each side sent, put in order again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stack.base.address import ip_address
from stack.capture.context import View
from stack.capture.dissect import Dissection
from stack.tcp.formats.tcp import ACK, SYN, TCP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stack.capture.trace import Trace


@dataclass
class Flow:
    """A conversation between `client`, who began it as far as the trace shows, and `server`: (address, port) each."""

    protocol: str  # "tcp" or "udp"
    stream: int  # as in tcp.stream and udp.stream
    client: tuple[str, int]
    server: tuple[str, int]
    trace: Trace  # the packets of both directions
    _forward: list[bool] = field(repr=False)
    start: int = 0  # ns
    end: int = 0
    octets: tuple[int, int] = (0, 0)  # of text from the client, from the server, repetitions included

    @property
    def packets(self) -> tuple[int, int]:
        """How many packets came from the client, from the server."""
        forward = sum(self._forward)
        return forward, len(self._forward) - forward

    @property
    def sent(self) -> bytes:
        """What the client sent: TCP's stream of octets in order, UDP's datagrams one after the other."""
        return self._text(True)[0]

    @property
    def received(self) -> bytes:
        """What the server sent."""
        return self._text(False)[0]

    @property
    def missing(self) -> tuple[int, int]:
        """Octets of each direction that the capture does not have; `sent` and `received` close up over them."""
        return self._text(True)[1], self._text(False)[1]

    def datagrams(self, from_client: bool) -> list[bytes]:
        """The text of each packet of one direction, as it was captured."""
        return [text for _, _, text in self._segments(from_client)]

    def _segments(self, from_client: bool) -> list[tuple[TCP | None, int, bytes]]:
        """(TCP header, octets of text on the wire, text) of each packet of one direction."""
        found = []
        for record, forward in zip(self.trace, self._forward, strict=True):
            if forward == from_client:
                transport = Dissection(record.packet, record.length).transport
                if transport is not None:
                    header = transport.header if isinstance(transport.header, TCP) else None
                    found.append((header, transport.length, transport.text))
        return found

    def _text(self, from_client: bool) -> tuple[bytes, int]:
        segments = self._segments(from_client)
        if self.protocol == "udp":
            return b"".join(text for _, _, text in segments), 0
        return reassemble([(header.sequence + bool(header.flags & SYN) & 0xFFFFFFFF, text)
                           for header, _, text in segments if header is not None and text])  # fmt: skip

    def __str__(self) -> str:
        (a, b), (c, d) = self.packets, self.octets
        return (
            f"{self.protocol} {_show(self.client)} → {_show(self.server)}: "
            f"{a} packets, {c} octets; back {b} packets, {d} octets"
        )


def reassemble(pieces: Sequence[tuple[int, bytes]]) -> tuple[bytes, int]:
    """(the stream, octets missing in it) from (sequence number, text) pieces in any order, the first seen kept."""
    if not pieces:
        return b"", 0
    near = pieces[0][0]
    placed = []
    for seq, text in pieces:
        near = near + (((seq - near) + 0x80000000) & 0xFFFFFFFF) - 0x80000000  # the nearest number that wraps to seq
        placed.append((near, text))
    placed.sort(key=lambda piece: piece[0])
    following, missing = placed[0][0], 0
    stream = []
    for seq, text in placed:
        if seq > following:
            missing += seq - following
            following = seq
        fresh = text[following - seq :]
        if fresh:
            stream.append(fresh)
            following += len(fresh)
    return b"".join(stream), missing


def find_flows(trace: Trace) -> list[Flow]:
    """The conversations of a trace's TCP segments and UDP datagrams, in order of their first packet."""
    places: dict[tuple[str, int], list[int]] = {}
    forwards: dict[tuple[str, int], list[bool]] = {}
    flows: dict[tuple[str, int], Flow] = {}
    for view in trace.views():
        key = _stream_of(view)
        transport = view.dissection.transport
        if key is None or transport is None:
            continue
        flow = flows.get(key)
        if flow is None:
            places[key], forwards[key] = [], []
            ends = _name(transport.source), _name(transport.destination)
            if isinstance(transport.header, TCP) and transport.header.flags & (SYN | ACK) == SYN | ACK:  # an answer, to a SYN that the capture lacks
                ends = ends[::-1]
            flow = flows[key] = Flow(*key, *ends, trace, forwards[key], view.record.time)
        forward = _name(transport.source) == flow.client
        places[key].append(view.place)
        forwards[key].append(forward)
        flow.end = view.record.time
        sent, received = flow.octets
        flow.octets = (sent + transport.length, received) if forward else (sent, received + transport.length)
    for key, flow in flows.items():
        flow.trace = trace.at(places[key])
    return list(flows.values())


def _stream_of(view: View) -> tuple[str, int] | None:
    tcp = view.tcp
    if tcp is not None:
        return "tcp", tcp.stream
    udp = view.udp_stream
    return None if udp is None else ("udp", udp)


def _name(endpoint: tuple[bytes, int]) -> tuple[str, int]:
    return str(ip_address(endpoint[0])), endpoint[1]


def _show(endpoint: tuple[str, int]) -> str:
    address, port = endpoint
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

