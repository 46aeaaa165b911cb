"""Fields of the transport layer: TCP, its options, its analysis; UDP."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from stack.capture.analysis import Finding
from stack.capture.context import View
from stack.capture.conversations import WINDOW_SCALE, Tcp, tcp_options
from stack.capture.dissect import Transport
from stack.capture.fields import Field, Kind, either
from stack.tcp.formats.tcp import ACK, FIN, SYN, TCP
from stack.udp.formats.udp import UDP

MSS, SACK_PERMITTED, SACK, TIMESTAMPS = 2, 4, 5, 8


def _of(protocol: type[TCP] | type[UDP], value: Callable[[Any], Any]) -> Callable[[View], Iterable[Any]]:
    """A reader of a value of the transport header."""

    def read(view: View) -> Iterable[Any]:
        transport = view.dissection.transport
        if transport is None or type(transport.header) is not protocol:
            return ()
        found = value(transport)
        return () if found is None else [found]

    return read


def _tcp(name: str, value: Callable[[TCP], Any], kind: Kind = Kind.INTEGER, digits: int = 0) -> Field:
    return Field(f"tcp.{name}", kind, _of(TCP, lambda transport: value(transport.header)), digits)


def _followed(name: str, value: Callable[[Tcp, Transport], Any], kind: Kind = Kind.INTEGER) -> Field:
    """A field that the conversation decides."""

    def read(view: View) -> Iterable[Any]:
        about = view.tcp
        transport = view.dissection.transport
        if about is None or transport is None:
            return ()
        found = value(about, transport)
        return () if found is None else [found]

    return Field(f"tcp.{name}", kind, read)


def _options(name: str, kind: int, values: Callable[[bytes], Iterable[int]], what: Kind = Kind.INTEGER) -> Field:
    def read(view: View) -> Iterable[Any]:
        transport = view.dissection.transport
        if transport is None or not isinstance(transport.header, TCP):
            return ()
        return [v for k, body in tcp_options(transport.header.options) if k == kind for v in values(body)]

    return Field(f"tcp.options.{name}", what, read)


def _number(size: int, at: int = 0) -> Callable[[bytes], Iterable[int]]:
    """The number of `size` octets at `at` of an option that is long enough."""
    return lambda body: [int.from_bytes(body[at : at + size], "big")] if len(body) >= at + size else ()


def _sack_edges(name: str, at: int) -> Field:
    """Edges of the blocks of a SACK option, relative as sequence numbers are."""

    def read(view: View) -> Iterable[Any]:
        about = view.tcp
        transport = view.dissection.transport
        if about is None or transport is None or not isinstance(transport.header, TCP):
            return ()
        return [
            int.from_bytes(body[place : place + 4], "big") - about.peer_base & 0xFFFFFFFF
            for kind, body in tcp_options(transport.header.options)
            if kind == SACK
            for place in range(at, len(body) - 3, 8)
        ]

    return Field(f"tcp.options.{name}", Kind.INTEGER, read)


def _analysis(name: str, finding: int) -> Field:
    def read(view: View) -> Iterable[Any]:
        about = view.tcp
        return [1] if about is not None and about.findings & finding else ()

    return Field(f"tcp.analysis.{name}", Kind.PRESENCE, read)


def _sequence(about: Tcp, transport: Transport) -> int:
    """Relative to the first of its direction."""
    header: Any = transport.header
    relative: int = header.sequence - about.base & 0xFFFFFFFF
    return relative


def _next_sequence(about: Tcp, transport: Transport) -> int | None:
    if transport.partial:
        return None
    length = transport.length + bool(transport.header.flags & (SYN | FIN))
    return _sequence(about, transport) + length & 0xFFFFFFFF


def _first_rtt(about: Tcp, transport: Transport) -> int | None:
    """Shown, as in Wireshark, where there is something else to say of the segment."""
    return about.first_rtt if about.first_rtt and (about.findings or about.acks_frame or transport.length) else None


def _acknowledgment(about: Tcp, transport: Transport) -> int:
    header: Any = transport.header
    relative: int = header.acknowledgment - (about.peer_base if header.flags & ACK else 0) & 0xFFFFFFFF
    return relative


def _window(about: Tcp, transport: Transport) -> int:
    header: Any = transport.header
    window: int = header.window
    scaled = about.scale > 0 and not header.flags & SYN and not transport.partial
    return window * about.scale if scaled else window


def _flag_letters(header: TCP) -> str:
    """As Wireshark's Flags string: "·······A··S·"."""
    letters = "".join(letter if header.flags >> 8 - place & 1 else "·" for place, letter in enumerate("ACEUAPRSF"))
    return "".join("R" if header.reserved >> 2 - place & 1 else "·" for place in range(3)) + letters


