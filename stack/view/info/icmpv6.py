"""Info lines of ICMPv6: pings and errors (RFC 4443)."""

from __future__ import annotations

from stack.ip.formats.icmpv6 import (
    ECHO_REPLY,
    ECHO_REQUEST,
    ERRORS,
    PACKET_TOO_BIG,
    PARAMETER_PROBLEM,
    TIME_EXCEEDED,
    TYPES,
    UNREACHABLE,
    ICMPv6,
)
from stack.ip.formats.ipv6 import IPv6
from stack.view.info.about import About, Info, speaks

TITLES = {
    UNREACHABLE: "Destination Unreachable", PACKET_TOO_BIG: "Packet Too Big", TIME_EXCEEDED: "Time Exceeded",
    PARAMETER_PROBLEM: "Parameter Problem", ECHO_REQUEST: "Echo (ping) request", ECHO_REPLY: "Echo (ping) reply",
    130: "Multicast Listener Query", 131: "Multicast Listener Report", 132: "Multicast Listener Done",
    133: "Router Solicitation", 134: "Router Advertisement", 135: "Neighbor Solicitation",
    136: "Neighbor Advertisement", 137: "Redirect", 143: "Multicast Listener Report Message v2",
}  # fmt: skip
CODES = {
    UNREACHABLE: (
        "no route to destination", "Administratively prohibited", "Beyond scope of source address",
        "Address unreachable", "Port unreachable", "Source address failed ingress/egress policy",
        "Reject route to destination", "Error in Source Routing Header",
    ),
    TIME_EXCEEDED: ("hop limit exceeded in transit", "fragment reassembly time exceeded"),
    PARAMETER_PROBLEM: (
        "erroneous header field encountered", "unrecognized Next Header type encountered",
        "unrecognized IPv6 option encountered", "IPv6 First Fragment has incomplete IPv6 Header Chain",
    ),
}  # fmt: skip


@speaks(ICMPv6)
def message(about: About) -> Info:
    """`Echo (ping) request id=0x0001, seq=1, hop limit=64`; `Time Exceeded (hop limit exceeded in transit)`."""
    header: ICMPv6 = about.header
    title = TITLES.get(header.type, TYPES.get(header.type, f"Type {header.type}").capitalize())
    if header.type in (ECHO_REQUEST, ECHO_REPLY):
        network = about.below(IPv6)
        hops = f", hop limit={network.hop_limit}" if network is not None else ""
        line = f"{title} id=0x{header.identifier:04x}, seq={header.sequence}{hops}"
        return Info("ICMPv6", line, "icmp", f"{title.replace(' (ping)', '')} id={header.identifier} seq={header.sequence}")
    codes = CODES.get(header.type, ())
    line = f"{title} ({codes[header.code]})" if header.code < len(codes) else title
    short = f"{line}, MTU {header.mtu}" if header.type == PACKET_TOO_BIG else line
    return Info("ICMPv6", line, "error" if header.type in ERRORS else "icmp", short)
