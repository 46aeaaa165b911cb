"""Two hosts call each other at the same instant: the SYNs cross, and become one connection (RFC 9293 section 3.5, figure 7).

Nobody listens. Each binds its port and connects to the other's.
"""

import socket
from pathlib import Path

from stack import Host, Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def call(peer: Host) -> None:
    with socket.socket() as connection:
        connection.bind(("", 5000))
        connection.connect((str(peer.address), 5000))
        connection.sendall(b"I called you!")
        connection.recv(100)


def make(path: Path) -> None:
    with Network(seed=1) as net:
        left, right = net.host("left"), net.host("right")
        link = net.link(left, right, delay="50 ms")
        left.ping(right, 1)  # both know the other's MAC address now
        with link.capture(path):
            left.start(call, right)
            right.start(call, left)
            net.run()


if __name__ == "__main__":
    make(SAMPLE)
