"""HyStart: leave slow start before the queue overflows, by trains of ACKs and by delay (Ha and Rhee 2011, as in Linux's tcp_cubic.c)."""

from __future__ import annotations

from stack.tcp.congestion.base import CongestionControl, Sample

MILLISECOND = 1_000_000

LOW_WINDOW = 16  # segments; below, slow start ends by loss only
ACK_DELTA = 2 * MILLISECOND  # ACKs that are no further apart are one train
TRAIN_SLACK = MILLISECOND  # what offload may hold a segment back by: the most that Linux takes, and takes below 2 Gbit/s
MIN_SAMPLES = 8
DELAY_MIN = 4 * MILLISECOND
DELAY_MAX = 16 * MILLISECOND


class HyStart:
    """`found` once one of the two signs was seen; the control then sets SSTHRESH to CWND. Times in nanoseconds."""

    __slots__ = ("ack_train", "current_rtt", "delay", "end_seq", "found", "last_ack", "round_start", "samples")

    def __init__(self) -> None:
        self.ack_train = True  # look for trains of ACKs
        self.delay = True  # and for delay
        self.found = False
        self.round_start = 0
        self.last_ack = 0  # of the train
        self.end_seq: int | None = -1  # the round ends when SND.UNA is beyond; None: SND.NXT at the next sample
        self.current_rtt: int | None = None
        self.samples = 0

    def restart(self, now: int) -> None:
        """After a timeout, slow start is watched anew. Nothing new is sent until the next ACK: SND.NXT will be what it is."""
        self.found = False
        self._begin(now, None)

    def _begin(self, now: int, end: int | None) -> None:
        self.round_start = self.last_ack = now
        self.end_seq = end
        self.current_rtt = None
        self.samples = 0

    def measured(self, control: CongestionControl, sample: Sample, rtt: int, least: int) -> None:
        """A round-trip time in slow start; `least`: the shortest so far. May end slow start."""
        now = sample.now
        if self.end_seq is None:
            self.end_seq = sample.nxt
        if sample.una > self.end_seq:
            self._begin(now, sample.nxt)
        if control.cwnd < LOW_WINDOW:
            return
        if self.ack_train and now - self.last_ack <= ACK_DELTA:
            self.last_ack = now
            threshold = least + TRAIN_SLACK
            if control.pacing_rate is None:
                threshold >>= 1  # the train is as long as half the path: data and ACKs fill it; paced data is spread
            if now - self.round_start > threshold:
                self.found = True
                control.ssthresh = control.cwnd
                if control.counters is not None:
                    control.counters.TCPHystartTrainDetect += 1
                    control.counters.TCPHystartTrainCwnd += control.cwnd
        if self.delay:
            if self.current_rtt is None or rtt < self.current_rtt:
                self.current_rtt = rtt
            if self.samples < MIN_SAMPLES:
                self.samples += 1
            elif self.current_rtt > least + min(max(least >> 3, DELAY_MIN), DELAY_MAX):
                self.found = True
                control.ssthresh = control.cwnd
                if control.counters is not None:
                    control.counters.TCPHystartDelayDetect += 1
                    control.counters.TCPHystartDelayCwnd += control.cwnd

    def growth(self, control: CongestionControl, acked: int) -> int:
        """By how much the window may grow in slow start for `acked` segments."""
        return acked
