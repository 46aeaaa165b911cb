"""Emulated worlds, wired by hand: one host and its loopback, or two hosts with a link between them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from stack.base.address import IPv4Address, IPv6Address
from stack.base.randomness import Randomness
from stack.host.host import HostEngine
from stack.link.interface import Interface
from stack.network.node import Node
from stack.network.place import inside
from stack.network.programs import Programs
from stack.network.scheduler import Scheduler
from stack.network.topology import Topology
from stack.network.wiring import Wiring
from stack.socket.names import Names
from stack.socket.switch import switch
from tests.socket.worlds import World

DELAY = "3 ms"


class Emulated(World):
    """Two hosts, "client" and "server", or one that is both."""

    def __init__(self, hosts: int = 1, seed: int = 1) -> None:
        super().__init__()
        switch.install()
        self.scheduler = Scheduler()
        randomness = Randomness(seed)
        self.wiring = Wiring(self.scheduler, randomness)
        self.topology = Topology(self.wiring)
        self.programs = Programs(self.scheduler, randomness)
        self.names = Names()
        self.client_node = self.server_node = self._host("client", randomness)
        if hosts == 2:
            self.server_node = self._host("server", randomness)
            self._connect()
        else:
            unused = self._interface(self.client_node)
            self.client_node.engine.add_address(unused, IPv4Address("10.99.0.1"), 24)

    def _host(self, name: str, randomness: Randomness) -> Node:
        node = self.wiring.add(HostEngine(name, randomness))
        node.names = self.names
        return node

    def _interface(self, node: Node) -> Interface:
        made = Interface("eth0", self.topology.mac(), owner=node.name)
        node.engine.add_interface(made)
        return made

    def _connect(self) -> None:
        self.wiring.connect(self._interface(self.client_node), self._interface(self.server_node), delay=DELAY)
        self.topology.update()
        self.here_address, self.there_address = (_first(node, IPv4Address) for node in (self.client_node, self.server_node))
        self.addresses6 = (_first(self.client_node, IPv6Address), _first(self.server_node, IPv6Address))
        for node in (self.client_node, self.server_node):
            for kind in (IPv4Address, IPv6Address):
                self.names.add(node.name, _first(node, kind))

    def here(self) -> AbstractContextManager[object]:
        return inside(self.client_node)

    def there(self) -> AbstractContextManager[object]:
        return inside(self.server_node)

    def run(self, function: Callable[[], object]) -> Callable[[], None]:
        program = self.programs.start(self.server_node, function)
        return lambda: program.result()

    def close(self) -> None:
        super().close()
        self.programs.close()


def _first(node: Node, kind: type) -> str:
    """The first address of a kind that is not link-local."""
    interface = next(each for each in node.engine.interfaces if not each.loopback)
    own = [each.address for each in interface.addresses if isinstance(each.address, kind)]
    return str(next(address for address in own if not getattr(address, "is_link_local", False)))


class Linked(Emulated):
    """Two hosts."""

    def __init__(self) -> None:
        super().__init__(hosts=2)
