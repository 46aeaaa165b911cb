"""Fast open in the calls, as Linux has it by default: the client may, servers give no cookies (RFC 7413 appendix A)."""

import errno
import select
import socket

import pytest

from tests.socket.worlds import World

CONNECT, KEY, NO_COOKIE, FLAG = 30, 33, 34, 0x20000000
TCP = socket.IPPROTO_TCP


def refused(number: int) -> pytest.RaisesExc[OSError]:
    return pytest.raises(OSError, check=lambda error: error.errno == number)


def test_a_send_that_opens_waits_for_the_connection_and_sends_all(world: World) -> None:
    listener = world.listener()
    client = world.new()
    client.settimeout(None)  # with a time, the library never lets a call block
    assert client.sendto(b"first words", FLAG, listener.getsockname()) == 11
    server, _ = world.accept(listener)
    assert server.recv(100) == b"first words"
    with refused(errno.EISCONN):
        client.sendto(b"again", FLAG, listener.getsockname())


def test_a_send_that_opens_and_may_not_wait_takes_nothing_without_a_cookie(world: World) -> None:
    listener = world.listener()
    client = world.new()
    client.settimeout(0)
    with refused(errno.EINPROGRESS):
        client.sendto(b"first words", FLAG, listener.getsockname())
    world.accept(listener)
    assert select.select([], [client], [], 5)[1] == [client]
    assert client.send(b"second") == 6


def test_nobody_listens(world: World) -> None:
    with world.there():
        silent = world.new()
        silent.bind((world.there_address, 0))
    client = world.new()
    client.settimeout(None)
    with refused(errno.ECONNREFUSED):
        client.sendto(b"first words", FLAG, silent.getsockname())


def test_connect_that_leaves_the_syn_to_the_first_data_needs_a_cookie(world: World) -> None:
    listener = world.listener()
    client = world.new()
    client.setsockopt(TCP, CONNECT, 1)
    assert client.getsockopt(TCP, CONNECT) == 1
    client.connect(listener.getsockname())
    server, _ = world.accept(listener)
    client.sendall(b"words")
    assert server.recv(10) == b"words"
    with refused(errno.EINVAL):
        client.setsockopt(TCP, CONNECT, 0)


def test_the_options_of_fast_open(world: World) -> None:
    client, listener = world.new(), world.listener()
    for option in (CONNECT, NO_COOKIE):
        with refused(errno.EINVAL):
            client.setsockopt(TCP, option, 2)
    with refused(errno.EINVAL):
        client.setsockopt(TCP, KEY, b"short")
    client.setsockopt(TCP, KEY, bytes(range(32)))
    assert client.getsockopt(TCP, KEY, 40) == bytes(range(32))
    client.setsockopt(TCP, NO_COOKIE, 1)
    assert client.getsockopt(TCP, NO_COOKIE) == 1
    assert listener.getsockopt(TCP, socket.TCP_FASTOPEN) == 0
    listener.setsockopt(TCP, socket.TCP_FASTOPEN, 5)
    assert listener.getsockopt(TCP, socket.TCP_FASTOPEN) == 5
    with refused(errno.EINVAL):
        listener.setsockopt(TCP, socket.TCP_FASTOPEN, -1)


@pytest.mark.parametrize(("seconds", "told"), [(0, 0), (1, 1), (2, 3), (5, 7), (30, 31), (1000, 1087)])
def test_deferred_accept_is_counted_in_repetitions(world: World, seconds: int, told: int) -> None:
    s = world.new()
    s.setsockopt(TCP, socket.TCP_DEFER_ACCEPT, seconds)
    assert s.getsockopt(TCP, socket.TCP_DEFER_ACCEPT) == told


def test_a_connection_is_accepted_with_its_first_data_where_that_is_wanted(world: World) -> None:
    listener = world.listener()
    listener.setsockopt(TCP, socket.TCP_DEFER_ACCEPT, 5)
    client = world.client(listener)
    assert select.select([listener], [], [], 0.2)[0] == []
    client.sendall(b"words")
    server, _ = world.accept(listener)
    assert server.recv(10) == b"words"
