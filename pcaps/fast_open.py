"""Fast open: the first connection asks for a cookie, the second has its data in the SYN (RFC 7413)."""

import socket
from pathlib import Path

from stack import Network, TcpSettings

SAMPLE = Path(__file__).with_suffix(".pcapng")
BOTH = 0x3  # tcp_fastopen: as a client, and as a server


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server", tcp=TcpSettings(fast_open=BOTH))
        net.link(client, server, delay="50 ms")

        @server.program
        def answer() -> None:
            with socket.create_server(("", 80)) as listener:
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(connection.recv(1000).upper())

        client.ping(server, 1)  # both know the other's MAC address now
        with client.capture(path), client:
            for word in (b"may I?", b"at once"):
                with socket.socket() as connection:
                    connection.sendto(word, socket.MSG_FASTOPEN, ("server", 80))
                    connection.recv(1000)


if __name__ == "__main__":
    make(SAMPLE)
