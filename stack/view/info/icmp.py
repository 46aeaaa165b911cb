"""Info lines of ICMP: pings and errors (RFC 792)."""

from __future__ import annotations

from stack.ip.formats.icmp import (
    ECHO_REPLY,
    ECHO_REQUEST,
    ERRORS,
    FRAGMENTATION_NEEDED,
    ICMP,
    PARAMETER_PROBLEM,
    REDIRECT,
    SOURCE_QUENCH,
    TIME_EXCEEDED,
    TYPES,
    UNREACHABLE,
)
from stack.ip.formats.ipv4 import IPv4
from stack.view.info.about import About, Info, speaks

ECHOES = {ECHO_REQUEST: "Echo (ping) request", ECHO_REPLY: "Echo (ping) reply"}
TITLES = {
    UNREACHABLE: "Destination unreachable", SOURCE_QUENCH: "Source quench", REDIRECT: "Redirect",
    TIME_EXCEEDED: "Time-to-live exceeded", PARAMETER_PROBLEM: "Parameter problem",
}  # fmt: skip
CODES = {
    UNREACHABLE: (
        "Network unreachable", "Host unreachable", "Protocol unreachable", "Port unreachable", "Fragmentation needed",
        "Source route failed", "Destination network unknown", "Destination host unknown", "Source host isolated",
        "Network administratively prohibited", "Host administratively prohibited", "Network unreachable for TOS",
        "Host unreachable for TOS", "Communication administratively filtered", "Host precedence violation",
        "Precedence cutoff in effect",
    ),
    REDIRECT: (
        "Redirect for network", "Redirect for host", "Redirect for TOS and network", "Redirect for TOS and host",
    ),
    TIME_EXCEEDED: ("Time to live exceeded in transit", "Fragment reassembly time exceeded"),
    PARAMETER_PROBLEM: ("Pointer indicates the error", "Required option missing", "Bad length"),
}  # fmt: skip


@speaks(ICMP)
def message(about: About) -> Info:
    """`Echo (ping) request  id=0x0001, seq=1/256, ttl=64`; `Destination unreachable (Port unreachable)`."""
    header: ICMP = about.header
    if header.type in ECHOES:
        network = about.below(IPv4)
        swapped = int.from_bytes(header.sequence.to_bytes(2, "big"), "little")  # as some systems count
        hops = f", ttl={network.time_to_live}" if network is not None else ""
        line = f"{ECHOES[header.type]:<21}id=0x{header.identifier:04x}, seq={header.sequence}/{swapped}{hops}"
        short = ECHOES[header.type].replace(" (ping)", "")
        return Info("ICMP", line, "icmp", f"{short} id={header.identifier} seq={header.sequence}")
    title = TITLES.get(header.type, TYPES.get(header.type, f"Type {header.type}").capitalize())
    codes = CODES.get(header.type, ())
    line = f"{title} ({codes[header.code]})" if header.code < len(codes) else title
    short = line
    if header.type == UNREACHABLE and header.code == FRAGMENTATION_NEEDED:
        short += f", MTU {header.mtu}"
    return Info("ICMP", line, "error" if header.type in ERRORS else "icmp", short)
