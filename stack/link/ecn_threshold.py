"""Step marking: CE on every frame that finds more than K frames waiting (RFC 8257 section 3.1, for DCTCP)."""

from __future__ import annotations

from stack.link.drop_tail import DropTail
from stack.link.frame import Frame
from stack.link.marking import mark


class EcnThreshold(DropTail):
    """A drop-tail queue that marks from `threshold` frames on, by its length of the moment and by no average.

    `net.link(a, b, queue=lambda: EcnThreshold(20))`. What is not ECN-capable is dropped only where the queue is full.
    """

    def __init__(self, threshold: int, frames: int | None = 1000, octets: int | None = None) -> None:
        super().__init__(frames, octets)
        self.threshold = threshold
        self.marked = 0

    def enqueue(self, frame: Frame, now: int) -> None:
        if len(self._waiting) >= self.threshold and mark(frame):
            self.marked += 1
        super().enqueue(frame, now)
