"""The path stalls for half a second: a timeout, and the echo of a timestamp shows that it was for nothing (RFC 5682, 3522).

The window falls to one segment at the timeout, and is what it was once the late acknowledgments arrive.
"""

import socket
from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        writer, reader = net.host("writer"), net.host("reader")
        link = net.link(writer, reader, rate="10 Mbit", delay="20 ms")

        @reader.program
        def read() -> None:
            with socket.create_server(("", 9)) as listener:
                connection, _ = listener.accept()
                with connection:
                    while connection.recv(4096):
                        pass

        with writer.capture(path, snaplen=128), writer:
            with socket.create_connection(("reader", 9)) as connection:
                connection.sendall(bytes(10_000))
                net.run(until=0.3)
                link.delay = "500 ms"
                connection.sendall(bytes(10_000))
                net.run(until=0.35)
                link.delay = "20 ms"
                connection.sendall(bytes(10_000))


if __name__ == "__main__":
    make(SAMPLE)
