"""A scenario with a bit of everything, as captures in a folder: `python -m tests.acceptance.scenario FOLDER`.

Threads, asyncio, UDP and ping, in both IP versions, over a switch, a router and links with every fault; a partition, an outage.
"""

from __future__ import annotations

import asyncio
import random
import socket
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from stack import Host, Network

SUFFIX = ".pcapng"


def build() -> Network:
    """clients a and b on a switch, a router, the server behind it."""
    net = Network(seed=42)
    a, b, lan, router, server = net.host("a"), net.host("b"), net.switch("lan"), net.router("router"), net.host("server")
    net.link(a, lan, delay="100 us", rate="1 Gbit")
    net.link(b, lan, delay="100 us", rate="1 Gbit")
    net.link(lan, router, delay="1 ms", rate="100 Mbit", loss="2%", duplication="1%", reordering="1%")
    net.link(router, server, delay="5 ms", rate="20 Mbit", jitter="500 us", corruption="1%", queue=30)
    return net


def serve(server: Host) -> None:
    """A server in threads, one in asyncio, one for datagrams."""

    @server.program
    def threads() -> None:
        def answer(connection: socket.socket) -> None:
            with connection:
                while data := connection.recv(65536):
                    connection.sendall(data)

        with socket.create_server(("", 7)) as listener:
            while True:
                threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    @server.program
    async def loop() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()

        await (await asyncio.start_server(answer, "::", 8)).serve_forever()

    @server.program
    def datagrams() -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as endpoint:
            endpoint.bind(("::", 9))
            while True:
                endpoint.sendto(*endpoint.recvfrom(65536))


def use(client: Host, server: Host) -> None:
    """What a client does: random data to each of the servers."""

    def echo(port: int, version: int) -> None:
        data = random.randbytes(150_000)
        with socket.create_connection((str(client.resolve(server, version)), port)) as connection:
            sender = threading.Thread(target=connection.sendall, args=(data,))
            sender.start()
            got = b""
            while len(got) < len(data):
                got += connection.recv(65536)
            sender.join()
            assert got == data

    def ask() -> None:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as endpoint:
            endpoint.settimeout(0.1)
            for _number in range(20):
                endpoint.sendto(random.randbytes(random.randrange(4000)), (str(client.resolve(server, 6)), 9))
                try:
                    endpoint.recvfrom(65536)
                except TimeoutError:
                    time.sleep(random.random() / 10)

    client.start(echo, 7, 4)
    client.start(echo, 8, 6)
    client.start(ask)


def make(folder: Path) -> None:
    """Run it; a capture of every host and of the network."""
    with build() as net, ExitStack() as stack:
        hosts = list(net.hosts.values())
        for host in hosts:
            stack.enter_context(host.capture(folder / f"{host.name}{SUFFIX}"))
        stack.enter_context(net.capture(folder / f"network{SUFFIX}"))
        a, b, _, server = hosts
        serve(server)
        use(a, server)
        use(b, server)
        net.run("300 ms")
        with net.partition([a], [server]):
            net.run("700 ms")
        with net.links["router-server"].down():
            net.run("1 s")
        net.run()
        a.ping(server, 3, size=3000)
        b.traceroute(server, version=6)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
