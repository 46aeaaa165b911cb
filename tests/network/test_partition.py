"""A partition: what goes from one group to another is dropped, wherever it goes along."""

import pytest

from stack.base.address import MAC, IPv4Address
from stack.base.errors import StackError
from stack.base.event import DropReason
from stack.codec.packet import Packet
from stack.ip.formats.ipv4 import IPv4
from stack.link.formats.ethernet import Ethernet
from tests.network.build import Net, Station


def hello(sender: Station, source: IPv4Address | None = None) -> Packet:
    ethernet = Ethernet(MAC.BROADCAST, sender.interfaces[0].mac, 0x0800 if source else 0x88B5)
    if source is None:
        return Packet(ethernet, payload=bytes(46))
    return Packet(ethernet, IPv4(source=source, destination=IPv4Address.BROADCAST, protocol=253), payload=bytes(46))


def counts(*stations: Station) -> list[int]:
    return [len(station.got) for station in stations]


def test_a_link_between_two_groups_is_cut() -> None:
    net = Net()
    a, b, c = net.stations("a b c")
    net.link(a, b)
    net.link(a, c)
    with net.wiring.partition([a], [b]):
        for port in (0, 1):
            net.send(a, hello(a), port=port)
        net.run()
    assert counts(b, c) == [0, 1], "c is in no group"
    net.send(a, hello(a))
    net.run()
    assert counts(b, c) == [1, 1]
    assert net.wiring.links["a-b"].directions[0].drops == {DropReason.PARTITION: 1}


def test_a_switch_between_the_groups_does_not_join_them() -> None:
    net = Net()
    switch = net.switch("s")
    a, b, c, d = stations = net.stations("a b c d")
    for station in stations:
        net.link(station, switch)
    partition = net.wiring.partition(["a", "b"], ["c"])
    for station in stations:
        net.send(station, hello(station))
    net.run()
    assert counts(a, b, c, d) == [2, 2, 1, 3]
    partition.remove()
    partition.remove()
    net.send(a, hello(a))
    net.run()
    assert counts(b, c, d) == [3, 2, 4]


def test_a_router_between_the_groups_does_not_join_them() -> None:
    """What a router passes on has its MAC address, but still the sender's IP address."""
    net = Net()
    a, b, r = net.stations("a b r")
    net.link(a, r)
    net.link(b, r)
    net.topology.update()
    address = a.interfaces[0].addresses[0].address
    assert isinstance(address, IPv4Address)
    with net.wiring.partition([a], [b]):
        net.send(r, hello(r, source=address), hello(r, source=IPv4Address("192.0.2.1")), hello(r), port=1)
        net.run()
    assert counts(b) == [2], "what the router itself says arrives"


def test_links_that_are_made_later_are_cut_too() -> None:
    net = Net()
    a, b = net.stations("a b")
    with net.wiring.partition([a], [b]):
        net.link(a, b)
        net.send(a, hello(a))
        net.run()
    assert counts(b) == [0]
    assert net.wiring.partitions == []


def test_mistakes_raise_at_once() -> None:
    net = Net()
    a, b = net.stations("a b")
    for groups, message in (
        ((["a"], ["x"]), "no node 'x'"),
        (([a, b], [b]), "'b' is in two groups"),
        (("a", "b"), "'a' is not a group; expected a list"),
    ):
        with pytest.raises(StackError, match=message):
            net.wiring.partition(*groups)
    assert net.wiring.partitions == []


def test_a_partition_needs_two_groups_and_shows_them() -> None:
    net = Net()
    a, b, c = net.stations("a b c")
    net.link(a, b)
    for groups in ([], [[a, b]], [[a], []]):
        with pytest.raises(StackError, match="two groups or more"):
            net.wiring.partition(*groups)
    with net.wiring.partition([a, c], [b]) as partition:
        assert repr(partition) == "<Partition a, c | b>"
    assert repr(partition) == "<Partition a, c | b, healed>"
