"""An interface: where a host, a router or a switch meets a link (RFC 1122 section 2, RFC 2863 counters)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from stack.base.address import MAC, IPAddress
from stack.base.event import DropReason
from stack.codec.packet import Packet

ETHERNET_MTU = 1500


class InterfaceAddress(NamedTuple):
    """An address of an interface, and how many of its leading bits name the subnet."""

    address: IPAddress
    prefix: int

    def __str__(self) -> str:
        return f"{self.address}/{self.prefix}"


class Wire(Protocol):
    """What an interface sends into: a direction of a link."""

    @property
    def send(self) -> Callable[[Packet, int], None]: ...


class Interface:
    """A name, a MAC address, an MTU (octets after the Ethernet header), addresses, counters and taps.

    `wire` takes what is sent, `handler(interface, packet, now)` gets what arrives; both are set by whoever connects it.
    A tap is called `(time in ns, packet, interface, outgoing)` for each frame, once, and must not change anything.
    """

    __slots__ = (
        "addresses", "drops", "handler", "loopback", "mac", "mtu", "name", "octets_in", "octets_out", "owner",
        "packets_in", "packets_out", "taps", "up", "wire",
    )  # fmt: skip

    def __init__(
        self, name: str, mac: MAC | str | None = None, mtu: int = ETHERNET_MTU, *, loopback: bool = False, owner: str = ""
    ) -> None:
        self.name = name
        self.mac = MAC(0) if mac is None else MAC(mac)
        self.mtu = mtu
        self.loopback = loopback
        self.owner = owner
        self.up = True
        self.addresses: list[InterfaceAddress] = []
        self.taps: list[Callable[[int, Packet, Interface, bool], None]] = []
        self.wire: Wire | None = None
        self.handler: Callable[[Interface, Packet, int], None] | None = None
        self.packets_in = self.packets_out = 0
        self.octets_in = self.octets_out = 0
        self.drops: dict[DropReason, int] = {}

    def send(self, packet: Packet, now: int) -> None:
        """Hand a frame to the link."""
        wire = self.wire
        if wire is None or not self.up:
            self.drop(DropReason.LINK_DOWN)
            return
        self.packets_out += 1
        self.octets_out += len(packet)
        if self.taps:
            for tap in self.taps:
                tap(now, packet, self, True)
        wire.send(packet, now)

    def receive(self, packet: Packet, now: int) -> None:
        """Take a frame that the link delivers."""
        handler = self.handler
        if handler is None or not self.up:
            self.drop(DropReason.LINK_DOWN)
            return
        self.packets_in += 1
        self.octets_in += len(packet)
        if self.taps:
            for tap in self.taps:
                tap(now, packet, self, False)
        handler(self, packet, now)

    def drop(self, reason: DropReason) -> None:
        """Count a frame that ended here."""
        self.drops[reason] = self.drops.get(reason, 0) + 1

    def __repr__(self) -> str:
        where = f" of {self.owner}" if self.owner else ""
        return f"<Interface {' '.join([self.name + where, str(self.mac), *map(str, self.addresses)])}>"
