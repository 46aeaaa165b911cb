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
    """A direction of a link, as an interface sees it; it counts what goes in and what comes out."""

    entered: int
    octets_entered: int
    delivered: int
    octets_delivered: int

    @property
    def send(self) -> Callable[[Packet, int], None]: ...


class Interface:
    """A name, a MAC address, an MTU (octets after the Ethernet header), addresses, counters and taps.

    `wire` takes what is sent, out of `source` comes what arrives, `handler(interface, packet, now)` gets it: all set by
    whoever connects it. `drops` counts what could not be sent or received because the interface is down or unconnected.
    A tap is called `(time in ns, packet, interface, outgoing)` for each frame, once, and must not change anything.
    """

    __slots__ = (
        "_refused", "_refused_octets", "addresses", "drops", "handler", "loopback", "mac", "mtu", "name", "owner",
        "source", "taps", "up", "wire",
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
        self.source: Wire | None = None
        self.handler: Callable[[Interface, Packet, int], None] | None = None
        self._refused = self._refused_octets = 0
        self.drops: dict[DropReason, int] = {}

    def send(self, packet: Packet, now: int) -> None:
        """Hand a frame to the link."""
        wire = self.wire
        if wire is None or not self.up:
            self.drop(DropReason.LINK_DOWN)
            return
        if self.taps:
            for tap in self.taps:
                tap(now, packet, self, True)
        wire.send(packet, now)

    def receive(self, packet: Packet, now: int) -> None:
        """Take a frame that the link delivers."""
        handler = self.handler
        if handler is None or not self.up:
            self._refused += 1
            self._refused_octets += len(packet)
            self.drop(DropReason.LINK_DOWN)
            return
        if self.taps:
            for tap in self.taps:
                tap(now, packet, self, False)
        handler(self, packet, now)

    def drop(self, reason: DropReason) -> None:
        """Count a frame that ended here."""
        self.drops[reason] = self.drops.get(reason, 0) + 1

    @property
    def packets_out(self) -> int:
        """Frames sent."""
        return self.wire.entered if self.wire is not None else 0

    @property
    def octets_out(self) -> int:
        """Octets of the frames sent."""
        return self.wire.octets_entered if self.wire is not None else 0

    @property
    def packets_in(self) -> int:
        """Frames received."""
        return self.source.delivered - self._refused if self.source is not None else 0

    @property
    def octets_in(self) -> int:
        """Octets of the frames received."""
        return self.source.octets_delivered - self._refused_octets if self.source is not None else 0

    def __repr__(self) -> str:
        where = f" of {self.owner}" if self.owner else ""
        return f"<Interface {' '.join([self.name + where, str(self.mac), *map(str, self.addresses)])}>"
