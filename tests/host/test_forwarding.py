"""A router between two hosts: time to live, fragments, path MTU, errors and whom they reach."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from stack.base.address import IPv4Address, IPv6Address, ip_address
from stack.base.event import DropReason
from stack.codec.fields import Sealed
from stack.codec.packet import Packet
from stack.codec.registry import LinkType
from stack.host.mss_clamp import clamp_octets, lowered
from stack.ip.formats.extensions import Fragment
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.tcp.formats.options import MSS, TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP
from tests.host.headers import Ethernet, IPv4, IPv6
from tests.host.wire import MILLISECOND, SECOND, routed

VERSIONS = pytest.mark.parametrize(("yours", "hop"), [("10.0.2.1", "10.0.1.254"), ("2001:db8:2::1", "2001:db8:1::fe")])


@VERSIONS
def test_a_ping_through_a_router_and_one_that_dies_there(yours: str, hop: str) -> None:
    world, a, router, b = routed()
    target = ip_address(yours)
    echo = a.icmp.open(target)
    echo.send(target, 1, world.now, b"data")
    world.run()
    answered = echo.receive()
    assert answered is not None
    assert answered.reply is not None
    assert (answered.reply.hop_limit, answered.reply.sender) == (63, target)
    echo.send(target, 2, world.now, b"data", hop_limit=1)
    world.run()
    died = echo.receive()
    assert died is not None
    assert died.error is not None
    assert (died.error.reporter, died.error.errno, died.round_trip) == (ip_address(hop), errno.EHOSTUNREACH, 2 * MILLISECOND)
    assert router.drops == {DropReason.TTL_EXPIRED: 1}
    assert (a.drops, b.drops) == ({}, {})


@VERSIONS
def test_traceroute_by_udp(yours: str, hop: str) -> None:
    world, a, _, _ = routed()
    reporters = []
    for hops in (1, 2):
        endpoint = a.udp.open(6 if ":" in yours else 4)
        endpoint.receive_errors, endpoint.hop_limit = True, hops
        endpoint.send(bytes(32), world.now, (ip_address(yours), 33434))
        world.run()
        reporters.append((str(endpoint.errors[0].reporter), endpoint.errors[0].errno))
    assert reporters == [(hop, errno.EHOSTUNREACH), (yours, errno.ECONNREFUSED)]


@VERSIONS
def test_a_tcp_transfer_over_a_smaller_second_link(yours: str, hop: str) -> None:
    world, a, router, b = routed(mtu=1300)
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (ip_address(yours), 80), now=world.now)
    world.run()
    server = listener.accept()
    assert server is not None
    server.send(bytes(20_000), world.now)
    connection.send(b"x" * 20_000, world.now)
    world.run()
    assert server.recv(30_000, world.now) == b"x" * 20_000
    assert connection.recv(30_000, world.now) == bytes(20_000)
    assert max(len(packet) for packet in world.seen(TCP, router)) <= 1314
    assert router.drops == {}  # both sides announced their MSS


@VERSIONS
def test_path_mtu_discovery_in_the_middle(yours: str, hop: str) -> None:
    """Neither end knows of the narrow link: the router's error cuts the segments."""
    world, a, router, b = routed()
    router.interfaces[2].mtu = 1300
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (ip_address(yours), 80), now=world.now)
    world.run()
    server = listener.accept()
    assert server is not None
    connection.send(b"x" * 20_000, world.now)
    world.run()
    assert server.recv(30_000, world.now) == b"x" * 20_000
    assert router.drops == {DropReason.FRAGMENTATION_NEEDED: 10}  # the initial window
    assert a.path_mtu.get(ip_address(yours), 1500, world.now) == 1300
    second = a.tcp.connect(None, (ip_address(yours), 80), now=world.now)
    world.run()
    second.send(b"y" * 5000, world.now)
    world.run()
    assert router.drops == {DropReason.FRAGMENTATION_NEEDED: 10}  # nothing new to learn
    assert a.path_mtu.get(ip_address(yours), 1500, world.now + 700 * SECOND) == 1500


