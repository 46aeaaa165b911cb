"""Shortest paths over broadcast domains (Dijkstra 1959), and the routes that follow from them for one node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import NamedTuple

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.link.interface import Interface
from stack.network.addressing import Subnet, addresses_of, global_of, subnets_of

FAMILIES: tuple[type[IPAddress], ...] = (IPv4Address, IPv6Address)


class PlannedRoute(NamedTuple):
    """To `subnet` through `interface`, by the neighbour `gateway`."""

    subnet: Subnet
    interface: Interface
    gateway: IPAddress


class Hop(NamedTuple):
    """The first step of a path: out of `interface`, to the router that has `gateway` there."""

    interface: Interface
    gateway: Interface


class Graph:
    """Domains (lists of interfaces, told apart by their numbers), and the nodes that the interfaces belong to."""

    def __init__(
        self, domains: Iterable[list[Interface]], forwards: Callable[[str], bool], cost: Callable[[Interface], int]
    ) -> None:
        self.domains = list(domains)
        self._subnets = [subnets_of(domain) for domain in self.domains]
        self._at: dict[str, list[tuple[int, Interface, int]]] = {}  # node → domain, by which interface, at which cost
        self._routers: list[list[Interface]] = []  # domain → the interfaces of routers in it
        for number, domain in enumerate(self.domains):
            for interface in domain:
                self._at.setdefault(interface.owner, []).append((number, interface, cost(interface)))
            self._routers.append([interface for interface in domain if forwards(interface.owner)])
        self._forwards = forwards

    def routes(self, name: str) -> list[PlannedRoute]:
        """What the node of this name needs in its table beside its own subnets."""
        if self._forwards(name):
            return self._to_each(self.hops(name))
        hops = {} if self._only_way(name) else self.hops(name)
        usual = self._usual(hops) or self._first_router(name)
        if usual is None:
            return []
        routes = [
            PlannedRoute(Subnet(kind(0), 0), usual.interface, gateway)
            for kind in FAMILIES if (gateway := gateway_address(usual, kind)) is not None
        ]  # fmt: skip
        return routes + self._to_each({number: hop for number, hop in hops.items() if hop != usual})

    def hops(self, name: str) -> dict[int, Hop]:
        """For each domain that routers lead to: the first step of the cheapest path there."""
        found: dict[int, Hop | None] = {}
        passed = {name: True}
        heap: list[tuple[int, int, int, Hop | None, Interface]] = []
        order = 0
        for number, interface, cost in self._at.get(name, ()):
            heappush(heap, (cost, order, number, None, interface))
            order += 1
        while heap:
            reached, _, number, hop, out = heappop(heap)
            if number in found:
                continue
            found[number] = hop
            for router in self._routers[number]:
                if router.owner in passed:
                    continue
                passed[router.owner] = True
                step = hop or Hop(out, router)
                for beyond, _, cost in self._at[router.owner]:
                    if beyond not in found:
                        heappush(heap, (reached + cost, order, beyond, step, out))
                        order += 1
        return {number: hop for number, hop in found.items() if hop is not None}

    def _only_way(self, name: str) -> bool:
        """All ways lead over one router: no need to look at them."""
        at = self._at.get(name, ())
        return len(at) == 1 and len(self._routers[at[0][0]]) == 1

    def _first_router(self, name: str) -> Hop | None:
        near = sorted(self._at.get(name, ()), key=lambda entry: entry[2])  # stable
        return next((Hop(own, router) for number, own, _ in near for router in self._routers[number]), None)

    @staticmethod
    def _usual(hops: dict[int, Hop]) -> Hop | None:
        """The first step that most domains have in common; among equals, that of the nearest domain."""
        counts: dict[Hop, int] = {}
        for hop in hops.values():
            counts[hop] = counts.get(hop, 0) + 1
        return max(counts, key=lambda hop: counts[hop], default=None)

    def _to_each(self, hops: dict[int, Hop]) -> list[PlannedRoute]:
        gateways: dict[tuple[Hop, type[IPAddress]], IPAddress | None] = {}
        routes: list[PlannedRoute] = []
        for number, hop in hops.items():
            for subnet in self._subnets[number]:
                kind = type(subnet.network)
                if (hop, kind) not in gateways:
                    gateways[hop, kind] = gateway_address(hop, kind)
                gateway = gateways[hop, kind]
                if gateway is not None:
                    routes.append(PlannedRoute(subnet, hop.interface, gateway))
        return routes


def gateway_address(hop: Hop, kind: type[IPAddress]) -> IPAddress | None:
    """How a router is called as a gateway: in IPv6 by its link-local address (RFC 4861 section 8), in IPv4 by one in our subnet."""
    if kind is IPv6Address:
        return next((own for own in addresses_of(hop.gateway, kind) if isinstance(own, IPv6Address) and own.is_link_local), None)
    ours = subnets_of([hop.interface])
    return next((own for own in global_of(hop.gateway, kind) if any(own in subnet for subnet in ours)), None)
