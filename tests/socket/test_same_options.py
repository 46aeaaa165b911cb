"""Socket options: one verdict on the emulation and on the operating system."""

from __future__ import annotations

import errno
import socket
import struct

import pytest

from tests.socket.worlds import World

SOL, TCP, IP, IP6 = socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.IPPROTO_IPV6


def test_what_a_socket_is(world: World) -> None:
    s = world.new(kind=socket.SOCK_DGRAM)
    options = (socket.SO_TYPE, socket.SO_DOMAIN, socket.SO_PROTOCOL, socket.SO_ERROR, socket.SO_ACCEPTCONN)
    assert [s.getsockopt(SOL, option) for option in options] == [
        socket.SOCK_DGRAM,
        socket.AF_INET,
        socket.IPPROTO_UDP,
        0,
        0,
    ]


def test_a_listener_accepts_connections(world: World) -> None:
    assert world.listener().getsockopt(SOL, socket.SO_ACCEPTCONN) == 1


@pytest.mark.parametrize(
    ("level", "option"),
    [
        (SOL, "SO_REUSEADDR"),
        (SOL, "SO_REUSEPORT"),
        (SOL, "SO_KEEPALIVE"),
        (SOL, "SO_BROADCAST"),
        (SOL, "SO_OOBINLINE"),
        (SOL, "SO_DONTROUTE"),
        (TCP, "TCP_NODELAY"),
        (TCP, "TCP_CORK"),
    ],
)
def test_switches_are_off_then_on_then_off(world: World, level: int, option: str) -> None:
    s, number = world.new(), getattr(socket, option)
    seen = [s.getsockopt(level, number)]
    for value in (1, 0, True, 77):
        s.setsockopt(level, number, value)
        seen.append(s.getsockopt(level, number))
    assert seen == [0, 1, 0, 1, 1]


@pytest.mark.parametrize(
    ("level", "option", "default", "value"),
    [
        (TCP, "TCP_KEEPIDLE", 7200, 60),
        (TCP, "TCP_KEEPINTVL", 75, 5),
        (TCP, "TCP_KEEPCNT", 9, 3),
        (TCP, "TCP_USER_TIMEOUT", 0, 5000),
        (TCP, "TCP_SYNCNT", 6, 2),
        (IP, "IP_TTL", 64, 3),
        (IP, "IP_TOS", 0, 0x28),
    ],
)
def test_numbers_have_defaults_and_are_kept(world: World, level: int, option: str, default: int, value: int) -> None:
    s, number = world.new(), getattr(socket, option)
    seen = [s.getsockopt(level, number)]
    s.setsockopt(level, number, value)
    seen.append(s.getsockopt(level, number))
    assert seen == [default, value]


@pytest.mark.parametrize(
    ("level", "option", "value"),
    [
        (TCP, "TCP_KEEPIDLE", 0),
        (TCP, "TCP_KEEPIDLE", 32768),
        (TCP, "TCP_KEEPINTVL", 0),
        (TCP, "TCP_KEEPCNT", 128),
        (TCP, "TCP_USER_TIMEOUT", -1),
        (TCP, "TCP_MAXSEG", 40),
        (IP, "IP_TTL", 0),
        (IP, "IP_TTL", 256),
    ],
)
def test_values_out_of_range_are_invalid(world: World, level: int, option: str, value: int) -> None:
    s = world.new()
    assert world.error_of(s.setsockopt, level, getattr(socket, option), value) == errno.EINVAL


@pytest.mark.parametrize(("option", "least"), [("SO_RCVBUF", 2304), ("SO_SNDBUF", 4608)])
def test_buffers_are_doubled_and_bounded(world: World, option: str, least: int) -> None:
    s, number = world.new(), getattr(socket, option)
    s.setsockopt(SOL, number, 20_000)
    assert s.getsockopt(SOL, number) == 40_000
    s.setsockopt(SOL, number, 1)
    assert s.getsockopt(SOL, number) == least


def test_linger_is_a_pair(world: World) -> None:
    s = world.new()
    assert struct.unpack("ii", s.getsockopt(SOL, socket.SO_LINGER, 8)) == (0, 0)
    s.setsockopt(SOL, socket.SO_LINGER, struct.pack("ii", 1, 7))
    assert struct.unpack("ii", s.getsockopt(SOL, socket.SO_LINGER, 8)) == (1, 7)


def test_bytes_stand_for_numbers(world: World) -> None:
    s = world.new()
    s.setsockopt(SOL, socket.SO_KEEPALIVE, struct.pack("i", 1))
    assert s.getsockopt(SOL, socket.SO_KEEPALIVE, 4) == struct.pack("i", 1)