def test_the_first_links_mtu_shrinks_under_a_connection() -> None:
    world, a, _, b = routed()
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (IPv4Address("10.0.2.1"), 80), now=world.now)
    world.run()
    server = listener.accept()
    assert server is not None
    connection.send(b"x" * 3000, world.now)
    world.run()
    a.interfaces[1].mtu = 1000
    a.routes.changed()
    world.log.clear()
    connection.send(b"x" * 3000, world.now)
    world.run()
    assert server.recv(30_000, world.now) == b"x" * 6000
    assert max(len(packet) for packet in world.seen(TCP, a)) <= 1014


def test_ipv4_is_fragmented_on_the_way_if_it_may_be() -> None:
    world, a, router, b = routed()
    router.interfaces[2].mtu = 600
    server = b.udp.open(4)
    server.bind(None, 7)
    client = a.udp.open(4)
    client.send(bytes(1400), world.now, (IPv4Address("10.0.2.1"), 7))  # DF is set: the error teaches the path's MTU
    world.run()
    assert server.receive() is None
    client.send(b"y" * 1400, world.now, (IPv4Address("10.0.2.1"), 7))
    world.run()
    datagram = server.receive()
    assert datagram is not None
    assert datagram.data == b"y" * 1400
    assert [packet[IPv4].total_length <= 600 for packet in world.seen(IPv4, a)[-3:]] == [True] * 3
    source = a.udp.open(4)
    source.bind(None, 5000)
    for as_headers in (True, False):
        frame = Ethernet(router.interfaces[1].mac, a.interfaces[1].mac) / IPv4(source="10.0.1.1", destination="10.0.2.1") / UDP(5000, 7) / bytes(1400)
        world.log.clear()
        a.send_raw(a.interfaces[1], frame if as_headers else Packet.parse(bytes(frame)))
        world.run()
        datagram = server.receive()
        assert datagram is not None
        assert len(datagram.data) == 1400
        assert len(world.seen(IPv4, router)) == 3


def test_ipv6_is_fragmented_by_its_source_alone() -> None:
    world, a, router, b = routed()
    router.interfaces[2].mtu = 1280
    server = b.udp.open(6)
    server.bind(None, 7)
    client = a.udp.open(6)
    for data in (b"lost", b"arrives"):
        client.send(data + bytes(1400), world.now, (IPv6Address("2001:db8:2::1"), 7))
        world.run()
    datagram = server.receive()
    assert datagram is not None
    assert datagram.data[:7] == b"arrives"
    assert len(world.seen(Fragment, a)) == 2
    assert router.drops == {DropReason.FRAGMENTATION_NEEDED: 1}
    assert [packet[ICMPv6].mtu for packet in world.seen(ICMPv6, router) if packet[ICMPv6].type == 2] == [1280]


@VERSIONS
def test_no_route_and_nobody_there(yours: str, hop: str) -> None:
    world, a, router, _ = routed()
    six = ":" in yours
    nowhere, nobody = ("2001:db8:9::1", "2001:db8:2::99") if six else ("192.0.2.1", "10.0.2.99")
    connection = a.tcp.connect(None, (ip_address(nowhere), 80), now=world.now)
    world.run()
    assert connection.error == errno.ENETUNREACH
    assert router.drops == {DropReason.NO_ROUTE: 1}
    connection = a.tcp.connect(None, (ip_address(nobody), 80), now=world.now)
    world.run()
    assert connection.error == errno.EHOSTUNREACH
    assert router.drops[DropReason.UNREACHABLE] == 4  # the SYNs of three seconds
    assert world.seen(ICMPv6 if six else ICMP, router)


@VERSIONS
def test_a_host_that_is_no_router_forwards_nothing(yours: str, hop: str) -> None:
    world, _, router, b = routed()
    upper = UDP(1, 2)
    ip = IPv6(source="2001:db8:1::1", destination=yours) if ":" in yours else IPv4(source="10.0.1.1", destination="192.0.2.7")
    if ":" in yours:
        ip = ip.replace(destination=IPv6Address("2001:db8:7::7"))
    frame = Ethernet(b.interfaces[1].mac, router.interfaces[2].mac) / ip / upper / b"x"
    for each in (frame, Packet.parse(bytes(frame))):
        router.send_raw(router.interfaces[2], each)
    world.run()
    assert b.drops == {DropReason.NOT_FOR_US: 2}


