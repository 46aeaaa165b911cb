"""Where Linux would give up, so do we: with its errors, after its times."""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import Any

import pytest

from stack import TCP, Deadlock, Host
from tests.acceptance.scene import network

SECOND = 1_000_000_000


def serving(server: Host) -> Any:
    """A program that sends without end to whoever connects; it returns the error that it met, and when."""

    def serve() -> tuple[int | None, float]:
        with socket.create_server(("", 80), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
            connection, _ = listener.accept()
        try:
            while True:
                connection.sendall(bytes(1 << 16))
        except OSError as error:
            return error.errno, time.monotonic()
        finally:
            connection.close()

    return server.start(serve)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("neighbours", [True, False], ids=["only TCP is lost", "everything is lost"])
def test_a_path_that_dies_is_given_up_after_fifteen_repetitions(neighbours: bool, version: int) -> None:
    """Where the neighbour is not found any more either, Linux says so: the soft error goes before the time-out."""
    net, client, server, link = network()
    serve = serving(server)
    with client, socket.create_connection((str(client.resolve(server, version)), 80)) as connection:
        connection.recv(1 << 16)
        died = net.now
        with link.capture() as trace:
            if neighbours:
                link.drop(lambda packet: TCP in packet)
            else:
                link.loss = 1
            number, when = serve.result()
        assert errno.errorcode[number] == ("ETIMEDOUT" if neighbours else "EHOSTUNREACH")
        assert 923 < when - died / SECOND < 927, "0.2 s, doubled up to 120 s: 924.6 s, as Linux's manual has it"
        if neighbours:
            sent = [one.packet[TCP].sequence for one in trace if one.packet.get(TCP) and one.packet[TCP].source == 80]
            assert sent[-15:] == [sent[-1]] * 15, "tcp_retries2"
            assert sent[-16] != sent[-1] or sent.count(sent[-1]) == 16
        with pytest.raises(Deadlock):  # a receiver is not told: it waits for ever, as on Linux
            while True:
                connection.recv(1 << 20)


def test_a_peer_that_ends_without_reading_resets() -> None:
    _, client, server, _ = network()

    @server.program
    def crash() -> None:
        listener = socket.create_server(("", 80))
        connection, _ = listener.accept()
        connection.recv(1)
        connection.close()  # there is more to read: as for a process that ends, the kernel resets (RFC 2525 section 2.17)
        listener.close()

    with client, socket.create_connection(("server", 80)) as connection:
        with pytest.raises(ConnectionResetError):
            while True:
                connection.sendall(bytes(1 << 20))
        with pytest.raises(BrokenPipeError):
            connection.send(b"x")


def test_a_peer_that_aborts_resets() -> None:
    _, client, server, _ = network()

    @server.program
    def abort() -> None:
        with socket.create_server(("", 80)) as listener:
            connection, _ = listener.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    with client, socket.create_connection(("server", 80)) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)


@pytest.mark.parametrize("version", [4, 6])
def test_nobody_answers_a_syn(version: int) -> None:
    """The neighbour is known, and silent: 131 s, five SYNs again a second apart, then five ever later (Linux 6.5).

    Unknown, it is said to be unreachable after three requests.
    """
    net, client, server, link = network()
    address = str(client.resolve(server, version))
    client.ping(server, 1, version=version)
    link.drop(lambda packet: TCP in packet)
    began = net.now
    with client, link.capture() as trace, pytest.raises(TimeoutError) as raised:
        socket.create_connection((address, 80))
    assert raised.value.errno == errno.ETIMEDOUT
    syns = [record.time for record in trace if record.packet.get(TCP)]
    assert [round((time - syns[0]) / SECOND) for time in syns] == [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67]
    assert net.now - began == 131 * SECOND
    stranger = "10.0.0.77" if version == 4 else "fd00::77"
    began = net.now
    with client, pytest.raises(OSError, match="No route to host") as gone:
        socket.create_connection((stranger, 80))
    assert gone.value.errno == errno.EHOSTUNREACH
    assert 2.9 < (net.now - began) / SECOND < 4


def test_keep_alive_finds_that_the_peer_is_gone() -> None:
    net, client, server, link = network()

    @server.program
    def idle() -> None:
        with socket.create_server(("", 80)) as listener, listener.accept()[0]:
            time.sleep(10_000)

    with client, socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.connect(("server", 80))
        began = net.now
        link.drop(lambda packet: TCP in packet)
        with pytest.raises(TimeoutError) as raised:
            connection.recv(1)
    assert raised.value.errno == errno.ETIMEDOUT
    assert round((net.now - began) / SECOND) == 7200 + 9 * 75


def test_a_user_timeout_is_kept() -> None:
    net, client, server, link = network()

    @server.program
    def sink() -> None:
        with socket.create_server(("", 80)) as listener, listener.accept()[0] as connection:
            connection.recv(1)
            time.sleep(1e6)

    with client, socket.create_connection(("server", 80)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 30_000)
        connection.send(b"x")
        time.sleep(1)
        link.drop(lambda packet: TCP in packet)
        began = net.now
        with pytest.raises(TimeoutError):
            while True:
                connection.sendall(bytes(1 << 16))
    assert 25 < (net.now - began) / SECOND < 60
    net.close()
