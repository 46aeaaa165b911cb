"""A node: the engine of a host, a router or a switch in its place in the network, driven by the one clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from stack.codec.packet import Packet
from stack.link.interface import Interface
from stack.network.scheduler import Scheduler


class NodeEngine(Protocol):
    """What a node drives: takes `(interface, packet)` from below, and gives such pairs. `HostEngine` and `Switch` are some."""

    @property
    def name(self) -> str: ...

    @property
    def deadline(self) -> int | None: ...

    #: What `take_output` and `take_events` would give: looked at first, since mostly there is nothing.
    output: list[tuple[Interface, Packet]]
    events: list[Any]

    def receive(self, item: tuple[Interface, Packet], now: int) -> None: ...

    def timeout(self, now: int) -> None: ...

    def take_output(self) -> list[tuple[Interface, Packet]]: ...

    def take_events(self) -> list[Any]: ...


class Node:
    """Joins an engine to links: after each call into the engine, `flush()` sends what it gives and looks at its deadline.

    `tell` gets the engine's events. What runs on the node (sockets) calls the engine with `node.now`, then `flush()`.
    """

    __slots__ = ("cookies", "descriptors", "engine", "name", "names", "scheduler", "tell")

    def __init__(self, engine: Any, scheduler: Scheduler, tell: Callable[[Any], None] | None = None) -> None:
        self.engine = engine  # a NodeEngine, and more: those above ask it for endpoints
        self.scheduler = scheduler
        self.name: str = engine.name
        self.tell = tell
        self.descriptors: dict[int, Any] = {}  # what programs have open here: file number → open file
        self.cookies = 0  # numbers given to sockets that asked for one (SO_COOKIE)
        self.names: Any = None  # the directory of names that programs here look in

    @property
    def now(self) -> int:
        """Virtual time in nanoseconds."""
        return self.scheduler.now

    @property
    def deadline(self) -> int | None:
        """When the engine wants `timeout`."""
        deadline: int | None = self.engine.deadline
        return deadline

    @property
    def housekeeping(self) -> bool:
        """Its timers, for now, change nothing that a program can see."""
        return bool(getattr(self.engine, "housekeeping", False))

    def receive(self, interface: Interface, packet: Packet, now: int) -> None:
        """A frame has arrived at an interface."""
        self.engine.receive((interface, packet), now)
        self.flush()

    def timeout(self, now: int) -> None:
        """The engine's deadline has come."""
        self.engine.timeout(now)
        self.flush()

    def flush(self) -> None:
        """Put what the engine sends onto its links, pass on what it tells, see that it is woken in time."""
        engine, scheduler = self.engine, self.scheduler
        if engine.output:
            now = scheduler.now
            for interface, packet in engine.take_output():
                interface.send(packet, now)
        if engine.events:
            events = engine.take_events()
            if self.tell is not None:
                for event in events:
                    self.tell(event)
        deadline = engine.deadline
        if deadline is not None:
            scheduler.poke(self, deadline)

    def attach(self, interface: Interface) -> None:
        """What arrives at this interface comes here."""
        interface.owner = self.name
        interface.handler = self.receive

    def __repr__(self) -> str:
        return f"<Node {self.name}>"
