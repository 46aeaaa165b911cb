"""The small parts of a host: addresses, timers, rate limits, ways, path MTUs."""

from __future__ import annotations

import errno
import random

import pytest

from stack.base.address import MAC, IPv4Address, IPv6Address, ip_address
from stack.base.errors import WireError
from stack.base.event import DropReason
from stack.codec.packet import Packet
from stack.host.addresses import Cast, group_mac, link_local, solicited_node, subnet_broadcast
from stack.host.attachment import _FRAMES
from stack.host.rate_limit import PEERS, SECOND, RateLimit
from stack.host.timers import Timers
from stack.host.way import Way, find_way
from stack.ip.path_mtu import DESTINATIONS, PathMTU, plateau
from tests.host.headers import Ethernet
from tests.host.wire import World, pair, routed


class Thing:
    """Something with a deadline."""

    scheduled: int | None = None
    scheduled_idle = False
    housekeeping = False

    def __init__(self) -> None:
        self.deadline: int | None = None
        self.woken: list[int] = []

    def timeout(self, now: int) -> None:
        self.woken.append(now)
        self.deadline = None


def test_a_deadline_that_moves_later_wakes_late() -> None:
    timers, thing = Timers(), Thing()
    thing.deadline = 10
    timers.arm(thing)
    thing.deadline = 30
    timers.arm(thing)
    assert timers.earliest() == 10  # early, which costs one look
    timers.timeout(10)
    assert (thing.woken, timers.earliest()) == ([], 30)
    timers.timeout(30)
    assert thing.woken == [30]
    assert timers.earliest() is None


def test_housekeeping_is_told_apart_when_it_changes() -> None:
    timers, thing = Timers(), Thing()
    thing.deadline, thing.housekeeping = 10, True
    timers.arm(thing)
    assert (timers.housekeeping, timers.earliest()) == (True, 10)
    thing.housekeeping, thing.deadline = False, 20
    timers.arm(thing)
    assert not timers.housekeeping
    thing.housekeeping = True
    assert timers.housekeeping
    thing.deadline = None
    assert timers.earliest() is None


def test_timers_agree_with_a_list() -> None:
    source, timers, things, now = random.Random(1), Timers(), [Thing() for _ in range(20)], 0
    for _ in range(3000):
        thing = things[source.getrandbits(8) % 20]
        thing.deadline = None if source.getrandbits(2) == 0 else now + source.getrandbits(6)
        thing.housekeeping = bool(source.getrandbits(1))
        timers.arm(thing)
        if source.getrandbits(2) == 0:
            expected = [each for each in things if each.deadline is not None]
            assert timers.housekeeping == all(each.housekeeping for each in expected)
            deadline = timers.earliest()
            assert (deadline is None) == (not expected)
            assert deadline is None or deadline <= min(each.deadline or 0 for each in expected)
            now += source.getrandbits(5)
            due = [each for each in expected if each.deadline is not None and each.deadline <= now]
            timers.timeout(now)
            assert all(each.woken and each.woken[-1] == now for each in due)


