"""Datagram sockets give one verdict on the emulation and on the operating system."""

from __future__ import annotations

import errno
import socket
import time

import pytest

from tests.socket.worlds import World


def test_echo(world: World) -> None:
    client, server = world.datagrams()
    client.sendto(b"ping", server.getsockname())
    data, address = server.recvfrom(100)
    server.sendto(data.upper(), address)
    assert client.recvfrom(100) == (b"PING", server.getsockname())


def test_boundaries_are_kept(world: World) -> None:
    client, server = world.datagrams(connected=True)
    for data in (b"one", b"", b"three"):
        client.send(data)
    assert [server.recv(100) for _ in range(3)] == [b"one", b"", b"three"]


def test_what_does_not_fit_is_cut_off(world: World) -> None:
    client, server = world.datagrams(connected=True)
    client.send(b"0123456789")
    client.send(b"next")
    assert server.recv(4) == b"0123"
    assert server.recv(100) == b"next"


def test_recvmsg_tells_that_it_was_cut(world: World) -> None:
    client, server = world.datagrams(connected=True)
    client.send(b"0123456789")
    data, ancillary, flags, address = server.recvmsg(4)
    assert (data, ancillary, flags & socket.MSG_TRUNC, address) == (
        b"0123",
        [],
        socket.MSG_TRUNC,
        client.getsockname(),
    )


def test_peek_leaves_the_datagram(world: World) -> None:
    client, server = world.datagrams(connected=True)
    client.send(b"look")
    assert server.recvfrom(100, socket.MSG_PEEK) == (b"look", client.getsockname())
    assert server.recv(100) == b"look"


def test_recvfrom_into(world: World) -> None:
    client, server = world.datagrams(connected=True)
    client.send(b"into")
    buffer = bytearray(10)
    assert server.recvfrom_into(buffer) == (4, client.getsockname())
    assert buffer[:4] == b"into"


def test_sendmsg_gathers(world: World) -> None:
    client, server = world.datagrams()
    assert client.sendmsg([b"ga", b"ther", b""], [], 0, server.getsockname()) == 6
    assert server.recv(100) == b"gather"


def test_sending_without_a_destination(world: World) -> None:
    client, _ = world.datagrams()
    assert world.error_of(client.send, b"x") == errno.EDESTADDRREQ


def test_sending_to_port_zero(world: World) -> None:
    client, _ = world.datagrams()
    assert world.error_of(client.sendto, b"x", (world.there_address, 0)) == errno.EINVAL


def test_a_connected_socket_hears_its_peer_only(world: World) -> None:
    client, server = world.datagrams(connected=True)
    with world.there():
        stranger = world.new(kind=socket.SOCK_DGRAM)
        stranger.sendto(b"stranger", client.getsockname())
    server.sendto(b"friend", client.getsockname())
    assert client.recv(100) == b"friend"
    client.setblocking(False)
    time.sleep(0.05)
    with pytest.raises(BlockingIOError):
        client.recv(100)


def test_a_connected_socket_may_still_send_elsewhere(world: World) -> None:
    client, server = world.datagrams(connected=True)
    with world.there():
        other = world.new(kind=socket.SOCK_DGRAM)
        other.bind((world.there_address, 0))
    client.sendto(b"elsewhere", other.getsockname())
    assert other.recv(100) == b"elsewhere"
    assert client.getpeername() == server.getsockname()


def test_connecting_chooses_the_local_address(world: World) -> None:
    client = world.new(kind=socket.SOCK_DGRAM)
    client.connect((world.there_address, 9))
    assert client.getsockname()[0] == world.here_address
    assert client.getsockname()[1] != 0


def test_sending_gives_a_port(world: World) -> None:
    client = world.new(kind=socket.SOCK_DGRAM)
    wildcard = client.getsockname()[0]
    assert client.getsockname()[:2] == (wildcard, 0)
    client.sendto(b"x", (world.there_address, 9))
    assert client.getsockname()[0] == wildcard
    assert client.getsockname()[1] != 0


def test_a_connected_socket_is_told_that_nobody_listens(world: World) -> None:
    client = world.new(kind=socket.SOCK_DGRAM)
    client.connect(world.closed_port(socket.SOCK_DGRAM))
    client.send(b"anybody?")
    with pytest.raises(ConnectionRefusedError):
        client.recv(10)


def test_the_refusal_is_told_to_the_next_send_once(world: World) -> None:
    client = world.new(kind=socket.SOCK_DGRAM)
    client.connect(world.closed_port(socket.SOCK_DGRAM))
    client.send(b"anybody?")
    time.sleep(0.05)
    assert world.error_of(client.send, b"x") == errno.ECONNREFUSED
    assert client.send(b"x") == 1