@pytest.mark.parametrize(("source", "destination", "reason"), [
    ("224.0.0.1", "10.0.2.1", DropReason.BAD_ADDRESS), ("240.0.0.1", "10.0.2.1", DropReason.BAD_ADDRESS),
    ("127.0.0.1", "10.0.2.1", DropReason.BAD_ADDRESS), ("10.0.1.1", "127.0.0.1", DropReason.BAD_ADDRESS),
    ("0.1.2.3", "10.0.2.1", DropReason.BAD_ADDRESS), ("10.0.1.254", "10.0.1.254", DropReason.BAD_ADDRESS),
    ("10.0.1.255", "10.0.2.1", DropReason.BAD_ADDRESS), ("0.0.0.0", "10.0.2.1", DropReason.BAD_ADDRESS),
    ("10.0.1.1", "239.1.1.1", DropReason.NOT_FOR_US), ("10.0.1.1", "250.1.1.1", DropReason.NOT_FOR_US),
    ("ff02::5", "2001:db8:2::1", DropReason.BAD_ADDRESS), ("::1", "2001:db8:2::1", DropReason.BAD_ADDRESS),
    ("2001:db8:1::1", "::1", DropReason.BAD_ADDRESS), ("2001:db8:1::1", "::", DropReason.BAD_ADDRESS),
    ("::ffff:10.0.0.1", "2001:db8:2::1", DropReason.BAD_ADDRESS), ("2001:db8:1::fe", "2001:db8:1::fe", DropReason.BAD_ADDRESS),
    ("fe80::9", "2001:db8:2::1", DropReason.NOT_FOR_US), ("::", "2001:db8:2::1", DropReason.NOT_FOR_US),
    ("2001:db8:1::1", "ff0e::77", DropReason.NOT_FOR_US),
])  # fmt: skip
@pytest.mark.parametrize("as_headers", [True, False])
def test_addresses_that_may_not_be(source: str, destination: str, reason: DropReason, as_headers: bool) -> None:
    world, a, router, _ = routed()
    six = ":" in source
    ip = IPv6(source=source, destination=destination) if six else IPv4(source=source, destination=destination)
    frame = Ethernet(router.interfaces[1].mac, a.interfaces[1].mac) / ip / UDP(1, 2) / b"x"
    a.send_raw(a.interfaces[1], frame if as_headers else Packet.parse(bytes(frame)))
    world.run()
    assert router.drops == {reason: 1}
    assert len(world.log) == 1


@pytest.mark.parametrize("as_headers", [True, False])
def test_forwarding_changes_the_time_to_live_and_nothing_else(as_headers: bool) -> None:
    world, a, router, b = routed()
    a.icmp.open().send(IPv4Address("10.0.2.1"), 1, 0)
    world.run()
    world.log.clear()
    ip = IPv4(source="10.0.1.1", destination="10.0.2.1", dscp=10, ecn=1, identification=99, dont_fragment=True, time_to_live=9)
    frame = Ethernet(router.interfaces[1].mac, a.interfaces[1].mac) / ip / UDP(1, 2) / b"payload"
    a.send_raw(a.interfaces[1], frame if as_headers else Packet.parse(bytes(frame) + bytes(10)))
    world.run()
    passed = world.seen(UDP, router)[0]
    expected = Ethernet(b.interfaces[1].mac, router.interfaces[2].mac) / ip.replace(time_to_live=8) / UDP(1, 2) / b"payload"
    assert bytes(passed) == bytes(expected)


def test_link_layer_broadcasts_are_not_forwarded() -> None:
    world, a, router, _ = routed()
    frame = Ethernet("ff:ff:ff:ff:ff:ff", a.interfaces[1].mac) / IPv4(source="10.0.1.1", destination="10.0.2.1") / UDP(1, 2)
    a.send_raw(a.interfaces[1], frame)
    world.run()
    assert router.drops == {DropReason.NOT_FOR_US: 1}