def test_the_buckets_fill_again() -> None:
    limit, peer = RateLimit(), IPv4Address("10.0.0.1")
    assert sum(limit.allow(peer, 0) for _ in range(100)) == 6
    assert sum(limit.allow(peer, 10 * SECOND) for _ in range(100)) == 6
    crowd = [IPv4Address(number) for number in range(3000)]
    assert sum(limit.allow(each, 20 * SECOND) for each in crowd) == 50
    assert sum(limit.allow(each, 20 * SECOND + SECOND // 100) for each in crowd) == 10
    assert len(limit._peers) <= PEERS


def test_addresses_and_what_comes_with_them() -> None:
    world, a, _ = pair()
    cast = a.addresses.cast
    assert [cast(ip_address(text)) for text in ("10.0.0.1", "127.3.2.1", "10.0.0.255", "255.255.255.255", "224.0.0.1", "10.0.0.9", "ff02::1", "::1", "2001:db8::9")] == [
        Cast.LOCAL, Cast.LOCAL, Cast.BROADCAST, Cast.BROADCAST, Cast.MULTICAST, Cast.OTHER, Cast.MULTICAST, Cast.LOCAL, Cast.OTHER,
    ]
    eth0 = a.interfaces[1]
    assert [str(each) for each in eth0.addresses] == ["10.0.0.1/24", "fe80::ff:fe00:101/64", "2001:db8::1/64"]
    a.add_address(eth0, IPv4Address("10.0.0.77"), 24)
    a.remove_address(eth0, IPv4Address("10.0.0.1"))
    assert (cast(IPv4Address("10.0.0.1")), cast(IPv4Address("10.0.0.255"))) == (Cast.OTHER, Cast.BROADCAST)
    assert a.routes.lookup(IPv4Address("10.0.0.9")) is not None
    a.remove_address(eth0, IPv4Address("10.0.0.77"))
    assert (cast(IPv4Address("10.0.0.255")), a.routes.lookup(IPv4Address("10.0.0.9"))) == (Cast.OTHER, None)
    a.remove_address(eth0, IPv6Address("2001:db8::1"))
    assert cast(IPv6Address("2001:db8::1")) is Cast.OTHER
    with pytest.raises(KeyError, match="eth0 does not have"):
        a.remove_address(eth0, IPv4Address("10.0.0.1"))
    assert a.add_address(eth0, IPv4Address("192.0.2.1"), 32) is None
    assert world.log == []


def test_a_link_local_address_of_ones_own_choice() -> None:
    world = World()
    host = world.host("a", "")
    host.add_address(host.interfaces[1], link_local(host.interfaces[1].mac), 64)
    assert len(host.interfaces[1].addresses) == 1


def test_derived_addresses() -> None:
    assert link_local(MAC("02:00:5e:10:00:01")) == IPv6Address("fe80::5eff:fe10:1")
    assert solicited_node(IPv6Address("2001:db8::12:3456")) == IPv6Address("ff02::1:ff12:3456")
    assert subnet_broadcast(IPv4Address("10.1.2.3"), 22) == IPv4Address("10.1.3.255")
    assert [str(group_mac(ip_address(text))) for text in ("239.129.2.3", "ff02::1:ff12:3456")] == ["01:00:5e:01:02:03", "33:33:ff:12:34:56"]


def test_ways() -> None:
    _, a, router, _ = routed()
    way = find_way(a, IPv4Address("10.0.2.1"))
    assert isinstance(way, Way)
    assert (str(way.next_hop), str(way.source), way.mtu, way.cast) == ("10.0.1.254", "10.0.1.1", 1500, Cast.OTHER)
    itself = find_way(a, IPv4Address("10.0.1.1"))
    assert isinstance(itself, Way)
    assert (itself.attachment.interface.name, str(itself.source), itself.mtu) == ("lo", "10.0.1.1", 65535)
    far = find_way(router, IPv6Address("ff0e::1"), interface=router.interfaces[2])
    assert isinstance(far, Way)
    assert (far.attachment.interface.name, str(far.source)) == ("eth1", "2001:db8:2::fe")
    near = find_way(router, IPv6Address("fe80::1"), interface=router.interfaces[2])
    assert isinstance(near, Way)
    assert near.source.is_link_local  # type: ignore[union-attr]
    assert find_way(router, IPv4Address("192.0.2.1")) == errno.ENETUNREACH


def test_a_host_without_an_address_may_broadcast_and_no_more() -> None:
    world = World()
    host = world.host("a", "")
    way = find_way(host, IPv4Address("255.255.255.255"))
    assert isinstance(way, Way)
    assert way.source == IPv4Address.UNSPECIFIED
    assert find_way(host, IPv6Address("ff02::1")) == errno.EADDRNOTAVAIL
    alone = World().host("b")
    assert find_way(alone, IPv4Address("255.255.255.255")) == errno.ENETUNREACH


def test_an_address_elsewhere_serves_where_the_interface_has_none() -> None:
    world = World()
    host = world.host("a", "10.0.0.1/24", "")
    host.add_route("192.0.2.0/24", interface=host.interfaces[2])
    way = find_way(host, IPv4Address("192.0.2.9"))
    assert isinstance(way, Way)
    assert (way.attachment.interface.name, str(way.source)) == ("eth1", "10.0.0.1")


def test_routes_from_text() -> None:
    _, a, _ = pair()
    route = a.add_route("default", "10.0.0.2")
    assert (str(route), route.interface.name) == ("0.0.0.0/0 via 10.0.0.2 dev eth0 metric 0", "eth0")
    assert str(a.add_route("default", "2001:db8::2").prefix) == "::"
    assert a.add_route("192.0.2.7", "10.0.0.2").length == 32
    with pytest.raises(ValueError, match="expected a neighbour"):
        a.add_route("192.0.2.0/24")


def test_path_mtus_are_learnt_bounded_and_forgotten() -> None:
    paths, to = PathMTU(), IPv4Address("10.0.0.1")
    assert (paths.learn(to, 1400, 0), paths.learn(to, 1400, 0), paths.learn(to, 60, 0)) == (1400, None, 552)
    assert paths.learn(IPv6Address("::5"), 60, 0) == 1280
    assert (paths.get(to, 1500, 0), paths.get(to, 500, 0), paths.get(to, 1500, 1 << 60)) == (552, 500, 1500)
    for number in range(2 * DESTINATIONS):
        paths.learn(IPv4Address(number), 1000, 0)
    assert len(paths) == DESTINATIONS
    assert [plateau(length) for length in (1500, 68, 40)] == [1492, 68, 68]


def test_frames_that_are_no_frames() -> None:
    world, _, b = pair()
    for packet in (Packet.parse(b"short"), Packet(Ethernet(b.interfaces[1].mac, type=0x9999)), Packet(Ethernet("02:00:00:00:00:99", type=0x0800))):
        b.receive((b.interfaces[1], packet), world.now)
    assert b.drops == {DropReason.MALFORMED: 1, DropReason.UNKNOWN_TYPE: 1, DropReason.NOT_FOR_US: 1}
    assert [drop.reason for drop in b.take_events()] == list(b.drops)
    assert b.take_events() == []


def test_a_packet_that_cannot_be_built_is_a_drop_too() -> None:
    class Broken(Packet):
        __slots__ = ()

        def __bytes__(self) -> bytes:
            raise WireError("length", 0, "too long")

    world, _, b = pair()
    b.receive((b.interfaces[1], Broken(Ethernet())), world.now)
    assert b.drops == {DropReason.MALFORMED: 1}


def test_events_are_bounded_and_counters_are_not() -> None:
    world, _, b = pair(events=10)
    for _ in range(50):
        b.receive((b.interfaces[1], Packet.parse(b"")), world.now)
    assert (len(b.take_events()), b.drops) == (10, {DropReason.MALFORMED: 50})


def test_headers_for_many_neighbours_do_not_grow_without_end() -> None:
    _, a, _ = pair()
    attachment = a.attachments[a.interfaces[1]]
    for number in range(2 * _FRAMES):
        attachment.ethernet(MAC(number), 0x0800)
    assert len(attachment._ethernets) <= _FRAMES


def test_identifications_count_up_for_each_pair_and_are_bounded() -> None:
    _, a, _ = pair()
    first = a.ipv4.counter(IPv4Address(1), IPv4Address(2), 6)
    assert a.ipv4.counter(IPv4Address(1), IPv4Address(2), 6) is first
    for number in range(5000):
        a.ipv4.counter(IPv4Address(number), IPv4Address(2), 6)
    assert len(a.ipv4._counters) <= 4096


def test_too_many_datagrams_for_one_neighbour() -> None:
    world, a, _ = pair()
    endpoint = a.udp.open(4)
    for _ in range(120):
        endpoint.send(b"x", world.now, (IPv4Address("10.0.0.99"), 7))
    world.run()
    assert a.drops == {DropReason.QUEUE_FULL: 19, DropReason.UNREACHABLE: 101}


def test_echo_identifiers_are_all_different() -> None:
    _, a, _ = pair()
    assert len({a.icmp.open().identifier for _ in range(2000)}) == 2000
