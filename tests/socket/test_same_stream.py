"""Stream sockets give one verdict on the emulation and on the operating system: connecting, talking, ending."""

from __future__ import annotations

import errno
import socket
import struct
import time

import pytest

from tests.socket.worlds import World


def test_echo(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"hello")
    server.sendall(server.recv(100).upper())
    assert client.recv(100) == b"HELLO"


def test_addresses_of_both_ends_agree(world: World) -> None:
    client, server = world.pair()
    assert client.getpeername() == server.getsockname()
    assert server.getpeername() == client.getsockname()


def test_accept_tells_the_address_of_the_peer(world: World) -> None:
    listener = world.listener()
    client = world.client(listener)
    _, address = world.accept(listener)
    assert address == client.getsockname()


def test_half_close(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"question")
    client.shutdown(socket.SHUT_WR)
    assert server.recv(100) == b"question"
    assert server.recv(100) == b""
    server.sendall(b"answer")
    server.close()
    assert client.recv(100) == b"answer"
    assert client.recv(100) == b""


def test_end_of_file_is_told_again_and_again(world: World) -> None:
    client, server = world.pair()
    server.close()
    assert [client.recv(10), client.recv(10)] == [b"", b""]


def test_connection_refused(world: World) -> None:
    with pytest.raises(ConnectionRefusedError) as refusal:
        world.client(world.closed_port())
    assert refusal.value.errno == errno.ECONNREFUSED


def test_a_refused_socket_may_try_again(world: World) -> None:
    client = world.new()
    client.settimeout(None)
    assert client.connect_ex(world.closed_port()) == errno.ECONNREFUSED
    listener = world.listener()
    client.connect(listener.getsockname())
    world.accept(listener)[0].sendall(b"welcome")
    assert client.recv(10) == b"welcome"


def test_receiving_times_out(world: World) -> None:
    client, _ = world.pair()
    client.settimeout(0.03)
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match="timed out"):
        client.recv(10)
    assert time.monotonic() - begin >= 0.029


def test_accepting_times_out(world: World) -> None:
    listener = world.listener()
    listener.settimeout(0.03)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_connecting_times_out_when_the_backlog_is_full(world: World) -> None:
    listener = world.listener(backlog=0)
    world.client(listener)
    late = world.new()
    late.settimeout(0.05)
    with pytest.raises(TimeoutError):
        late.connect(listener.getsockname())


def test_connections_wait_in_the_backlog_in_order(world: World) -> None:
    listener = world.listener(backlog=5)
    clients = [world.client(listener) for _ in range(4)]
    assert [world.accept(listener)[1] for _ in clients] == [client.getsockname() for client in clients]


def test_data_sent_before_accept_is_not_lost(world: World) -> None:
    listener = world.listener()
    client = world.client(listener)
    client.sendall(b"early")
    client.close()
    server, _ = world.accept(listener)
    assert server.recv(10) == b"early"
    assert server.recv(10) == b""


def test_sending_after_shutdown_is_a_broken_pipe(world: World) -> None:
    client, _ = world.pair()
    client.shutdown(socket.SHUT_WR)
    with pytest.raises(BrokenPipeError):
        client.send(b"x")


def test_sending_to_a_closed_peer_ends_in_a_broken_pipe(world: World) -> None:
    client, server = world.pair()
    server.close()
    assert client.recv(1) == b""
    client.send(b"nobody reads this")
    time.sleep(0.05)
    with pytest.raises(BrokenPipeError):
        client.send(b"x")
    assert client.recv(1) == b""


def test_closing_with_unread_data_resets(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"unread")
    time.sleep(0.05)
    server.close()
    with pytest.raises(ConnectionResetError):
        client.recv(10)
    assert client.recv(10) == b""
    with pytest.raises(BrokenPipeError):
        client.send(b"x")


def test_linger_zero_resets(world: World) -> None:
    client, server = world.pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    with pytest.raises(ConnectionResetError):
        client.recv(10)


def test_data_before_a_reset_can_still_be_read(world: World) -> None:
    client, server = world.pair()
    server.sendall(b"last words")
    time.sleep(0.05)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    time.sleep(0.05)
    assert client.recv(100) == b"last words"
    with pytest.raises(ConnectionResetError):
        client.recv(100)


def test_a_reset_is_told_by_so_error_once(world: World) -> None:
    client, server = world.pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    time.sleep(0.05)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    assert client.recv(10) == b""


def test_a_reset_socket_has_no_peer(world: World) -> None:
    client, server = world.pair()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    time.sleep(0.05)
    with pytest.raises(OSError) as trouble:
        client.getpeername()
    assert trouble.value.errno == errno.ENOTCONN


