"""The conversations of a trace in one pass over it: streams, relative sequence numbers, and findings per segment."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any, NamedTuple

from stack.capture.analysis import REUSED_PORTS, Half, Result, Segment, examine
from stack.capture.dissect import Dissection, Endpoint, Transport
from stack.tcp.formats.tcp import ACK, SYN, TCP

WINDOW_SCALE = 3


class Tcp(NamedTuple):
    """What the conversation adds to a TCP segment. `base` and `peer_base` are the numbers shown as 0."""

    stream: int
    forward: bool  # in the direction of the stream's first segment
    base: int
    peer_base: int
    scale: int  # factor of the window; -1: not known; -2: not used
    findings: int
    duplicate: int  # the how-manieth duplicate ACK
    duplicate_of: int  # number of the frame that it repeats
    acks_frame: int  # number of the frame that it acknowledges, or 0
    first_rtt: int  # ns that the handshake took, from its end on; 0 before, or where it was not seen


class _Stream:
    """A TCP conversation while the trace is read."""

    __slots__ = ("bases", "first", "first_rtt", "halves", "opened", "syn_time")

    def __init__(self, first: Endpoint) -> None:
        self.first = first
        self.halves = (Half(), Half())
        # Of each half: (place from which it counts, the number shown as 0). A second SYN/ACK begins a new count.
        self.bases: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        self.syn_time = 0  # 0 stands for none, in Wireshark too
        self.first_rtt = 0
        self.opened = 0  # place of the segment that ended the handshake

    def base(self, half: int, place: int) -> int:
        """The number that is shown as 0 at this place; 0 where none is known."""
        return next((base for since, base in reversed(self.bases[half]) if since <= place), 0)


_BACKWARD, _PARTIAL = 1 << 30, 1 << 29  # beside the findings of a segment


class Conversations:
    """Takes the packets of a trace in order; then knows about each of them by its place (from 0).

    Some twenty octets per packet are kept, and a little per conversation.
    """

    def __init__(self) -> None:
        self.taken = 0
        self._tcp: dict[tuple[Endpoint, Endpoint], int] = {}
        self._udp: dict[tuple[Endpoint, Endpoint], int] = {}
        self._streams: list[_Stream] = []
        self._stream_of = array("l")  # -1: neither; TCP streams from 0 up; UDP streams from -2 down
        self._findings = array("L")
        self._acks = array("L")
        self._duplicates: dict[int, tuple[int, int]] = {}

    def take(self, time: int, dissection: Dissection) -> None:
        """Go on with this packet."""
        transport = dissection.transport
        stream, findings, result = -1, 0, _NOTHING
        if transport is not None:
            if type(transport.header) is TCP:
                stream, findings, result = self._take_tcp(time, transport, transport.header)
            else:
                stream = -2 - self._udp.setdefault(_key(transport), len(self._udp))
        self._stream_of.append(stream)
        self._findings.append(findings)
        self._acks.append(result.acks_frame)
        if result.duplicate:
            self._duplicates[self.taken] = result.duplicate, result.duplicate_of
        self.taken += 1

    def tcp(self, place: int) -> Tcp | None:
        """About the TCP segment at this place."""
        number = self._stream_of[place]
        if number < 0:
            return None
        stream = self._streams[number]
        findings = self._findings[place]
        backward = bool(findings & _BACKWARD)
        here = stream.halves[backward]
        scale = -1 if here.scale is None else -2 if here.scale < 0 else 1 << here.scale
        duplicate = self._duplicates.get(place, (0, 0))
        first_rtt = stream.first_rtt if place >= stream.opened else 0
        base, peer_base = stream.base(backward, place), stream.base(not backward, place)
        if findings & _PARTIAL:
            base = peer_base = first_rtt = 0
        return Tcp(
            number, not backward, base, peer_base, scale, findings & ~_BACKWARD & ~_PARTIAL,
            duplicate[0], duplicate[1], self._acks[place], first_rtt,
        )  # fmt: skip

    def udp(self, place: int) -> int | None:
        """The number of the UDP stream of the packet at this place."""
        number = self._stream_of[place]
        return -2 - number if number < -1 else None

    def _take_tcp(self, time: int, transport: Transport, header: TCP) -> tuple[int, int, Result]:
        """(number of the stream, findings and direction, what the findings refer to)"""
        key = _key(transport)
        number = self._tcp.get(key, -1)
        reused = False
        if number >= 0 and header.flags & SYN and not transport.partial:
            stream = self._streams[number]
            bases = stream.bases[transport.source != stream.first]
            reused = bool(bases) and bases[-1][1] != header.sequence
        if number < 0 or (reused and not header.flags & ACK):  # a SYN begins anew; a SYN/ACK is only noted
            number = self._tcp[key] = len(self._streams)
            self._streams.append(_Stream(transport.source))
        stream = self._streams[number]
        backward = transport.source != stream.first
        if transport.partial:
            return number, _PARTIAL | (_BACKWARD if backward else 0), _NOTHING
        result = self._follow(time, transport, header, stream, backward)
        return number, result.findings | (REUSED_PORTS if reused else 0) | (_BACKWARD if backward else 0), result

    def _follow(self, time: int, transport: Transport, header: TCP, stream: _Stream, backward: bool) -> Result:
        here, there = stream.halves[backward], stream.halves[not backward]
        seq, ack, flags = header.sequence, header.acknowledgment, header.flags
        bases, peer_bases = stream.bases[backward], stream.bases[not backward]
        if not bases or (flags & (SYN | ACK) == SYN | ACK and bases[-1][1] != seq):
            bases.append((self.taken, seq if flags & SYN else seq - 1 & 0xFFFFFFFF))
        if not peer_bases and flags & ACK:
            peer_bases.append((self.taken, ack - 1 & 0xFFFFFFFF))
        if flags & SYN:
            _read_scale(header, here, there)
            if not flags & ACK:
                stream.syn_time = time
        elif flags & ACK and stream.syn_time and not stream.first_rtt:
            stream.first_rtt = time - stream.syn_time
            stream.opened = self.taken
        segment = Segment(self.taken + 1, time, seq, ack, transport.length, flags, header.window)
        return examine(segment, here, there, stream.first_rtt)


_NOTHING = Result(0)


def _key(transport: Transport) -> tuple[Endpoint, Endpoint]:
    """The same for both directions."""
    a, b = transport.source, transport.destination
    return (a, b) if a <= b else (b, a)


def _read_scale(header: TCP, here: Half, there: Half) -> None:
    """The window scale option of a SYN; where the SYN/ACK has none, none is used (RFC 7323 section 2.2)."""
    shift: Any = None
    for kind, body in tcp_options(header.options):
        if kind == WINDOW_SCALE and len(body) == 1:
            shift = min(body[0], 14)
    if shift is not None:
        here.scale = shift
    elif header.flags & ACK:
        here.scale = there.scale = -1


def tcp_options(options: bytes) -> Iterable[tuple[int, bytes]]:
    """(kind, contents) of each option, as far as they are well formed (RFC 9293 section 3.2)."""
    place = 0
    while place < len(options):
        kind = options[place]
        if kind < 2:  # end of list, no operation: one octet
            yield kind, b""
            if kind == 0:
                return
            place += 1
            continue
        size = options[place + 1] if place + 1 < len(options) else 0
        if size < 2 or place + size > len(options):
            return
        yield kind, options[place + 2 : place + size]
        place += size
