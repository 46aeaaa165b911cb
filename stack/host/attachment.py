"""What a host keeps for one of its interfaces: the neighbours, and the way from a datagram to a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stack.base.address import MAC, IPAddress, IPv4Address, IPv6Address
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.host.addresses import Cast, group_mac
from stack.ip.arp import AddressResolution
from stack.ip.discovery import Discovery
from stack.ip.neighbour import Neighbour, NeighbourCache, State
from stack.link.formats.ethernet import Ethernet
from stack.link.interface import Interface

if TYPE_CHECKING:
    from stack.host.host import HostEngine

IPV4_TYPE = 0x0800
IPV6_TYPE = 0x86DD
_FRAMES = 4096
NOBODY = MAC(0)


class Outgoing(NamedTuple):
    """A datagram on its way out: headers and payload, or no headers and its octets. `origin`: the frame it is forwarded from."""

    headers: tuple[Header, ...]
    payload: bytes
    cause: str | None
    origin: Packet | None = None

    def octets(self) -> bytes:
        """The datagram as it will be on the wire."""
        return Packet.of(self.headers, self.payload).rebuild() if self.headers else self.payload


class TimedCache(NeighbourCache):
    """A neighbour cache among the timers of a host."""

    scheduled: int | None = None
    scheduled_idle = False


class Attachment:
    """One interface of a host."""

    def __init__(self, host: HostEngine, interface: Interface) -> None:
        self.host = host
        self.interface = interface
        self._ethernets: dict[tuple[MAC, int], Ethernet] = {}
        self._self = Neighbour(IPv4Address.LOOPBACK, State.PERMANENT, NOBODY)
        self._self.fresh = True
        stream = host.randomness.at(host.name, "neighbours", interface.name)
        limit = host.settings.neighbours
        self.neighbours4 = TimedCache(
            stream, lambda to, mac, now: self.arp.solicit(to, mac, now),
            lambda item, mac, now: self._frame(mac, IPV4_TYPE, item), host.unreachable, host.overflow, limit,
        )
        self.neighbours6 = TimedCache(
            stream, lambda to, mac, now: self.discovery.solicit(to, mac, now),
            lambda item, mac, now: self._frame(mac, IPV6_TYPE, item), host.unreachable, host.overflow, limit,
        )
        self.arp = AddressResolution(interface.mac, self.addresses4, self.neighbours4, self.emit)
        self.discovery = Discovery(interface.mac, self.addresses6, self.neighbours6, self.emit)

    def addresses4(self) -> list[IPv4Address]:
        """Our IPv4 addresses here."""
        return [address for address, _ in self.interface.addresses if isinstance(address, IPv4Address)]

    def addresses6(self) -> list[IPv6Address]:
        """Our IPv6 addresses here."""
        return [address for address, _ in self.interface.addresses if isinstance(address, IPv6Address)]

    def cache(self, address: IPAddress) -> TimedCache:
        """The neighbours of this address's IP version."""
        return self.neighbours4 if len(address) == IPv4Address.length else self.neighbours6

    def emit(self, packet: Packet) -> None:
        """Send a frame."""
        self.host.output.append((self.interface, packet))

    def ethernet(self, mac: MAC, type: int) -> Ethernet:
        """The Ethernet header to `mac`: one value serves all frames."""
        header = self._ethernets.get((mac, type))
        if header is None:
            if len(self._ethernets) >= _FRAMES:
                self._ethernets.clear()
            header = self._ethernets[mac, type] = Ethernet(mac, self.interface.mac, type)
        return header

    def transmit(self, next_hop: IPAddress, cast: Cast, item: Outgoing, now: int, loop: bool = True) -> Neighbour | None:
        """Send a datagram to `next_hop`, now or when its link address is known; the neighbour, if it is one that is known.

        `loop`: we hear ourselves what we send to all, or to a group that we listen to (RFC 1112 section 7.2).
        """
        type = IPV4_TYPE if len(next_hop) == IPv4Address.length else IPV6_TYPE
        if self.interface.loopback:
            self._frame(NOBODY, type, item)
            return self._self
        if cast is Cast.BROADCAST or cast is Cast.MULTICAST:
            mac = MAC.BROADCAST if cast is Cast.BROADCAST else group_mac(next_hop)
            self._frame(mac, type, item)
            if loop and (cast is Cast.BROADCAST or self.host.addresses.listens(next_hop, self.interface)):
                packet = Packet.parse(bytes(self.ethernet(mac, type)) + item.octets(), cause=item.cause)
                self.host.soon.append((self.host.accept, (self.interface, packet)))
            return None
        cache = self.cache(next_hop)
        neighbour = cache.send(next_hop, item, now)
        self.host.timers.arm(cache)
        if neighbour is not None and neighbour.mac is not None:
            self._frame(neighbour.mac, type, item)
        return neighbour

    def _frame(self, mac: MAC, type: int, item: Outgoing) -> None:
        ethernet = self.ethernet(mac, type)
        if item.headers:
            packet = Packet.of((ethernet, *item.headers), item.payload, item.cause)
        else:
            packet = Packet.parse(bytes(ethernet) + item.payload, cause=item.cause)
        self.host.output.append((self.interface, packet))
