"""A congestion control driven by hand: acknowledgments, losses and timeouts, and no engine."""

from __future__ import annotations

from typing import Any

from stack.tcp.congestion.base import CongestionControl, CongestionState, Happening, Sample

MS = 1_000_000
MSS = 1000


class Driven:
    """What the engine would tell a control. Sequence numbers count segments; the window is always full."""

    def __init__(self, kind: type[CongestionControl], window: int = 10, rtt: int = 100 * MS) -> None:
        self.control: Any = kind(MSS, window)
        self.sample = Sample()
        self.now = 1000 * MS
        self.una = self.sent = 0
        self.control.opened(rtt, self.now)
        self.fill()

    def fill(self) -> None:
        """Send as much as the window allows."""
        self.sent = max(self.sent, self.una + self.control.cwnd)

    def ack(self, segments: int = 1, after: int = 0, rtt: int | None = 100 * MS, marked: int = 0, limited: bool = True) -> int:
        """An acknowledgment of so many segments; the window after it."""
        self.now += after
        sample, control = self.sample, self.control
        self.una += segments
        sample.now = self.now
        sample.prior_in_flight = sample.in_flight
        sample.una, sample.nxt, sample.acked, sample.rtt = self.una, self.sent, segments, rtt
        sample.in_flight = self.sent - self.una
        sample.delivered += segments
        sample.delivered_ce += marked
        sample.limited = limited
        control.measured(sample)
        control.arrived(sample)
        if control.owns_window:
            control.control(sample)
        else:
            control.acknowledged(sample)
        self.fill()
        return int(control.cwnd)

    def round(self, rtt: int = 100 * MS, each: int = 1, marked: int = 0) -> int:
        """A round trip later, everything in flight is acknowledged in one burst; the window after it."""
        self.now += rtt
        for first in range(0, self.sent - self.una, each):
            self.ack(each, rtt=rtt, marked=each if first < marked else 0)
        return int(self.control.cwnd)

    def lose(self, state: CongestionState = CongestionState.RECOVERY) -> int:
        """Recovery begins and ends; the window after it."""
        control = self.control
        control.prior_cwnd = control.cwnd
        control.ssthresh = control.lost(self.now)
        control.cwnd_count = 0
        control.entered(state, self.now)
        if not control.owns_window:
            control.cwnd = control.ssthresh
        control.entered(CongestionState.OPEN, self.now)
        self.una = self.sent
        self.fill()
        return int(control.cwnd)

    def time_out(self) -> int:
        """The retransmission timer, and all that was lost is acknowledged later."""
        control = self.control
        control.prior_cwnd = control.cwnd
        control.ssthresh = control.lost(self.now)
        control.event(Happening.LOSS, self.now)
        control.entered(CongestionState.LOSS, self.now)
        control.cwnd = 1
        control.cwnd_count = 0
        return int(control.cwnd)
