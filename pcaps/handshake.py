"""A connection from its first segment to its last: opened, used, closed (RFC 9293 sections 3.5 and 3.6)."""

import socket
from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server")
        net.link(client, server, delay="10 ms")

        @server.program
        def shout() -> None:
            with socket.create_server(("", 7777)) as listener:
                connection, _ = listener.accept()
                with connection:
                    while words := connection.recv(1000):
                        connection.sendall(words.upper())

        with client.capture(path), client:
            with socket.create_connection(("server", 7777)) as connection:
                connection.sendall(b"hello, server")
                connection.recv(1000)


if __name__ == "__main__":
    make(SAMPLE)