def test_no_errors_about_errors_fragments_or_groups() -> None:
    """RFC 1122 section 3.2.2: what must not be answered with an error."""
    world, a, router, _ = routed()
    inner = IPv4(source="10.0.1.254", destination="10.0.1.1") / UDP(1, 2) / b"x"
    base = {"source": "10.0.1.1", "destination": "10.0.2.1", "time_to_live": 1}
    silent = [
        IPv4(**base) / ICMP(3, 3) / bytes(inner),
        IPv4(**base, protocol=17, fragment_offset=5) / b"rest",
    ]
    for each in silent:
        a.send_raw(a.interfaces[1], Ethernet(router.interfaces[1].mac, a.interfaces[1].mac) / each)
    world.run()
    assert router.drops == {DropReason.TTL_EXPIRED: 2}
    assert world.seen(ICMP, router) == []
    base6 = {"source": "2001:db8:1::1", "destination": "2001:db8:2::1", "hop_limit": 1}
    for each in (IPv6(**base6) / ICMPv6(1, 4) / b"quoted", IPv6(**base6) / ICMPv6(137)):
        a.send_raw(a.interfaces[1], Ethernet(router.interfaces[1].mac, a.interfaces[1].mac) / each)
    world.run()
    assert [packet for packet in world.seen(ICMPv6, router) if packet[ICMPv6].type < 128] == []


def test_errors_to_one_peer_are_limited() -> None:
    world, a, router, _ = routed()
    client = a.udp.open(4)
    client.hop_limit = 1
    for _ in range(100):
        client.send(b"x", world.now, (IPv4Address("10.0.2.1"), 7))
    world.run()
    assert len(world.seen(ICMP, router)) == 6
    world.run(until=world.now + 3 * SECOND)
    for _ in range(100):
        client.send(b"x", world.now, (IPv4Address("10.0.2.1"), 7))
    world.run()
    assert len(world.seen(ICMP, router)) == 9


@pytest.mark.parametrize("as_bytes", [False, True])
@VERSIONS
def test_a_router_that_clamps_the_mss(yours: str, hop: str, as_bytes: bool) -> None:
    """SYNs both ways announce what the smaller link carries, so that no segment is ever too big; checksums stay right."""
    world, a, router, b = routed()
    world.as_bytes = as_bytes
    router.interfaces[2].mtu = 1300  # neither end knows
    router.settings = replace(router.settings, mss_clamp=True)
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (ip_address(yours), 80), now=world.now)
    world.run()
    accepted = listener.accept()
    assert accepted is not None
    connection.send(b"x" * 20_000, world.now)
    world.run()
    assert accepted.recv(1 << 16, world.now) == b"x" * 20_000
    assert router.drops == {}
    assert (a.drops, b.drops) == ({}, {})
    overhead = 60 if ":" in yours else 40
    syns = [(name, packet[TCP].options.get(MSS)) for _, name, packet in world.log if TCP in packet and packet[TCP].syn]
    announced = {(name, option.mss) for name, option in syns if option is not None}
    assert announced == {("a", 1500 - overhead), ("b", 1500 - overhead), ("r", 1300 - overhead)}


def test_mss_that_stand_across_words_and_damaged_options() -> None:
    """The checksum follows also where the MSS lies on an odd place; options that make no sense stay as they are."""
    for before in (b"", b"\1", b"\1\1\1"):
        header = TCP(source=1, destination=2, syn=True, options=TCPOptions(before + b"\2\4\x05\xb4" + bytes(-len(before) % 4)))
        datagram = bytes(IPv4(source="10.0.0.1", destination="10.0.0.2") / header)
        clamped = clamp_octets(datagram, 20, 1000, 20)
        assert clamped != datagram
        again = Packet.parse(clamped, linktype=LinkType.RAW)
        assert again.rebuild() == clamped
        assert again.replace(again[TCP].replace(checksum=Sealed)).rebuild() == clamped
    for damaged in (b"\2\0\x05\xb4", b"\2\4\x05", b"\0\2\4\x05", b"\3"):
        assert lowered(damaged, 500) is None