def test_linger_waits_until_the_data_is_delivered(world: World) -> None:
    client, server = world.pair()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 10))
    client.sendall(b"z" * 1000)
    client.close()
    assert server.recv(2000, socket.MSG_WAITALL) == b"z" * 1000


def test_shutdown_of_reading_gives_end_of_file(world: World) -> None:
    client, _ = world.pair()
    client.shutdown(socket.SHUT_RD)
    assert client.recv(10) == b""


def test_shutdown_of_both_ways(world: World) -> None:
    client, server = world.pair()
    client.shutdown(socket.SHUT_RDWR)
    assert client.recv(10) == b""
    assert server.recv(10) == b""
    with pytest.raises(BrokenPipeError):
        client.send(b"x")


def test_a_stream_not_connected(world: World) -> None:
    lonely = world.new()
    lonely.settimeout(None)
    codes = [
        world.error_of(lonely.recv, 10),
        world.error_of(lonely.send, b"x"),
        world.error_of(lonely.getpeername),
        world.error_of(lonely.shutdown, socket.SHUT_RDWR),
        world.error_of(lonely.accept),
    ]
    assert codes == [errno.ENOTCONN, errno.EPIPE, errno.ENOTCONN, errno.ENOTCONN, errno.EINVAL]


def test_a_connected_stream_cannot_begin_again(world: World) -> None:
    listener, client = world.listener(), world.new()
    client.settimeout(None)
    there = listener.getsockname()
    client.connect(there)
    codes = [
        world.error_of(client.connect, there),
        world.error_of(client.listen),
        world.error_of(client.bind, (world.here_address, 0)),
        world.error_of(client.accept),
    ]
    assert codes == [errno.EISCONN, errno.EINVAL, errno.EINVAL, errno.EINVAL]


def test_a_listener_does_not_talk(world: World) -> None:
    listener = world.listener()
    listener.settimeout(None)
    codes = [
        world.error_of(listener.recv, 10),
        world.error_of(listener.send, b"x"),
        world.error_of(listener.getpeername),
        world.error_of(listener.connect, listener.getsockname()),
    ]
    assert codes == [errno.ENOTCONN, errno.EPIPE, errno.ENOTCONN, errno.EISCONN]


def test_shutdown_of_nonsense_is_an_invalid_argument(world: World) -> None:
    client, _ = world.pair()
    assert world.error_of(client.shutdown, 7) == errno.EINVAL


def test_a_closed_listener_refuses_who_waits_in_its_backlog(world: World) -> None:
    listener = world.listener()
    client = world.client(listener)
    time.sleep(0.05)
    listener.close()
    with pytest.raises(ConnectionResetError):
        client.recv(10)


def test_a_socket_may_connect_to_itself(world: World) -> None:
    loop = world.new()
    loop.bind((world.here_address, 0))
    loop.connect(loop.getsockname())
    loop.sendall(b"to me")
    assert loop.recv(10) == b"to me"
    assert loop.getpeername() == loop.getsockname()


def test_bulk_in_both_ways_at_once(world: World) -> None:
    data = bytes(range(256)) * 2000
    listener = world.listener()

    def mirror() -> None:
        connection, _ = listener.accept()
        with connection:
            while chunk := connection.recv(5000):
                connection.sendall(chunk)

    world.run(mirror)
    client = world.client(listener)
    got = bytearray()
    client.setblocking(False)
    unsent = memoryview(data)
    while len(got) < len(data):
        world.wait_for(client, read=True, write=bool(unsent))
        try:
            if unsent:
                unsent = unsent[client.send(unsent) :]
            got += client.recv(1 << 16)
        except BlockingIOError:
            pass
    assert bytes(got) == data


def test_bulk_arrives_whole_through_sendall(world: World) -> None:
    data = bytes(range(251)) * 4000
    listener = world.listener()

    def source() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(data)

    world.run(source)
    client = world.client(listener)
    got = bytearray()
    while chunk := client.recv(1 << 14):
        got += chunk
    assert bytes(got) == data


def test_blocked_sender_goes_on_when_the_reader_reads(world: World) -> None:
    client, server = world.pair()
    client.setblocking(False)
    sent = 0
    while True:
        try:
            sent += client.send(bytes(50_000))
        except BlockingIOError:
            time.sleep(0.2)
            if not world.writable(client):
                break
    got = 0
    while got < sent:
        got += len(server.recv(1 << 16))
    time.sleep(0.05)
    assert world.writable(client)
    assert client.send(b"more") == 4
