"""Flows that share one bottleneck, and what each of them gets: senders – router – receiver."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from stack import Network, TcpSettings
from stack.tcp.congestion.base import CongestionControl

Control = str | type[CongestionControl]
MEGABIT = 1_000_000


def flows(
    *controls: Control,
    rate: int = 10 * MEGABIT,
    delay: float = 0.02,
    queue: Any = 50,
    loss: float = 0.0,
    seconds: float = 60,
    apart: float = 0.5,
    ecn: int = 2,
    seed: int = 1,
    wmem: int = 1 << 24,
) -> list[int]:
    """The octets that each flow delivered by the end. `delay`: one way, seconds; flow n begins n times `apart` later."""
    with Network(seed=seed) as net:
        # The receiver's control matters to DCTCP only, which both ends have to speak
        wants = TcpSettings(congestion=controls[0], ecn=ecn, receive_buffer_max=1 << 24)
        receiver, router = net.host("receiver", tcp=wants), net.router("router")
        bottleneck = net.link(router, receiver, rate=rate, delay=delay, queue=queue)
        bottleneck.toward(receiver).loss = loss
        got = [0] * len(controls)
        for number, control in enumerate(controls):
            settings = TcpSettings(congestion=control, ecn=ecn, send_buffer_max=wmem)
            sender = net.host(f"sender{number}", tcp=settings)
            net.link(sender, router, rate=20 * rate, queue=10_000)
            receiver.start(_receive, 5000 + number, _counter(got, number))
            sender.start(_send, 5000 + number, number * apart)
        net.run(until=seconds)
        return got


def _counter(got: list[int], number: int) -> Callable[[int], None]:
    def add(octets: int) -> None:
        got[number] += octets

    return add


def _send(port: int, wait: float) -> None:
    import time

    time.sleep(wait)
    data = bytes(1 << 18)
    with socket.create_connection(("receiver", port)) as connection:
        while True:
            connection.sendall(data)


def _receive(port: int, add: Callable[[int], None]) -> None:
    with socket.create_server(("", port)) as listener, listener.accept()[0] as connection:
        while data := connection.recv(1 << 18):
            add(len(data))


def jain(shares: list[int]) -> float:
    """Jain's index of fairness: 1 where all have the same, 1/n where one has all."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def goodput(shares: list[int], rate: int, seconds: float) -> float:
    """The share of the link that data took."""
    return sum(shares) * 8 / rate / seconds
