"""Replaying: the frames of a capture sent to a host at their recorded times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stack.base.errors import StackError
from stack.capture.replay import plan
from stack.capture.trace import Trace
from stack.codec.packet import Packet
from stack.codec.registry import LinkType
from stack.link.direction import Direction

if TYPE_CHECKING:
    from stack.lab.host import Host
    from stack.lab.network import Network


class Replay:
    """A replay under way. `sent` counts frames; `done` is true after the last; a damaged file raises from the network's run."""

    def __init__(self, network: Network, way: Direction, frames: Iterator[tuple[int, Packet]]) -> None:
        self.network = network
        self.way = way
        self.sent = 0
        self.done = False
        self._frames = frames
        self._next()

    def _next(self) -> None:
        following = next(self._frames, None)
        if following is None:
            self.done = True
            return
        time, packet = following
        self.network.scheduler.call_at(time, self._send, packet)

    def _send(self, packet: Packet) -> None:
        if packet.linktype != LinkType.ETHERNET:
            raise StackError(f"frame {self.sent + 1} has link type {packet.linktype}; expected Ethernet frames")
        self.sent += 1
        self.way.send(packet, self.network.now)
        self._next()


def replay(
    network: Network,
    source: Trace | str | Path,
    into: Host | Direction | str,
    *,
    speed: float = 1.0,
    only: str | None = None,
    rewrite: Callable[[Packet], Packet | None] | None = None,
) -> Replay:
    """Send the frames of a capture to a host (over its first link), or into a direction of a link, from now on.

    They enter the link at its far end, in the recorded order and distances, and meet the link's delay and faults. `speed`
    2 halves the distances, `only` is a display filter, `rewrite` gives the packet to send in place of one (None: none);
    parsed headers keep their checksums unless told otherwise: `ip.replace(source="10.0.0.9", checksum=Sealed)`.
    Raises `CaptureError` for a file that is no capture.
    """
    network.update()
    if isinstance(into, Direction):
        way = into
    else:
        member = network.member(into)
        link = network.wiring.link_of(member.interfaces[0]) if member.interfaces else None
        if link is None:
            raise StackError(f"{member.name} is on no link yet")
        way = link.toward(member.interfaces[0])
    return Replay(network, way, plan(source, start=network.now, speed=speed, only=only, rewrite=rewrite))
