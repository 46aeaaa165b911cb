"""The TCP settings that a host is given are those of its sockets."""

from __future__ import annotations

import socket

from stack import Network, TcpSettings


def test_sockets_have_the_settings_of_their_host() -> None:
    with Network() as net:
        host = net.host("small", tcp=TcpSettings(receive_buffer=5000, fixed_receive_buffer=True, nodelay=True))
        with host, socket.socket() as one:
            assert one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 5000
            assert one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
