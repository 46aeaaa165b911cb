"""Appropriate byte counting with the limit that its RFC sets (RFC 3465): two segments an ACK in slow start, one after a timeout."""

from __future__ import annotations

from stack.tcp.congestion.base import CongestionState, Sample
from stack.tcp.congestion.newreno import NewReno


class ByteCounting(NewReno):
    """NewReno on Linux counts all that an ACK acknowledges; here a stretched ACK brings on a burst of L segments at most."""

    name = "reno-abc"
    limit = 2  # L, section 2.2

    def __init__(self, mss: int, initial_window: int) -> None:
        super().__init__(mss, initial_window)
        self._repeating = False  # slow start after a timeout, in which ACKs may be of what was sent before it (section 2.3)

    def acknowledged(self, sample: Sample) -> None:
        if not sample.limited:
            return
        if self.cwnd >= self.ssthresh:
            self._repeating = False
            self.grow_by_one_in(self.cwnd, sample.acked)
        else:
            self.slow_start(min(sample.acked, 1 if self._repeating else self.limit))

    def entered(self, state: CongestionState, now: int) -> None:
        self._repeating = state is CongestionState.LOSS
