"""Random and mutated frames at a host whose programs are at work: nothing is raised, what is dropped is counted, the servers go on.

`tests/host/test_fuzz.py` has the hundred thousand frames at a host's engine; here they meet sockets, programs and a link.
"""

from __future__ import annotations

import random
import socket
import threading
from pathlib import Path

from stack import Host, Network, Packet
from tests.host.test_fuzz import mutated

FRAMES = 4000


def answer_everybody(server: Host) -> None:
    """An echo service for streams, a connection a thread, and one for datagrams, in both IP versions."""

    def answer(connection: socket.socket) -> None:
        try:
            with connection:
                while data := connection.recv(4096):
                    connection.sendall(data)
        except OSError:
            pass  # what a peer can do to a connection

    @server.program
    def streams() -> None:
        with socket.create_server(("", 7), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    @server.program
    def datagrams() -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as endpoint:
            endpoint.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            endpoint.bind(("", 7))
            while True:
                try:
                    endpoint.sendto(*endpoint.recvfrom(4096))
                except OSError:
                    pass  # answers to those who cannot be reached


def works(client: Host, server: Host) -> bool:
    """One question by stream, in either IP version, and one by datagram."""
    for version in (4, 6):
        with client, socket.create_connection((str(client.resolve(server, version)), 7)) as connection:
            connection.sendall(b"still there?")
            if connection.recv(100) != b"still there?":
                return False
    with client, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as endpoint:
        endpoint.sendto(b"and you?", ("server", 7))
        return endpoint.recv(100) == b"and you?"


def test_a_host_survives_what_a_wire_brings(tmp_path: Path) -> None:
    net = Network(seed=1)
    client, server = net.host("client"), net.host("server")
    link = net.link(client, server)
    answer_everybody(server)
    with link.capture(at=server) as good:
        assert works(client, server)
    frames = [record.data for record in good if record.packet.headers[0].destination == server.mac]  # type: ignore[attr-defined]
    source = random.Random(1)
    with server.capture() as trace:
        for _ in range(FRAMES):
            link.toward(server).send(Packet.parse(mutated(source, frames[int(source.random() * len(frames))])), net.now)
            net.run(net.now / 1e9 + 0.0001)
        net.run()
    assert len(trace) >= FRAMES
    assert sum(server.drops.values()) > FRAMES // 3
    assert all(reason.value for reason in server.drops)
    assert works(client, server)
    net.close()
