"""CoDel: drops or marks at the head once frames have waited too long for too long (RFC 8289 section 5)."""

from __future__ import annotations

from collections import deque
from math import isqrt

from stack.base.event import DropReason
from stack.base.quantity import nanoseconds
from stack.link.frame import Frame
from stack.link.marking import mark
from stack.link.queueing import QueueDiscipline


class CoDel(QueueDiscipline):
    """Acts when no frame within `interval` waited less than `target`; then ever faster, by interval / sqrt(count).

    `ecn`: ECN-capable frames are marked instead of dropped. Names and steps are those of the RFC's pseudocode.
    """

    def __init__(
        self, target: str | float = "5 ms", interval: str | float = "100 ms", frames: int = 1000, ecn: bool = False
    ) -> None:
        self.target = nanoseconds(target)
        self.interval = nanoseconds(interval)
        self.frames = frames
        self.ecn = ecn
        self.marked = 0
        self._waiting: deque[tuple[int, Frame]] = deque()
        self._octets = 0
        self._max_packet = 256  # the largest frame so far: a queue of one such is no standing queue
        self._first_above_time = 0
        self._drop_next = 0
        self._count = 0
        self._last_count = 0
        self._dropping = False

    def __len__(self) -> int:
        return len(self._waiting)

    def enqueue(self, frame: Frame, now: int) -> None:
        if len(self._waiting) >= self.frames:
            self.drop(frame, now, DropReason.QUEUE_FULL)
            return
        self._waiting.append((now, frame))
        self._octets += frame.octets
        self._max_packet = max(self._max_packet, frame.octets)

    def _dodequeue(self, now: int) -> tuple[Frame | None, bool]:
        """The next frame, and whether the delay has been above target for an interval (section 5.5)."""
        if not self._waiting:
            self._first_above_time = 0
            return None, False
        came, frame = self._waiting.popleft()
        self._octets -= frame.octets
        if now - came < self.target or self._octets <= self._max_packet:
            self._first_above_time = 0
        elif not self._first_above_time:
            self._first_above_time = now + self.interval
        elif now >= self._first_above_time:
            return frame, True
        return frame, False

    def _control_law(self, at: int) -> int:
        """at + interval / sqrt(count), to 16 binary places of the root."""
        return at + (self.interval << 16) // isqrt(self._count << 32)

    def _signal(self, frame: Frame, now: int) -> bool:
        """Mark the frame, or drop it (True)."""
        if self.ecn and mark(frame):
            self.marked += 1
            return False
        self.drop(frame, now, DropReason.QUEUE_EARLY)
        return True

    def dequeue(self, now: int) -> Frame | None:
        frame, ok_to_drop = self._dodequeue(now)
        if self._dropping:
            if not ok_to_drop:
                self._dropping = False
            while frame is not None and self._dropping and now >= self._drop_next:
                self._count += 1
                if not self._signal(frame, now):
                    self._drop_next = self._control_law(self._drop_next)
                    break
                frame, ok_to_drop = self._dodequeue(now)
                if not ok_to_drop:
                    self._dropping = False
                else:
                    self._drop_next = self._control_law(self._drop_next)
        elif ok_to_drop and frame is not None:
            if self._signal(frame, now):
                frame, _ = self._dodequeue(now)
            self._dropping = True
            # Where the last round of drops ended not long ago, go on near the rate that controlled the queue then.
            delta = self._count - self._last_count
            recent = now - self._drop_next < 16 * self.interval
            self._count = delta if delta > 1 and recent else 1
            self._drop_next = self._control_law(now)
            self._last_count = self._count
        return frame
