"""A queue marks what it would rather not carry, the receiver echoes it, the sender slows down: nothing is lost (RFC 3168)."""

import socket
from pathlib import Path

from stack import EcnThreshold, Network, TcpSettings

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        writer, reader = net.host("writer", tcp=TcpSettings(ecn=1)), net.host("reader")
        link = net.link(writer, reader, rate="5 Mbit", delay="20 ms", queue=lambda: EcnThreshold(8))

        @reader.program
        def read() -> None:
            with socket.create_server(("", 9)) as listener:
                connection, _ = listener.accept()
                with connection:
                    while connection.recv(4096):
                        pass

        with link.capture(path, at=reader, snaplen=128), writer:
            with socket.create_connection(("reader", 9)) as connection:
                connection.sendall(bytes(60_000))


if __name__ == "__main__":
    make(SAMPLE)
