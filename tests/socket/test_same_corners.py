"""What programs seldom do with sockets: one verdict on the emulation and on the operating system."""

from __future__ import annotations

import errno
import fcntl
import select
import socket
import struct
import termios
from typing import Any

import pytest

from tests.socket.worlds import World

SOL, TCP, IP, IP6 = socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP, socket.IPPROTO_IPV6


@pytest.mark.parametrize(("number", "kind"), [(-1, ValueError), (2.5, TypeError), ("3", TypeError)])
def test_what_is_no_file_number(world: World, number: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        socket.socket(fileno=number)


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        (("::1",), TypeError),
        (("::1", 80, 0, 0, 0), TypeError),
        (("::1", 80, 1 << 20), OverflowError),
        ((80, "::1"), TypeError),
        (("127.0.0.1", 80), socket.gaierror),
    ],
)
def test_malformed_ipv6_addresses(world6: World, world: World, address: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        world6.new().connect(address)


def test_connect_ex_raises_for_names_that_there_are_not(world: World) -> None:
    with pytest.raises(socket.gaierror):
        world.new().connect_ex(("no such host", 80))


def test_arguments_of_sendto(world: World) -> None:
    client, server = world.datagrams()
    assert client.sendto(b"flags", 0, server.getsockname()) == 5
    with pytest.raises(TypeError):
        client.sendto(b"x")  # type: ignore[call-overload]
    with pytest.raises(TypeError):
        client.sendto("text", server.getsockname())  # type: ignore[call-overload]


def test_sending_in_pieces_to_a_peer_by_sendmsg(world: World) -> None:
    client, server = world.pair()
    pieces = [b"%d," % number for number in range(100)]
    assert client.sendmsg(pieces) == len(b"".join(pieces))
    assert server.recv(290, socket.MSG_WAITALL) == b"".join(pieces)


def test_negative_sizes(world: World) -> None:
    client, _ = world.pair()
    for call in (
        lambda: client.recvfrom(-1),
        lambda: client.recvmsg(-1),
        lambda: client.recv_into(bytearray(4), -1),
        lambda: client.recvfrom_into(bytearray(4), 9),
    ):
        with pytest.raises(ValueError):
            call()


def test_urgent_datagrams_there_are_not(world: World) -> None:
    client, server = world.datagrams()
    assert world.error_of(client.sendto, b"x", socket.MSG_OOB, server.getsockname()) == errno.EOPNOTSUPP


def test_fionread_of_datagrams_is_the_next_one(world: World) -> None:
    client, server = world.datagrams(connected=True)
    client.send(b"12345")
    client.send(b"123")
    select.select([server], [], [], 5)
    value = bytearray(4)
    fcntl.ioctl(server, termios.FIONREAD, value)
    assert struct.unpack("i", value)[0] == 5


def test_an_unknown_ioctl(world: World) -> None:
    assert world.error_of(fcntl.ioctl, world.new(), 0x4242, 0) == errno.ENOTTY


def test_shutdown_of_datagrams(world: World) -> None:
    client, _ = world.datagrams(connected=True)
    assert world.error_of(client.shutdown, 9) == errno.EINVAL
    client.shutdown(socket.SHUT_RDWR)
    poll = select.poll()
    poll.register(client, select.POLLIN | select.POLLOUT)
    assert poll.poll(0) == [(client.fileno(), select.POLLIN | select.POLLOUT | select.POLLHUP)]


def test_duplicates_by_number(world: World) -> None:
    client, server = world.pair()
    twin = world.keep(socket.fromfd(client.fileno(), client.family, client.type))
    client.close()
    twin.sendall(b"twin")
    assert server.recv(10) == b"twin"


def test_numbers_that_are_not_open(world: World) -> None:
    number = (1 << 30) + 9
    codes = [world.error_of(socket.close, number), world.error_of(socket.dup, number)]
    assert codes == [errno.EBADF] * 2


def test_time_limits_of_the_socket(world: World) -> None:
    s, now = world.new(), struct.pack("ll", 1, 500_000)
    s.setsockopt(SOL, socket.SO_RCVTIMEO, now)
    s.setsockopt(SOL, socket.SO_SNDTIMEO, now)
    assert (s.getsockopt(SOL, socket.SO_RCVTIMEO, 16), s.getsockopt(SOL, socket.SO_SNDTIMEO, 16)) == (now, now)
    codes = [
        world.error_of(s.setsockopt, SOL, socket.SO_RCVTIMEO, b"short"),
        world.error_of(s.setsockopt, SOL, socket.SO_RCVTIMEO, struct.pack("ll", 1, 1_000_000)),
    ]
    assert codes == [errno.EINVAL, errno.EDOM]


def test_a_time_limit_ends_a_blocking_call(world: World) -> None:
    client, _ = world.pair()
    client.settimeout(None)
    client.setsockopt(SOL, socket.SO_RCVTIMEO, struct.pack("ll", 0, 30_000))
    assert world.error_of(client.recv, 1) == errno.EAGAIN


def test_the_segment_size_can_be_bounded(world: World) -> None:
    listener, client = world.listener(), world.new()
    client.setsockopt(TCP, socket.TCP_MAXSEG, 700)
    client.connect(listener.getsockname())
    server, _ = world.accept(listener)
    assert 600 < client.getsockopt(TCP, socket.TCP_MAXSEG) <= 700
    assert 600 < server.getsockopt(TCP, socket.TCP_MAXSEG) <= 700


def test_options_too_short_or_long(world: World) -> None:
    s, d = world.new(), world.new(kind=socket.SOCK_DGRAM)
    codes = [
        world.error_of(s.setsockopt, SOL, socket.SO_LINGER, 1),
        world.error_of(d.setsockopt, IP, socket.IP_ADD_MEMBERSHIP, b"short"),
        world.error_of(s.setsockopt, TCP, socket.TCP_CONGESTION, b"no-such-control"),
        world.error_of(s.setsockopt, TCP, socket.TCP_NODELAY, b"x"),
    ]
    assert codes == [errno.EINVAL, errno.EINVAL, errno.ENOENT, errno.EINVAL]
    with pytest.raises(OSError, match="out of range"):
        s.getsockopt(SOL, socket.SO_LINGER, 5000)


def test_a_small_number_may_be_one_octet(world: World) -> None:
    s = world.new(kind=socket.SOCK_DGRAM)
    s.setsockopt(IP, socket.IP_MULTICAST_TTL, b"\x07")
    assert s.getsockopt(IP, socket.IP_MULTICAST_TTL) == 7
    s.setsockopt(IP, socket.IP_MULTICAST_TTL, -1)
    assert s.getsockopt(IP, socket.IP_MULTICAST_TTL) == 1


def test_the_interface_of_multicasts(world: World) -> None:
    s, here = world.new(kind=socket.SOCK_DGRAM), socket.inet_aton(world.here_address)
    assert s.getsockopt(IP, socket.IP_MULTICAST_IF, 4) == bytes(4)
    s.setsockopt(IP, socket.IP_MULTICAST_IF, here)
    assert s.getsockopt(IP, socket.IP_MULTICAST_IF, 4) == here
    assert world.error_of(s.setsockopt, IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.0.2.99")) == errno.EADDRNOTAVAIL
    assert world.error_of(s.setsockopt, IP, socket.IP_MULTICAST_IF, b"x") == errno.EINVAL


def test_groups_by_number_of_the_interface(world: World) -> None:
    s = world.new(kind=socket.SOCK_DGRAM)
    request = socket.inet_aton("239.9.9.9") + socket.inet_aton("0.0.0.0") + struct.pack("i", 1)
    s.setsockopt(IP, socket.IP_ADD_MEMBERSHIP, request)
    s.setsockopt(IP, socket.IP_DROP_MEMBERSHIP, request)
    nowhere = socket.inet_aton("239.9.9.9") + socket.inet_aton("0.0.0.0") + struct.pack("i", 77)
    assert world.error_of(s.setsockopt, IP, socket.IP_ADD_MEMBERSHIP, nowhere) == errno.ENODEV


def test_groups_of_ipv6(world6: World, world: World) -> None:
    s = world6.new(kind=socket.SOCK_DGRAM)
    request = socket.inet_pton(socket.AF_INET6, "ff15::7") + struct.pack("i", 1)
    s.setsockopt(IP6, socket.IPV6_JOIN_GROUP, request)
    assert world6.error_of(s.setsockopt, IP6, socket.IPV6_JOIN_GROUP, request) == errno.EADDRINUSE
    s.setsockopt(IP6, socket.IPV6_LEAVE_GROUP, request)
    assert world6.error_of(s.setsockopt, IP6, socket.IPV6_LEAVE_GROUP, request) == errno.EADDRNOTAVAIL
    assert world6.error_of(s.setsockopt, IP6, socket.IPV6_JOIN_GROUP, request[:8]) == errno.EINVAL
    s.setsockopt(IP6, socket.IPV6_MULTICAST_IF, 1)
    assert s.getsockopt(IP6, socket.IPV6_MULTICAST_IF) == 1
    assert world6.error_of(s.setsockopt, IP6, socket.IPV6_MULTICAST_IF, 77) == errno.ENODEV


def test_numbers_of_interfaces_that_there_are_not(world: World) -> None:
    assert world.error_of(socket.if_indextoname, 9999) == errno.ENXIO


def test_getnameinfo_needs_numbers(world: World) -> None:
    with pytest.raises(socket.gaierror):
        socket.getnameinfo(("no such host", 80), 0)
    with pytest.raises(TypeError):
        socket.getnameinfo("127.0.0.1", 0)  # type: ignore[arg-type]
    with pytest.raises(socket.gaierror):
        socket.getnameinfo(("192.0.2.99", 80), socket.NI_NAMEREQD)


def test_getaddrinfo_wants_text(world: World) -> None:
    host: Any = 5
    port: Any = 2.5
    with pytest.raises(TypeError):
        socket.getaddrinfo(host, 80)
    with pytest.raises(OSError, match="Int or String expected"):
        socket.getaddrinfo("127.0.0.1", port)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("1.2.3.4.5.6", 80, flags=socket.AI_NUMERICHOST)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("::zz", 80, flags=socket.AI_NUMERICHOST)


def test_select_wants_files_and_a_number(world: World) -> None:
    file: Any = object()
    seconds: Any = "1"
    with pytest.raises(TypeError):
        select.select([file], [], [], 0)
    with pytest.raises(TypeError):
        select.select([], [], [], seconds)


def test_time_outs_that_are_none(world: World) -> None:
    for value, kind in ((1e300, OverflowError), (float("inf"), OverflowError), (float("nan"), ValueError), (-1, ValueError)):
        with socket.socket() as one, pytest.raises(kind):
            one.settimeout(value)
