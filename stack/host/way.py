"""The way that a datagram takes out of a host: interface, next hop, source address, MTU (RFC 1122 section 3.3.1)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.host.addresses import Cast
from stack.host.zone import Zoned
from stack.ip.route import NO_METRICS, Metrics, choose_source, scope

if TYPE_CHECKING:
    from stack.host.attachment import Attachment
    from stack.host.host import HostEngine
    from stack.ip.route import Route
    from stack.link.interface import Interface


class Way:
    """Where to, through what, from which address. Out of date when the host's `generation` is another one."""

    __slots__ = ("attachment", "cast", "destination", "generation", "metrics", "mtu", "next_hop", "source")

    def __init__(
        self, attachment: Attachment, destination: IPAddress, next_hop: IPAddress, cast: Cast, source: IPAddress, mtu: int,
        generation: int, metrics: Metrics = NO_METRICS,
    ) -> None:  # fmt: skip
        self.attachment = attachment
        self.destination = destination
        self.next_hop = next_hop
        self.cast = cast
        self.source = source
        self.mtu = mtu
        self.generation = generation
        self.metrics = metrics

    def same(self, other: Way) -> bool:
        """Whether a datagram takes the same way."""
        return (
            self.destination == other.destination and self.source == other.source and self.next_hop == other.next_hop
            and self.attachment is other.attachment and self.cast is other.cast and self.mtu == other.mtu
            and self.generation == other.generation and self.metrics is other.metrics
        )  # fmt: skip


Ends = tuple[Way, tuple[IPAddress, int], tuple[IPAddress, int]]  # with the two ends of a connection


def shared(ends: Ends, others: Ends | None) -> Ends:
    """`ends`, with those of the objects in `others` that are the same: ten thousand connections to a server need no more."""
    if others is None:
        return ends
    way, local, remote = ends
    return (
        others[0] if way.same(others[0]) else way, others[1] if local == others[1] else local,
        others[2] if remote == others[2] else remote,
    )  # fmt: skip


def find_way(
    host: HostEngine, destination: IPAddress, source: IPAddress | None = None, interface: Interface | None = None
) -> Way | int:
    """The way to `destination`, or the errno that says why there is none.

    To a link-local address it leads through the zone's interface, or the one that has the link-local `source`.
    """
    if type(destination) is Zoned:
        interface, destination = interface or destination.zone, destination.plain
    elif interface is None and isinstance(source, IPv6Address) and source.is_link_local and scope(destination) == 2:
        interface = host.addresses.local.get(source)
    if type(source) is Zoned:
        source = source.plain
    cast = host.addresses.cast(destination)
    next_hop, preferred = destination, None
    attachment: Attachment | None = None
    metrics = NO_METRICS
    if cast is Cast.LOCAL:
        attachment = host.loopback
        preferred = destination
    elif (route := _route(host, destination, cast, interface)) is not None:
        attachment = host.attachments[route.interface]
        if cast is Cast.OTHER and route.gateway is not None:
            next_hop = route.gateway
        preferred = route.source
        metrics = route.metrics
    elif cast is not Cast.OTHER:
        attachment = _first(host, interface)
    if attachment is None:
        return errno.ENETUNREACH
    if source is None:
        source = preferred or _source(host, attachment, destination, next_hop)
        if source is None:
            if cast is not Cast.BROADCAST:
                return errno.EADDRNOTAVAIL
            source = IPv4Address.UNSPECIFIED  # RFC 1122 3.2.1.3 (a): a host that is learning its address
    mtu = min(metrics.mtu or attachment.interface.mtu, attachment.interface.mtu)
    if cast is Cast.OTHER and not metrics.mtu_locked:
        mtu = host.path_mtu.get(destination, mtu, host.now)
    return Way(attachment, destination, next_hop, cast, source, min(mtu, 65535), host.routes.generation, metrics)


def _route(host: HostEngine, destination: IPAddress, cast: Cast, interface: Interface | None) -> Route | None:
    if cast is Cast.BROADCAST and destination == IPv4Address.BROADCAST:
        return None
    if cast is Cast.MULTICAST and interface is not None:
        return None
    return host.routes.lookup(destination, interface)


def _first(host: HostEngine, interface: Interface | None) -> Attachment | None:
    """Where a broadcast or a multicast without a route leaves: through the interface asked for, or the first one."""
    if interface is not None:
        return host.attachments[interface]
    return next((each for each in host.attachments.values() if not each.interface.loopback), None)


def _source(host: HostEngine, attachment: Attachment, destination: IPAddress, next_hop: IPAddress) -> IPAddress | None:
    """RFC 6724 among the interface's addresses, then among all: one that shares the next hop's subnet comes first."""
    kind = IPv4Address if len(destination) == IPv4Address.length else IPv6Address
    own = host.addresses.of(attachment.interface, kind)
    near = next_hop if kind is IPv4Address else destination
    source = choose_source(own, near)
    if source is None or scope(source) < min(scope(destination), 14):
        elsewhere = [address for address in host.addresses.local if scope(address) > scope(source or IPv6Address.LOOPBACK)]
        source = choose_source(elsewhere, destination) or source
    return source
