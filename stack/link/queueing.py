"""The seam for queue disciplines: who waits, who goes next and who is dropped when a link is busy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from stack.base.event import DropReason
from stack.link.frame import Frame


def _forget(frame: Frame, now: int, reason: DropReason) -> None:
    """Where a discipline's drops go before a direction has taken it on."""


class QueueDiscipline(ABC):
    """Derive from this and set it: `link.queue = MyDiscipline` (one is made for each direction).

    A frame that finds the link idle is sent at once: it, and the one that is being sent, are not in the queue. Times are nanoseconds. A discipline is work-conserving: as
    long as it holds frames, `dequeue` gives one (or drops those that are left). It draws from `stream` alone, if at all.
    """

    taken = False  # True: it serves a direction
    stream: Any = None  # base.randomness.Stream, set by the direction
    drop: Callable[[Frame, int, DropReason], None] = staticmethod(_forget)  # set by the direction

    @abstractmethod
    def enqueue(self, frame: Frame, now: int) -> None:
        """Keep the frame, or end it (or another) with `self.drop(frame, now, DropReason.QUEUE_FULL)`."""

    @abstractmethod
    def dequeue(self, now: int) -> Frame | None:
        """The frame that is transmitted next, or None when the queue is empty."""

    @abstractmethod
    def __len__(self) -> int:
        """Frames waiting."""
