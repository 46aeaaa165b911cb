"""The engine of a host, and of a router: interfaces, IPv4 and IPv6, ICMP, UDP, TCP, put together (RFC 1122, RFC 1812)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from stack.base.address import MAC, IPAddress, IPv4Address, IPv6Address, ip_address
from stack.base.errors import WireError
from stack.base.event import Drop, DropReason
from stack.base.randomness import Randomness
from stack.codec.fields import Sealed
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.host.addresses import ALL_ROUTERS, Addresses, link_local
from stack.host.attachment import IPV4_TYPE, IPV6_TYPE, Attachment, Outgoing
from stack.host.counters import HostCounters, counters
from stack.host.groups import ALL_ROUTERS_V4, Groups
from stack.host.icmp import IcmpLayer
from stack.host.icmpv6 import Icmpv6Layer
from stack.host.ipv4 import LINK, IPv4Layer
from stack.host.ipv6 import IPv6Layer
from stack.host.netstat import Netstat, netstat
from stack.host.settings import HostSettings
from stack.host.tcp import TcpLayer
from stack.host.timers import Timers
from stack.host.udp import UdpLayer
from stack.ip.formats.icmp import HOST, ICMP, PORT, UNREACHABLE
from stack.ip.formats.icmpv6 import ADDRESS, ICMPv6
from stack.ip.formats.icmpv6 import PORT as PORT_V6
from stack.ip.formats.icmpv6 import UNREACHABLE as UNREACHABLE_V6
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.ip.path_mtu import PathMTU
from stack.ip.route import Route, RouteTable
from stack.link.formats.arp import ARP
from stack.link.interface import Interface
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP

ARP_TYPE = 0x0806
_LOOPBACK_MTU = 65536


class _Loop:
    """What the loopback interface sends into, and what comes out of it: the host's own input, next."""

    def __init__(self, soon: deque[Any], take: Callable[[Interface, Packet], None], interface: Interface) -> None:
        self._soon = soon
        self._take = take
        self._interface = interface
        self.entered = self.delivered = 0
        self.octets_entered = self.octets_delivered = 0

    def _send(self, packet: Packet, now: int) -> None:
        self.entered = self.delivered = self.entered + 1
        self.octets_entered = self.octets_delivered = self.octets_entered + len(packet)
        self._soon.append((self._take, (self._interface, packet)))

    @property
    def send(self) -> Callable[[Packet, int], None]:
        """Deliver a frame to the host that sent it."""
        return self._send


