"""A trivial wire between host engines: no links, no network, one millisecond each way, driven by hand."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable
from typing import Any

from stack.base.address import MAC, ip_address
from stack.base.randomness import Randomness
from stack.codec.packet import Packet
from stack.host.host import HostEngine
from stack.host.settings import HostSettings
from stack.link.interface import Interface

MILLISECOND = 1_000_000
SECOND = 1000 * MILLISECOND
_STEPS = 100_000
BYTES = os.environ.get("STACK_WIRE") == "bytes"


class World:
    """Host engines, joined by cables; `run()` until nothing but housekeeping is due."""

    def __init__(self, seed: int = 1, as_bytes: bool = BYTES) -> None:
        self.randomness = Randomness(seed)
        self.as_bytes = as_bytes
        self.now = 0
        self.hosts: list[HostEngine] = []
        self.log: list[tuple[int, str, Packet]] = []  # time, sender, frame
        self.filter: Callable[[str, Packet], list[Packet]] = lambda sender, packet: [packet]
        self._peers: dict[Interface, list[tuple[HostEngine, Interface]]] = {}
        self._queue: list[tuple[int, int, HostEngine, Interface, Packet]] = []
        self._order = 0

    def host(self, name: str, *addresses: str, **settings: Any) -> HostEngine:
        """A host with an interface for each text of addresses such as "10.0.0.1/24 2001:db8::1/64"."""
        engine = HostEngine(name, self.randomness, HostSettings(**settings))
        self.hosts.append(engine)
        for number, text in enumerate(addresses):
            interface = Interface(f"eth{number}", MAC(bytes([2, 0, 0, 0, len(self.hosts), number + 1])), owner=name)
            interface.wire = _Tap(self, engine, interface)
            self._peers[interface] = []
            engine.add_interface(interface)
            for each in text.split():
                address, prefix = each.split("/")
                engine.add_address(interface, ip_address(address), int(prefix))
        return engine

    def cable(self, *ends: tuple[HostEngine, int]) -> None:
        """Join interfaces: what one sends, all others get."""
        joined = [(host, host.interfaces[number + 1]) for host, number in ends]
        for _, interface in joined:
            self._peers[interface] = [end for end in joined if end[1] is not interface]

    def sent(self, sender: HostEngine, interface: Interface, packet: Packet, now: int) -> None:
        """A frame leaves a host."""
        self.log.append((now, sender.name, packet))
        for each in self.filter(sender.name, packet):
            for host, peer in self._peers[interface]:
                self._order += 1
                arriving = Packet.parse(bytes(each), cause=each.cause) if self.as_bytes else each
                heapq.heappush(self._queue, (now + MILLISECOND, self._order, host, peer, arriving))

    def flush(self) -> None:
        """Put what the hosts have to send onto the cables."""
        for host in self.hosts:
            for interface, packet in host.take_output():
                interface.send(packet, self.now)

    def run(self, until: int | None = None) -> None:
        """Until `until` (ns), or until nothing but housekeeping is due."""
        self.flush()
        for _ in range(_STEPS):
            due = min((host.deadline for host in self.hosts if host.deadline is not None), default=None)
            arriving = self._queue[0][0] if self._queue else None
            times = [time for time in (due, arriving) if time is not None]
            if not times or (until is not None and min(times) > until):
                break
            if until is None and arriving is None and all(host.housekeeping for host in self.hosts):
                break
            self.now = max(self.now, min(times))
            if arriving is not None and arriving <= self.now:
                _, _, host, interface, packet = heapq.heappop(self._queue)
                host.receive((interface, packet), self.now)
            else:
                for host in self.hosts:
                    if host.deadline is not None and host.deadline <= self.now:
                        host.timeout(self.now)
            self.flush()
        else:
            raise AssertionError(f"not quiet after {_STEPS} steps, at {self.now} ns")
        if until is not None:
            self.now = max(self.now, until)

    def seen(self, kind: type, sender: HostEngine | None = None) -> list[Packet]:
        """The frames so far that hold a header of this type."""
        return [packet for _, name, packet in self.log if kind in packet and (sender is None or sender.name == name)]


class _Tap:
    """An interface's wire: into the world."""

    def __init__(self, world: World, host: HostEngine, interface: Interface) -> None:
        self.send = lambda packet, now: world.sent(host, interface, packet, now)
        self.entered = self.delivered = self.octets_entered = self.octets_delivered = 0


def pair(**settings: Any) -> tuple[World, HostEngine, HostEngine]:
    """Two hosts on one cable, with addresses of both versions."""
    world = World()
    a = world.host("a", "10.0.0.1/24 2001:db8::1/64", **settings)
    b = world.host("b", "10.0.0.2/24 2001:db8::2/64", **settings)
    world.cable((a, 0), (b, 0))
    return world, a, b


def routed(mtu: int = 1500, **settings: Any) -> tuple[World, HostEngine, HostEngine, HostEngine]:
    """Host a, router r, host b; the router's second link has an MTU of `mtu`."""
    world = World()
    a = world.host("a", "10.0.1.1/24 2001:db8:1::1/64", **settings)
    router = world.host("r", "10.0.1.254/24 2001:db8:1::fe/64", "10.0.2.254/24 2001:db8:2::fe/64", forwarding=True)
    b = world.host("b", "10.0.2.1/24 2001:db8:2::1/64", **settings)
    world.cable((a, 0), (router, 0))
    world.cable((router, 1), (b, 0))
    router.interfaces[2].mtu = b.interfaces[1].mtu = mtu
    for host, gateways in ((a, ("10.0.1.254", "2001:db8:1::fe")), (b, ("10.0.2.254", "2001:db8:2::fe"))):
        host.routes.add(ip_address("0.0.0.0"), 0, host.interfaces[1], ip_address(gateways[0]))
        host.routes.add(ip_address("::"), 0, host.interfaces[1], ip_address(gateways[1]))
    return world, a, router, b
