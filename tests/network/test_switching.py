"""Stations on switches: frames find their way, loops are cut by the spanning tree, and healed by it."""

import pytest

from stack.base.address import MAC
from stack.codec.packet import Packet
from stack.link.formats.ethernet import Ethernet
from tests.network.build import Net, Station


def to(station: Station | None, sender: Station) -> Packet:
    destination = MAC.BROADCAST if station is None else station.interfaces[0].mac
    return Packet(Ethernet(destination, sender.interfaces[0].mac, 0x88B5), payload=bytes(46))


def ring(size: int, **settings: str) -> tuple[Net, list[Station]]:
    """So many switches in a ring, a station at each."""
    net = Net()
    switches = [net.switch(f"s{n}") for n in range(size)]
    stations = net.stations(" ".join(f"h{n}" for n in range(size)))
    for n in range(size):
        net.link(switches[n], switches[(n + 1) % size], **settings)
    for station, switch in zip(stations, switches, strict=True):
        net.link(station, switch)
    return net, stations


@pytest.mark.parametrize("wire", ["objects", "bytes"])
def test_two_stations_talk_through_a_switch(wire: str) -> None:
    net = Net(wire=wire)
    switch = net.switch("s")
    a, b, c = net.stations("a b c")
    for station in (a, b, c):
        net.link(station, switch, delay="1 ms")
    net.send(a, to(b, a))
    net.send(b, to(a, b))
    net.run()
    net.send(a, to(b, a))
    net.run()
    assert [len(station.got) for station in (a, b, c)] == [1, 2, 1], "what went to nobody known went to c too"
    assert [time for time, _, _ in b.got] == [2_000_000, 4_000_000]


@pytest.mark.parametrize("size", [2, 3, 7])
def test_a_broadcast_in_a_ring_arrives_once(size: int) -> None:
    net, stations = ring(size)
    net.send(stations[0], to(None, stations[0]))
    net.run()
    assert [len(station.got) for station in stations] == [0] + [1] * (size - 1)


def test_the_ring_is_cut_farthest_from_the_root() -> None:
    net, _ = ring(5)
    blocked = [link.name for link in net.wiring.links.values() for end in link.ends if end in blocked_ports(net)]
    assert blocked == ["s2-s3", "s2-s3"]


def blocked_ports(net: Net) -> list[object]:
    return [port for node in net.wiring.nodes.values() for port in getattr(node.engine, "blocked", [])]


def test_when_a_link_goes_down_the_resting_one_wakes() -> None:
    net, stations = ring(5)
    net.send(stations[1], to(None, stations[1]))
    net.run()
    with net.wiring.links["s0-s1"].down():
        net.send(stations[0], to(stations[1], stations[0]))
        net.run()
        assert len(stations[1].got) == 1, "the other way round"
        assert len(blocked_ports(net)) == 2, "the ends of the link that is down"
    assert len(blocked_ports(net)) == 2
    net.send(stations[0], to(stations[1], stations[0]))
    net.run()
    assert len(stations[1].got) == 2


def test_cost_decides_which_way_is_short() -> None:
    net = Net()
    x, y, z = (net.switch(name) for name in "xyz")
    direct = net.link(x, z, cost=10)
    net.link(x, y, cost=4)
    net.link(y, z, cost=5)
    assert blocked_ports(net) == list(direct.ends)


def test_a_second_cable_between_two_switches_rests() -> None:
    net = Net()
    x, y = net.switch("x"), net.switch("y")
    net.link(x, y)
    second = net.link(x, y)
    own = net.link(y, y)
    assert blocked_ports(net) == [second.ends[0], second.ends[1], *own.ends]
