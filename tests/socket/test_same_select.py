"""`select`, `poll` and `selectors`: one verdict on the emulation and on the operating system."""

from __future__ import annotations

import select
import selectors
import socket
import struct
import time

import pytest

from tests.socket.worlds import World


def test_nothing_is_ready_and_time_passes(world: World) -> None:
    client, _ = world.pair()
    begin = time.monotonic()
    assert select.select([client], [], [], 0.03) == ([], [], [])
    assert time.monotonic() - begin >= 0.029


def test_a_poll_returns_at_once(world: World) -> None:
    client, server = world.pair()
    assert select.select([client, server], [client, server], [], 0) == ([], [client, server], [])


def test_data_makes_readable(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"x")
    assert select.select([client, server], [], [], 5) == ([server], [], [])


def test_end_of_file_makes_readable(world: World) -> None:
    client, server = world.pair()
    client.close()
    assert select.select([server], [], [], 5)[0] == [server]


def test_a_reset_makes_readable_and_writable(world: World) -> None:
    client, server = world.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    time.sleep(0.05)
    assert select.select([server], [server], [server], 5) == ([server], [server], [])


def test_a_caller_makes_a_listener_readable(world: World) -> None:
    listener = world.listener()
    assert select.select([listener], [], [], 0) == ([], [], [])
    world.client(listener)
    assert select.select([listener], [listener], [], 5) == ([listener], [], [])


def test_numbers_stand_for_sockets(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"x")
    with world.there():
        assert select.select([server.fileno()], [], [], 5)[0] == [server.fileno()]


def test_urgent_data_is_exceptional(world: World) -> None:
    client, server = world.pair()
    assert select.select([], [], [server], 0)[2] == []
    client.send(b"!", socket.MSG_OOB)
    assert select.select([], [], [server], 5)[2] == [server]


def test_a_thread_wakes_a_selector(world: World) -> None:
    client, server = world.pair()

    def later() -> None:
        time.sleep(0.02)
        client.sendall(b"x")

    world.run(later)
    assert select.select([server], [], []) == ([server], [], [])


def test_datagrams_make_readable(world: World) -> None:
    client, server = world.datagrams(connected=True)
    assert select.select([server], [server], [], 0) == ([], [server], [])
    client.send(b"")
    assert select.select([server], [], [], 5)[0] == [server]


def test_an_icmp_error_makes_readable(world: World) -> None:
    client = world.new(kind=socket.SOCK_DGRAM)
    client.connect(world.closed_port(socket.SOCK_DGRAM))
    client.send(b"anybody?")
    assert select.select([client], [], [], 5)[0] == [client]


def test_a_closed_socket_cannot_be_selected(world: World) -> None:
    client, _ = world.pair()
    client.close()
    with pytest.raises(ValueError, match="negative"):
        select.select([client], [], [], 0)


def test_a_negative_timeout_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="non-negative"):
        select.select([], [], [], -1)


def test_select_of_nothing_sleeps(world: World) -> None:
    begin = time.monotonic()
    assert select.select([], [], [], 0.03) == ([], [], [])
    assert time.monotonic() - begin >= 0.029


def polled(s: socket.socket, mask: int = select.POLLIN | select.POLLOUT | select.POLLPRI) -> int:
    poll = select.poll()
    poll.register(s, mask)
    return dict(poll.poll(0)).get(s.fileno(), 0)


def test_poll_of_a_new_stream_is_hung_up(world: World) -> None:
    assert polled(world.new()) == select.POLLOUT | select.POLLHUP


def test_poll_of_an_idle_connection(world: World) -> None:
    client, _ = world.pair()
    assert polled(client) == select.POLLOUT


def test_poll_after_the_peer_has_finished(world: World) -> None:
    client, server = world.pair()
    server.shutdown(socket.SHUT_WR)
    time.sleep(0.05)
    mask = select.POLLIN | select.POLLOUT | select.POLLRDHUP
    assert polled(client, mask) == mask


def test_poll_after_both_have_finished(world: World) -> None:
    client, server = world.pair()
    server.shutdown(socket.SHUT_WR)
    time.sleep(0.05)
    client.shutdown(socket.SHUT_WR)
    time.sleep(0.05)
    assert polled(client) == select.POLLIN | select.POLLOUT | select.POLLHUP


def test_poll_after_a_refusal(world: World) -> None:
    client = world.new()
    client.setblocking(False)
    client.connect_ex(world.closed_port())
    time.sleep(0.05)
    assert polled(client) == select.POLLIN | select.POLLOUT | select.POLLERR | select.POLLHUP


def test_poll_forgets_and_modifies(world: World) -> None:
    client, server = world.pair()
    poll = select.poll()
    poll.register(client, select.POLLIN)
    poll.register(server.fileno(), select.POLLIN)
    poll.modify(client, select.POLLOUT)
    poll.unregister(server)
    assert poll.poll(0) == [(client.fileno(), select.POLLOUT)]
    with pytest.raises(KeyError):
        poll.unregister(server)
    with pytest.raises(FileNotFoundError):
        poll.modify(server, 0)


