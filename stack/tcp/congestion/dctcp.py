"""DCTCP: the window falls by half the share of segments that were marked (RFC 8257; integers of Linux's tcp_dctcp.c)."""

from __future__ import annotations

from stack.tcp.congestion.base import CongestionState, Happening, Sample
from stack.tcp.congestion.newreno import NewReno

MAX_ALPHA = 1024  # alpha = 1
SHIFT_G = 4  # g = 1/16 (section 4.2)


class DCTCP(NewReno):
    """Wants a path that marks early and by a threshold (`EcnThreshold`), and a peer with ECN: without, it is NewReno.

    The receiving half is the engine's: each change of the mark is told at once, so that the sender can count (section 3.2).
    """

    name = "dctcp"
    needs_ecn = True

    def __init__(self, mss: int, initial_window: int) -> None:
        super().__init__(mss, initial_window)
        self.alpha = MAX_ALPHA  # the first mark halves the window (section 3.3)
        self.next_seq = 0  # when SND.UNA reaches it, a window's marks are counted
        self._delivered = 0
        self._delivered_ce = 0

    def arrived(self, sample: Sample) -> None:
        if sample.una < self.next_seq:
            return
        delivered = sample.delivered - self._delivered
        marked = sample.delivered_ce - self._delivered_ce
        alpha = self.alpha
        alpha -= (alpha >> SHIFT_G) or alpha  # small alphas end at zero, where the shift would keep them
        if marked:
            alpha = min(alpha + (marked << 10 - SHIFT_G) // max(1, delivered), MAX_ALPHA)
        self.alpha = alpha
        self.next_seq = sample.nxt
        self._delivered = sample.delivered
        self._delivered_ce = sample.delivered_ce

    def lost(self, now: int) -> int:
        """For a mark: cwnd (1 - alpha / 2)."""
        return max(self.cwnd - (self.cwnd * self.alpha >> 11), 2)

    def entered(self, state: CongestionState, now: int) -> None:
        if state is CongestionState.RECOVERY:
            self.ssthresh = max(self.cwnd >> 1, 2)  # a loss halves, as ever (section 3.4)

    def event(self, what: Happening, now: int) -> None:
        if what is Happening.LOSS:
            self.ssthresh = max(self.cwnd >> 1, 2)
