"""Addresses and routes that follow from the wiring."""

from itertools import pairwise

import pytest

from stack.base.address import MAC, IPAddress, IPv4Address, IPv6Address, ip_address
from stack.base.errors import StackError
from stack.ip.route import Route
from stack.link.interface import Interface
from stack.network.addressing import Subnet
from tests.network.build import Net, Station


def owned(station: Station, port: int = 0) -> list[str]:
    return [str(each) for each in station.interfaces[port].addresses]


def test_two_stations_on_a_link() -> None:
    net = Net()
    a, b = net.stations("a b")
    net.link(a, b)
    net.topology.update()
    assert owned(a) == ["10.0.0.1/24", "fd00::1/64", "fe80::ff:fe00:1/64"]
    assert owned(b) == ["10.0.0.2/24", "fd00::2/64", "fe80::ff:fe00:2/64"]
    assert str(b.interfaces[0].mac) == "02:00:00:00:00:02"
    assert list(a.routes) == []


def test_each_domain_has_its_subnet() -> None:
    """Switches join links to one domain, also those that a later link joins; a router does not."""
    net = Net()
    r, (a, b, c) = net.router("r"), net.stations("a b c")
    s, t = net.switch("s"), net.switch("t")
    net.link(a, s)
    net.link(c, r)
    net.link(b, t)
    net.link(r, t)
    net.link(s, t)
    net.topology.update()
    assert [owned(one)[0] for one in (a, b, c)] == ["10.0.0.1/24", "10.0.0.2/24", "10.0.1.1/24"]
    assert [owned(r, port)[:2] for port in (0, 1)] == [["10.0.1.2/24", "fd00:0:0:1::2/64"], ["10.0.0.3/24", "fd00::3/64"]]


def test_a_large_domain_gets_a_large_subnet() -> None:
    net = Net()
    a, b = net.stations("a b")
    net.link(a, b)
    switch = net.switch("s")
    many = [net.station(f"h{n}") for n in range(1000)]
    for one in many:
        net.link(one, switch)
    net.link(a, b)
    net.topology.update()
    assert (owned(many[0])[0], owned(many[-1])[:2]) == ("10.0.4.1/22", ["10.0.7.232/22", "fd00:0:0:1::3e8/64"])
    assert owned(a, 1)[0] == "10.0.8.1/24"


def test_what_is_given_is_kept_and_joined() -> None:
    net = Net()
    a, b, c, d = net.stations("a b c d")
    net.link(a, b)
    net.link(c, d)
    b.add_address(b.interfaces[0], IPv4Address("192.0.2.1"), 28)
    c.add_address(c.interfaces[0], IPv4Address("10.0.0.7"), 24)
    c.add_address(c.interfaces[0], IPv6Address("fd00::7"), 64)
    c.add_address(c.interfaces[0], IPv6Address("fe80::7"), 64)
    net.topology.update()
    assert owned(a)[:2] == ["192.0.2.2/28", "fd00:0:0:1::1/64"], "fd00::/64 is in use elsewhere"
    assert owned(b) == ["192.0.2.1/28", "fd00:0:0:1::2/64", "fe80::ff:fe00:2/64"]
    assert owned(c) == ["10.0.0.7/24", "fd00::7/64", "fe80::7/64"]
    assert owned(d)[:2] == ["10.0.0.1/24", "fd00::1/64"]


def test_manual_interfaces_are_left_alone_and_bare_ones_served() -> None:
    net = Net()
    (a,) = net.stations("a")
    probe = Interface("probe", "02:00:00:00:00:99")
    net.wiring.connect(a.interface(net.topology.mac()), probe)
    net.topology.manual.append(a.interfaces[0])
    net.topology.update()
    assert owned(a) == []
    assert [str(each) for each in probe.addresses] == ["10.0.0.1/24", "fd00::1/64", "fe80::ff:fe00:99/64"]


def test_macs_that_are_taken_are_not_given_out() -> None:
    net = Net()
    a, b = net.stations("a b")
    net.wiring.connect(a.interface(MAC("02:00:00:00:00:01")), b.interface(MAC("02:00:00:00:00:02")))
    assert str(net.topology.mac()) == "02:00:00:00:00:03"


def test_later_interfaces_find_the_next_addresses_until_the_subnet_is_full() -> None:
    net = Net()
    switch = net.switch("s")
    first, second = net.stations("a b")
    net.link(first, switch)
    net.topology.update()
    net.link(second, switch)
    net.topology.update()
    assert owned(second)[0] == "10.0.0.2/24"
    for n in range(253):
        net.link(net.station(f"h{n}"), switch)
    with pytest.raises(StackError, match=r"subnet 10\.0\.0\.0/24 is full, no address for <Interface eth0 of h252"):
        net.topology.update()


def test_ten_slash_eight_has_an_end() -> None:
    net = Net()
    a, b, c, d = net.stations("a b c d")
    net.link(a, b)
    net.link(c, d)
    a.add_address(a.interfaces[0], IPv4Address("10.0.0.1"), 8)
    with pytest.raises(StackError, match=r"10\.0\.0\.0/8 is used up"):
        net.topology.update()


# --- routes


def shown(station: Station) -> list[str]:
    return [str(route).removesuffix(" metric 100") for route in station.routes]


def test_a_host_has_a_default_route_and_a_router_all() -> None:
    """a - r - s - b"""
    net = Net()
    a, b = net.stations("a b")
    r, s = net.router("r"), net.router("s")
    net.link(a, r)
    net.link(r, s)
    net.link(s, b)
    net.topology.update()
    assert shown(a) == ["0.0.0.0/0 via 10.0.0.2 dev eth0", "::/0 via fe80::ff:fe00:2 dev eth0"]
    assert shown(b) == ["0.0.0.0/0 via 10.0.2.1 dev eth0", "::/0 via fe80::ff:fe00:5 dev eth0"]
    assert shown(r) == ["10.0.2.0/24 via 10.0.1.2 dev eth1", "fd00:0:0:2::/64 via fe80::ff:fe00:4 dev eth1"]
    assert shown(s) == ["10.0.0.0/24 via 10.0.1.1 dev eth0", "fd00::/64 via fe80::ff:fe00:3 dev eth0"]


