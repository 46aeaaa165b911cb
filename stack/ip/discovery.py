"""Neighbour discovery for IPv6 on one interface: solicitations and advertisements (RFC 4861 sections 4, 6.3 and 7)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from stack.base.address import MAC, IPAddress, IPv6Address
from stack.base.errors import WireError
from stack.base.event import DropReason
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.ip.formats.icmpv6 import PROTOCOL, ICMPv6
from stack.ip.formats.ipv6 import IPv6
from stack.ip.formats.nd import (
    NEIGHBOR_SOLICITATION,
    ROUTER_SOLICITATION,
    NeighborAdvertisement,
    NeighborSolicitation,
    Redirect,
    RouterAdvertisement,
    RouterSolicitation,
)
from stack.ip.formats.nd_options import NDOptions, PrefixInformation, SourceLinkLayer, TargetLinkLayer
from stack.ip.neighbour import NeighbourCache
from stack.ip.route import choose_source
from stack.link.formats.ethernet import Ethernet

ETHER_TYPE = 0x86DD
ALL_NODES = IPv6Address("ff02::1")
ALL_ROUTERS = IPv6Address("ff02::2")
_SOLICITED_NODE = IPv6Address("ff02::1:ff00:0")
MESSAGES: dict[int, Any] = {
    133: RouterSolicitation, 134: RouterAdvertisement, 135: NeighborSolicitation, 136: NeighborAdvertisement, 137: Redirect,
}  # fmt: skip


class RouterSeen(NamedTuple):
    """A router advertisement: who sent it, for how many seconds it is a default router, its prefixes."""

    router: IPv6Address
    lifetime: int
    hop_limit: int
    prefixes: tuple[PrefixInformation, ...]


class Discovery:
    """Speaks neighbour discovery for the addresses that `addresses()` names, with `cache` as its memory; `emit(packet)` sends.

    `tentative`: addresses that are being probed; `taken(address, now)` is called for one that another has.
    """

    def __init__(
        self, mac: MAC, addresses: Callable[[], Sequence[IPv6Address]], cache: NeighbourCache, emit: Callable[[Packet], None]
    ) -> None:
        self.mac = mac
        self._addresses = addresses
        self._cache = cache
        self._emit = emit
        self.is_router = False
        self.tentative: dict[IPv6Address, None] = {}
        self.taken: Callable[[IPv6Address, int], None] = lambda address, now: None
        self.router_seen: Callable[[RouterSeen, int], None] = lambda seen, now: None

    # What we send

    def solicit(self, address: IPAddress, mac: MAC | None, now: int) -> None:
        """Ask who has `address`: its solicited-node group, or the one who had it last."""
        target = IPv6Address(address)
        destination = target if mac else solicited_node(target)
        cause = f"is {address} still there?" if mac else f"who has {address}?"
        body = NeighborSolicitation(target, NDOptions([SourceLinkLayer(self.mac)]))
        self._send(mac or _group_mac(destination), self._source(target), destination, ICMPv6(NEIGHBOR_SOLICITATION), body, cause)

    def probe(self, address: IPv6Address) -> None:
        """Ask whether another has `address`, which we want (RFC 4862 section 5.4.2)."""
        self.tentative[address] = None
        group = solicited_node(address)
        body = NeighborSolicitation(address)
        self._send(
            _group_mac(group), IPv6Address.UNSPECIFIED, group, ICMPv6(NEIGHBOR_SOLICITATION), body, f"has anyone {address}?"
        )

    def solicit_routers(self) -> None:
        """Ask for router advertisements (RFC 4861 section 6.3.7)."""
        source = self._source(ALL_ROUTERS)
        options = NDOptions([SourceLinkLayer(self.mac)]) if any(source) else NDOptions()
        message = ICMPv6(ROUTER_SOLICITATION)
        self._send(_group_mac(ALL_ROUTERS), source, ALL_ROUTERS, message, RouterSolicitation(options), "which routers are there?")

    def advertise_router(self, prefixes: Sequence[PrefixInformation], lifetime: int = 1800, hop_limit: int = 64) -> None:
        """Tell all nodes that we are a router, and the link's prefixes (RFC 4861 section 6.2). `lifetime` in seconds."""
        body = RouterAdvertisement(options=NDOptions([SourceLinkLayer(self.mac), *prefixes]))
        message = ICMPv6.router(hop_limit, lifetime)
        self._send(_group_mac(ALL_NODES), self._source(ALL_NODES), ALL_NODES, message, body, "a router is here")

    def _advertise(self, target: IPv6Address, to: IPv6Address, mac: MAC, solicited: bool) -> None:
        message = ICMPv6.neighbor(router=self.is_router, solicited=solicited, override=True)
        body = NeighborAdvertisement(target, NDOptions([TargetLinkLayer(self.mac)]))
        self._send(mac, target, to, message, body, f"answer to {to}: {target} is here")

    def _source(self, target: IPv6Address) -> IPv6Address:
        return IPv6Address(choose_source(self._addresses(), target) or IPv6Address.UNSPECIFIED)

    def _send(self, mac: MAC, source: IPv6Address, destination: IPv6Address, message: ICMPv6, body: Header, cause: str) -> None:
        header = IPv6(next_header=PROTOCOL, hop_limit=255, source=source, destination=destination)
        self._emit(Packet.of((Ethernet(mac, self.mac, ETHER_TYPE), header, message, body), b"", cause))

    # What comes

    def receive(self, ip: IPv6, message: ICMPv6, body: bytes, ethernet: Ethernet, now: int) -> DropReason | None:
        """Take an ICMPv6 message of one of our types, its checksum verified; says why it was of no use."""
        if ip.hop_limit != 255 or message.code:
            return DropReason.MALFORMED  # RFC 4861 sections 6.1 and 7.1: what a router forwarded is not to be believed
        try:
            told, _ = MESSAGES[message.type].decode(body, 0, len(body))
        except WireError:
            return DropReason.MALFORMED
        options = list(told.options)
        if any(isinstance(each, bytes) for each in options):
            return DropReason.MALFORMED
        if isinstance(told, NeighborSolicitation):
            return self._solicited(ip, told, ethernet, now)
        if isinstance(told, NeighborAdvertisement):
            return self._advertised(ip, message, told, now)
        if isinstance(told, RouterAdvertisement):
            return self._router_advertised(ip, message, told, now)
        if isinstance(told, RouterSolicitation) and self.is_router:
            self._learn(ip.source, told.options.source, now)
            return None
        return DropReason.NOT_ACCEPTABLE

    def _learn(self, address: IPv6Address, mac: MAC | None, now: int) -> None:
        if mac is not None and any(address) and not mac.is_group:
            self._cache.heard(address, mac, now, answer=False, create=True)

    def _solicited(self, ip: IPv6, told: NeighborSolicitation, ethernet: Ethernet, now: int) -> DropReason | None:
        target, mac = told.target, told.options.source
        probe = not any(ip.source)
        if target.is_multicast or ip.source.is_multicast or (probe and mac is not None):
            return DropReason.MALFORMED
        if mac is not None and mac.is_group:
            return DropReason.BAD_ADDRESS
        if target in self.tentative and probe:
            self._lost(target, now)
            return None
        if target not in self._addresses() or ip.source in self._addresses():
            return DropReason.NOT_FOR_US
        if probe:
            self._advertise(target, ALL_NODES, _group_mac(ALL_NODES), False)
            return None
        self._learn(ip.source, mac, now)
        self._advertise(target, ip.source, mac or ethernet.source, True)
        return None

    def _advertised(self, ip: IPv6, message: ICMPv6, told: NeighborAdvertisement, now: int) -> DropReason | None:
        target = told.target
        if target.is_multicast or (message.solicited and ip.destination.is_multicast):
            return DropReason.MALFORMED
        if target in self.tentative:
            self._lost(target, now)
            return None
        neighbour = self._cache.get(target)
        if neighbour is None or target in self._addresses():
            return DropReason.NOT_ACCEPTABLE
        mac = told.options.target or neighbour.mac
        if mac is None or mac.is_group:
            return DropReason.BAD_ADDRESS
        neighbour.is_router = message.is_router
        self._cache.heard(target, mac, now, answer=message.solicited, override=message.override)
        return None

    def _router_advertised(self, ip: IPv6, message: ICMPv6, told: RouterAdvertisement, now: int) -> DropReason | None:
        if not ip.source.is_link_local:
            return DropReason.MALFORMED
        if self.is_router:
            return DropReason.NOT_ACCEPTABLE
        self._learn(ip.source, told.options.source, now)
        prefixes = tuple(each for each in told.options if isinstance(each, PrefixInformation))
        self.router_seen(RouterSeen(ip.source, message.lifetime, message.hop_limit, prefixes), now)
        return None

    def _lost(self, address: IPv6Address, now: int) -> None:
        del self.tentative[address]
        self.taken(address, now)


def solicited_node(address: IPv6Address) -> IPv6Address:
    """The group that a solicitation for `address` goes to (RFC 4291 section 2.7.1)."""
    return IPv6Address(_SOLICITED_NODE[:13] + address[13:])


def _group_mac(group: IPv6Address) -> MAC:
    return MAC(b"\x33\x33" + group[12:])
