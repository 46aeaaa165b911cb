"""Fast open between two hosts whose servers give cookies (RFC 7413)."""

import socket
import struct

from stack import TCP, Network, TcpSettings
from tests.ledger import rfc

FLAG, CONNECT = 0x20000000, 30


def _syn_data(s: socket.socket) -> bool:
    return bool(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)[5] & 32)


@rfc("7413", "4.1.3")
def test_the_second_request_is_answered_in_one_round_trip() -> None:
    with Network(seed=1) as net:
        client = net.host("client")
        server = net.host("server", tcp=TcpSettings(fast_open=0x3))
        link = net.link(client, server, delay="20 ms")

        @server.program
        def serve() -> None:
            with socket.socket() as listener:
                listener.bind(("", 80))
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
                listener.listen()
                for _ in range(3):
                    with listener.accept()[0] as connection:
                        connection.sendall(connection.recv(100).upper())

        seen = []
        with link.capture() as trace, client:
            for number in range(3):
                with socket.socket() as s:
                    if number == 2:
                        s.setsockopt(socket.IPPROTO_TCP, CONNECT, 1)
                        s.connect(("server", 80))
                        began = net.now
                        s.sendall(b"hello")
                    else:
                        began = net.now
                        assert s.sendto(b"hello", FLAG, ("server", 80)) == 5
                    assert s.recv(100) == b"HELLO"
                    seen.append((_syn_data(s), round((net.now - began) / 20_000_000)))
        assert seen == [(False, 6), (True, 2), (True, 2)]  # the first asks for a MAC, for a cookie, then for an answer
        syns = [record.packet for record in trace if TCP in record.packet and record.packet[TCP].syn and not record.packet[TCP].ack]
        assert [packet.after(TCP) for packet in syns] == [b"", b"hello", b"hello"]


def test_what_linux_tells_of_a_fast_open_that_failed() -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server")
        net.link(client, server, delay="20 ms")
        with server:
            listener = socket.create_server(("", 80))
        with client, socket.socket() as s:
            s.sendto(b"hello", FLAG, ("server", 80))
            told = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        assert struct.unpack_from("8B", told)[7] >> 1 & 3 == 1  # no cookie was known
        listener.close()
