"""Marks on their way through a network: an ECN-capable stream, a queue that marks, the echo, the reduction."""

import socket
from typing import Any

import pytest

from stack import TCP, IPv4, Network, Packet, TcpSettings
from stack.ip.formats.ipv6 import IPv6
from stack.link.ecn_threshold import EcnThreshold
from tests.ledger import rfc


def stream(client: Any, server: Any, size: int = 300_000, version: int = 4) -> None:
    """The server sends so much."""

    @server.program
    def serve() -> None:
        family = socket.AF_INET if version == 4 else socket.AF_INET6
        with socket.create_server(("", 80), family=family) as listener, listener.accept()[0] as connection:
            connection.sendall(bytes(size))

    with client, socket.create_connection(("server", 80)) as connection:
        assert sum(map(len, iter(lambda: connection.recv(65536), b""))) == size


@rfc("3168", "6.1.2")
@pytest.mark.parametrize("version", [4, 6])
def test_a_queue_marks_instead_of_dropping_and_the_sender_slows_down(version: int) -> None:
    net = Network(seed=1, versions=(version,))
    with net:
        client, server = net.host("client", tcp=TcpSettings(ecn=1)), net.host("server")
        link = net.link(client, server, rate="10 Mbit", delay="20 ms", queue=lambda: EcnThreshold(10, frames=1000))
        seen: list[Packet] = []
        link.directions[1].taps.append(lambda time, packet, direction: seen.append(packet))
        marked: list[Packet] = []
        link.directions[0].taps.append(lambda time, packet, direction: marked.append(packet))
        stream(client, server, version=version)
        ip: Any = IPv4 if version == 4 else IPv6
        queue: Any = link.directions[1].discipline
        data = [packet for packet in seen if TCP in packet and packet.payload]
        assert {packet[ip].ecn for packet in data} == {2}
        assert {packet[ip].ecn for packet in seen if TCP in packet and not packet.payload} == {0}
        assert any(packet[TCP].ece for packet in marked if TCP in packet and not packet[TCP].syn)
        assert queue.marked > 0
        assert not link.directions[1].drops