class HostEngine:
    """A host. `receive((interface, packet), now)`, `timeout(now)` at `deadline`, `take_output() -> [(interface, packet)]`.

    Nothing that comes from a wire raises: a frame that is not consumed is counted in `drops`, by its reason.
    """

    def __init__(self, name: str, randomness: Randomness, settings: HostSettings | None = None) -> None:
        self.name = name
        self.randomness = randomness
        self.settings = settings or HostSettings()
        self.now = 0
        self.output: list[tuple[Interface, Packet]] = []
        self.soon: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()  # done at the next timeout, which is due
        self.drops: dict[DropReason, int] = {}
        self.events: list[Drop] = []
        self.interfaces: list[Interface] = []
        self.attachments: dict[Interface, Attachment] = {}
        self.addresses = Addresses()
        self.routes = RouteTable()
        self.path_mtu = PathMTU()
        self.timers = Timers()
        self.groups = Groups(self)
        self.ipv4 = IPv4Layer(self)
        self.ipv6 = IPv6Layer(self)
        self.icmp = IcmpLayer(self)
        self.icmpv6 = Icmpv6Layer(self)
        self.udp = UdpLayer(self)
        self.tcp = TcpLayer(self)
        loopback = Interface("lo", MAC(0), _LOOPBACK_MTU, loopback=True, owner=name)
        loopback.wire = loopback.source = _Loop(self.soon, self.take, loopback)
        self.loopback = self.add_interface(loopback)
        self.add_address(loopback, IPv4Address.LOOPBACK, 8)
        self.add_address(loopback, IPv6Address.LOOPBACK, 128)

    # Interfaces, addresses, routes

    def add_interface(self, interface: Interface) -> Attachment:
        """Give the host an interface; with it comes a link-local IPv6 address when its first IPv6 address does."""
        self.interfaces.append(interface)
        attachment = self.attachments[interface] = Attachment(self, interface)
        if self.settings.forwarding:
            attachment.discovery.is_router = True
            for group in (ALL_ROUTERS_V4, ALL_ROUTERS):
                self.addresses.join(group, interface)
        return attachment

    def add_address(self, interface: Interface, address: IPAddress, prefix: int) -> Route | None:
        """Give an interface an address, usable at once, and its subnet's route; the first IPv6 one brings a link-local one."""
        if isinstance(address, IPv6Address) and not interface.loopback and not self.addresses.of(interface, IPv6Address):
            own = link_local(interface.mac)
            if own != address:
                self.addresses.add(interface, own, 64)
            self.routes.add(own, 64, interface, metric=256)
        self.addresses.add(interface, address, prefix)
        self.routes.changed()
        return self.routes.add(address, prefix, interface) if prefix < 8 * len(address) else None

    def add_route(self, prefix: str, gateway: str | None = None, interface: Interface | None = None, metric: int = 0) -> Route:
        """A route from text: "192.168.0.0/16" or "default". Without an interface: the one that leads to the gateway."""
        via = None if gateway is None else ip_address(gateway)
        if prefix == "default":
            prefix = "::/0" if isinstance(via, IPv6Address) else "0.0.0.0/0"
        text, _, length = prefix.partition("/")
        network = ip_address(text)
        if interface is None:
            found = None if via is None else self.routes.lookup(via)
            if found is None:
                raise ValueError(f"gateway is {gateway}, for {prefix}; expected a neighbour, or give the interface")
            interface = found.interface
        return self.routes.add(network, int(length) if length else 8 * len(network), interface, via, metric)

    def remove_address(self, interface: Interface, address: IPAddress) -> None:
        """Take an address, and its subnet's route if no other address needs it; raises `KeyError`."""
        prefix = self.addresses.remove(interface, address)
        others = [other for other, length in interface.addresses if length == prefix and len(other) == len(address)]
        for route in list(self.routes):
            if route.interface is interface and route.length == prefix and route.gateway is None and len(route.prefix) == len(address):
                shift = 8 * len(address) - prefix
                if int(address) >> shift == int(route.prefix) >> shift and not any(
                    int(other) >> shift == int(address) >> shift for other in others
                ):
                    self.routes.remove(route)
        self.routes.changed()

    def netstat(self) -> Netstat:
        """Its sockets; `print` shows them as `netstat -an` does."""
        return netstat(self)

    def counters(self) -> HostCounters:
        """What it has counted until now, by Linux's names; `print` shows it as `nstat` does."""
        return counters(self)

    # The engine

    @property
    def deadline(self) -> int | None:
        """When `timeout` is wanted."""
        return self.now if self.soon else self.timers.earliest()

    @property
    def housekeeping(self) -> bool:
        """What the deadline brings changes nothing that a program can see."""
        return not self.soon and self.timers.housekeeping

    def receive(self, item: tuple[Interface, Packet], now: int) -> None:
        """Take a frame that arrived at an interface."""
        self.now = now
        interface, packet = item
        headers = packet._headers
        if headers is None or len(headers) != 3 or not self._take_headers(interface, packet, headers):
            self.accept(interface, packet)

    def take(self, interface: Interface, packet: Packet) -> None:
        """Take a frame now."""
        headers = packet._headers  # a frame that travels as headers shows them; others are taken as octets
        if headers is None or len(headers) != 3 or not self._take_headers(interface, packet, headers):
            self.accept(interface, packet)

    def timeout(self, now: int) -> None:
        """Do what is due."""
        self.now = now
        for _ in range(len(self.soon)):
            function, arguments = self.soon.popleft()
            function(*arguments)
        self.timers.timeout(now)

    def take_output(self) -> list[tuple[Interface, Packet]]:
        """The frames to be sent, in order."""
        output, self.output = self.output, []
        return output

    def take_events(self) -> list[Drop]:
        """The drops since last asked, the first `settings.events` of them."""
        if not self.events:
            return []
        events, self.events = self.events, []
        return events

    def send_raw(self, interface: Interface, packet: Packet) -> None:
        """Send a frame as it is."""
        self.output.append((interface, packet))

    def drop(self, reason: DropReason, packet: Packet | None) -> None:
        """Count a frame that ended here."""
        self.drops[reason] = self.drops.get(reason, 0) + 1
        if len(self.events) < self.settings.events:
            self.events.append(Drop(self.now, self.name, reason, packet))

    # Frames

    def _take_headers(self, interface: Interface, packet: Packet, headers: tuple[Any, ...]) -> bool:
        """A whole TCP or UDP datagram that travels as headers, whose lengths and checksums are right by definition.

        False: it is something else, to be taken as octets.
        """
        ethernet, ip, upper = headers
        kind, v4 = type(upper), type(ip) is IPv4
        if kind is not TCP and kind is not UDP:
            return False
        if v4:
            if (
                ip.checksum is not Sealed or ip.total_length is not Sealed or ip.header_length is not Sealed
                or ip.flags & 1 or ip.fragment_offset or ip._options or ip.version != 4
            ):  # fmt: skip
                return False
            number = ip.protocol
        elif type(ip) is IPv6 and ip.payload_length is Sealed and ip.version == 6:
            number = ip.next_header
        else:
            return False
        if upper.checksum is not Sealed or ethernet.destination != interface.mac or packet._trailer:
            return False
        if kind is TCP:
            if upper.data_offset is not Sealed or number != 6:
                return False
            connection = self.tcp.connections.get((ip.destination, upper.destination, ip.source, upper.source))
            if connection is not None:
                text = packet._payload if packet._kind is Header else None  # as made: it follows the last header
                self.tcp.segment_in(connection, upper, packet.after(TCP) if text is None else text, ip.ecn)
                return True
        elif upper.length is not Sealed or number != 17:
            return False
        layer = self.ipv4 if v4 else self.ipv6
        if ethernet.type != (IPV4_TYPE if v4 else IPV6_TYPE):
            return False
        if not layer.acceptable(ip, interface):
            self.drop(DropReason.BAD_ADDRESS, packet)
        elif layer.local(ip.destination, interface):
            take: Any = self.tcp.take if kind is TCP else self.udp.take
            take(ip, upper, packet.after(kind), interface, packet)
        else:
            layer.pass_on_headers(ip, upper, interface, packet)
        return True

    def accept(self, interface: Interface, packet: Packet) -> None:
        """Take a frame as octets."""
        try:
            data = bytes(packet)
        except WireError:
            self.drop(DropReason.MALFORMED, packet)
            return
        if len(data) < LINK:
            self.drop(DropReason.MALFORMED, packet)
        elif data[:6] != interface.mac and not data[0] & 1:  # the I/G bit: broadcast and multicast
            self.drop(DropReason.NOT_FOR_US, packet)
        elif (kind := data[12] << 8 | data[13]) == IPV4_TYPE:
            self.ipv4.receive(interface, packet, data)
        elif kind == IPV6_TYPE:
            self.ipv6.receive(interface, packet, data)
        elif kind == ARP_TYPE:
            self._arp(interface, packet, data)
        else:
            self.drop(DropReason.UNKNOWN_TYPE, packet)

    def _arp(self, interface: Interface, packet: Packet, data: bytes) -> None:
        attachment = self.attachments[interface]
        try:
            arp, _ = ARP.decode(data, LINK, len(data))
        except WireError:
            self.drop(DropReason.MALFORMED, packet)
            return
        reason = attachment.arp.receive(arp, self.now)
        self.timers.arm(attachment.neighbours4)
        if reason is not None:
            self.drop(reason, packet)

    # What the layers tell each other

    def port_unreachable(self, ip: Any, interface: Interface, packet: Packet) -> None:
        """No endpoint on a UDP datagram's port (RFC 1122 section 4.1.3.1)."""
        if type(ip) is IPv4:
            self.icmp.unreachable(ip, interface, packet, PORT)
        else:
            self.icmpv6.unreachable(ip, interface, packet, PORT_V6)

    def overflow(self, item: Outgoing) -> None:
        """Too many datagrams waited for a neighbour."""
        self.drop(DropReason.QUEUE_FULL, item.origin)

    def unreachable(self, address: IPAddress, items: list[Outgoing], now: int) -> None:
        """A neighbour does not answer: whoever sent what waited for it is told (RFC 1122 section 2.3.2.1, RFC 4861 7.2.2)."""
        for item in items:
            self.drop(DropReason.UNREACHABLE, item.origin)
            self.soon.append((self._tell_unreachable, (address, item)))

    def _tell_unreachable(self, address: IPAddress, item: Outgoing) -> None:
        v4 = len(address) == IPv4Address.length
        origin = item.origin
        if origin is None:
            if v4:
                self.icmp.quoted(IPv4Address.LOOPBACK, ICMP(UNREACHABLE, HOST), item.octets(), None)
            else:
                self.icmpv6.quoted(IPv6Address.LOOPBACK, ICMPv6(UNREACHABLE_V6, ADDRESS), item.octets(), None)
            return
        interface = next(each for each in self.interfaces if not each.loopback)
        if v4:
            self.icmp.unreachable(origin[IPv4], interface, origin, HOST)
        else:
            self.icmpv6.unreachable(origin[IPv6], interface, origin, ADDRESS)
