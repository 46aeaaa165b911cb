"""Tap and Tun: members of a network that are interfaces of this machine's kernel. Where one is, time is real."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from stack.base.address import MAC, IPAddress
from stack.base.errors import StackError
from stack.base.event import DropReason
from stack.codec.packet import Packet
from stack.codec.registry import load_formats
from stack.host.settings import HostSettings
from stack.ip.route import Route
from stack.lab.answering import answer
from stack.lab.arguments import LEAST_MTU, MOST_MTU, address_with_prefix, whole
from stack.link.formats.ethernet import Ethernet
from stack.link.interface import ETHERNET_MTU, Interface, InterfaceAddress
from stack.link.tap import LONGEST_NAME, Device

if TYPE_CHECKING:
    from stack.lab.network import Network

BATCH = 64  # frames taken from the kernel before what they bring about has its turn
_DATAGRAMS = {4: 0x0800, 6: 0x86DD}  # a datagram's version → the type of the frame that carries it


class Tap:
    """The kernel's interface `name`, in a network namespace (its name, or a path), or where this process is. One link takes it.

    Link it as a host is linked: `net.link(host, net.tap("tap0", namespace="lab"), loss="1%")`. In a namespace, the kernel
    gets addresses and routes as a host does, unless `address` says which; where this process is, only what `address` says. Nothing
    that it holds outlives `close()`, or the network's. Raises `PermissionError` without root (CAP_NET_ADMIN).
    """

    has_mac = True

    def __init__(
        self, network: Network, name: str, *, namespace: str | None = None, address: str | Iterable[str] = (), mtu: int = ETHERNET_MTU
    ) -> None:
        if len(name.encode()) > LONGEST_NAME:
            raise StackError(f"{name!r} is too long for an interface of Linux, which has {LONGEST_NAME} octets at most")
        load_formats()  # before time is real: it takes a while
        self.network = network
        self.name = name
        addresses = [address_with_prefix(one) for one in (address.split() if isinstance(address, str) else address)]
        mac = network.topology.mac()
        self.device = Device(name, mac if self.has_mac else None, whole("mtu", mtu, LEAST_MTU, MOST_MTU), namespace)
        self.interface = Interface(name, mac, mtu, owner=name)
        self.interfaces = [self.interface]
        self.settings = HostSettings()  # the plan of routes asks whether it forwards
        self.routes = _Routes(self.device)
        self.output: list[tuple[Interface, Packet]] = []
        self.events: list[Any] = []
        self.deadline: int | None = None
        self.node = network.wiring.add(self)
        if namespace is None:
            network.topology.manual.append(self.interface)
        network.real_time.open(self.device.fileno(), self._take)
        try:
            for one, length in addresses:
                self.add_address(self.interface, one, length)
        except OSError as error:
            self.close()
            raise StackError(f"{name} cannot have the address {one}/{length}: {error.strerror}") from error

    # A member

    @property
    def mac(self) -> MAC:
        """The MAC address of the kernel's interface."""
        return self.interface.mac

    @property
    def addresses(self) -> list[IPAddress]:
        """What addresses the kernel has been given here."""
        self.network.update()
        return [address for address, _ in self.interface.addresses]

    @property
    def address(self) -> IPAddress:
        """The first of them."""
        for one in self.addresses:
            return one
        raise StackError(f"{self.name} has no address yet: link it to something, or give one")

    def new_interface(self) -> Interface:
        """The one there is; a link takes it."""
        if self.interface.wire is not None:
            raise StackError(f"{self.name} is one interface, and is on a link already: link it to a switch, or make another")
        return self.interface

    # An engine, as the network drives them

    def add_address(self, interface: Interface, address: IPAddress, prefix: int) -> None:
        """Give the kernel an address."""
        interface.addresses.append(InterfaceAddress(address, prefix))
        self.device.add_address(address, prefix)

    def receive(self, item: tuple[Interface, Packet], now: int) -> None:
        """A frame has come over the link: it is the kernel's."""
        if not self.device.write(bytes(item[1])):
            self.interface.drop(DropReason.LINK_DOWN)

    def _take(self, now: int) -> None:
        """The kernel has sent something: it enters the link now."""
        read, send = self.device.read, self.interface.send
        for _ in range(BATCH):
            data = read()
            if data is None:
                return
            send(Packet.parse(data), now)

    def timeout(self, now: int) -> None:
        """Never wanted."""

    def take_output(self) -> list[tuple[Interface, Packet]]:
        """What it answers by itself: nothing, as a TAP."""
        output, self.output = self.output, []
        return output

    def take_events(self) -> list[Any]:
        """Nothing."""
        return []

    def close(self) -> None:
        """The kernel's interface disappears. Closing twice is allowed."""
        self.network.real_time.close(self.device.fileno())
        self.device.close()

    def __repr__(self) -> str:
        where = f" in {self.device.namespace}" if self.device.namespace else ""
        return f"<{type(self).__name__} {self.name}{where}: {', '.join(str(own) for own in self.interface.addresses)}>"


class Tun(Tap):
    """As a Tap, without a link layer on the kernel's side: datagrams. Ours answers ARP and neighbour solicitations for it."""

    has_mac = False

    def answers_for(self, address: IPAddress) -> bool:
        """Is this an address of the kernel's?"""
        return any(address == own for own, _ in self.interface.addresses)

    def receive(self, item: tuple[Interface, Packet], now: int) -> None:
        """A frame has come over the link: the kernel gets the datagram in it."""
        packet = item[1]
        reply = answer(self, packet)
        if reply is not None:
            self.output.append((self.interface, reply))
            return
        data = bytes(packet)
        if len(data) > 14 and _DATAGRAMS.get(data[14] >> 4) == int.from_bytes(data[12:14], "big"):
            if not self.device.write(data[14:]):
                self.interface.drop(DropReason.LINK_DOWN)

    def _take(self, now: int) -> None:
        heads = {version: bytes(Ethernet(self._opposite().mac, self.mac, kind)) for version, kind in _DATAGRAMS.items()}
        for _ in range(BATCH):
            data = self.device.read()
            if data is None:
                return
            head = heads.get(data[0] >> 4) if data else None
            if head is not None:
                self.interface.send(Packet.parse(head + data), now)

    def _opposite(self) -> Interface:
        link = self.network.wiring.link_of(self.interface)
        if link is None:
            return self.interface
        return link.ends[1] if link.ends[0] is self.interface else link.ends[0]


class _Routes:
    """The routes that the network's plan gives to the kernel: in a namespace, for what is beyond its own link."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._routes: dict[Route, None] = {}

    def add(
        self, prefix: IPAddress, length: int, interface: Interface, gateway: IPAddress | None = None, metric: int = 0
    ) -> None:
        route = Route(prefix, length, interface, gateway, metric)
        if self._device.namespace is None or route in self._routes:
            return
        self._device.route(prefix, length, gateway)
        self._routes[route] = None

    def remove(self, route: Route) -> None:
        del self._routes[route]
        self._device.route(route.prefix, route.length, route.gateway, add=False)

    def __contains__(self, route: Route) -> bool:
        return route in self._routes
