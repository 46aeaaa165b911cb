"""A packet as filters and flows see it: its headers, where each begins, and what the transport carries."""

from __future__ import annotations

from typing import Any, NamedTuple

from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.ip.formats.extensions import Fragment
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP

Endpoint = tuple[bytes, int]  # address, port


class Transport(NamedTuple):
    """A TCP or UDP header, between whom, and its text: `length` by the IP header, `text` as far as it was captured.

    `partial`: quoted in an ICMP error, or the first piece of a fragmented datagram. It is not part of a conversation.
    """

    header: TCP | UDP
    source: Endpoint
    destination: Endpoint
    length: int
    text: bytes
    partial: bool


class Dissection:
    """The headers of a packet that had `length` octets on the wire, parsed at most once."""

    __slots__ = ("_known", "_offsets", "_transport", "headers", "length", "packet")

    def __init__(self, packet: Packet, length: int) -> None:
        self.packet = packet
        self.length = length
        self.headers: tuple[Header, ...] = packet.headers
        self._offsets: list[int] | None = None
        self._transport: Transport | None = None
        self._known = False

    @property
    def offsets(self) -> list[int]:
        """Where each header begins in the frame, and where what follows the last one does."""
        if self._offsets is None:
            self._offsets = [0]
            for header in self.headers:
                self._offsets.append(self._offsets[-1] + len(header))
        return self._offsets

    @property
    def transport(self) -> Transport | None:
        """The innermost TCP or UDP header over IP."""
        if not self._known:
            self._transport = self._find_transport()
            self._known = True
        return self._transport

    def _find_transport(self) -> Transport | None:
        headers = self.headers
        place = next((i for i in reversed(range(len(headers))) if type(headers[i]) in (TCP, UDP)), None)
        if place is None:
            return None
        below = next((i for i in reversed(range(place)) if type(headers[i]) in (IPv4, IPv6)), None)
        if below is None:
            return None
        header: Any = headers[place]
        network: Any = headers[below]
        between = self.offsets[place] - self.offsets[below + 1]  # extension headers
        if type(network) is IPv4:
            length = network.total_length - network.header_length * 4 - between
        else:
            length = network.payload_length - between
        on_wire = self.length - self.offsets[place]
        if not 0 < length <= on_wire:  # segmentation offload leaves the IP length 0; others overstate it
            length = on_wire
        if type(header) is UDP and len(header) <= header.length < length:
            length = header.length
        return Transport(
            header,
            (network.source, header.source),
            (network.destination, header.destination),
            max(length - len(header), 0),
            bytes(self.packet)[self.offsets[place + 1] : self.offsets[place] + length],
            any(_divides(one) for one in headers[:place]),
        )


def _divides(header: Header) -> bool:
    """What follows this header is only a part of a segment or datagram."""
    if type(header) in (ICMP, ICMPv6):
        return True
    return type(header) in (IPv4, Fragment) and bool(header.more_fragments)  # type: ignore[attr-defined]
