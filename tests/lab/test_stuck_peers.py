"""Servers that do not read, and more clients than a server has room for: when the network rests, and who gets in."""

import socket
import socketserver

import pytest

from stack import Deadlock, Network
from stack.base.quantity import SECOND


def test_a_server_that_never_reads_leaves_the_network_at_rest_and_its_client_in_a_deadlock() -> None:
    net = Network(seed=1)
    client, server = net.host("client"), net.host("server")
    net.link(client, server, delay="10 ms")
    kept: list[socket.socket] = []

    @server.program
    def hoard() -> None:
        listener = socket.create_server(("", 80))
        kept.extend((listener, listener.accept()[0]))

    with client:
        connection = socket.create_connection(("server", 80))
        connection.setblocking(False)
        connection.send(bytes(1 << 20))
        net.run()  # comes back, though the client probes the shut window for ever
        rested = net.now
        connection.setblocking(True)
        with pytest.raises(Deadlock):
            connection.sendall(bytes(1 << 25))
    assert rested < 60 * SECOND
    net.run(until=rested / SECOND + 3600)
    with client:
        connection.settimeout(10)
        with pytest.raises(TimeoutError):
            connection.sendall(bytes(1 << 25))
        connection.close()
    for each in kept:
        each.close()
    net.close()


def test_fifty_clients_at_once_are_all_served_by_a_server_with_a_backlog_of_five() -> None:
    net = Network(seed=1)
    client, server = net.host("client"), net.host("server")
    net.link(client, server, delay="10 ms")

    class Echo(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.sendall(self.request.recv(100))

    @server.program
    def serve() -> None:
        with socketserver.TCPServer(("", 7), Echo) as made:
            assert made.request_queue_size == 5
            made.serve_forever()

    answers: list[bytes] = []

    def ask(number: int) -> None:
        with socket.create_connection(("server", 7)) as connection:
            connection.sendall(b"%d" % number)
            answers.append(connection.recv(100))

    for number in range(50):
        client.program(lambda number=number: ask(number))
    net.run()
    assert sorted(map(int, answers)) == list(range(50))
    assert net.now < 100 * SECOND  # who found the queue full, though its cookie was good, repeats its data
    net.close()
