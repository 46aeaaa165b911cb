"""Urgent data: the urgent pointer marks an octet that overtakes the stream at the reader (RFC 9293 section 3.8.5, RFC 6093)."""

import select
import socket
from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server")
        net.link(client, server, delay="10 ms")

        @server.program
        def listen() -> None:
            with socket.create_server(("", 23)) as listener:
                connection, _ = listener.accept()
                with connection:
                    select.select([], [], [connection])  # until urgent data is there
                    connection.recv(1, socket.MSG_OOB)  # the mark is at "!", ahead of all that came before it
                    while connection.recv(100):
                        pass

        with client.capture(path), client:
            with socket.create_connection(("server", 23)) as connection:
                connection.sendall(b"a long calculation\n")
                connection.send(b"stop!", socket.MSG_OOB)
                connection.sendall(b"thank you\n")


if __name__ == "__main__":
    make(SAMPLE)
