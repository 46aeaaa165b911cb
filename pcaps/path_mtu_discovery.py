"""TCP finds out how large packets may be: "fragmentation needed" from a router, then smaller segments (RFC 1191).

Of each frame the first 128 octets are captured, as `tcpdump -s 128` would: the headers are the point here.
"""

import socket
from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, router, server = net.host("client"), net.router("router"), net.host("server")
        net.link(client, router, delay="5 ms")
        net.link(router, server, delay="5 ms")
        router.interfaces[1].mtu = 1000

        @server.program
        def read() -> None:
            with socket.create_server(("", 9)) as listener:
                connection, _ = listener.accept()
                with connection:
                    while connection.recv(4096):
                        pass

        with client.capture(path, snaplen=128), client:
            with socket.create_connection(("server", 9)) as connection:
                connection.sendall(bytes(4000))


if __name__ == "__main__":
    make(SAMPLE)