def test_poll_of_a_closed_number_is_invalid(world: World) -> None:
    client, _ = world.pair()
    number = client.fileno()
    poll = select.poll()
    poll.register(number, select.POLLIN)
    client.close()
    assert poll.poll(0) == [(number, select.POLLNVAL)]


def test_poll_counts_milliseconds(world: World) -> None:
    client, _ = world.pair()
    poll = select.poll()
    poll.register(client, select.POLLIN)
    begin = time.monotonic()
    assert poll.poll(30) == []
    assert 0.029 <= time.monotonic() - begin < 5


@pytest.mark.parametrize("name", ["DefaultSelector", "SelectSelector", "PollSelector", "EpollSelector"])
def test_selectors(world: World, name: str) -> None:
    if not hasattr(selectors, name):
        pytest.skip(f"this system has no {name}")
    client, server = world.pair()
    with getattr(selectors, name)() as selector:
        key = selector.register(server, selectors.EVENT_READ, "data")
        assert selector.select(0) == []
        client.sendall(b"x")
        assert selector.select(5) == [(key, selectors.EVENT_READ)]
        key = selector.modify(server, selectors.EVENT_WRITE | selectors.EVENT_READ, "other")
        assert selector.select(None) == [(key, selectors.EVENT_READ | selectors.EVENT_WRITE)]
        selector.unregister(server)
        assert selector.select(0.01) == []


def test_a_selector_keeps_its_register(world: World) -> None:
    client, server = world.pair()
    selector = selectors.DefaultSelector()
    selector.register(client, selectors.EVENT_READ, 1)
    selector.register(server, selectors.EVENT_WRITE, 2)
    assert selector.get_key(server).data == 2
    assert len(selector.get_map()) == 2
    with pytest.raises(KeyError):
        selector.register(client, selectors.EVENT_READ)
    selector.close()
    assert isinstance(selector, selectors.BaseSelector)


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="this system has no epoll")
def test_epoll(world: World) -> None:
    client, server = world.pair()
    with select.epoll() as poll:
        poll.register(server, select.EPOLLIN)
        poll.register(client, select.EPOLLOUT | select.EPOLLONESHOT)
        assert poll.poll(0) == [(client.fileno(), select.EPOLLOUT)]
        assert poll.poll(0) == []
        client.sendall(b"x")
        assert poll.poll(5, 1) == [(server.fileno(), select.EPOLLIN)]
        poll.modify(client, select.EPOLLOUT)
        assert dict(poll.poll()) == {client.fileno(): select.EPOLLOUT, server.fileno(): select.EPOLLIN}
        with pytest.raises(FileExistsError):
            poll.register(client)
        poll.unregister(client)
        with pytest.raises(FileNotFoundError):
            poll.modify(client, 0)
        server.close()
        assert poll.poll(0) == []
    assert poll.closed
    with pytest.raises(ValueError, match="closed epoll"):
        poll.poll(0)


def test_a_program_that_polls_gets_its_data(world: World) -> None:
    client, server = world.pair()
    client.setblocking(False)

    def later() -> None:
        time.sleep(0.02)
        server.sendall(b"at last")

    world.run(later)
    while world.error_of(client.recv, 1, socket.MSG_PEEK) is not None:
        pass
    assert client.recv(100) == b"at last"


def test_a_program_that_selects_without_time_gets_its_data(world: World) -> None:
    client, server = world.pair()

    def later() -> None:
        time.sleep(0.02)
        server.sendall(b"at last")

    world.run(later)
    while not select.select([client], [], [], 0)[0]:
        pass
    assert client.recv(100) == b"at last"


needs_epoll = pytest.mark.skipif(not hasattr(select, "epoll"), reason="this system has no epoll")


@needs_epoll
def test_an_edge_is_told_once(world: World) -> None:
    client, server = world.pair()
    with select.epoll() as poll:
        poll.register(server, select.EPOLLIN | select.EPOLLET)
        seen = [poll.poll(0)]
        for data in (b"one", b"two"):
            client.sendall(data)
            seen += [poll.poll(5), poll.poll(0)]
        poll.modify(server, select.EPOLLIN | select.EPOLLET)
        seen += [poll.poll(0), poll.poll(0)]
    told = [(server.fileno(), select.EPOLLIN)]
    assert seen == [[], told, [], told, [], told, []]


