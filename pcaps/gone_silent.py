"""A middlebox forgets two connections, and drops: keep-alive finds it out on one, TCP_USER_TIMEOUT on the other (RFC 5482)."""

import socket
import time
from pathlib import Path

from stack import TCP, Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        client, server = net.host("client"), net.host("server")
        link = net.link(client, server, delay="10 ms")

        @server.program
        def listen() -> None:
            with socket.create_server(("", 7)) as listener:
                kept = [listener.accept()[0] for _ in range(2)]
                time.sleep(3600)
                del kept

        with client.capture(path), client:
            idle = socket.create_connection(("server", 7))
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, seconds in ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3)):
                idle.setsockopt(socket.IPPROTO_TCP, option, seconds)
            busy = socket.create_connection(("server", 7))
            busy.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 8000)
            time.sleep(40)  # long enough for one probe that is answered
            link.drop(lambda packet: TCP in packet)
            busy.sendall(b"anybody there?")
            for connection in (busy, idle):
                try:
                    connection.recv(1)
                except TimeoutError:
                    connection.close()


if __name__ == "__main__":
    make(SAMPLE)
