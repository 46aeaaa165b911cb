"""The same raw segments for Linux, over a TAP, and for a host of ours: what does each count?

A story is a peer that sends what it likes, and a server (`peer.script`) behind the TAP or on the host.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any

from stack import TCP, Network, TCPOptions
from stack.host.counters import HostCounters
from stack.lab.probe import Probe, Unexpected
from stack.tcp.formats.options import MSS, SACK, SACKPermitted, Timestamps, WindowScale
from stack.tcp.sysctl import changes
from stack.testing.namespace import Namespace
from tests.tap import peer
from tests.tap.differential import ATTEMPTS, PEER, UNDISTURBED, Run, counters, note_hold_ups

_PORT = 8080
# Header prediction's own conditions, and so what it takes, are not Linux's; the ACKs of either kind are the same together.
LOOSE = ("TcpExtTCPHPHits", "TcpExtTCPHPAcks", "TcpExtTCPPureAcks")


class Raw:
    """One connection of a peer without a TCP: numbers relative to both ends' initial ones, 1 is the first octet."""

    def __init__(self, probe: Probe, server: Any, port: int, mss: int = 1000, sack: bool = True, stamps: int | None = None, options: tuple[Any, ...] = ()) -> None:
        self.probe, self.server, self.port, self.stamps = probe, server, port, stamps
        self.irs = self.echo = 0
        self.syn = [MSS(mss), *([SACKPermitted()] if sack else []), WindowScale(7), *options]

    def send(
        self, flags: str = ".", seq: int = 1, text: int = 0, ack: int = 1, window: int = 500, sack: tuple[tuple[int, int], ...] = (),
        value: int | None = None, echo: int | None = None, options: list[Any] | None = None, checksum: int | None = None,
    ) -> None:  # fmt: skip
        """A segment; flags as packetdrill writes them."""
        names = {"S": "syn", "F": "fin", "R": "rst", "P": "psh", ".": "ack", "U": "urg"}
        given = list(options or [])
        if self.stamps is not None:
            self.stamps += 1
            given.append(Timestamps(self.stamps if value is None else value, self.echo if echo is None else echo))
        if sack:
            given.append(SACK([((self.irs + left) & 0xFFFFFFFF, (self.irs + right) & 0xFFFFFFFF) for left, right in sack]))
        fields: dict[str, Any] = {names[letter]: True for letter in flags}
        if checksum is not None:
            fields["checksum"] = checksum
        header = TCP(
            self.port, _PORT, sequence=9_000_000 + seq, acknowledgment=(self.irs + ack) & 0xFFFFFFFF if "." in flags else 0, window=window,
            options=TCPOptions(given), **fields,
        )  # fmt: skip
        self.probe.send(header / bytes(text))

    def open(self, data: int = 0) -> Raw:
        """The handshake; the server's first segments may have come when it is over."""
        self.send("S", 0, data, options=self.syn, window=65535)
        answer = self.probe.expect(lambda packet: TCP in packet and packet[TCP].syn and packet[TCP].destination == self.port, within=3)[TCP]
        self.irs = answer.sequence
        for option in answer.options:
            if isinstance(option, Timestamps):
                self.echo = option.value
        self.send()
        self.wait(0.1)
        return self

    def wait(self, seconds: float) -> None:
        network = self.probe.network
        network.run(until=(network.now + int(seconds * 1e9)) / 1e9)

    def until_fin(self) -> None:
        self.probe.expect(lambda packet: TCP in packet and packet[TCP].fin and packet[TCP].destination == self.port, within=3)

    def until_again(self, seq: int) -> None:
        """Wait until the segment with this number has come twice."""
        for _ in range(2):
            self.probe.expect(
                lambda packet: TCP in packet and (packet[TCP].sequence - self.irs) & 0xFFFFFFFF == seq and len(packet.after(TCP)) > 0, within=3
            )

    def last(self) -> TCP:
        """The header of what came last."""
        found = None
        while (packet := self.probe.receive(within=0.001)) is not None:
            if TCP in packet and packet[TCP].destination == self.port:
                found = packet[TCP]
        assert found is not None
        return found


@dataclass(frozen=True)
class Story:
    """What the peer does, with a function that makes connections; what the server does; sysctls of its side."""

    peer: Callable[[Callable[..., Raw]], None]
    server: tuple[tuple[Any, ...], ...] = (("sleep", 60),)
    sysctls: tuple[tuple[str, str], ...] = ()
    backlog: int = 5
    listens: bool = True


def run(story: Story, linux: bool, watched: Run | None = None) -> HostCounters:
    """What the server's side counts during a story. `watched`: notes how long the machine held it up."""
    with ExitStack() as stack:
        net = stack.enter_context(Network(seed=1))
        if watched is not None:
            note_hold_ups(watched, net)
        space: Namespace | None = None
        end: Any
        if linux:
            space = stack.enter_context(Namespace(dict(story.sysctls)))
            end = net.tap("server", namespace=space.name)
        else:
            end = net.host("server")
            for name, value in story.sysctls:
                end.engine.tcp.settings = end.engine.tcp.settings.replace(**changes(name, value))
        probe = Probe(net, end, "peer", delay="5 ms")
        net.update()
        if story.listens:
            given = {"steps": (("congestion", "cubic"), *story.server), "port": _PORT, "backlog": story.backlog}
            if space is not None:
                program = space.start(sys.executable, str(PEER), "script", json.dumps(given), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                assert program.stdout is not None
                program.stdout.readline()
            else:
                end.start(peer.script, given, lambda said: None)
                net.run(until=0.1)
        numbers = count(4001)
        before = counters(end, space)
        story.peer(lambda **settings: Raw(probe, end.address, next(numbers), **settings))
        net.run(until=(net.now + 50_000_000) / 1e9)
        return counters(end, space) - before


def shown(found: HostCounters) -> dict[str, int]:
    """What is compared."""
    values = {name: value for name, value in found.items() if name not in LOOSE and name != "TcpCurrEstab"}
    return {**values, "ACKs": found["TcpExtTCPHPAcks"] + found["TcpExtTCPPureAcks"]}


def undisturbed(story: Story) -> HostCounters:
    """What Linux counts in a run in which the machine, which had other things to do, took no part."""
    for attempt in range(ATTEMPTS):
        watched = Run()
        try:
            found = run(story, True, watched)
        except Unexpected:
            if watched.held_up < UNDISTURBED or attempt == ATTEMPTS - 1:
                raise
            continue
        if watched.held_up < UNDISTURBED:
            break
    return found


def compare(story: Story) -> dict[str, tuple[int, int]]:
    """Counters that are not Linux's: (Linux's, ours)."""
    kernel, ours = shown(undisturbed(story)), shown(run(story, False))
    return {name: (value, ours[name]) for name, value in kernel.items() if value != ours[name]}
