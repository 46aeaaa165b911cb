"""What follows from the wiring: broadcast domains, automatic addresses, and routes along shortest paths.

A domain is what one broadcast reaches: a link, or links joined by switches. A router forwards from one domain to another; a hop
into a domain costs what the link costs by which it is entered (as RFC 2328 section 2.1 counts), ties go to what was added first.
A router gets a route to every subnet. A host gets a default route through the router that is its way to most subnets, and
routes of their own for subnets to which another way is shorter.
"""

from __future__ import annotations

from collections.abc import Iterable

from stack.base.address import MAC, IPAddress
from stack.ip.route import Route
from stack.link.interface import Interface, InterfaceAddress
from stack.link.link import Link
from stack.link.switch import Switch
from stack.network.addressing import FAMILIES, Plan
from stack.network.routing import Graph, PlannedRoute
from stack.network.wiring import Wiring

METRIC = 100  # of the routes from here: one that a user adds (metric 0) comes first


class Topology:
    """`update()` before use: it does nothing unless nodes or links were added since. Assigned addresses stay as they are.

    Routes that others put into a host's table stay; those from here are replaced when they change. A link that is down when
    routes are computed is not part of any; that it goes down later changes none until `update(again=True)`.
    `manual` holds interfaces that get no addresses from here; `families` are the kinds of addresses that the others get.
    """

    def __init__(self, wiring: Wiring, families: tuple[type[IPAddress], ...] = FAMILIES) -> None:
        self.wiring = wiring
        self.manual: list[Interface] = []
        self._plan = Plan(self._assign, families)
        self._installed: dict[str, list[Route]] = {}
        self._stale = True
        wiring.on_change.append(self.outdated)

    def outdated(self) -> None:
        """Something has changed: the next `update` computes anew."""
        self._stale = True

    def mac(self) -> MAC:
        """A MAC address for a new interface."""
        return self._plan.mac(self.wiring.macs)

    def update(self, *, again: bool = False) -> None:
        """Addresses for the interfaces that have none, and routes; `again`: also when nothing was added."""
        if not (self._stale or again):
            return
        self._stale = False
        links = list(self.wiring.links.values())
        self._plan.address([end for end in domain if end not in self.manual] for domain in self.domains(links))
        self._install([link for link in links if link.is_up])

    def domains(self, links: Iterable[Link]) -> list[list[Interface]]:
        """The broadcast domains that links make, in the order of their first links: the interfaces in each, but for ports."""
        joined: dict[str, str] = {}  # switch → a switch that it is joined to, in the end the same for all of a domain

        def root(name: str) -> str:
            while (further := joined.setdefault(name, name)) != name:
                joined[name] = name = joined[further]
            return name

        links = list(links)
        for link in links:
            switches = [end.owner for end in link.ends if self._switched(end)]
            if len(switches) == 2:
                joined[root(switches[1])] = root(switches[0])
        found: dict[tuple[str, str], list[Interface]] = {}
        for link in links:
            switches = [end.owner for end in link.ends if self._switched(end)]
            key = ("switch", root(switches[0])) if switches else ("link", link.name)
            found.setdefault(key, []).extend(end for end in link.ends if not self._switched(end))
        return list(found.values())

    def _switched(self, interface: Interface) -> bool:
        node = self.wiring.nodes.get(interface.owner)
        return node is not None and isinstance(node.engine, Switch)

    def _assign(self, interface: Interface, address: IPAddress, prefix: int) -> None:
        node = self.wiring.nodes.get(interface.owner)
        if node is None:  # a bare interface, as a probe's
            interface.addresses.append(InterfaceAddress(address, prefix))
        else:
            node.engine.add_address(interface, address, prefix)

    def routes(self, links: Iterable[Link]) -> dict[str, list[PlannedRoute]]:
        """For each host and router: the routes that it needs beside its own subnets, over these links."""
        links = list(links)
        costs = {end: link.cost for link in links for end in link.ends}
        graph = Graph(self.domains(links), self._forwards, costs.__getitem__)
        return {name: graph.routes(name) for name, node in self.wiring.nodes.items() if not isinstance(node.engine, Switch)}

    def _forwards(self, name: str) -> bool:
        node = self.wiring.nodes.get(name)
        return node is not None and bool(node.engine.settings.forwarding)

    def _install(self, links: Iterable[Link]) -> None:
        """Bring the hosts' tables up to date; what stays the same is not touched."""
        for name, planned in self.routes(links).items():
            table = self.wiring.nodes[name].engine.routes
            wanted = [
                Route(subnet.network, subnet.prefix, interface, gateway, METRIC) for subnet, interface, gateway in planned
            ]
            keep = dict.fromkeys(wanted)
            for old in self._installed.get(name, ()):
                if old not in keep and old in table:
                    table.remove(old)
            for route in wanted:
                table.add(route.prefix, route.length, route.interface, route.gateway, route.metric)
            self._installed[name] = wanted
