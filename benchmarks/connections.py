"""Connections: opened, used and closed per CPU second, the memory of open ones, and how costs grow (linearly)."""

from __future__ import annotations

import gc
import socket
import sys
import tracemalloc
from time import process_time
from typing import Any

from benchmarks.bulk import transfer
from stack import Network

OPEN = 10_000
FLOOR = 8 * 1024  # octets of both ends of an open connection
COUNTS = (10, 100, 1_000, 10_000)
SIZES = (1, 10, 100)  # MB


def pair() -> tuple[Network, Any, Any]:
    """Two hosts on a link, a listener on the second."""
    net = Network(seed=1)
    a, b = net.host("a"), net.host("b")
    net.link(a, b, rate="10 Gbit", delay="1 ms", queue=None)
    return net, a, b


def open_close(count: int) -> float:
    """CPU seconds to open `count` connections one after the other, echo once on each, and close it."""
    net, a, b = pair()

    @b.program
    def server() -> None:
        with socket.create_server(("", 7), backlog=128) as listener:
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(connection.recv(100))

    @a.program
    def client() -> None:
        for _ in range(count):
            with socket.create_connection((str(b.address), 7)) as connection:
                connection.sendall(b"hello")
                assert connection.recv(100) == b"hello"
                assert connection.recv(100) == b""

    start = process_time()
    net.run()
    seconds = process_time() - start
    assert client.exception is None
    net.close()
    return seconds


def memory(count: int) -> tuple[float, float]:
    """Octets that an open connection takes, both ends, engines and sockets; CPU seconds to open one."""
    net, a, b = pair()
    address = str(b.address)
    with b:
        listener = socket.create_server(("", 7), backlog=4096)
    kept = []
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    start = process_time()
    for _ in range(count):
        with a:
            one = socket.create_connection((address, 7))
        with b:
            kept += [one, listener.accept()[0]]
    seconds = process_time() - start
    net.run()
    gc.collect()
    octets = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    with a, b:
        for each in kept:
            each.close()
        listener.close()
    net.close()
    return octets / count, seconds / count


def main() -> bool:
    """Print the tables; whether the floor was reached."""
    open_close(10)
    print("connections opened, used for one echo, closed")
    for count in COUNTS:
        seconds = open_close(count)
        print(f"  {count:8,}  {count / seconds:10,.0f} per CPU second  {1e6 * seconds / count:8.1f} µs each")
    octets, _ = memory(OPEN)
    print(f"open connections: {octets:,.0f} octets each, both ends, of {OPEN:,} (at most {FLOOR:,})")
    print("one transfer")
    for size in SIZES:
        seconds, _ = transfer(size)
        print(f"  {size:8,} MB  {size / seconds:10.1f} MB per CPU second")
    return octets <= FLOOR


if __name__ == "__main__":
    sys.exit(not main())
