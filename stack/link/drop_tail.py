"""Drop-tail FIFO: frames leave in the order of their coming; one that finds the queue full is dropped (RFC 7567 section 2)."""

from __future__ import annotations

from collections import deque

from stack.base.event import DropReason
from stack.link.frame import Frame
from stack.link.queueing import QueueDiscipline

DEFAULT_FRAMES = 1000  # as Linux' txqueuelen and netem's limit


class DropTail(QueueDiscipline):
    """Holds at most so many frames, or so many octets, or both; None is no limit."""

    def __init__(self, frames: int | None = DEFAULT_FRAMES, octets: int | None = None) -> None:
        self.frames = frames
        self.octets = octets
        self._waiting: deque[Frame] = deque()
        self._octets_waiting = 0

    def enqueue(self, frame: Frame, now: int) -> None:
        full = self.frames is not None and len(self._waiting) >= self.frames
        if full or (self.octets is not None and self._octets_waiting + frame.octets > self.octets):
            self.drop(frame, now, DropReason.QUEUE_FULL)
            return
        self._waiting.append(frame)
        self._octets_waiting += frame.octets

    def dequeue(self, now: int) -> Frame | None:
        if not self._waiting:
            return None
        frame = self._waiting.popleft()
        self._octets_waiting -= frame.octets
        return frame

    def __len__(self) -> int:
        return len(self._waiting)
