"""What the differential harness runs: what two programs do, over a link of 10 ms each way, and which packets are lost."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Any

Steps = list[list[Any]]
TCP = socket.IPPROTO_TCP
CUBIC = ["congestion", "cubic"]
ASK: Steps = [CUBIC, ["connect"], ["send", 100], ["receive", 100], ["close"]]
REPLY: Steps = [CUBIC, ["receive", 100], ["send", 100], ["all"], ["close"]]


@dataclass(frozen=True)
class Scenario:
    """What both ends do, and what the link does: `lost` numbers, from 1, of the client's and of the server's TCP packets.

    `sysctls` hold on both sides.
    """

    client: Steps
    server: Steps
    lost: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    seconds: float = 10
    listens: bool = True
    sysctls: tuple[tuple[str, str], ...] = ()


def push(octets: int, *, first: Steps | None = None) -> Steps:
    """A client that sends so much, and takes the end."""
    return [CUBIC, *(first or []), ["connect"], ["send", octets], ["shutdown"], ["all"], ["info"], ["close"]]


TAKE: Steps = [["all"], ["info"], ["close"]]
SMALL_BUFFER = ["listener", socket.SOL_SOCKET, socket.SO_RCVBUF, 4096]

SCENARIOS: dict[str, Scenario] = {
    "ask and reply": Scenario(ASK, REPLY),
    "thirty segments": Scenario(push(43_440), TAKE),
    "the server sends 200 KB": Scenario([CUBIC, ["connect"], ["all"], ["info"], ["close"]], [CUBIC, ["send", 200_000], ["close"]]),
    "SYN lost twice": Scenario(ASK, REPLY, ((1, 2), ())),
    # The client's SYN is lost too, and its timer doubles at once: the server's timer comes a second before it, not with it.
    "SYN-ACK lost": Scenario(ASK, REPLY, ((1,), (1,)), sysctls=(("net.ipv4.tcp_syn_linear_timeouts", "0"),)),
    "last ACK of the handshake lost": Scenario([CUBIC, ["connect"], ["receive", 100], ["close"]], [["send", 100], ["all"], ["close"]], ((2,), ())),
    "refused": Scenario(ASK, REPLY, listens=False),
    "one of ten lost": Scenario(push(14_480), TAKE, ((5,), ())),
    "two of ten lost": Scenario(push(14_480), TAKE, ((4, 6), ())),
    "the last of ten lost": Scenario([CUBIC, ["connect"], ["send", 14_480], ["sleep", 1], ["close"]], TAKE, ((12,), ())),
    "a single segment lost": Scenario([CUBIC, ["connect"], ["send", 1000], ["sleep", 1], ["close"]], TAKE, ((3,), ())),
    "a single segment lost three times": Scenario([CUBIC, ["connect"], ["send", 1000], ["sleep", 3], ["info"], ["close"]], TAKE, ((3, 4, 5), ())),
    "a retransmission lost": Scenario(push(28_960), TAKE, ((5, 15), ())),
    "FIN lost": Scenario([CUBIC, ["connect"], ["shutdown"], ["all"], ["close"]], TAKE, ((3,), ())),
    "delayed acknowledgments": Scenario(
        [CUBIC, ["option", TCP, socket.TCP_NODELAY, 1], ["connect"], *([["send", 100], ["sleep", 0.1]] * 30), ["close"]], TAKE
    ),
    "small writes, Nagle": Scenario([CUBIC, ["connect"], *[["send", 10]] * 5, ["sleep", 0.5], ["close"]], TAKE),
    "a shut window": Scenario(push(30_000), [SMALL_BUFFER, ["sleep", 2.5], ["all"], ["close"]]),
    "keep-alive": Scenario(
        [
            ["option", socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1], ["option", TCP, socket.TCP_KEEPIDLE, 1],
            ["option", TCP, socket.TCP_KEEPINTVL, 1], ["option", TCP, socket.TCP_KEEPCNT, 3], ["connect"], ["send", 10], ["sleep", 3.5],
            ["close"],
        ],
        TAKE,
    ),
    "abort": Scenario([CUBIC, ["connect"], ["send", 100], ["sleep", 0.1], ["abort"]], TAKE),
    "closed with data unread": Scenario([CUBIC, ["connect"], ["send", 100], ["all"], ["close"]], [["sleep", 0.2], ["close"]]),
    "data for a closed socket": Scenario(
        [CUBIC, ["connect"], ["sleep", 0.2], ["send", 100], ["sleep", 0.1], ["send", 100], ["close"]], [["close"]]
    ),
    "urgent data": Scenario([CUBIC, ["connect"], ["send", 2], ["urgent"], ["send", 2], ["sleep", 0.2], ["close"]], TAKE),
}  # fmt: skip