def test_unknown_options(world: World) -> None:
    s = world.new()
    codes = [
        world.error_of(s.getsockopt, SOL, 9999),
        world.error_of(s.setsockopt, SOL, 9999, 1),
        world.error_of(s.setsockopt, TCP, 9999, 1),
        world.error_of(s.getsockopt, TCP, 9999),
        world.error_of(s.setsockopt, IP, 9999, 1),
        world.error_of(s.setsockopt, SOL, socket.SO_TYPE, 1),
        world.error_of(s.setsockopt, SOL, socket.SO_REUSEADDR, b"x"),
    ]
    assert codes == [errno.ENOPROTOOPT] * 6 + [errno.EINVAL]


def test_options_of_another_protocol(world: World) -> None:
    s = world.new(kind=socket.SOCK_DGRAM)
    codes = [
        world.error_of(s.setsockopt, TCP, socket.TCP_NODELAY, 1),
        world.error_of(s.getsockopt, TCP, socket.TCP_NODELAY),
    ]
    assert codes == [errno.ENOPROTOOPT, errno.EOPNOTSUPP]


def test_a_segment_size_before_connecting(world: World) -> None:
    s = world.new()
    assert s.getsockopt(TCP, socket.TCP_MAXSEG) == 536
    client, _ = world.pair()
    assert client.getsockopt(TCP, socket.TCP_MAXSEG) > 1000


def test_an_accepted_socket_inherits_options(world: World) -> None:
    listener = world.listener()
    listener.setsockopt(TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(SOL, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(IP, socket.IP_TTL, 33)
    world.client(listener)
    server, _ = world.accept(listener)
    assert server.getsockopt(TCP, socket.TCP_NODELAY) == 1
    assert server.getsockopt(SOL, socket.SO_KEEPALIVE) == 1
    assert server.getsockopt(IP, socket.IP_TTL) == 33


def test_v6only(world6: World) -> None:
    s = world6.new()
    seen = [s.getsockopt(IP6, socket.IPV6_V6ONLY)]
    s.setsockopt(IP6, socket.IPV6_V6ONLY, 1)
    seen.append(s.getsockopt(IP6, socket.IPV6_V6ONLY))
    s.bind(("::", 0))
    assert seen == [0, 1]
    assert world6.error_of(s.setsockopt, IP6, socket.IPV6_V6ONLY, 0) == errno.EINVAL


def test_hops_of_ipv6(world6: World) -> None:
    s = world6.new()
    s.setsockopt(IP6, socket.IPV6_UNICAST_HOPS, 5)
    assert s.getsockopt(IP6, socket.IPV6_UNICAST_HOPS) == 5


def test_multicast_settings(world: World) -> None:
    s = world.new(kind=socket.SOCK_DGRAM)
    seen = [s.getsockopt(IP, socket.IP_MULTICAST_TTL), s.getsockopt(IP, socket.IP_MULTICAST_LOOP)]
    s.setsockopt(IP, socket.IP_MULTICAST_TTL, 5)
    s.setsockopt(IP, socket.IP_MULTICAST_LOOP, 0)
    seen += [s.getsockopt(IP, socket.IP_MULTICAST_TTL), s.getsockopt(IP, socket.IP_MULTICAST_LOOP)]
    assert seen == [1, 1, 5, 0]


def test_a_group_is_joined_once_and_left(world: World) -> None:
    s = world.new(kind=socket.SOCK_DGRAM)
    membership = socket.inet_aton("239.1.2.3") + socket.inet_aton(world.here_address)
    s.setsockopt(IP, socket.IP_ADD_MEMBERSHIP, membership)
    assert world.error_of(s.setsockopt, IP, socket.IP_ADD_MEMBERSHIP, membership) == errno.EADDRINUSE
    s.setsockopt(IP, socket.IP_DROP_MEMBERSHIP, membership)
    assert world.error_of(s.setsockopt, IP, socket.IP_DROP_MEMBERSHIP, membership) == errno.EADDRNOTAVAIL


def test_only_groups_can_be_joined(world: World) -> None:
    s = world.new(kind=socket.SOCK_DGRAM)
    membership = socket.inet_aton("10.1.2.3") + socket.inet_aton(world.here_address)
    assert world.error_of(s.setsockopt, IP, socket.IP_ADD_MEMBERSHIP, membership) == errno.EINVAL


def test_tcp_info_tells_the_state(world: World) -> None:
    client, server = world.pair()
    assert client.getsockopt(TCP, socket.TCP_INFO, 104)[0] == 1
    server.close()
    client.recv(1)
    assert client.getsockopt(TCP, socket.TCP_INFO, 104)[0] == 8


def test_the_congestion_control_has_a_name(world: World) -> None:
    name = world.new().getsockopt(TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0")
    assert name.decode("ascii").isprintable()
    assert name