def _bit(bit: int) -> Callable[[TCP], bool]:
    return lambda header: bool(header.flags & bit)


_PORTS = [_tcp("srcport", lambda h: h.source), _tcp("dstport", lambda h: h.destination)]
_FLAGS = {
    "ae": 256, "cwr": 128, "ece": 64, "urg": 32, "ack": 16, "push": 8, "reset": 4, "syn": 2, "fin": 1,
}  # fmt: skip

_TCP = [
    Field("tcp", Kind.PRESENCE, lambda view: _protocol(view, TCP)),
    *_PORTS, either("tcp.port", *_PORTS),
    _followed("stream", lambda about, _: about.stream),
    Field("tcp.len", Kind.INTEGER, _of(TCP, lambda transport: None if transport.partial else transport.length)),
    _followed("seq", _sequence),
    _tcp("seq_raw", lambda h: h.sequence),
    _followed("nxtseq", _next_sequence),
    _followed("ack", _acknowledgment),
    _tcp("ack_raw", lambda h: h.acknowledgment),
    _tcp("hdr_len", lambda h: h.data_offset * 4),
    _tcp("flags", lambda h: h.reserved << 9 | h.flags, digits=4),
    *(_tcp(f"flags.{name}", _bit(bit), Kind.BOOLEAN) for name, bit in _FLAGS.items()),
    _tcp("flags.str", _flag_letters, Kind.STRING),
    _tcp("window_size_value", lambda h: h.window),
    _followed("window_size", _window),
    _followed("window_size_scalefactor", lambda about, t: None if t.header.flags & SYN else about.scale),
    _tcp("checksum", lambda h: h.checksum, digits=4),
    _tcp("urgent_pointer", lambda h: h.urgent_pointer),
    Field("tcp.payload", Kind.BYTES, _of(TCP, lambda transport: transport.text or None)),
    _tcp("options", lambda h: bytes(h.options) or None, Kind.BYTES),
    _options("mss_val", MSS, _number(2)),
    _options("wscale.shift", WINDOW_SCALE, _number(1)),
    _options("timestamp.tsval", TIMESTAMPS, _number(4)),
    _options("timestamp.tsecr", TIMESTAMPS, _number(4, 4)),
    _sack_edges("sack_le", 0),
    _sack_edges("sack_re", 4),
    _options("sack_perm", SACK_PERMITTED, lambda body: [1], Kind.PRESENCE),
    *(_analysis(finding.name.lower(), finding) for finding in Finding if finding.name),
    _analysis("flags", sum(Finding)),
    _followed("analysis.duplicate_ack_num", lambda about, _: about.duplicate or None),
    _followed("analysis.duplicate_ack_frame", lambda about, _: about.duplicate_of if about.duplicate else None),
    _followed("analysis.acks_frame", lambda about, _: about.acks_frame or None),
    Field("tcp.analysis.ack_rtt", Kind.TIME, lambda view: () if view.ack_time is None else [view.ack_time]),
    _followed("analysis.initial_rtt", _first_rtt, Kind.TIME),
]  # fmt: skip


def _protocol(view: View, kind: type[TCP] | type[UDP]) -> Iterable[Any]:
    """The octets of the header and what it carries."""
    transport = view.dissection.transport
    return [bytes(transport.header) + transport.text] if transport and type(transport.header) is kind else ()


def _udp_stream(view: View) -> Iterable[Any]:
    number = view.udp_stream
    return () if number is None else [number]


_UDP_PORTS = [
    Field("udp.srcport", Kind.INTEGER, _of(UDP, lambda t: t.header.source)),
    Field("udp.dstport", Kind.INTEGER, _of(UDP, lambda t: t.header.destination)),
]
_UDP = [
    Field("udp", Kind.PRESENCE, lambda view: _protocol(view, UDP)),
    *_UDP_PORTS, either("udp.port", *_UDP_PORTS),
    Field("udp.length", Kind.INTEGER, _of(UDP, lambda t: t.header.length)),
    Field("udp.checksum", Kind.INTEGER, _of(UDP, lambda t: t.header.checksum), 4),
    Field("udp.stream", Kind.INTEGER, _udp_stream),
    Field("udp.payload", Kind.BYTES, _of(UDP, lambda t: t.text or None)),
]  # fmt: skip

FIELDS: list[Field] = [*_TCP, *_UDP]
