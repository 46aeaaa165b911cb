"""A host on two links, and the same link-local addresses on both: the zone says which (RFC 4007)."""

import errno

import pytest

from stack.base.address import IPv6Address
from stack.host.host import HostEngine
from stack.host.zone import Zoned, zoned
from stack.ip.formats.ipv6 import IPv6
from tests.host.wire import World

SAME = IPv6Address("fe80::1")


def between() -> tuple[World, HostEngine, HostEngine, HostEngine]:
    """A host between two others, both of which are fe80::1."""
    world = World()
    middle = world.host("middle", "2001:db8:1::1/64", "2001:db8:2::1/64")
    left, right = world.host("left", "fe80::1/64"), world.host("right", "fe80::1/64")
    world.cable((middle, 0), (left, 0))
    world.cable((middle, 1), (right, 0))
    return world, middle, left, right


@pytest.mark.parametrize("number", [1, 2])
def test_a_connection_goes_to_the_neighbour_in_the_zone_and_its_segments_come_back(number: int) -> None:
    world, middle, left, right = between()
    there = (left, right)[number - 1]
    listener = there.tcp.listen(None, 80)
    target = zoned(middle, SAME, middle.interfaces[number])
    connection = middle.tcp.connect(None, (target, 80), now=world.now)
    world.run()
    accepted = listener.accept()
    assert accepted is not None
    assert connection.remote == (SAME, 80)
    shown = connection.remote[0]
    assert isinstance(shown, Zoned)
    assert (shown.number, shown.zone) == (number + 1, middle.interfaces[number])
    assert accepted.remote is not None
    assert isinstance(accepted.remote[0], Zoned)
    assert all(type(packet[IPv6].destination) is IPv6Address for packet in world.seen(IPv6))


def test_a_listener_answers_on_the_link_that_the_connection_came_from() -> None:
    world, middle, left, right = between()
    listener = middle.tcp.listen(None, 80)
    for host, interface in ((left, 1), (right, 2)):
        own = middle.addresses.of(middle.interfaces[interface], IPv6Address)[0]
        assert IPv6Address(own).is_link_local
        connection = host.tcp.connect(None, (own, 80), now=world.now)
        world.run()
        assert connection.error is None
        assert listener.accept() is not None


def test_datagrams_go_where_their_zone_says_and_are_answered_there() -> None:
    world, middle, left, right = between()
    ends = [host.udp.open(6) for host in (left, right)]
    for end in ends:
        end.bind(None, 53)
    asking = middle.udp.open(6)
    for number, end in enumerate(ends, 1):
        asking.send(b"%d" % number, world.now, (zoned(middle, SAME, middle.interfaces[number]), 53))
        world.run()
        asked = end.receive()
        assert asked is not None
        assert asked.data == b"%d" % number
        end.send(b"yes", world.now, asked.sender)
        world.run()
        answer = asking.receive()
        assert answer is not None
        assert answer.sender[1] == 53
        assert isinstance(answer.sender[0], Zoned)
        assert answer.sender[0].zone is middle.interfaces[number]
    group = IPv6Address("ff02::1")
    asking.send(b"all", world.now, (zoned(middle, group, middle.interfaces[2]), 53))
    world.run()
    assert [end.readable for end in ends] == [False, True]


def test_an_address_is_bound_in_its_own_zone_only() -> None:
    _, middle, _, _ = between()
    own = middle.addresses.of(middle.interfaces[2], IPv6Address)[0]
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EADDRNOTAVAIL):
        middle.tcp.bind(zoned(middle, own, middle.interfaces[1]), 80)
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EADDRNOTAVAIL):
        middle.udp.open(6).bind(zoned(middle, own, middle.interfaces[1]), 80)
    middle.tcp.bind(zoned(middle, own, middle.interfaces[2]), 80)
    within = middle.tcp.connect(None, (zoned(middle, own, middle.loopback.interface), 80), now=0)
    assert within.remote is not None
    assert isinstance(within.remote[0], Zoned)
    assert within.remote[0].zone is middle.interfaces[2]
    assert zoned(middle, IPv6Address("2001:db8::1"), middle.interfaces[1]) == IPv6Address("2001:db8::1")
