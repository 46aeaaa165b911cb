"""Sockets that do not block give Linux's errors on the emulation and on the operating system."""

from __future__ import annotations

import errno
import socket
import time

import pytest

from tests.socket.worlds import Address, World


def begin(world: World, address: Address) -> tuple[socket.socket, int]:
    client = world.new()
    client.setblocking(False)
    return client, client.connect_ex(address)


def test_a_connection_that_does_not_block_is_in_progress(world: World) -> None:
    listener = world.listener()
    client, code = begin(world, listener.getsockname())
    assert code == errno.EINPROGRESS
    assert world.wait_for(client, write=True)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    assert client.getpeername() == listener.getsockname()


def test_connecting_again_tells_how_it_stands(world: World) -> None:
    listener = world.listener()
    client, _ = begin(world, listener.getsockname())
    world.wait_for(client, write=True)
    assert client.connect_ex(listener.getsockname()) == 0
    assert client.connect_ex(listener.getsockname()) == errno.EISCONN


def test_connecting_while_connecting_is_already(world: World) -> None:
    listener = world.listener(backlog=0)
    world.client(listener)
    client, code = begin(world, listener.getsockname())
    assert (code, client.connect_ex(listener.getsockname())) == (errno.EINPROGRESS, errno.EALREADY)
    assert not world.writable(client)


def test_what_a_socket_that_is_connecting_cannot_do(world: World) -> None:
    listener = world.listener(backlog=0)
    world.client(listener)
    client, _ = begin(world, listener.getsockname())
    codes = [world.error_of(client.recv, 10), world.error_of(client.send, b"x"), world.error_of(client.getpeername)]
    assert codes == [errno.EAGAIN, errno.EAGAIN, errno.ENOTCONN]
    assert client.getsockname()[1] != 0


def test_connect_raises_blocking(world: World) -> None:
    client = world.new()
    client.setblocking(False)
    with pytest.raises(BlockingIOError) as trouble:
        client.connect(world.listener().getsockname())
    assert trouble.value.errno == errno.EINPROGRESS


def test_a_refusal_is_told_by_so_error_once(world: World) -> None:
    client, code = begin(world, world.closed_port())
    assert code == errno.EINPROGRESS
    assert world.wait_for(client, write=True)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_a_refusal_is_told_by_connecting_again(world: World) -> None:
    port = world.closed_port()
    client, _ = begin(world, port)
    world.wait_for(client, write=True)
    assert client.connect_ex(port) == errno.ECONNREFUSED


def test_a_refusal_is_told_by_receiving(world: World) -> None:
    client, _ = begin(world, world.closed_port())
    world.wait_for(client, read=True)
    with pytest.raises(ConnectionRefusedError):
        client.recv(10)
    assert client.recv(10) == b""


def test_nothing_to_receive(world: World) -> None:
    client, _ = world.pair()
    client.setblocking(False)
    with pytest.raises(BlockingIOError) as trouble:
        client.recv(10)
    assert trouble.value.errno == errno.EAGAIN


def test_nobody_to_accept(world: World) -> None:
    listener = world.listener()
    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_no_room_to_send(world: World) -> None:
    client, _ = world.pair()
    client.setblocking(False)
    sent = 0
    with pytest.raises(BlockingIOError):
        for _ in range(10_000):
            sent += client.send(bytes(1 << 16))
    assert sent > 0


def test_send_takes_what_has_room(world: World) -> None:
    client, _ = world.pair()
    client.setblocking(False)
    assert 0 < client.send(bytes(30_000_000)) < 30_000_000


def test_end_of_file_does_not_block(world: World) -> None:
    client, server = world.pair()
    server.close()
    time.sleep(0.05)
    client.setblocking(False)
    assert client.recv(10) == b""


def test_an_accepted_socket_blocks_though_its_listener_does_not(world: World) -> None:
    listener = world.listener()
    world.client(listener)
    world.wait_for(listener, read=True)
    listener.setblocking(False)
    connection, _ = listener.accept()
    world.keep(connection)
    assert connection.gettimeout() is None


def test_the_ways_to_say_blocking(world: World) -> None:
    s = world.new()
    seen = []
    for timeout in (None, 0, 2.5):
        s.settimeout(timeout)
        seen.append((s.gettimeout(), s.getblocking(), s.timeout))
    s.setblocking(True)
    seen.append((s.gettimeout(), s.getblocking(), s.timeout))
    assert seen == [(None, True, None), (0.0, False, 0.0), (2.5, True, 2.5), (None, True, None)]


def test_a_negative_timeout_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="Timeout value out of range"):
        world.new().settimeout(-1)


def test_sock_nonblock_makes_it_not_block(world: World) -> None:
    s = world.keep(socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK))
    assert (s.gettimeout(), s.type) == (0.0, socket.SOCK_STREAM)


def test_the_default_timeout(world: World) -> None:
    socket.setdefaulttimeout(3.5)
    try:
        assert world.keep(socket.socket()).gettimeout() == 3.5
        assert socket.getdefaulttimeout() == 3.5
    finally:
        socket.setdefaulttimeout(None)
    assert world.keep(socket.socket()).gettimeout() is None
