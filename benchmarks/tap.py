"""Bulk goodput over a TAP, to Linux's TCP and from it: MB a second of real time, and of our CPU time. Needs root."""

from __future__ import annotations

import resource
import socket
import sys
import time
from collections.abc import Callable

from stack import Network
from stack.testing.namespace import Namespace, missing

MEGABYTES = 200
ROUNDS = 3
FLOOR = 40  # MB a second
_BLOCK = bytes(1_000_000)

SINK = """
import socket
listener = socket.create_server(("", 5001)); print("listening", flush=True)
connection, _ = listener.accept()
buffer, count = bytearray(1 << 20), 0
while octets := connection.recv_into(buffer):
    count += octets
print(count, flush=True)
"""
SOURCE = """
import socket, sys
listener = socket.create_server(("", 5001)); print("listening", flush=True)
connection, _ = listener.accept()
connection.setsockopt(socket.IPPROTO_TCP, 13, b"cubic")
for _ in range(int(sys.argv[1])):
    connection.sendall(bytes(1_000_000))
"""


def seconds() -> float:
    """CPU time of this process, the kernel's work for it included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def transfer(*, send: bool) -> tuple[float, float]:
    """Seconds of real time and of CPU time for one transfer."""
    with Namespace() as linux, Network(seed=1) as net:
        host, tap = net.host("ours"), net.tap("tap0", namespace=linux.name)
        net.link(host, tap, queue=None)
        net.update()
        peer = linux.python(SINK if send else SOURCE, str(MEGABYTES))
        assert peer.stdout is not None
        peer.stdout.readline()
        start, used = time.monotonic(), seconds()
        with host, socket.create_connection((str(tap.address), 5001)) as connection:
            (_send if send else _receive)(connection)
        net.run_until(lambda: peer.poll() is not None)
        if send:
            assert int(peer.stdout.readline()) == MEGABYTES * len(_BLOCK)
        return time.monotonic() - start, seconds() - used


def _send(connection: socket.socket) -> None:
    for _ in range(MEGABYTES):
        connection.sendall(_BLOCK)


def _receive(connection: socket.socket) -> None:
    buffer, count = bytearray(1 << 20), 0
    while octets := connection.recv_into(buffer):
        count += octets
    assert count == MEGABYTES * len(_BLOCK)


def main() -> bool:
    """Print the table; whether the floor was reached."""
    lacking = missing()
    if lacking:
        print(f"bulk over a TAP: left out, {lacking}")
        return True
    print(f"bulk over a TAP, MTU 1500, {MEGABYTES} MB, best of {ROUNDS}     MB/s   MB/CPU s   floor (MB/s)")
    reached = True
    rows: list[tuple[str, Callable[[], tuple[float, float]]]] = [
        ("to Linux", lambda: transfer(send=True)), ("from Linux", lambda: transfer(send=False)),
    ]  # fmt: skip
    for name, run in rows:
        wall, cpu = min(run() for _ in range(ROUNDS))
        reached &= MEGABYTES / wall >= FLOOR
        print(f"  {name:43} {MEGABYTES / wall:9.1f} {MEGABYTES / cpu:10.1f} {FLOOR:10}")
    return reached


if __name__ == "__main__":
    sys.exit(not main())
