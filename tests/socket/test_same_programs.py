"""Programs with threads and the standard library's servers: one verdict on the emulation and on the operating system."""

from __future__ import annotations

import errno
import socket
import socketserver
import time
from typing import Any

from tests.socket.worlds import World


class Upper(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line.upper())


def serve(world: World, kind: Any, handler: Any) -> Any:
    with world.there():
        server = kind((world.there_address, 0), handler)
    world.run(lambda: server.serve_forever(poll_interval=0.02))
    return server


def stop(server: Any) -> None:
    server.shutdown()
    server.server_close()


def test_a_server_of_the_standard_library(world: World) -> None:
    server = serve(world, socketserver.TCPServer, Upper)
    for word in (b"one\n", b"two\n"):
        with socket.create_connection(server.server_address, timeout=5) as client:
            client.sendall(word)
            assert client.recv(10) == word.upper()
    stop(server)


def test_a_server_with_threads(world: World) -> None:
    server = serve(world, socketserver.ThreadingTCPServer, Upper)
    first = world.client(server.server_address)
    second = world.client(server.server_address)
    second.sendall(b"second\n")
    assert second.recv(10) == b"SECOND\n"
    first.sendall(b"first\n")
    assert first.recv(10) == b"FIRST\n"
    first.close()
    second.close()
    stop(server)


def test_a_datagram_server(world: World) -> None:
    class Reply(socketserver.DatagramRequestHandler):
        def handle(self) -> None:
            self.wfile.write(self.rfile.read()[::-1])

    server = serve(world, socketserver.UDPServer, Reply)
    client = world.new(kind=socket.SOCK_DGRAM)
    client.sendto(b"abc", server.server_address)
    assert client.recv(10) == b"cba"
    stop(server)


def test_a_blocked_accept_gets_its_caller(world: World) -> None:
    listener = world.listener()
    listener.settimeout(None)
    got: list[bytes] = []

    def server() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(None)
            got.append(connection.recv(100))

    done = world.run(server)
    time.sleep(0.02)
    client = world.client(listener)
    client.sendall(b"late")
    client.close()
    done()
    assert got == [b"late"]


def test_many_clients_at_once(world: World) -> None:
    listener = world.listener(backlog=50)

    def server() -> None:
        for _ in range(20):
            connection, _ = listener.accept()
            with connection:
                connection.sendall(connection.recv(100))

    world.run(server)
    clients = [world.client(listener) for _ in range(20)]
    for number, client in enumerate(clients):
        client.sendall(b"%d" % number)
    assert [client.recv(10) for client in clients] == [b"%d" % number for number in range(20)]


def test_ping_pong_of_small_messages(world: World) -> None:
    client, server = world.pair()

    def other() -> None:
        for _ in range(50):
            server.sendall(server.recv(10))

    world.run(other)
    for number in range(50):
        client.sendall(b"%d" % number)
        assert client.recv(10) == b"%d" % number


def test_shutdown_ends_a_blocked_accept(world: World) -> None:
    listener = world.listener()
    listener.settimeout(None)
    codes: list[int | None] = []
    done = world.run(lambda: codes.append(world.error_of(listener.accept)))
    time.sleep(0.05)
    listener.shutdown(socket.SHUT_RDWR)
    done()
    assert codes == [errno.EINVAL]
    assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 0
    listener.listen()
    world.client(listener)


def test_shutdown_ends_a_blocked_read(world: World) -> None:
    _, server = world.pair()
    server.settimeout(None)
    got: list[bytes] = []
    done = world.run(lambda: got.append(server.recv(10)))
    time.sleep(0.05)
    server.shutdown(socket.SHUT_RD)
    done()
    assert got == [b""]


def test_a_reset_ends_a_blocked_write(world: World) -> None:
    client, server = world.pair()
    server.settimeout(None)
    codes: list[int | None] = []
    done = world.run(lambda: codes.append(world.error_of(server.sendall, bytes(50_000_000))))
    time.sleep(0.2)
    client.close()  # with unread data
    done()
    assert codes[0] in (errno.ECONNRESET, errno.EPIPE)


def test_two_programs_share_a_listener(world: World) -> None:
    listener = world.listener()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(connection.recv(10))

    both = [world.run(serve), world.run(serve)]
    for number in range(2):
        client = world.client(listener)
        client.sendall(b"%d" % number)
        assert client.recv(10) == b"%d" % number
    for done in both:
        done()
