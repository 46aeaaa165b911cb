"""Settings that reach the wire: those that a host is given, and those that a program sets on its sockets."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from stack import TCP, IPv4, IPv6, Network, TcpSettings


def test_sockets_have_the_settings_of_their_host() -> None:
    with Network() as net:
        host = net.host("small", tcp=TcpSettings(receive_buffer=5000, fixed_receive_buffer=True, nodelay=True))
        with host, socket.socket() as one:
            assert one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 5000
            assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


@pytest.mark.parametrize(
    ("family", "tos", "ttl"),
    [(socket.AF_INET, (0, socket.IP_TOS), (0, socket.IP_TTL)), (socket.AF_INET6, (41, 67), (41, 16))],
    ids=["IPv4", "IPv6"],
)
def test_a_stream_socket_puts_its_traffic_class_and_hop_limit_on_the_wire(
    family: int, tos: tuple[int, int], ttl: tuple[int, int]
) -> None:
    """The last two bits of the traffic class are ECN's: a program cannot set them (as in Linux)."""
    with Network() as net:
        client, server = net.host("client"), net.host("server")
        net.link(client, server)
        with server:
            listener = socket.socket(family)
            listener.bind(("", 80))
            listener.listen()
        with client.capture() as trace, client, listener, socket.socket(family) as one:
            one.setsockopt(*tos, 0xBB)
            one.setsockopt(*ttl, 5)
            one.connect(("server", 80))
            one.sendall(b"hello")
            one.setsockopt(*tos, 0x28)
            one.sendall(b"again")
        mine = [packet for packet in (record.packet for record in trace) if TCP in packet and packet[TCP].destination == 80]
        ips: list[Any] = [packet.get(IPv4) or packet[IPv6] for packet in mine]
        assert {ip.time_to_live if isinstance(ip, IPv4) else ip.hop_limit for ip in ips} == {5}
        assert [(ip.dscp, ip.ecn) for ip in ips][:3] == [(0xBB >> 2, 0)] * 3
        assert (ips[-1].dscp, ips[-1].ecn) == (10, 0)
