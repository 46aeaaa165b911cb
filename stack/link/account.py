"""What one direction of a link counts, and tells: taps, faults, drops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stack.base.event import Drop, DropReason, Event
from stack.codec.packet import Packet
from stack.link.frame import Frame


class Account:
    """`entered` and `delivered` frames, `drops` by reason, `faults_done` by kind; `on_fault` and `taps` hear of each frame."""

    __slots__ = (
        "_tell", "delivered", "drops", "entered", "faults_done", "link", "name", "octets_delivered", "octets_entered",
        "on_fault", "taps",
    )  # fmt: skip

    def __init__(self, link: str, name: str, tell: Callable[[Drop | Event], None] | None) -> None:
        self.link = link
        self.name = name
        self._tell = tell
        self.taps: list[Callable[[int, Packet, Any], None]] = []
        self.on_fault: list[Callable[[int, Packet, str], None]] = []
        self.entered = self.octets_entered = self.delivered = self.octets_delivered = 0
        self.drops: dict[DropReason, int] = {}
        self.faults_done: dict[str, int] = {}

    @property
    def where(self) -> str:
        """The name under which it tells what happens: "link a-b a>b"."""
        return f"link {self.link} {self.name}"

    def _tap(self, packet: Packet, now: int) -> None:
        for tap in self.taps:
            tap(now, packet, self)

    def _end(self, packet: Packet, now: int, reason: DropReason) -> None:
        """A frame ends here."""
        self.drops[reason] = self.drops.get(reason, 0) + 1
        for listener in self.on_fault:
            listener(now, packet, reason.value)
        if self._tell is not None:
            self._tell(Drop(now, self.where, reason, packet))

    def _mark(self, frame: Frame, packet: Packet, now: int) -> None:
        """Tell what befalls a frame that goes on."""
        for kind, what in frame.notes:
            self.faults_done[kind] = self.faults_done.get(kind, 0) + 1
            for listener in self.on_fault:
                listener(now, packet, what)
            if self._tell is not None:
                self._tell(Event(now, self.where, kind, packet))
