"""Networks that the stories of the lab begin with."""

from __future__ import annotations

import socket
from itertools import pairwise
from typing import Any

from stack import Host, Link, Network, Packet


def pair(seed: int = 1, **settings: Any) -> tuple[Network, Host, Host, Link]:
    """Two hosts, a and b, on a link of 10 ms."""
    net = Network(seed)
    a, b = net.host("a"), net.host("b")
    return net, a, b, net.link(a, b, **({"delay": "10 ms"} | settings))


def chain(routers: int = 2, **settings: Any) -> tuple[Network, Host, Host]:
    """Hosts a and b with routers r1, r2 … between them; each link takes 10 ms."""
    net = Network(seed=1)
    way = [net.host("a"), *(net.router(f"r{number}") for number in range(1, routers + 1)), net.host("b")]
    for here, there in pairwise(way):
        net.link(here, there, **({"delay": "10 ms"} | settings))
    return net, way[0], way[-1]


def echo(host: Host, port: int = 7) -> None:
    """Answer on a port, one connection after the other."""

    @host.program
    def server() -> None:
        with socket.create_server(("", port)) as listener:
            while True:
                with listener.accept()[0] as connection:
                    while data := connection.recv(65536):
                        connection.sendall(data)


def ask(host: Host, target: str = "b", data: bytes = b"hello", port: int = 7) -> bytes:
    """One question to an echo server, and its answer."""
    with host, socket.create_connection((target, port)) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def kinds(packets: Any) -> list[str]:
    """The last header of each packet, by its name."""
    return [type(packet.headers[-1]).__name__ for packet in (getattr(one, "packet", one) for one in packets) if isinstance(packet, Packet)]
