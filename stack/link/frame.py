"""A frame on its way through one direction of a link, with what is going to happen to it."""

from __future__ import annotations

from stack.base.event import DropReason
from stack.codec.packet import Packet


class Frame:
    """What the faults decided about a frame when it entered. Times in nanoseconds.

    `reason` ends it; `copies` follow it; `flips` are bit numbers (0 is the first on the wire, modulo the length; None:
    any); `jitter` keeps the order of frames; a frame with a `delay` or a `gap` (frames to let pass) leaves its place.
    `broken` frames take their time on the wire and fail the frame check. `notes` are (kind, text) of what befell it.
    """

    __slots__ = ("broken", "copies", "delay", "flips", "gap", "jitter", "notes", "octets", "packet", "reason")

    def __init__(self, packet: Packet, octets: int) -> None:
        self.packet = packet
        self.octets = octets
        self.reason: DropReason | None = None
        self.copies = 0
        self.flips: list[int | None] = []
        self.jitter = 0
        self.delay = 0
        self.gap = 0
        self.broken = False
        self.notes: list[tuple[str, str]] = []
