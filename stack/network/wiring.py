"""Which interface is on which link: nodes, links, and the one way by which frames travel between them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from stack.base.address import MAC
from stack.base.errors import StackError
from stack.base.event import Drop, Event
from stack.base.randomness import Randomness
from stack.link.interface import Interface
from stack.link.link import Link
from stack.link.switch import Switch
from stack.network.node import Node
from stack.network.partition import Partition
from stack.network.scheduler import Scheduler
from stack.network.spanning_tree import span

WIRE_MODES = ("objects", "bytes")


def wire_mode(wanted: str | None = None) -> str:
    """How frames travel: "objects", or "bytes" (argument, or else STACK_WIRE in the environment). Only speed differs."""
    mode = wanted or os.environ.get("STACK_WIRE") or "objects"
    if mode not in WIRE_MODES:
        raise StackError(f"wire mode is {mode!r}; expected one of {', '.join(WIRE_MODES)}")
    return mode


class Wiring:
    """Nodes and links by name, in the order of their making. `listeners` get each `Drop` and `Event` of links and nodes."""

    def __init__(
        self, scheduler: Scheduler, randomness: Randomness, wire: str | None = None, link_type: type[Link] = Link
    ) -> None:
        self.scheduler = scheduler
        self.randomness = randomness
        self.wire_mode = wire_mode(wire)
        self.link_type = link_type
        self.nodes: dict[str, Node] = {}
        self.links: dict[str, Link] = {}
        self.listeners: list[Callable[[Drop | Event], None]] = []
        self.macs: dict[MAC, Interface] = {}  # those on links
        self._link_of: dict[Interface, Link] = {}
        self.partitions: list[Partition] = []  # those in force
        self.on_change: list[Callable[[], None]] = []  # called when nodes or links are added

    def add(self, engine: Any) -> Node:
        """Give an engine (of a host, a router, a switch) its place. Names are unique."""
        if engine.name in self.nodes:
            raise StackError(f"there is a node {engine.name!r} already")
        node = self.nodes[engine.name] = Node(engine, self.scheduler, self.tell)
        for interface in interfaces_of(node):
            node.attach(interface)
        self.changed()
        return node

    def connect(self, a: Interface, b: Interface, *, name: str | None = None, **settings: Any) -> Link:
        """Join two interfaces by a link; settings are those of `Link`. Nodes' interfaces find their nodes.

        An `mtu` given here is that of the two interfaces as well: hosts keep to it. Changed later on the link alone, it makes
        a link that swallows long frames.
        """
        for interface in (a, b):
            if interface.wire is not None:
                raise StackError(f"{interface!r} is on a link already")
            if interface.handler is None:
                self._attach(interface)
        if a is b:
            raise StackError(f"{a!r} cannot be both ends of a link")
        link = self.link_type(
            self._free_name(name or f"{a.owner or a.name}-{b.owner or b.name}"), (a, b), self.randomness,
            self.scheduler.poke, self._clock, self.tell, as_bytes=self.wire_mode == "bytes", **settings,
        )  # fmt: skip
        self.links[link.name] = link
        for interface in (a, b):
            interface.mtu = interface.mtu if link.mtu is None else link.mtu
            self._link_of[interface] = link
            self.macs.setdefault(interface.mac, interface)
        for partition in self.partitions:
            partition.cover(link)
        if all(isinstance(self._engine(end), Switch) for end in link.ends):
            link.on_change.append(lambda link: self._span())
            self._span()
        self.changed()
        return link

    def partition(self, *groups: Iterable[Any]) -> Partition:
        """Let no frame pass between these groups of nodes (or names), until the partition is removed, or its `with` ends."""
        return Partition(self, groups)

    def link_of(self, interface: Interface) -> Link | None:
        """The link that an interface is on."""
        return self._link_of.get(interface)

    def tell(self, event: Drop | Event) -> None:
        """Pass on what links and nodes tell."""
        for listener in self.listeners:
            listener(event)

    def changed(self) -> None:
        """There are other nodes or links than before."""
        for listener in self.on_change:
            listener()

    def _attach(self, interface: Interface) -> None:
        owner = self.nodes.get(interface.owner)
        if owner is not None:
            owner.attach(interface)
            return
        for node in self.nodes.values():
            if any(own is interface for own in interfaces_of(node)):
                node.attach(interface)

    def _engine(self, interface: Interface) -> Any:
        node = self.nodes.get(interface.owner)
        return None if node is None else node.engine

    def _span(self) -> None:
        engines = (node.engine for node in self.nodes.values())
        span((engine for engine in engines if isinstance(engine, Switch)), self.links.values())

    def _clock(self) -> int:
        return self.scheduler.now

    def _free_name(self, name: str) -> str:
        """A second link between the same two gets a number: names are those of random streams too."""
        if name not in self.links:
            return name
        count = 2
        while f"{name} {count}" in self.links:
            count += 1
        return f"{name} {count}"


def interfaces_of(node: Node) -> Iterator[Interface]:
    """The interfaces of a node's engine, in order, without loopback."""
    interfaces: Iterable[Interface] = node.engine.interfaces
    if isinstance(interfaces, dict):
        interfaces = interfaces.values()
    return (interface for interface in interfaces if not interface.loopback)
