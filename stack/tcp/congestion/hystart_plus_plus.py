"""HyStart++: from slow start into conservative slow start, and back where the delay did not last (RFC 9406)."""

from __future__ import annotations

from stack.tcp.congestion.base import INFINITE, CongestionControl, Sample
from stack.tcp.congestion.cubic import Cubic
from stack.tcp.congestion.hystart import HyStart
from stack.tcp.congestion.newreno import NewReno

MILLISECOND = 1_000_000

# Section 4.3
MIN_RTT_THRESH = 4 * MILLISECOND
MAX_RTT_THRESH = 16 * MILLISECOND
MIN_RTT_DIVISOR = 8
N_RTT_SAMPLE = 8
CSS_GROWTH_DIVISOR = 4
CSS_ROUNDS = 5
L = 8  # segments that an ACK may add where nothing is paced


class HyStartPlusPlus(HyStart):
    """For the initial slow start only: afterwards SSTHRESH is known. Times in nanoseconds, None is the RFC's infinity."""

    def __init__(self) -> None:
        super().__init__()
        self.last_rtt: int | None = None  # lastRoundMinRTT
        self.css = False
        self.css_baseline = 0  # cssBaselineMinRtt
        self.css_rounds = 0
        self._carry = 0  # what the division by CSS_GROWTH_DIVISOR left over

    def restart(self, now: int) -> None:
        self.found = True

    def measured(self, control: CongestionControl, sample: Sample, rtt: int, least: int) -> None:
        """Section 4.2."""
        if control.ssthresh != INFINITE:
            self.found = True
            return
        if self.current_rtt is None or rtt < self.current_rtt:
            self.current_rtt = rtt
        self.samples += 1
        if self.samples >= N_RTT_SAMPLE:
            self._judge(self.current_rtt)
        if self.end_seq is None or sample.una >= self.end_seq:
            self.last_rtt = self.current_rtt
            self._begin(sample.now, sample.nxt)
            if self.css:
                self.css_rounds += 1
                if self.css_rounds >= CSS_ROUNDS:
                    self.found = True
                    control.ssthresh = control.cwnd

    def _judge(self, current: int) -> None:
        """Into conservative slow start, or back, by the round's least round-trip time."""
        if self.css:
            self.css = current >= self.css_baseline  # else a false alarm: slow start goes on
        elif self.last_rtt is not None:
            thresh = max(MIN_RTT_THRESH, min(self.last_rtt // MIN_RTT_DIVISOR, MAX_RTT_THRESH))
            if current >= self.last_rtt + thresh:
                self.css = True
                self.css_baseline = current
                self.css_rounds = 0

    def growth(self, control: CongestionControl, acked: int) -> int:
        if control.pacing_rate is None:
            acked = min(acked, L)
        if not self.css or self.found:
            return acked
        grown, self._carry = divmod(self._carry + acked, CSS_GROWTH_DIVISOR)
        return grown


class CubicHyStartPlusPlus(Cubic):
    """CUBIC that leaves slow start by RFC 9406."""

    name = "cubic-hystart++"
    hystart = HyStartPlusPlus


class NewRenoHyStartPlusPlus(NewReno):
    """NewReno that does."""

    name = "reno-hystart++"

    def __init__(self, mss: int, initial_window: int) -> None:
        super().__init__(mss, initial_window)
        self._watch = HyStartPlusPlus()

    def measured(self, sample: Sample) -> None:
        if sample.rtt is not None and not self._watch.found and self.slow_starting:
            self._watch.measured(self, sample, sample.rtt, 0)

    def slow_start(self, acked: int) -> int:
        return super().slow_start(self._watch.growth(self, acked))
