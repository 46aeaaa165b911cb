"""A SYN to a port where nobody listens is answered with RST, twice over: IPv4 and IPv6 (RFC 9293 section 3.5.2).

An old-style pcap file, for tools that read nothing else: microseconds, no names, no comments.
"""

import socket
from contextlib import suppress
from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcap")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server")
        net.link(client, server, delay="10 ms")
        with client.capture(path), client:
            for address in (server.address, server.address6):
                with suppress(ConnectionRefusedError):
                    socket.create_connection((str(address), 81))


if __name__ == "__main__":
    make(SAMPLE)
