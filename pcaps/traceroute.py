"""Datagrams with a time to live of 1, 2, 3: each router on the way gives itself away (RFC 792, time exceeded)."""

from itertools import pairwise
from pathlib import Path

from stack import Network

SAMPLE = Path(__file__).with_suffix(".pcapng")


def make(path: Path) -> None:
    with Network(seed=1) as net:
        way = [net.host("client"), net.router("home"), net.router("provider"), net.host("server")]
        for here, there in pairwise(way):
            net.link(here, there, delay="5 ms")
        with way[0].capture(path):
            way[0].traceroute("server", probes=2)


if __name__ == "__main__":
    make(SAMPLE)
