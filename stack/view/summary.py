"""A packet in one line: who sends what to whom, as Wireshark's packet list says it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from stack.capture.conversations import Tcp
from stack.capture.dissect import Dissection
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.ip.formats import icmp, icmpv6
from stack.ip.formats.extensions import Fragment
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.link.formats.ethernet import Ethernet
from stack.view.following import dissect, follow
from stack.view.info.about import SPEAKERS, About, Info, Speaker
from stack.view.record import Record


class Summary(NamedTuple):
    """The columns of a packet list. `kind` chooses a colour of `theme`; `short` is the line for an arrow."""

    source: str
    destination: str
    protocol: str
    length: int
    info: str
    kind: str
    short: str


def summaries(records: Iterable[Record]) -> Iterator[tuple[Record, Summary]]:
    """Each record with its line. Numbers are relative, and findings told, by what the whole capture shows."""
    for record, dissection, tcp, number_of in follow(records):
        yield record, summary(dissection, tcp, number_of)


def line_of(packet: Packet) -> Summary:
    """The line of a packet that is alone: numbers are absolute, and there are no findings."""
    return summary(dissect(packet), None)


def summary(dissection: Dissection, tcp: Tcp | None, number_of: Callable[[int], int] = int) -> Summary:
    """The line of a packet, by the innermost header that has something to say."""
    headers = _spoken(dissection.headers)
    info, place = None, len(headers)
    while info is None and place > 0:
        place -= 1
        speaker = speakers().get(type(headers[place]), _unknown)
        about = About(headers, place, dissection.packet.payload, _length(dissection, place), tcp, number_of)
        info = speaker(about)
    length = dissection.length
    if info is None:
        return Summary("", "", "?", length, f"{length} octets", "other", f"{length} octets")
    source, destination = info.ends or _ends(headers[: place + 1])
    return Summary(source, destination, info.protocol, length, info.line, info.kind, info.short or info.line)


def _spoken(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    """The headers as far as they speak for the packet: a fragment is a fragment, an error's quotation is no packet."""
    for place, header in enumerate(headers):
        match header:
            case IPv4(more_fragments=True) | Fragment(more_fragments=True):
                return headers[: place + 1]
            case ICMP(type=kind) if kind in icmp.ERRORS:
                return headers[: place + 1]
            case ICMPv6(type=kind) if kind in icmpv6.ERRORS:
                return headers[: place + 1]
    return headers


def _length(dissection: Dissection, place: int) -> int:
    """Octets that follow a header: those of the transport's text by the IP header, else those that are there."""
    transport = dissection.transport
    if transport is not None and dissection.headers[place] is transport.header:
        return transport.length
    return dissection.offsets[-1] - dissection.offsets[place + 1] + len(dissection.packet.payload)


def _ends(headers: tuple[Header, ...]) -> tuple[str, str]:
    """The addresses of the innermost header that has some."""
    for header in reversed(headers):
        if isinstance(header, IPv4 | IPv6 | Ethernet):
            return str(header.source), str(header.destination)
    return "", ""


def _unknown(about: About) -> Info | None:
    """A header that nobody speaks for: its own words."""
    name = type(about.header).__name__
    line = str(about.header).removeprefix(f"{name}: ")
    return Info(name, line, "other", name)


@cache
def speakers() -> dict[type[Header], Speaker]:
    """Who speaks for which header: all that the files of `view/info` mark."""
    package = importlib.import_module("stack.view.info")
    for module in pkgutil.iter_modules(package.__path__, "stack.view.info."):
        importlib.import_module(module.name)
    return SPEAKERS
