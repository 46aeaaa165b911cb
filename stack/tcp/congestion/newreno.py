"""NewReno: slow start and congestion avoidance (RFC 5681), for the fast recovery of RFC 6582 and RFC 6675."""

from __future__ import annotations

from stack.tcp.congestion.base import CongestionControl


class NewReno(CongestionControl):
    """Doubles each round trip up to SSTHRESH, then adds a segment each round trip; halves at a loss."""

    __slots__ = ("_acked", "_initial")

    def __init__(self, mss: int, initial_window: int) -> None:
        super().__init__(mss, initial_window)
        self._initial = initial_window
        self._acked = 0  # octets acknowledged towards the next segment of congestion avoidance

    def acknowledged(self, acked: int, flight: int, limited: bool, now: int) -> None:
        cwnd = self.cwnd
        if cwnd < self.ssthresh:
            # A window that is not used proves nothing about the path (RFC 7661); half used is enough here,
            # since slow start would have doubled it in this round trip.
            if cwnd < 2 * flight:
                most = 2 * self.mss  # RFC 3465 with L = 2: one ACK for two segments counts as two
                self.cwnd = cwnd + (acked if acked < most else most)
        elif limited:
            self._acked += acked
            if self._acked >= cwnd:
                self._acked -= cwnd
                self.cwnd = cwnd + self.mss

    def duplicate_acks(self, flight: int, now: int) -> None:
        self.ssthresh = max(flight // 2, 2 * self.mss)  # equation 4
        self.cwnd = self.ssthresh  # and so it stays when recovery ends: RFC 6582 section 3.2 step 3, option 2
        self._acked = 0

    def timed_out(self, flight: int, first: bool, now: int) -> None:
        if first:
            self.ssthresh = max(flight // 2, 2 * self.mss)
        self.cwnd = self.mss  # the loss window
        self._acked = 0

    def idle(self, duration: int, rto: int) -> None:
        self.cwnd = min(self.cwnd, self._initial)  # the restart window, RFC 5681 section 4.1