@needs_epoll
def test_an_edge_of_input_is_no_edge_of_output(world: World) -> None:
    client, server = world.pair()
    with select.epoll() as poll:
        poll.register(server, select.EPOLLOUT | select.EPOLLET)
        assert poll.poll(0) == [(server.fileno(), select.EPOLLOUT)]
        client.sendall(b"x")
        assert server.recv(1, socket.MSG_PEEK) == b"x"
        assert poll.poll(0.02) == []
        poll.modify(server, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        assert poll.poll(0) == [(server.fileno(), select.EPOLLIN | select.EPOLLOUT)]
        client.sendall(b"y")
        assert poll.poll(5) == [(server.fileno(), select.EPOLLIN | select.EPOLLOUT)]


@needs_epoll
def test_room_to_write_is_an_edge(world: World) -> None:
    client, server = world.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 20_000)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 20_000)
    client.setblocking(False)
    with select.epoll() as poll:
        poll.register(client, select.EPOLLOUT | select.EPOLLET)
        assert poll.poll(0) == [(client.fileno(), select.EPOLLOUT)]
        sent = 0
        with pytest.raises(BlockingIOError):
            while True:
                sent += client.send(b"x" * 10_000)
                time.sleep(0.1)  # a delayed acknowledgment makes room too
        assert poll.poll(0.05) == []

        def reader() -> None:
            server.setblocking(True)
            server.recv(sent, socket.MSG_WAITALL)

        done = world.run(reader)
        assert poll.poll(5) == [(client.fileno(), select.EPOLLOUT)]
        done()
        assert poll.poll(0.3) == []


@needs_epoll
def test_a_connection_being_made_is_told_when_it_stands(world: World) -> None:
    listener = world.listener()
    client = world.new()
    with select.epoll() as poll:
        poll.register(client, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        assert poll.poll(0) == [(client.fileno(), select.EPOLLOUT | select.EPOLLHUP)]
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        assert poll.poll(5) == [(client.fileno(), select.EPOLLOUT)]


@needs_epoll
def test_an_end_is_an_edge(world: World) -> None:
    client, server = world.pair()
    with select.epoll() as poll:
        poll.register(server, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
        client.shutdown(socket.SHUT_WR)
        assert poll.poll(5) == [(server.fileno(), select.EPOLLIN | select.EPOLLRDHUP)]
        assert poll.poll(0) == []


@needs_epoll
def test_once_only_until_asked_again(world: World) -> None:
    client, server = world.pair()
    with select.epoll() as poll:
        poll.register(server, select.EPOLLIN | select.EPOLLONESHOT | select.EPOLLET)
        told = [(server.fileno(), select.EPOLLIN)]
        client.sendall(b"x")
        assert poll.poll(5) == told
        client.close()
        assert poll.poll(0.05) == []
        poll.modify(server, select.EPOLLIN | select.EPOLLONESHOT)
        assert poll.poll(5) == told
        assert poll.poll(0) == []


@needs_epoll
def test_exclusive_interest(world: World) -> None:
    client, server = world.pair()
    with select.epoll() as poll:
        poll.register(server, select.EPOLLIN | select.EPOLLEXCLUSIVE)
        client.sendall(b"x")
        assert poll.poll(5) == [(server.fileno(), select.EPOLLIN)]
        with pytest.raises(OSError, match="Invalid argument"):
            poll.modify(server, select.EPOLLIN | select.EPOLLEXCLUSIVE)
        with pytest.raises(OSError, match="Invalid argument"):
            poll.register(client, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLEXCLUSIVE)


@needs_epoll
def test_urgent_data_is_an_edge(world: World) -> None:
    client, server = world.pair()
    with select.epoll() as poll:
        poll.register(server, select.EPOLLPRI | select.EPOLLET)
        client.send(b"!", socket.MSG_OOB)
        assert poll.poll(5) == [(server.fileno(), select.EPOLLPRI)]
        assert poll.poll(0) == []


@needs_epoll
def test_files_take_turns_where_not_all_can_be_told(world: World) -> None:
    client, server = world.pair()
    with select.epoll() as poll:
        poll.register(client, select.EPOLLOUT)
        poll.register(server, select.EPOLLOUT)
        seen = [poll.poll(0, 1)[0][0] for _ in range(4)]
    assert seen in ([client.fileno(), server.fileno()] * 2, [server.fileno(), client.fileno()] * 2)


def test_a_listener_that_was_shut_and_a_socket_that_was_reset(world: World) -> None:
    listener = world.listener()
    assert polled(listener) == 0
    client, server = world.pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    time.sleep(0.05)
    everything = select.POLLIN | select.POLLOUT | select.POLLERR | select.POLLHUP
    assert polled(client) == everything
    assert world.error_of(client.recv, 1) is not None
    assert polled(client) == everything & ~select.POLLERR


def test_shut_reading_is_an_end_that_can_be_read(world: World) -> None:
    client, _ = world.pair()
    client.shutdown(socket.SHUT_RD)
    assert polled(client, select.POLLIN | select.POLLOUT | select.POLLRDHUP) == select.POLLIN | select.POLLOUT | select.POLLRDHUP
