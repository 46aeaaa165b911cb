"""BBR's long-term bandwidth: what a token-bucket policer lets through (lt_bw of Linux's tcp_bbr.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.congestion.base import Sample

if TYPE_CHECKING:
    from stack.tcp.congestion.bbr import BBR

MILLISECOND = 1_000_000

INTERVAL_ROUNDS = 4
LOSS_THRESH = 50  # of 256 segments: a fifth is lost
RATIO = 256 // 8  # two intervals whose bandwidths differ by no more than an eighth
DIFFERENCE = 4000 // 8  # or by no more octets a second
MOST_ROUNDS = 48  # then probe again


class Policer:
    """`bandwidth` is not 0 while two intervals in a row, each with many losses, had the same bandwidth."""

    def __init__(self) -> None:
        self.lost = 0  # segments, since the connection began
        self.reset()

    def reset(self) -> None:
        """Nothing of the kind is seen."""
        self.bandwidth = 0
        self._last = 0  # of the interval before
        self._sampling = False
        self._rounds = 0

    def _begin_interval(self, sample: Sample) -> None:
        self._at = sample.now // MILLISECOND
        self._delivered = sample.delivered
        self._lost = self.lost
        self._rounds = 0

    def sample(self, control: BBR, sample: Sample, round_start: bool, probing: bool) -> bool:
        """An acknowledgment; True if a policer was believed in for long enough, and the path is to be probed again."""
        self.lost += sample.losses
        if self.bandwidth:
            if probing and round_start:
                self._rounds += 1
                if self._rounds >= MOST_ROUNDS:
                    self.reset()
                    return True
            return False
        if not self._sampling:
            if not sample.losses:
                return False
            self._begin_interval(sample)
            self._sampling = True
        if sample.app_limited:
            self.reset()
            return False
        self._rounds += round_start
        if self._rounds < INTERVAL_ROUNDS:
            return False
        if self._rounds > 4 * INTERVAL_ROUNDS:
            self.reset()
            return False
        if sample.losses:
            self._end_interval(control, sample)
        return False

    def _end_interval(self, control: BBR, sample: Sample) -> None:
        lost = self.lost - self._lost
        delivered = sample.delivered - self._delivered
        if not delivered or lost << 8 < LOSS_THRESH * delivered:
            return
        time = sample.now // MILLISECOND - self._at
        if time < 1:
            return
        bandwidth = (delivered << 24) // (1000 * time)
        if self._last:
            difference = abs(bandwidth - self._last)
            octets = difference * control.mss * 990_000 >> 24
            if difference << 8 <= RATIO * self._last or octets <= DIFFERENCE:
                self.bandwidth = bandwidth + self._last >> 1
                self._rounds = 0
                return
        self._last = bandwidth
        self._begin_interval(sample)
