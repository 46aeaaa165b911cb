"""A network of simple engines: each keeps what arrives, and sends what it is told to."""

from __future__ import annotations

from typing import Any

from stack.base.address import MAC, IPAddress
from stack.base.randomness import Randomness
from stack.codec.packet import Packet
from stack.host.settings import HostSettings
from stack.ip.route import RouteTable
from stack.link.interface import Interface, InterfaceAddress
from stack.link.link import Link
from stack.link.switch import Switch
from stack.network.node import Node
from stack.network.scheduler import Scheduler
from stack.network.topology import Topology
from stack.network.wiring import Wiring


class Station:
    """An engine without protocols: `got` holds (time, interface, packet); `answer` makes it send each frame back."""

    def __init__(self, name: str, forwarding: bool = False, answer: bool = False) -> None:
        self.name = name
        self.settings = HostSettings(forwarding=forwarding)
        self.routes = RouteTable()
        self.answer = answer
        self.interfaces: list[Interface] = []
        self.deadline: int | None = None
        self.got: list[tuple[int, Interface, Packet]] = []
        self.output: list[tuple[Interface, Packet]] = []
        self.events: list[Any] = []
        self.woken: list[int] = []

    def interface(self, mac: MAC | None = None) -> Interface:
        made = Interface(f"eth{len(self.interfaces)}", mac)
        self.interfaces.append(made)
        return made

    def add_address(self, interface: Interface, address: IPAddress, prefix: int) -> None:
        interface.addresses.append(InterfaceAddress(address, prefix))

    def receive(self, item: tuple[Interface, Packet], now: int) -> None:
        self.got.append((now, *item))
        if self.answer:
            self.output.append(item)

    def timeout(self, now: int) -> None:
        self.deadline = None
        self.woken.append(now)

    def take_output(self) -> list[tuple[Interface, Packet]]:
        output, self.output = self.output, []
        return output

    def take_events(self) -> list[Any]:
        return []


class Net:
    """Stations by name, links as they are asked for."""

    def __init__(self, seed: int = 1, wire: str | None = None) -> None:
        self.scheduler = Scheduler()
        self.wiring = Wiring(self.scheduler, Randomness(seed), wire)
        self.topology = Topology(self.wiring)

    def station(self, name: str, **options: Any) -> Station:
        made = Station(name, **options)
        self.wiring.add(made)
        return made

    def stations(self, names: str) -> list[Station]:
        return [self.station(name) for name in names.split()]

    def router(self, name: str) -> Station:
        return self.station(name, forwarding=True)

    def switch(self, name: str, **options: Any) -> Switch:
        made = Switch(name, **options)
        self.wiring.add(made)
        return made

    def link(self, a: Station | Switch, b: Station | Switch, **settings: Any) -> Link:
        ends = []
        for one in (a, b):
            mac = self.topology.mac()
            ends.append(one.port(mac) if isinstance(one, Switch) else one.interface(mac))
            ends[-1].owner = one.name
        return self.wiring.connect(*ends, **settings)

    def node(self, station: Any) -> Node:
        return self.wiring.nodes[station.name]

    def send(self, station: Station, *packets: Packet, port: int = 0) -> None:
        station.output += [(station.interfaces[port], packet) for packet in packets]
        self.node(station).flush()

    def run(self, until: int | None = None) -> None:
        while (time := self.scheduler.next_time()) is not None and (until is None or time <= until):
            self.scheduler.step()
        self.scheduler.now = max(self.scheduler.now, until or 0)
