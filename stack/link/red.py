"""Random early detection: drops or marks by chance as the average queue grows (Floyd and Jacobson 1993; RFC 2309, RFC 7567)."""

from __future__ import annotations

from stack.base.event import DropReason
from stack.link.drop_tail import DropTail
from stack.link.frame import Frame
from stack.link.marking import mark


class Red(DropTail):
    """Between `minimum` and `maximum` frames of average queue the chance grows from 0 to 1 in `inverse`; above, it is 1.

    `weight`: the average follows the queue by 2^-weight at each arrival. `ecn`: ECN-capable frames are marked, but above
    `maximum` dropped as all others (RFC 3168 section 7). All in integers: the average is kept times 2^weight.
    """

    def __init__(
        self, minimum: int = 20, maximum: int = 60, inverse: int = 10, weight: int = 9, frames: int = 1000, ecn: bool = False
    ) -> None:
        if not 0 < minimum < maximum <= frames or inverse < 1 or weight < 0:
            raise ValueError(f"RED with {minimum}, {maximum} of {frames} frames; expected 0 < minimum < maximum <= frames")
        super().__init__(frames)
        self.minimum = minimum
        self.maximum = maximum
        self.inverse = inverse
        self.weight = weight
        self.ecn = ecn
        self.marked = 0
        self.average = 0  # frames times 2^weight
        self._count = -1  # arrivals since the last that was marked or dropped
        self._spacing = 0  # how long a frame last took to be sent
        self._left_at = 0  # when a frame last left
        self._idle_since: int | None = None

    def enqueue(self, frame: Frame, now: int) -> None:
        if self._idle_since is not None:
            self._decay(now - self._idle_since)
            self._idle_since = None
        self.average += len(self._waiting) - (self.average >> self.weight)
        low, high = self.minimum << self.weight, self.maximum << self.weight
        if self.average < low:
            self._count = -1
        elif self.average >= high:
            self._count = 0
            self.drop(frame, now, DropReason.QUEUE_EARLY)
            return
        else:
            self._count += 1
            # p_b = (avg - min) / (inverse (max - min)), p_a = p_b / (1 - count p_b)
            chance = self.average - low
            out_of = self.inverse * (high - low) - self._count * chance
            if self._count and (out_of <= chance or self.stream.below(out_of) < chance):
                self._count = 0
                if not (self.ecn and mark(frame)):
                    self.drop(frame, now, DropReason.QUEUE_EARLY)
                    return
                self.marked += 1
        super().enqueue(frame, now)

    def dequeue(self, now: int) -> Frame | None:
        frame = super().dequeue(now)
        if frame is not None:
            if self._waiting:
                self._spacing = now - self._left_at
            else:
                self._idle_since = now
            self._left_at = now
        return frame

    def _decay(self, idle: int) -> None:
        """The average as if as many frames as could have been sent meanwhile had found the queue empty."""
        frames = idle // self._spacing if self._spacing else 0
        while frames and self.average >> self.weight:
            self.average -= self.average >> self.weight
            frames -= 1
