"""The scene of the acceptance tests: a transfer between two hosts over a bad link, by ordinary programs."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import dataclass
from typing import Any

from stack import Host, Link, Network, TcpSettings

MB = 1_000_000
FAST = {"rate": "1 Gbit", "delay": "500 us"}


@dataclass(frozen=True)
class Transfer:
    """What came of it. `error` is the errno that the sender or the receiver met."""

    received: int
    intact: bool
    error: int | None
    net: Network
    link: Link


def network(seed: int = 1, wire: str | None = None, tcp: TcpSettings | None = None, **faults: Any) -> tuple[Network, Host, Host, Link]:
    """A client and a server on a fast link with these faults."""
    net = Network(seed, wire=wire)
    client, server = net.host("client", tcp=tcp), net.host("server", tcp=tcp)
    return net, client, server, net.link(client, server, **(FAST | faults))


def transfer(size: int, version: int = 4, seed: int = 1, wire: str | None = None, **faults: Any) -> Transfer:
    """The server sends so many octets, the client receives them."""
    net, client, server, link = network(seed, wire, **faults)
    data = net.randomness.at("file").bytes(size)
    family = socket.AF_INET6 if version == 6 else socket.AF_INET

    @server.program
    def serve() -> None:
        with socket.create_server(("", 80), family=family) as listener:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(data)

    digest, received, error = hashlib.sha256(), 0, None
    try:
        with client, socket.create_connection((str(client.resolve(server, version)), 80)) as connection:
            while part := connection.recv(1 << 18):
                digest.update(part)
                received += len(part)
    except OSError as failure:
        error = failure.errno
    intact = digest.digest() == hashlib.sha256(data).digest()
    net.run()
    return Transfer(received, intact, error, net, link)
