"""Bulk TCP between two hosts: MB and segments per CPU second, beside a bare prototype where it is present.

One program sends, another receives, through blocking sockets, over a link of 5 ms; everything that the stack does is
in the figure: sockets, programs, TCP, IP, the link. The floors are for a link that takes no time to send, so that the
segments of a window arrive together. At 1 Gbit/s each arrives at an instant of its own and wakes the receiving program,
which costs more than the segment itself. What it costs to do as Linux does, before and now: docs/decisions/0014.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path
from time import process_time
from typing import Any

from stack import Network
from stack.lab.host import Host

MEGABYTES = 40
ROUNDS = 3
SKETCHES = Path(__file__).resolve().parents[2] / "shared" / "sketches"
TARGETS = {"objects": 100, "bytes": 50, "pcap": 40, "pcapng": 40}  # MB per CPU second


def send(host: Host, address: str, data: bytes) -> None:
    """Start a program that sends `data` to port 80 of `address`."""

    @host.program
    def sender() -> None:
        with socket.create_connection((address, 80)) as connection:
            connection.sendall(data)


def receive(host: Host) -> list[int]:
    """Start a program that takes what comes to port 80; the total is in the list when it has ended."""
    total: list[int] = []

    @host.program
    def receiver() -> None:
        with socket.create_server(("", 80)) as listener:
            connection, _ = listener.accept()
            with connection:
                count = 0
                while data := connection.recv(1 << 20):
                    count += len(data)
        total.append(count)

    return total


def transfer(megabytes: int, *, wire: str = "objects", capture: str | None = None, rate: str | None = None) -> tuple[float, int]:
    """CPU seconds of one transfer, and how many segments it took, both ways."""
    data = bytes(range(256)) * 3907 * megabytes
    data = data[: megabytes * 1_000_000]
    with Network(seed=1, wire=wire) as net, tempfile.TemporaryDirectory() as folder:
        a, b = net.host("a"), net.host("b")
        link = net.link(a, b, rate=rate, delay="5 ms", queue=None)
        total = receive(b)
        send(a, str(b.address), data)
        recording: Any = a.capture(Path(folder) / f"bulk.{capture}") if capture else None
        start = process_time()
        net.run()
        if recording is not None:
            recording.close()
        seconds = process_time() - start
        assert total == [len(data)]
        return seconds, sum(direction.entered for direction in link.directions)


def best(rounds: int = ROUNDS, **how: Any) -> tuple[float, float]:
    """MB and segments per CPU second, of the best of some transfers."""
    seconds, segments = min(transfer(MEGABYTES, **how) for _ in range(rounds))
    return MEGABYTES / seconds, segments / seconds


def prototype() -> dict[str, float]:
    """What the bare prototype of the design reaches here and now, in MB per CPU second."""
    if not (SKETCHES / "lean_tcp.py").exists():
        return {}
    sys.path.insert(0, str(SKETCHES))
    import lean_tcp  # type: ignore[import-not-found]

    def one(mode: int) -> float:
        data = bytes(MEGABYTES * 1_000_000)
        start = process_time()
        lean_tcp.run(mode, MEGABYTES, data=data)
        return MEGABYTES / (process_time() - start)

    return {name: max(one(mode) for _ in range(ROUNDS)) for name, mode in (("objects", 0), ("bytes", 1), ("pcap", 4))}


def main() -> bool:
    """Print the table; whether every floor was reached."""
    transfer(1)
    peers = prototype()
    print(f"bulk TCP, {MEGABYTES} MB, best of {ROUNDS}             MB/CPU s   segments/CPU s   floor   of the prototype")
    reached = True
    rows: list[tuple[str, dict[str, Any]]] = [
        ("objects", {}), ("bytes", {"wire": "bytes"}), ("pcap", {"capture": "pcap"}), ("pcapng", {"capture": "pcapng"}),
    ]  # fmt: skip
    rows += [(f"{name}, 1 Gbit/s", {**how, "rate": "1 Gbit"}) for name, how in rows]
    for name, how in rows:
        megabytes, segments = best(**how)
        floor = TARGETS.get(name, 0)
        reached &= megabytes >= floor
        peer = peers.get(name.split(",")[0])
        share = f"{megabytes / peer:17.2f}" if peer else ""
        print(f"  {name:32} {megabytes:10.1f} {segments:16,.0f} {floor or '':7} {share}")
    return reached


if __name__ == "__main__":
    sys.exit(not main())
