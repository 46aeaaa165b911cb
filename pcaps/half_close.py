"""One side has nothing more to say and closes its direction; the other goes on for a while (RFC 9293 section 3.6.1)."""

import socket
from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server")
        net.link(client, server, delay="10 ms")

        @server.program
        def count() -> None:
            with socket.create_server(("", 7777)) as listener:
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as words:
                    total = sum(len(line) for line in words)  # until the client's FIN
                    connection.sendall(b"%d octets\n" % total)

        with client.capture(path), client:
            with socket.create_connection(("server", 7777)) as connection:
                connection.sendall(b"one\ntwo\nthree\n")
                connection.shutdown(socket.SHUT_WR)
                connection.recv(100)


if __name__ == "__main__":
    make(SAMPLE)
