"""Goodput under scripted loss: Linux to Linux over two TAPs in real time, against ours to ours in virtual time.

    sudo python -m benchmarks goodput        (or python -m benchmarks.goodput --runs 3 --seconds 10)

The same emulated link: 100 Mbit/s, 40 ms there and back, a queue of one bandwidth-delay product. The same patterns of loss: which data
segments are lost is decided by their number among the data segments that enter the link, from a seeded stream, one for each run. CUBIC on
both. Goodput is octets received a second, from the first to the last of a transfer that lasts some seconds; the figure is the median.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import statistics
import sys
from typing import Any

from stack import Network
from stack.base.randomness import Randomness
from stack.codec.packet import Packet
from stack.testing.namespace import Namespace, missing

RATE = 100_000_000
DELAY = "20 ms"  # each way
QUEUE = RATE // 8 * 40 // 1000 // 1500  # frames: one bandwidth-delay product
LOSSES = (0.0, 0.0001, 0.001, 0.01)
SMALL = 200  # octets of a frame that carries no data: acknowledgments, ARP
TOLERANCE = 0.15

SINK = """
import json, socket, sys, time
listener = socket.create_server(("", 5001)); print("listening", flush=True)
connection, _ = listener.accept()
count, start, now = len(connection.recv(1 << 20)), time.monotonic(), 0
while now < start + float(sys.argv[1]):
    count += len(connection.recv(1 << 20))
    now = time.monotonic()
print(json.dumps([count, now - start]), flush=True)
"""
SOURCE = """
import socket, sys
connection = socket.socket()
connection.setsockopt(socket.IPPROTO_TCP, 13, b"cubic")
connection.connect((sys.argv[1], 5001))
try:
    while True:
        connection.sendall(bytes(65536))
except OSError:
    pass
"""


class Pattern:
    """A rule that loses the data segments whose numbers a seeded stream picks."""

    def __init__(self, share: float, run: int) -> None:
        self.share = share
        self.random = Randomness(run).at("loss").random
        self.count = self.lost = 0

    def __call__(self, packet: Packet) -> bool:
        if len(packet) <= SMALL:
            return False
        self.count += 1
        hit = self.random() < self.share
        self.lost += hit
        return hit


def measure(share: float, run: int, seconds: float, *, linux: bool) -> tuple[float, Pattern]:
    """Bits a second of one transfer, and what was lost."""
    pattern = Pattern(share, run)
    with Network(seed=run) as net:
        if linux:
            with Namespace() as left, Namespace() as right:
                ends: tuple[Any, Any] = net.tap("source", namespace=left.name), net.tap("sink", namespace=right.name)
                link = net.link(*ends, rate=RATE, delay=DELAY, queue=QUEUE)
                link.toward("sink").drop(pattern)
                net.update()
                sink = right.python(SINK, str(seconds))
                assert sink.stdout is not None
                sink.stdout.readline()
                left.python(SOURCE, str(ends[1].address), str(seconds))
                net.run_until(lambda: sink.poll() is not None)
                count, took = json.loads(sink.stdout.readline())
        else:
            a, b = net.host("source"), net.host("sink")
            link = net.link(a, b, rate=RATE, delay=DELAY, queue=QUEUE)
            link.toward("sink").drop(pattern)
            count, took = _ours(net, a, b, seconds)
    return 8 * count / took, pattern


def _ours(net: Network, a: Any, b: Any, seconds: float) -> tuple[int, float]:
    import time

    found: list[tuple[int, float]] = []

    @b.program  # type: ignore[untyped-decorator]
    def sink() -> None:
        with socket.create_server(("", 5001)) as listener, listener.accept()[0] as connection:
            count, start, now = len(connection.recv(1 << 20)), time.monotonic(), 0.0
            while now < start + seconds:
                count += len(connection.recv(1 << 20))
                now = time.monotonic()
            found.append((count, now - start))

    @a.program  # type: ignore[untyped-decorator]
    def source() -> None:
        with contextlib.suppress(OSError), socket.create_connection((str(b.address), 5001)) as connection:
            while True:
                connection.sendall(bytes(65536))

    net.run(until=seconds + 5)
    return found[0]


def main(arguments: list[str] | None = None) -> bool:
    """Print the table; whether ours is within 15 % of Linux where it is to be."""
    options = argparse.ArgumentParser(prog="goodput")
    options.add_argument("--runs", type=int, default=10)
    options.add_argument("--seconds", type=float, default=10)
    given = options.parse_args(arguments or [])
    lacking = missing()
    if lacking:
        print(f"goodput beside Linux's: left out, {lacking}")
        return True
    print(f"goodput at 100 Mbit/s, 40 ms, CUBIC, Mbit/s: median (least to most) of {given.runs} runs of {given.seconds:g} s")
    print("    loss            Linux to Linux               ours to ours   ours / Linux")
    reached = True
    for share in LOSSES:
        medians, shown = [], []
        for linux in (True, False):
            rates = [measure(share, run, given.seconds, linux=linux)[0] / 1e6 for run in range(1, given.runs + 1)]
            medians.append(statistics.median(rates))
            shown.append(f"{medians[-1]:7.2f} ({min(rates):6.2f} to {max(rates):6.2f})")
        ratio = medians[1] / medians[0]
        reached &= abs(ratio - 1) <= TOLERANCE
        print(f"  {100 * share:5.2f} %  {shown[0]:>24}   {shown[1]:>24}   {ratio:9.2f}", flush=True)
    return reached


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
