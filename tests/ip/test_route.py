"""The longest prefix wins, then the lowest metric; an oracle walks all routes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.base.address import IPAddress, IPv4Address, IPv6Address, ip_address
from stack.ip.route import CACHED_DESTINATIONS, RouteTable, choose_source, common_prefix, masked, scope


def table(*lines: str) -> RouteTable:
    """Routes from lines such as "10.0.0.0/8 eth0 via 10.0.0.1 metric 5"."""
    routes = RouteTable()
    for line in lines:
        words = line.split()
        prefix, length = words[0].split("/")
        options = dict(zip(words[2::2], words[3::2], strict=True))
        routes.add(ip_address(prefix), int(length), words[1],
                   ip_address(options["via"]) if "via" in options else None, int(options.get("metric", 0)))
    return routes


def through(routes: RouteTable, destination: str) -> str | None:
    route = routes.lookup(ip_address(destination))
    return None if route is None else str(route.interface)


def test_the_longest_prefix_wins_in_both_versions() -> None:
    routes = table("0.0.0.0/0 far via 10.0.0.1", "10.0.0.0/8 near", "10.1.2.3/32 host", "::/0 far6", "2001:db8::/32 near6")
    assert [through(routes, to) for to in ("8.8.8.8", "10.9.9.9", "10.1.2.3", "2001:db8::1", "2002::1")] == [
        "far", "near", "host", "near6", "far6",
    ]
    assert str(routes.lookup(IPv4Address("8.8.8.8"))) == "0.0.0.0/0 via 10.0.0.1 dev far metric 0"


def test_the_lowest_metric_wins_and_the_other_takes_over() -> None:
    routes = table("10.0.0.0/8 slow metric 20", "10.0.0.0/8 fast metric 10")
    assert through(routes, "10.0.0.1") == "fast"
    best = routes.lookup(IPv4Address("10.0.0.1"))
    assert best is not None
    routes.remove(best)
    assert through(routes, "10.0.0.1") == "slow"


def test_a_change_empties_the_cache_and_grows_the_generation() -> None:
    routes = table("10.0.0.0/8 near")
    assert through(routes, "192.0.2.1") is None
    before = routes.generation
    route = routes.add(IPv4Address("192.0.2.77"), 24, "new")
    assert route.prefix == IPv4Address("192.0.2.0")
    assert through(routes, "192.0.2.1") == "new"
    assert routes.generation > before
    routes.remove(route)
    assert through(routes, "192.0.2.1") is None
    with pytest.raises(KeyError, match=r"192\.0\.2\.0/24"):
        routes.remove(route)


def test_a_route_can_be_asked_for_through_one_interface() -> None:
    routes = RouteTable()
    link_local = IPv6Address("fe80::")
    first, second = (routes.add(link_local, 64, interface) for interface in ("eth0", "eth1"))
    assert routes.lookup(IPv6Address("fe80::1")) == first
    assert routes.lookup(IPv6Address("fe80::1"), second.interface) == second
    assert routes.lookup(IPv6Address("fe80::1"), "eth2") is None


def test_the_same_route_twice_is_one() -> None:
    assert len(table("10.0.0.0/8 near", "10.0.0.0/8 near")) == 1


def test_a_flood_of_destinations_does_not_grow_the_cache() -> None:
    routes = table("0.0.0.0/0 far")
    for number in range(3 * CACHED_DESTINATIONS):
        routes.lookup(IPv4Address(number))
    assert len(routes._cache) <= CACHED_DESTINATIONS


@pytest.mark.parametrize(("length", "gateway", "says"), [(33, None, "0 to 32"), (8, IPv6Address("::1"), "same IP version")])
def test_mistakes_name_the_argument(length: int, gateway: IPAddress | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        RouteTable().add(IPv4Address("10.0.0.0"), length, "x", gateway)


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32), st.integers(0, 3)), max_size=30), st.lists(st.integers(0, 2**32 - 1), max_size=10))
def test_lookup_agrees_with_a_walk_over_all_routes(entries: list[tuple[int, int, int]], destinations: list[int]) -> None:
    routes = RouteTable()
    added = [routes.add(IPv4Address(prefix), length, number, metric=metric) for number, (prefix, length, metric) in enumerate(entries)]
    for to in destinations + [prefix for prefix, _, _ in entries]:
        address = IPv4Address(to)
        fits = [route for route in added if masked(address, route.length) == route.prefix]
        expected = min(fits, key=lambda route: (-route.length, route.metric), default=None)
        assert routes.lookup(address) == expected


@pytest.mark.parametrize(("candidates", "to", "chosen"), [
    ("10.0.0.1 192.168.0.1", "192.168.0.9", "192.168.0.1"),
    ("10.0.0.1 10.0.0.2", "10.0.0.2", "10.0.0.2"),
    ("fe80::1 2001:db8::1", "2001:db8:9::1", "2001:db8::1"),
    ("2001:db8::1 fe80::1", "fe80::2", "fe80::1"),
    ("2001:db8::1 fe80::1", "ff02::1", "fe80::1"),
    ("127.0.0.1 10.0.0.1", "8.8.8.8", "10.0.0.1"),
    ("::1 fe80::1", "2001:db8::1", "fe80::1"),
    ("10.0.0.1", "2001:db8::1", None),
])
def test_which_own_address_speaks(candidates: str, to: str, chosen: str | None) -> None:
    source = choose_source([ip_address(text) for text in candidates.split()], ip_address(to))
    assert source == (chosen and ip_address(chosen))


def test_scopes_and_common_bits() -> None:
    assert [scope(ip_address(text)) for text in ("127.0.0.1", "169.254.1.1", "10.0.0.1", "::1", "fe80::1", "fec0::1", "2001::", "ff05::2")] == [
        1, 2, 14, 1, 2, 5, 14, 5,
    ]
    assert common_prefix(IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")) == 30
