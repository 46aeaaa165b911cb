"""Fields of the network layer: IPv4, IPv6 and its extension headers, ICMP, ICMPv6, IGMP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stack.capture.context import View
from stack.capture.fields import Field, Kind, either, presence, table
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6

_IPV4 = table("ip", "IPv4", [
    ("src", Kind.IPV4, lambda h: h.source),
    ("dst", Kind.IPV4, lambda h: h.destination),
    ("hdr_len", Kind.INTEGER, lambda h: h.header_length * 4),
    ("dsfield", Kind.INTEGER, lambda h: h.dscp << 2 | h.ecn, 2),
    ("dsfield.dscp", Kind.INTEGER, lambda h: h.dscp),
    ("dsfield.ecn", Kind.INTEGER, lambda h: h.ecn),
    ("len", Kind.INTEGER, lambda h: h.total_length),
    ("id", Kind.INTEGER, lambda h: h.identification, 4),
    ("flags", Kind.INTEGER, lambda h: h.reserved_flag << 2 | h.dont_fragment << 1 | h.more_fragments, 2),
    ("flags.rb", Kind.BOOLEAN, lambda h: h.reserved_flag),
    ("flags.df", Kind.BOOLEAN, lambda h: h.dont_fragment),
    ("flags.mf", Kind.BOOLEAN, lambda h: h.more_fragments),
    ("frag_offset", Kind.INTEGER, lambda h: h.fragment_offset),
    ("ttl", Kind.INTEGER, lambda h: h.time_to_live),
    ("proto", Kind.INTEGER, lambda h: h.protocol),
    ("checksum", Kind.INTEGER, lambda h: h.checksum, 4),
])  # fmt: skip

_IPV6 = table("ipv6", "IPv6", [
    ("src", Kind.IPV6, lambda h: h.source),
    ("dst", Kind.IPV6, lambda h: h.destination),
    ("version", Kind.INTEGER, lambda h: h.version),
    ("tclass", Kind.INTEGER, lambda h: h.dscp << 2 | h.ecn, 8),
    ("tclass.dscp", Kind.INTEGER, lambda h: h.dscp),
    ("tclass.ecn", Kind.INTEGER, lambda h: h.ecn),
    ("flow", Kind.INTEGER, lambda h: h.flow_label, 6),
    ("plen", Kind.INTEGER, lambda h: h.payload_length),
    ("nxt", Kind.INTEGER, lambda h: h.next_header),
    ("hlim", Kind.INTEGER, lambda h: h.hop_limit),
])  # fmt: skip

_FRAGMENT = table("ipv6.fraghdr", "Fragment", [
    ("nxt", Kind.INTEGER, lambda h: h.next_header),
    ("offset", Kind.INTEGER, lambda h: h.fragment_offset),
    ("more", Kind.BOOLEAN, lambda h: h.more_fragments),
    ("ident", Kind.INTEGER, lambda h: h.identification, 8),
])  # fmt: skip

ECHO = {"ICMP": (0, 8), "ICMPv6": (128, 129)}


def _echo(header: Any, high: bool) -> int | None:
    """Identifier or sequence number of an echo message."""
    if header.type not in ECHO[type(header).__name__]:
        return None
    return int.from_bytes(header.rest[:2] if high else header.rest[2:4], "big")


_ICMP = table("icmp", "ICMP", [
    ("type", Kind.INTEGER, lambda h: h.type),
    ("code", Kind.INTEGER, lambda h: h.code),
    ("checksum", Kind.INTEGER, lambda h: h.checksum, 4),
    ("ident", Kind.INTEGER, lambda h: _echo(h, True)),
    ("seq", Kind.INTEGER, lambda h: _echo(h, False)),
])  # fmt: skip

_ICMPV6 = table("icmpv6", "ICMPv6", [
    ("type", Kind.INTEGER, lambda h: h.type),
    ("code", Kind.INTEGER, lambda h: h.code),
    ("checksum", Kind.INTEGER, lambda h: h.checksum, 4),
    ("echo.identifier", Kind.INTEGER, lambda h: _echo(h, True), 4),
    ("echo.sequence_number", Kind.INTEGER, lambda h: _echo(h, False)),
])  # fmt: skip

def _versions(view: View) -> Iterable[Any]:
    """Of IPv4 and IPv6 headers both."""
    return [header.version for header in view.dissection.headers if isinstance(header, IPv4 | IPv6)]


FIELDS: list[Field] = [
    Field("ip.version", Kind.INTEGER, _versions),
    presence("ip", "IPv4"), *_IPV4, either("ip.addr", _IPV4[0], _IPV4[1]),
    presence("ipv6", "IPv6"), *_IPV6, either("ipv6.addr", _IPV6[0], _IPV6[1]),
    presence("ipv6.fraghdr", "Fragment"), *_FRAGMENT,
    presence("ipv6.hopopts", "HopByHop"), presence("ipv6.dstopts", "DestinationOptions"),
    presence("ipv6.routing", "Routing"),
    presence("icmp", "ICMP"), *_ICMP,
    presence("icmpv6", "ICMPv6"), *_ICMPV6,
    presence("igmp", "IGMP"),
]  # fmt: skip
