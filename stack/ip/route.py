"""The routing table: longest prefix first, then the lowest metric (RFC 1812 section 5.2.4.3, RFC 4291 section 2.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from stack.base.address import IPAddress, IPv4Address, IPv6Address

_A = TypeVar("_A", IPv4Address, IPv6Address, IPAddress)
CACHED_DESTINATIONS = 4096


@dataclass(slots=True, frozen=True)
class Metrics:
    """What an administrator says of a path, as ip-route(8) does; None: nothing. Octets, segments, nanoseconds."""

    mtu: int | None = None
    mtu_locked: bool = False  # no router is believed that it is less
    advertised_mss: int | None = None
    initial_window: int | None = None  # initcwnd, segments
    minimum_rto: int | None = None
    quick_ack: bool = False  # every segment is acknowledged at once
    ecn: bool = False
    congestion: str | None = None  # congctl: the congestion control's name
    initial_receive_window: int | None = None  # initrwnd, segments
    window: int | None = None  # the largest to offer
    reordering: int | None = None  # segments
    no_cookie: bool = False  # fastopen_no_cookie: TCP Fast Open asks for none


NO_METRICS = Metrics()


@dataclass(slots=True, frozen=True)
class Route:
    """Destinations that begin with the `length` bits of `prefix` leave through `interface`, by `gateway` if there is one."""

    prefix: IPAddress
    length: int
    interface: Any
    gateway: IPAddress | None = None
    metric: int = 0
    source: IPAddress | None = None
    metrics: Metrics = NO_METRICS

    def __str__(self) -> str:
        by = f" via {self.gateway}" if self.gateway else ""
        return f"{self.prefix}/{self.length}{by} dev {getattr(self.interface, 'name', self.interface)} metric {self.metric}"


class _Family:
    """The routes of one IP version: for each prefix length a dictionary, the longest prefixes first."""

    __slots__ = ("bits", "lengths", "tables")

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.lengths: list[int] = []
        self.tables: dict[int, dict[int, list[Route]]] = {}

    def add(self, route: Route) -> None:
        table = self.tables.get(route.length)
        if table is None:
            table = self.tables[route.length] = {}
            self.lengths = sorted(self.tables, reverse=True)
        same = table.setdefault(int(route.prefix) >> self.bits - route.length, [])
        same.append(route)
        same.sort(key=lambda each: each.metric)  # stable: among equals, the one added first

    def remove(self, route: Route) -> None:
        key = int(route.prefix) >> self.bits - route.length
        table = self.tables[route.length]
        table[key].remove(route)
        if not table[key]:
            del table[key]
        if not table:
            del self.tables[route.length]
            self.lengths = sorted(self.tables, reverse=True)

    def matches(self, destination: IPAddress) -> Iterator[Route]:
        value = int(destination)
        for length in self.lengths:
            yield from self.tables[length].get(value >> self.bits - length, ())

    def __iter__(self) -> Iterator[Route]:
        for length in self.lengths:
            for routes in self.tables[length].values():
                yield from routes


class RouteTable:
    """Both IP versions' routes. `generation` grows with each change: what was decided under an older one is out of date."""

    __slots__ = ("_cache", "_families", "generation")

    def __init__(self) -> None:
        self._families = {IPv4Address.length: _Family(32), IPv6Address.length: _Family(128)}
        self._cache: dict[IPAddress, Route | None] = {}
        self.generation = 0

    def add(
        self,
        prefix: IPAddress,
        length: int,
        interface: Any,
        gateway: IPAddress | None = None,
        metric: int = 0,
        source: IPAddress | None = None,
        metrics: Metrics = NO_METRICS,
    ) -> Route:
        """Add a route; bits of `prefix` after `length` are cleared. A second route that is the same is not added."""
        bits = 8 * len(prefix)
        if not 0 <= length <= bits:
            raise ValueError(f"prefix length is {length}; expected 0 to {bits}")
        if gateway is not None and len(gateway) != len(prefix):
            raise ValueError(f"gateway {gateway} is not of the same IP version as {prefix}/{length}")
        route = Route(masked(prefix, length), length, interface, gateway, metric, source, metrics)
        if route not in self:
            self._families[len(prefix)].add(route)
            self.changed()
        return route

    def change(self, prefix: IPAddress, length: int, metrics: Metrics) -> Route:
        """Say something of the path to a prefix, in place of what was said before; the way there stays that of the best route.

        Raises `KeyError` if there is none.
        """
        best = next((one for one in self._families[len(prefix)].matches(prefix) if one.length <= length), None)
        if best is None:
            raise KeyError(f"no route to {prefix}/{length}")
        network = masked(prefix, length)
        for old in [one for one in self if one.prefix == network and one.length == length]:
            self.remove(old)
        return self.add(prefix, length, best.interface, best.gateway, best.metric, best.source, metrics)

    def remove(self, route: Route) -> None:
        """Take a route out; a `KeyError` says that it is not there."""
        if route not in self:
            raise KeyError(f"no such route: {route}")
        self._families[len(route.prefix)].remove(route)
        self.changed()

    def changed(self) -> None:
        """Something that decisions depend on is different: what is cached here or elsewhere no longer counts."""
        self._cache.clear()
        self.generation += 1

    def lookup(self, destination: IPAddress, interface: Any = None) -> Route | None:
        """The best route to `destination`, or the best one through `interface`; None if there is none."""
        if interface is not None:
            return next((r for r in self._families[len(destination)].matches(destination) if r.interface is interface), None)
        try:
            return self._cache[destination]
        except KeyError:
            route = next(self._families[len(destination)].matches(destination), None)
            if len(self._cache) >= CACHED_DESTINATIONS:
                self._cache.clear()
            self._cache[destination] = route
            return route

    def __iter__(self) -> Iterator[Route]:
        for family in self._families.values():
            yield from family

    def __contains__(self, route: Route) -> bool:
        family = self._families[len(route.prefix)]
        table = family.tables.get(route.length, {})
        return route in table.get(int(route.prefix) >> family.bits - route.length, ())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def masked(address: _A, length: int) -> _A:
    """`address` with the bits after the first `length` cleared."""
    spare = 8 * len(address) - length
    return type(address)(int(address) >> spare << spare)


