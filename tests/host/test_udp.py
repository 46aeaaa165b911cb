"""UDP endpoints: who gets a datagram, what errors come back, what is bounded."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from stack.base.address import IPv4Address, IPv6Address, ip_address
from stack.base.event import DropReason
from stack.codec.packet import Packet
from stack.host.host import HostEngine
from stack.host.udp_endpoint import UdpEndpoint
from stack.ip.formats.icmp import ICMP
from stack.udp.formats.udp import UDP
from tests.host.headers import ARP, Ethernet, IPv4, IPv6
from tests.host.wire import SECOND, World, pair

ANY = IPv4Address.UNSPECIFIED
B = IPv4Address("10.0.0.2")
VERSIONS = pytest.mark.parametrize("yours", ["10.0.0.2", "2001:db8::2"])


def bound(host: HostEngine, port: int, address: str = "0.0.0.0", **options: bool) -> UdpEndpoint:
    endpoint = host.udp.open(4)
    for name, value in options.items():
        setattr(endpoint, name, value)
    endpoint.bind(ip_address(address), port)
    return endpoint


def fails(number: int) -> Any:
    return pytest.raises(OSError, check=lambda error: error.errno == number)


def datas(endpoint: UdpEndpoint) -> list[bytes]:
    got = []
    while (datagram := endpoint.receive()) is not None:
        got.append(datagram.data)
    return got


@VERSIONS
def test_a_datagram_and_its_answer(yours: str) -> None:
    world, a, b = pair()
    server, client = b.udp.open(6), a.udp.open(6 if ":" in yours else 4)
    woken: list[str] = []
    server.notify = lambda: woken.append("server")
    server.bind(IPv6Address.UNSPECIFIED, 53)
    client.send(b"question", world.now, (ip_address(yours), 53))
    world.run()
    assert woken == ["server"]
    assert server.readable
    waiting = server.peek()
    question = server.receive()
    assert question is not None
    assert waiting == question
    shown = IPv6Address("::ffff:10.0.0.2") if ":" not in yours else IPv6Address(yours)
    assert (question.data, question.sender[1], question.destination) == (b"question", client.port, shown)
    server.send(b"answer", world.now, question.sender)
    world.run()
    assert datas(client) == [b"answer"]
    assert not client.readable
    assert client.writable
    assert (a.drops, b.drops) == ({}, {})


@VERSIONS
def test_nobody_on_the_port_refuses_a_connected_socket(yours: str) -> None:
    world, a, _ = pair()
    client = a.udp.open(6 if ":" in yours else 4)
    client.connect(ip_address(yours), 9)
    client.send(b"anyone?", world.now)
    world.run()
    assert client.readable
    with fails(errno.ECONNREFUSED):
        client.receive()
    assert client.receive() is None
    client.send(b"anyone?", world.now)
    world.run()
    with fails(errno.ECONNREFUSED):
        client.send(b"!", world.now)
    client.send(b"anyone?", world.now)
    world.run()
    assert client.take_error() == errno.ECONNREFUSED
    assert client.take_error() is None


def test_an_unconnected_socket_hears_of_errors_only_if_it_asks() -> None:
    world, a, _ = pair()
    plain, curious = a.udp.open(4), a.udp.open(4)
    curious.receive_errors = True
    for each in (plain, curious):
        each.send(b"?", world.now, (B, 33434))
    world.run()
    assert plain.receive() is None
    report = curious.errors.popleft()
    assert (report.errno, report.type, report.code, report.reporter, report.remote) == (errno.ECONNREFUSED, 3, 3, B, (B, 33434))


def test_the_closest_match_gets_the_datagram() -> None:
    world, a, b = pair()
    wild = bound(b, 7, reuse_address=True)
    exact = bound(b, 7, "10.0.0.2", reuse_address=True)
    connected = bound(b, 7, "10.0.0.2", reuse_address=True)
    connected.connect(IPv4Address("10.0.0.1"), 4000)
    friend, stranger = bound(a, 4000), bound(a, 4001)
    friend.send(b"friend", world.now, (B, 7))
    stranger.send(b"stranger", world.now, (B, 7))
    world.run()
    assert (datas(wild), datas(exact), datas(connected)) == ([], [b"stranger"], [b"friend"])
    latest = bound(b, 7, "10.0.0.2", reuse_address=True)
    stranger.send(b"stranger", world.now, (B, 7))
    world.run()
    assert (datas(exact), datas(latest)) == ([], [b"stranger"])


def test_sockets_that_share_a_port_share_the_load_by_sender() -> None:
    world, a, b = pair()
    servers = [bound(b, 7, reuse_port=True) for _ in range(3)]
    for port in range(4000, 4030):
        bound(a, port).send(b"x", world.now, (B, 7))
    world.run()
    counts = [len(datas(server)) for server in servers]
    assert sum(counts) == 30
    assert min(counts) > 0


def test_the_receive_queue_is_bounded() -> None:
    world, a, b = pair()
    server, client = bound(b, 7), bound(a, 4000)
    server.receive_buffer = 4096
    for _ in range(20):
        client.send(bytes(1000), world.now, (B, 7))
        world.run()
    assert server.queued <= 4096
    assert b.drops == {DropReason.QUEUE_OVERFLOW: 17}
    assert len(datas(server)) == 3
    assert server.queued == 0


def test_what_a_caller_may_not_do() -> None:
    world, a, _ = pair()
    endpoint = a.udp.open(4)
    with fails(errno.EDESTADDRREQ):
        endpoint.send(b"", world.now)
    with fails(errno.EINVAL):
        endpoint.send(b"", world.now, (B, 0))
    with fails(errno.EMSGSIZE):
        endpoint.send(bytes(65508), world.now, (B, 7))
    with fails(errno.ENETUNREACH):
        endpoint.send(b"", world.now, (IPv4Address("192.0.2.1"), 7))
    with fails(errno.EACCES):
        endpoint.send(b"", world.now, (IPv4Address("255.255.255.255"), 7))
    with fails(errno.EACCES):
        endpoint.connect(IPv4Address("10.0.0.255"), 7)
    with fails(errno.EAFNOSUPPORT):
        endpoint.send(b"", world.now, (IPv6Address("::1"), 7))
    with fails(errno.EINVAL):
        endpoint.bind(ANY, 80)  # `send` has bound it
    with fails(errno.EADDRNOTAVAIL):
        a.udp.open(4).bind(IPv4Address("192.0.2.1"), 80)
    with fails(errno.EAFNOSUPPORT):
        a.udp.open(6).bind(ANY, 80)
    only6 = a.udp.open(6)
    only6.only_v6 = True
    with fails(errno.ENETUNREACH):
        only6.send(b"", world.now, (IPv6Address("::ffff:10.0.0.2"), 7))
    with pytest.raises(ValueError, match="17"):
        a.udp.open(17)


def test_to_the_unspecified_address_is_to_oneself() -> None:
    world, a, _ = pair()
    server, client, client6 = a.udp.open(6), a.udp.open(4), a.udp.open(6)
    server.bind(None, 7)
    client.send(b"v4", world.now, (ANY, 7))
    client6.send(b"v6", world.now, (IPv6Address.UNSPECIFIED, 7))
    world.run()
    assert datas(server) == [b"v4", b"v6"]
    assert world.log == []


def test_connect_narrows_and_dissolves() -> None:
    world, a, b = pair()
    client = bound(a, 4000)
    client.connect(B, 7)
    assert client.local == (IPv4Address("10.0.0.1"), 4000)
    bound(b, 8).send(b"not you", world.now, (IPv4Address("10.0.0.1"), 4000))
    world.run()
    assert client.receive() is None
    assert a.drops == {DropReason.NO_SOCKET: 1}
    client.connect(None)
    assert client.local == (ANY, 4000)
    bound(b, 9).send(b"you", world.now, (IPv4Address("10.0.0.1"), 4000))
    world.run()
    assert datas(client) == [b"you"]


def test_a_closed_endpoint_gives_its_port_back() -> None:
    _, a, _ = pair()
    for _ in range(2):
        endpoint = bound(a, 80)
        endpoint.close()
        endpoint.close()
    assert len(a.udp.ports) == 0
    first, second = (bound(a, 80, reuse_port=True) for _ in range(2))
    first.close()
    assert list(a.udp.endpoints) == [80]
    with fails(errno.EINVAL):
        first.bind(ANY, 81)
    second.close()


def test_broadcasts_reach_every_wildcard_and_ourselves() -> None:
    world = World()
    hosts = [world.host(name, f"10.0.0.{number}/24") for number, name in enumerate("abc", 1)]
    world.cable(*((host, 0) for host in hosts))
    ears = [bound(host, 67, reuse_address=True) for host in hosts for _ in range(2)]
    deaf = bound(hosts[1], 67, "10.0.0.2", reuse_address=True)
    mouth = bound(hosts[0], 68)
    mouth.broadcast = True
    for to in ("255.255.255.255", "10.0.0.255"):
        mouth.send(to.encode(), world.now, (ip_address(to), 67))
    mouth.connect(IPv4Address("10.0.0.255"), 67)
    world.run()
    assert [datas(ear) for ear in ears] == [[b"255.255.255.255", b"10.0.0.255"]] * 6
    assert deaf.receive() is None
    assert world.seen(ARP) == []
    assert {str(packet[Ethernet].destination) for packet in world.seen(UDP)} == {"ff:ff:ff:ff:ff:ff"}


@pytest.mark.parametrize("group", ["239.1.2.3", "ff02::1234"])
def test_multicasts_reach_members(group: str) -> None:
    world, a, b = pair()
    six = 6 if ":" in group else 4
    ears = [host.udp.open(six) for host in (a, b)]
    for ear in ears:
        ear.bind(None, 5353)
        ear.join(ip_address(group))
    with fails(errno.EADDRINUSE):
        ears[0].join(ip_address(group))
    mouth = a.udp.open(six)
    mouth.send(b"one", world.now, (ip_address(group), 5353))
    world.run()
    assert [datas(ear) for ear in ears] == [[b"one"], [b"one"]]
    mouth.multicast_loop = False
    ears[1].leave(ip_address(group))
    mouth.send(b"two", world.now, (ip_address(group), 5353))
    world.run()
    assert [datas(ear) for ear in ears] == [[], []]
    assert b.drops[DropReason.NOT_FOR_US] >= 1
    sent = world.seen(UDP, a)[0]
    assert (sent[IPv4].time_to_live if six == 4 else sent[IPv6].hop_limit) == 1
    with fails(errno.EADDRNOTAVAIL):
        ears[1].leave(ip_address(group))
    with fails(errno.EINVAL):
        ears[1].join(B)
    ears[0].close()
    assert not a.addresses.listens(ip_address(group), a.interfaces[1])


def test_a_port_unreachable_is_never_said_to_a_broadcast() -> None:
    world, a, b = pair()
    mouth = bound(a, 68)
    mouth.broadcast = True
    mouth.send(b"x", world.now, (IPv4Address("10.0.0.255"), 9))
    world.run()
    assert world.seen(ICMP) == []
    assert b.drops == {DropReason.NO_SOCKET: 1}


@VERSIONS
@pytest.mark.parametrize(("checksum", "reason"), [(0, None), (0x1234, DropReason.BAD_CHECKSUM)])
def test_checksums(yours: str, checksum: int, reason: DropReason | None) -> None:
    world, a, b = pair()
    server = b.udp.open(6)
    server.bind(None, 7)
    ip = IPv6(source="2001:db8::1", destination=yours) if ":" in yours else IPv4(source="10.0.0.1", destination=yours)
    frame = Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / ip / UDP(4000, 7, checksum=checksum) / b"data"
    a.send_raw(a.interfaces[1], frame)
    world.run()
    if checksum == 0 and ":" in yours:
        reason = DropReason.BAD_CHECKSUM  # RFC 8200 section 8.1: never without
    assert datas(server) == ([] if reason else [b"data"])
    assert b.drops == ({reason: 1} if reason else {})


@pytest.mark.parametrize("length", [0, 7, 13, 200])
def test_a_length_that_lies(length: int) -> None:
    world, a, b = pair()
    bound(b, 7)
    frame = Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / IPv4(source="10.0.0.1", destination=B) / UDP(1, 7, length=length) / b"data"
    a.send_raw(a.interfaces[1], frame)
    world.run()
    assert b.drops == {DropReason.MALFORMED: 1}


def test_no_checksum_on_request() -> None:
    world, a, b = pair()
    server, client = bound(b, 7), bound(a, 8)
    client.checksum = False
    client.send(b"x", world.now, (B, 7))
    world.run()
    assert datas(server) == [b"x"]
    assert Packet.parse(bytes(world.seen(UDP)[0]))[UDP].checksum == 0


def test_a_neighbour_that_does_not_answer_is_a_soft_error() -> None:
    world, a, _ = pair()
    client, curious = a.udp.open(4), a.udp.open(4)
    curious.receive_errors = True
    nobody = IPv4Address("10.0.0.99")
    for each in (client, curious):
        each.connect(nobody, 7)
        each.send(b"x", world.now)
    world.run()
    assert world.now == 3 * SECOND
    assert client.receive() is None
    with fails(errno.EHOSTUNREACH):
        curious.receive()
    assert a.drops == {DropReason.UNREACHABLE: 2}