def test_an_unconnected_socket_is_not_told(world: World) -> None:
    client = world.new(kind=socket.SOCK_DGRAM)
    client.sendto(b"anybody?", world.closed_port(socket.SOCK_DGRAM))
    client.settimeout(0.05)
    with pytest.raises(TimeoutError):
        client.recv(10)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def longest(world: World) -> int:
    return 65507 if world.family == socket.AF_INET else 65527


def test_too_long_a_message(world: World) -> None:
    client, server = world.datagrams()
    assert world.error_of(client.sendto, bytes(longest(world) + 1), server.getsockname()) == errno.EMSGSIZE


def test_the_longest_message(world: World) -> None:
    client, server = world.datagrams()
    data = (bytes(range(256)) * 256)[: longest(world)]
    assert client.sendto(data, server.getsockname()) == longest(world)
    assert server.recv(70_000) == data


def test_receiving_times_out(world: World) -> None:
    client, _ = world.datagrams()
    client.settimeout(0.03)
    with pytest.raises(TimeoutError):
        client.recvfrom(10)


def test_nothing_to_receive(world: World) -> None:
    client, _ = world.datagrams()
    client.setblocking(False)
    assert world.error_of(client.recv, 10) == errno.EAGAIN
    assert world.error_of(client.recv, 10, socket.MSG_DONTWAIT) == errno.EAGAIN


def test_what_datagram_sockets_cannot_do(world: World) -> None:
    client, _ = world.datagrams()
    client.settimeout(None)
    codes = [world.error_of(client.listen), world.error_of(client.accept), world.error_of(client.getpeername)]
    assert codes == [errno.EOPNOTSUPP, errno.EOPNOTSUPP, errno.ENOTCONN]


def test_shutdown_needs_a_peer(world: World) -> None:
    client, _ = world.datagrams()
    assert world.error_of(client.shutdown, socket.SHUT_RDWR) == errno.ENOTCONN


def test_shutdown_of_reading_gives_nothing_for_ever(world: World) -> None:
    client, _ = world.datagrams(connected=True)
    client.settimeout(None)
    client.shutdown(socket.SHUT_RD)
    assert client.recv(10) == b""


def test_shutdown_of_writing_is_a_broken_pipe(world: World) -> None:
    client, _ = world.datagrams(connected=True)
    client.shutdown(socket.SHUT_WR)
    assert world.error_of(client.send, b"x") == errno.EPIPE


def test_broadcast_must_be_allowed(world: World) -> None:
    if world.family == socket.AF_INET6:
        pytest.skip("IPv6 has no broadcast")
    client = world.new(kind=socket.SOCK_DGRAM)
    assert world.error_of(client.sendto, b"x", ("255.255.255.255", 9)) == errno.EACCES


def test_two_sockets_do_not_share_a_port(world: World) -> None:
    first, second = world.new(kind=socket.SOCK_DGRAM), world.new(kind=socket.SOCK_DGRAM)
    first.bind((world.here_address, 0))
    assert world.error_of(second.bind, first.getsockname()) == errno.EADDRINUSE


def test_streams_and_datagrams_have_ports_of_their_own(world: World) -> None:
    stream, datagram = world.new(), world.new(kind=socket.SOCK_DGRAM)
    stream.bind((world.here_address, 0))
    datagram.bind(stream.getsockname())
    assert stream.getsockname() == datagram.getsockname()


def test_reconnecting_changes_the_peer(world: World) -> None:
    client, server = world.datagrams(connected=True)
    client.connect((world.there_address, 9))
    assert client.getpeername()[:2] == (world.there_address, 9)
    client.connect(server.getsockname())
    client.send(b"back")
    assert server.recv(10) == b"back"


def test_a_full_queue_loses_the_newest(world: World) -> None:
    client, server = world.datagrams(connected=True)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 5000)
    for number in range(100):
        client.send(bytes([number]) * 500)
    time.sleep(0.1)
    server.setblocking(False)
    got = []
    while not world.error_of(server.recv, 10, socket.MSG_PEEK):
        got.append(server.recv(1000)[0])
    assert got == list(range(len(got)))
    assert 1 <= len(got) < 100


def test_a_datagram_waits_for_a_blocked_reader(world: World) -> None:
    client, server = world.datagrams()
    world.run(lambda: server.sendto(*server.recvfrom(100)))
    client.sendto(b"round", server.getsockname())
    assert client.recv(100) == b"round"


def test_ipv6(world6: World) -> None:
    client, server = world6.datagrams()
    client.sendto(b"six", server.getsockname())
    data, address = server.recvfrom(100)
    assert data == b"six"
    assert address[1] == client.getsockname()[1]
    assert len(address) == 4
