"""A connection that a firewall swallows: the SYN again after 1, 2, 4, … seconds, then the program is told (RFC 6298, RFC 9293 section 3.8.3)."""

import socket
from contextlib import suppress
from pathlib import Path

from stack import TCP, Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server")
        link = net.link(client, server, delay="5 ms")
        link.drop(lambda packet: TCP in packet)  # as a firewall does that drops in silence
        with client.capture(path), client, suppress(TimeoutError):
            socket.create_connection(("server", 80))


if __name__ == "__main__":
    make(SAMPLE)
