"""Datagrams that come back from an echo service, and one for a port where nobody listens (RFC 768, RFC 1122 section 4.1.3.1)."""

import socket
from contextlib import suppress
from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server")
        net.link(client, server, delay="10 ms")

        @server.program
        def echo() -> None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
                service.bind(("", 7))
                while True:
                    service.sendto(*service.recvfrom(2000))

        with client.capture(path), client, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for words in (b"one datagram", b"another, not joined to it", b""):
                datagrams.sendto(words, ("server", 7))
                datagrams.recv(2000)
            datagrams.connect(("server", 9999))
            datagrams.send(b"anybody there?")
            with suppress(ConnectionRefusedError):  # the port unreachable message, as the socket tells it
                datagrams.recv(2000)


if __name__ == "__main__":
    make(SAMPLE)
