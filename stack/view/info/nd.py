"""Info lines of neighbour discovery for IPv6 (RFC 4861)."""

from __future__ import annotations

from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.mld import (
    MulticastListenerQuery,
    MulticastListenerReport,
    MulticastListenerReportV2,
    MulticastQuerySources,
)
from stack.ip.formats.nd import (
    NeighborAdvertisement,
    NeighborSolicitation,
    Redirect,
    RouterAdvertisement,
    RouterSolicitation,
)
from stack.ip.formats.nd_options import SourceLinkLayer, TargetLinkLayer
from stack.view.info.about import About, Info, speaks


@speaks(NeighborSolicitation)
def solicitation(about: About) -> Info:
    """`Neighbor Solicitation for fd00::2 from 02:00:00:00:00:01`."""
    header: NeighborSolicitation = about.header
    sender = header.options.get(SourceLinkLayer)
    line = f"Neighbor Solicitation for {header.target}" + (f" from {sender.address}" if sender else "")
    return Info("ICMPv6", line, "arp", f"Who has {header.target}?")


@speaks(NeighborAdvertisement)
def advertisement(about: About) -> Info:
    """`Neighbor Advertisement fd00::2 (sol, ovr) is at 02:00:00:00:00:02`."""
    header: NeighborAdvertisement = about.header
    outer: ICMPv6 = about.below(ICMPv6)
    target = header.options.get(TargetLinkLayer)
    marks = (("rtr", outer.is_router), ("sol", outer.solicited), ("ovr", outer.override))
    flags = ", ".join(name for name, is_set in marks if is_set)
    at = f" is at {target.address}" if target else ""
    line = f"Neighbor Advertisement {header.target}" + (f" ({flags})" if flags else "") + at
    return Info("ICMPv6", line, "arp", f"{header.target}{at or ' is here'}")


@speaks(RouterSolicitation, RouterAdvertisement)
def router(about: About) -> Info:
    """`Router Solicitation from 02:00:00:00:00:01`."""
    name = "Router Solicitation" if isinstance(about.header, RouterSolicitation) else "Router Advertisement"
    sender = about.header.options.get(SourceLinkLayer)
    return Info("ICMPv6", name + (f" from {sender.address}" if sender else ""), "arp", name)


@speaks(Redirect, MulticastListenerQuery, MulticastListenerReport, MulticastListenerReportV2, MulticastQuerySources)
def other(about: About) -> Info | None:
    """The ICMPv6 header says it by its type."""
    return None
