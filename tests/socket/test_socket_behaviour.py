"""What only the emulation can show of its sockets: exact times, groups over a link, what they cost."""

from __future__ import annotations

import errno
import socket
import struct
import sys
import time
from collections.abc import Iterator

import pytest

from stack.network.deadlock import Deadlock
from tests.socket.emulated import Linked

LEAST = 0.006  # there and back over the link


@pytest.fixture
def net() -> Iterator[Linked]:
    made = Linked()
    yield made
    made.close()


def test_a_time_out_takes_exactly_its_time(net: Linked) -> None:
    with net.here():
        client, _ = net.pair()
        client.settimeout(3600.25)
        begin = time.monotonic_ns()
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert time.monotonic_ns() - begin == 3_600_250_000_000


def test_connecting_takes_a_round_trip(net: Linked) -> None:
    with net.here():
        listener = net.listener()
        net.client(listener)  # resolves the neighbour
        begin = time.monotonic()
        net.client(listener)
        assert time.monotonic() - begin == pytest.approx(LEAST)


def test_closing_lingers_until_the_peer_has_everything(net: Linked) -> None:
    with net.here():
        client, _ = net.pair()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 30))
        client.sendall(bytes(100_000))
        begin = time.monotonic()
        client.close()
        assert LEAST <= time.monotonic() - begin < 30


def test_closing_lingers_no_longer_than_asked(net: Linked) -> None:
    with net.here():
        client, _ = net.pair()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 2))
        link = next(iter(net.wiring.links.values()))
        with link.down():
            client.sendall(b"lost")
            begin = time.monotonic()
            client.close()
            assert time.monotonic() - begin == pytest.approx(2)


def test_so_rcvtimeo_ends_a_blocking_call(net: Linked) -> None:
    with net.here():
        client, _ = net.pair()
        client.settimeout(None)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 1, 500_000))
        begin = time.monotonic()
        with pytest.raises(BlockingIOError):
            client.recv(1)
        assert time.monotonic() - begin == pytest.approx(1.5)


def test_an_untimed_wait_for_nothing_is_a_deadlock(net: Linked) -> None:
    with net.here():
        client, server = net.pair()
        client.settimeout(None)
        ends = f"{client.getsockname()[0]}:{client.getsockname()[1]} ↔ {server.getsockname()[0]}"
        with pytest.raises(Deadlock, match=f"recv on {ends}"):
            client.recv(1)


def test_a_group_over_a_link(net: Linked) -> None:
    with net.there():
        member = net.new(socket.SOCK_DGRAM)
        member.bind(("", 5000))
        membership = socket.inet_aton("239.1.2.3") + socket.inet_aton(net.there_address)
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    with net.here():
        sender = net.new(socket.SOCK_DGRAM)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(net.here_address))
        sender.sendto(b"to the group", ("239.1.2.3", 5000))
    assert member.recv(100) == b"to the group"
    member.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, membership)
    sender.sendto(b"to nobody", ("239.1.2.3", 5000))
    member.settimeout(1)
    with pytest.raises(TimeoutError):
        member.recv(100)


def test_a_group_of_ipv6_over_a_link(net: Linked) -> None:
    group = "ff15::1234"
    with net.there():
        member = net.keep(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        member.settimeout(5)
        member.bind(("::", 5000))
        index = socket.if_nametoindex("eth0")
        member.setsockopt(
            socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("i", index)
        )
    with net.here():
        sender = net.keep(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
        sender.sendto(b"six", (group, 5000))
    assert member.recv(100) == b"six"


def test_broadcast_over_a_link(net: Linked) -> None:
    with net.there():
        hearer = net.new(socket.SOCK_DGRAM)
        hearer.bind(("", 5000))
    with net.here():
        sender = net.new(socket.SOCK_DGRAM)
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for address in ("10.0.0.255", "<broadcast>"):
            sender.sendto(address.encode(), (address, 5000))
    assert [hearer.recv(100) for _ in range(2)] == [b"10.0.0.255", b"<broadcast>"]


def test_no_route_is_unreachable(net: Linked) -> None:
    with net.here():
        assert net.error_of(net.new().connect, ("203.0.113.5", 80)) == errno.ENETUNREACH
        assert net.error_of(net.new(socket.SOCK_DGRAM).sendto, b"x", ("203.0.113.5", 80)) == errno.ENETUNREACH


def test_a_neighbour_that_is_not_there_is_no_route_to_host(net: Linked) -> None:
    with net.here():
        assert net.error_of(net.new().connect, ("10.0.0.99", 80)) == errno.EHOSTUNREACH


def test_many_connections_are_slim(net: Linked) -> None:
    with net.here():
        client, _ = net.pair()
    size = sys.getsizeof(client) + sys.getsizeof(client._file)  # type: ignore[attr-defined]
    assert size < 600
    assert not hasattr(client, "__dict__")


def test_closing_under_a_blocked_reader_ends_it(net: Linked) -> None:
    with net.here():
        _, server = net.pair()
        server.settimeout(None)
        codes: list[int | None] = []
        done = net.run(lambda: codes.append(net.error_of(server.recv, 1)))
        time.sleep(1)
        server.close()
        done()
    assert codes == [errno.EBADF]


def test_a_connection_that_nobody_answers_times_out(net: Linked) -> None:
    with net.here():
        listener = net.listener()
        net.client(listener)  # resolves the neighbour
        client = net.new()
        client.settimeout(None)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 2)
        with next(iter(net.wiring.links.values())).down(), pytest.raises(TimeoutError) as trouble:
            client.connect(listener.getsockname())
    assert trouble.value.errno == errno.ETIMEDOUT