def common_prefix(a: IPAddress, b: IPAddress) -> int:
    """How many leading bits two addresses of one version share."""
    return 8 * len(a) - (int(a) ^ int(b)).bit_length()


def scope(address: IPAddress) -> int:
    """How far an address reaches, in RFC 4007's numbers: 1 host, 2 link, 5 site, 14 global (RFC 6724 section 3.1)."""
    if isinstance(address, IPv4Address):
        if address.is_loopback:
            return 1
        return 2 if address[:2] == b"\xa9\xfe" else 14
    if address.is_multicast:
        return address[1] & 15
    if address.is_loopback:
        return 1
    if address.is_link_local:
        return 2
    return 5 if address[0] == 0xFE and address[1] & 0xC0 == 0xC0 else 14


def choose_source(candidates: Iterable[IPAddress], destination: IPAddress) -> IPAddress | None:
    """Which of a host's own addresses speaks to `destination` (RFC 6724 section 5, rules 1, 2 and 8; RFC 1122 3.3.4.3)."""
    best: IPAddress | None = None
    best_rank: tuple[bool, bool, int, int] | None = None
    reach = scope(destination)
    for candidate in candidates:
        if len(candidate) != len(destination):
            continue
        own = scope(candidate)
        enough = own >= reach
        rank = (candidate == destination, enough, -own if enough else own, common_prefix(candidate, destination))
        if best_rank is None or rank > best_rank:  # among equals, the address that was added first
            best, best_rank = candidate, rank
    return best