def test_a_host_with_two_routers_goes_the_shorter_way_to_each() -> None:
    """a hangs on r and on s; x, y are behind r, z is behind s."""
    net = Net()
    a, x, y, z = net.stations("a x y z")
    r, s = net.router("r"), net.router("s")
    for one, other in ((a, r), (a, s), (r, x), (r, y), (s, z), (r, s)):
        net.link(one, other)
    net.topology.update()
    assert [line for line in shown(a) if "fe80" not in line] == [
        "10.0.4.0/24 via 10.0.1.2 dev eth1",
        "0.0.0.0/0 via 10.0.0.2 dev eth0",
    ]


def test_a_lonely_router_is_still_the_default() -> None:
    net = Net()
    (a,), r = net.stations("a"), net.router("r")
    net.link(a, r)
    net.topology.update()
    assert shown(a) == ["0.0.0.0/0 via 10.0.0.2 dev eth0", "::/0 via fe80::ff:fe00:2 dev eth0"]
    assert shown(r) == []


def path(net: Net, start: Station, target: IPAddress) -> list[str]:
    """Which stations a packet passes, by their tables."""
    owners = {own: (node.engine, end) for node in net.wiring.nodes.values() for end in node.engine.interfaces for own, _ in end.addresses}
    here, way = start, [start.name]
    while not any(own == target for end in here.interfaces for own, _ in end.addresses):
        assert len(way) < 100, f"in circles: {way}"
        if any(target in net_of(own, prefix) for end in here.interfaces for own, prefix in end.addresses):
            here = owners[target][0]
        else:
            route = here.routes.lookup(target)
            assert route is not None
            assert route.gateway is not None
            here = owners[route.gateway][0]
        way.append(here.name)
    return way


def net_of(address: IPAddress, prefix: int) -> Subnet:
    return Subnet.of(address, prefix)


def grid(width: int, height: int) -> tuple[Net, list[list[Station]]]:
    net = Net()
    rows = [[net.router(f"r{x}.{y}") for x in range(width)] for y in range(height)]
    for row in rows:
        for one, other in pairwise(row):
            net.link(one, other)
    for upper, lower in pairwise(rows):
        for one, other in zip(upper, lower, strict=True):
            net.link(one, other)
    return net, rows


@pytest.mark.parametrize("family", [IPv4Address, IPv6Address])
def test_paths_over_a_grid_are_as_short_as_can_be(family: type[IPAddress]) -> None:
    net, rows = grid(5, 4)
    corner, far = net.stations("a b")
    net.link(corner, rows[0][0])
    net.link(rows[3][4], far)
    net.topology.update()
    target = next(own for own, _ in far.interfaces[0].addresses if type(own) is family and str(own)[:4] != "fe80")
    assert len(path(net, corner, target)) == 2 + 4 + 3 + 1
    for y, row in enumerate(rows):
        for x, router in enumerate(row):
            assert len(path(net, router, target)) == 2 + (4 - x) + (3 - y)


def test_a_ring_is_gone_round_the_shorter_way_and_costs_count() -> None:
    net = Net()
    ring = [net.router(f"r{n}") for n in range(6)]
    host = net.station("h")
    links = [net.link(one, other) for one, other in zip(ring, ring[1:] + ring[:1], strict=True)]
    net.link(ring[3], host)
    net.topology.update()
    target = ip_address("10.0.6.2")
    assert path(net, ring[1], target) == ["r1", "r2", "r3", "h"]
    assert path(net, ring[0], target) == ["r0", "r1", "r2", "r3", "h"], "of two equal ways, the one added first"
    links[1].cost = 10
    net.topology.update(again=True)
    assert path(net, ring[1], target) == ["r1", "r0", "r5", "r4", "r3", "h"]
    with links[4].down():
        net.topology.update()
        assert path(net, ring[0], target)[1] == "r5", "a fault alone changes no route"
        net.topology.update(again=True)
        assert path(net, ring[0], target)[1] == "r1"


def test_a_users_route_comes_first_and_stays() -> None:
    net = Net()
    (a, b), (r, s) = net.stations("a b"), (net.router("r"), net.router("s"))
    net.link(a, r)
    net.link(a, s)
    net.link(r, b)
    net.link(s, b)
    net.link(s, r)
    net.topology.update()
    assert path(net, a, ip_address("10.0.2.2"))[1] == "r"
    mine = a.routes.add(IPv4Address("10.0.2.0"), 24, a.interfaces[1], IPv4Address("10.0.1.2"))
    net.topology.update(again=True)
    assert path(net, a, ip_address("10.0.2.2"))[1] == "s"
    before = a.routes.generation
    net.topology.update(again=True)
    assert a.routes.generation == before, "nothing new, nothing touched"
    assert mine in a.routes


def test_a_route_that_a_user_took_out_is_not_missed() -> None:
    net = Net()
    (a,), r = net.stations("a"), net.router("r")
    link = net.link(a, r)
    net.topology.update()
    default: Route = next(iter(a.routes))
    a.routes.remove(default)
    with link.down():
        net.topology.update(again=True)
    assert list(a.routes) == []


def test_nothing_is_computed_again_without_need() -> None:
    net, _ = grid(2, 2)
    net.topology.update()
    net.topology._install = lambda links: pytest.fail("again")  # type: ignore[method-assign]
    net.topology.update()
