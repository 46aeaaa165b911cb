"""NewReno: slow start and congestion avoidance (RFC 5681), for the fast recovery of RFC 6582, 6675 and 6937."""

from __future__ import annotations

from stack.tcp.congestion.base import CongestionControl, Sample


class NewReno(CongestionControl):
    """Doubles each round trip up to SSTHRESH, then adds a segment each round trip; halves at a loss (equation 4).

    Half is that of the window, as in Linux, not of what is in flight: a window that was not used has been let down by
    congestion-window validation before (RFC 2861).
    """

    name = "reno"

    def acknowledged(self, sample: Sample) -> None:
        if not sample.limited:
            return  # a window that is not used proves nothing about the path (RFC 7661)
        acked = sample.acked
        if self.cwnd < self.ssthresh:
            acked = self.slow_start(acked)
            if not acked:
                return
        self.grow_by_one_in(self.cwnd, acked)
