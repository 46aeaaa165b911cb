"""BBR version 1: sends at the bandwidth and keeps the flight that were measured (draft-cardwell-iccrg-bbr-congestion-control-00).

In the integers, and the order, of Linux's tcp_bbr.c, whose names the methods have. Loss is no sign of congestion to it,
except of a policer (`bbr_policer.py`). BBR versions 2 and 3 are other algorithms, which Linux does not carry.
"""

from __future__ import annotations

import struct
from enum import Enum

from stack.tcp.congestion.base import CongestionControl, CongestionState, Happening, Sample
from stack.tcp.congestion.bbr_policer import Policer
from stack.tcp.congestion.windowed import WindowedMaximum

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

BW_SCALE = 24  # bandwidth is segments a microsecond, times 2^24
BW_UNIT = 1 << BW_SCALE
UNIT = 1 << 8  # a gain of 1

BANDWIDTH_ROUNDS = 10  # the filter's window: a cycle of gains and two
MIN_RTT_WINDOW = 10 * SECOND
PROBE_RTT_TIME = 200 * MILLISECOND
HIGH_GAIN = UNIT * 2885 // 1000 + 1  # 2/ln 2: doubles the rate each round
DRAIN_GAIN = UNIT * 1000 // 2885
CWND_GAIN = 2 * UNIT
CYCLE = (UNIT * 5 // 4, UNIT * 3 // 4, UNIT, UNIT, UNIT, UNIT, UNIT, UNIT)
CYCLE_RAND = 7
CWND_MIN_TARGET = 4
FULL_BW_THRESH = UNIT * 5 // 4
FULL_BW_ROUNDS = 3
EXTRA_ACKED_ROUNDS = 5
EXTRA_ACKED_MAX = 100_000  # microseconds
ACK_EPOCH_ACKED_RESET = 1 << 20
MARGIN = 99  # per cent of the bandwidth, so that a queue can drain
MIN_TSO_RATE = 1_200_000 // 8  # octets a second
PACING_SHIFT = 10  # a burst is what 1 ms of the rate carries
GSO_MOST = 65_536 - 1 - 320  # octets of it at most: GSO_LEGACY_MAX_SIZE - 1 - MAX_TCP_HEADER


class Mode(Enum):
    """What is being done to the path."""

    STARTUP = "startup"
    DRAIN = "drain"
    PROBE_BW = "probe bandwidth"
    PROBE_RTT = "probe round-trip time"


class BBR(CongestionControl):
    """Needs pacing, which it has the engine do."""

    name = "bbr"
    wants_rate = True
    owns_window = True

    def __init__(self, mss: int, initial_window: int) -> None:
        super().__init__(mss, initial_window)
        self.mode = Mode.STARTUP
        self.pacing_gain = self.cwnd_gain = HIGH_GAIN
        self.bandwidth = WindowedMaximum()
        self.policer = Policer()
        self.min_rtt: int | None = None  # microseconds
        self._min_rtt_at = 0
        self._probe_rtt_done_at: int | None = None
        self._probe_rtt_round_done = False
        self._rounds = 0
        self._round_start = False
        self._next_round = 0  # `delivered`, when a segment sent from then on is acknowledged, a round has passed
        self._seen_rtt = False
        self._idle_restart = False
        self.full_bw_reached = False
        self._full_bw = 0
        self._full_bw_rounds = 0
        self._cycle = 0
        self._cycle_at = 0
        self._previous = CongestionState.OPEN
        self._conserving = False
        self._saved_cwnd = 0
        self._extra_acked = [0, 0]  # the most above the bandwidth, in this and the previous window of rounds
        self._extra_acked_index = 0
        self._extra_acked_rounds = 0
        self._ack_epoch_at = 0
        self._ack_epoch_acked = 0
        self._rtt = 0  # smoothed, as the engine told at the opening

    # What the engine tells

    def opened(self, rtt: int, now: int) -> None:
        self._min_rtt_at = self._ack_epoch_at = now
        if rtt:
            self.min_rtt = max(rtt // MICROSECOND, 1)
        self._pacing_from_rtt(rtt)

    def control(self, sample: Sample) -> None:
        self._update_bandwidth(sample)
        self._update_ack_aggregation(sample)
        self._update_cycle_phase(sample)
        self._check_full_bandwidth(sample)
        self._check_drain(sample)
        self._update_min_rtt(sample)
        self._update_gains()
        bandwidth = self.best
        self._set_pacing_rate(bandwidth, self.pacing_gain, sample.rtt)
        self._set_cwnd(sample, bandwidth, self.cwnd_gain)

    def lost(self, now: int) -> int:
        self._save_cwnd()
        return self.ssthresh

    def undo(self) -> int:
        self._full_bw = self._full_bw_rounds = 0
        self.policer.reset()
        return self.cwnd

    def entered(self, state: CongestionState, now: int) -> None:
        if state is CongestionState.LOSS:
            self._previous = state
            self._full_bw = 0
            self._round_start = True  # a timeout ends the round

    def event(self, what: Happening, now: int) -> None:
        if what is Happening.TRANSMIT_START:
            self._idle_restart = True
            self._ack_epoch_at = now
            self._ack_epoch_acked = 0
            if self.mode is Mode.PROBE_BW:
                self._set_pacing_rate(self.best, UNIT, None)
            elif self.mode is Mode.PROBE_RTT:
                self._check_probe_rtt_done(now)

    # Bandwidth, flight, windows

    @property
    def best(self) -> int:
        """The bandwidth to work with."""
        return self.policer.bandwidth or self.bandwidth.value

    def information(self) -> bytes:
        """What TCP_CC_INFO tells: struct tcp_bbr_info of linux/inet_diag.h; octets a second, microseconds (bbr_get_info)."""
        rate = self.best * self.mss * 1_000_000 >> BW_SCALE
        min_rtt = 0xFFFFFFFF if self.min_rtt is None else self.min_rtt
        return struct.pack("=QIII", rate, min_rtt, self.pacing_gain, self.cwnd_gain)

    def _pacing_rate(self, bandwidth: int, gain: int) -> int:
        """Octets a second."""
        rate = bandwidth * self.mss * gain >> 8
        return rate * (1_000_000 // 100 * MARGIN) >> BW_SCALE

    def _pacing_from_rtt(self, rtt: int) -> None:
        if rtt:
            self._seen_rtt = True
        micro = max(rtt // MICROSECOND, 1) if rtt else 1000
        self.pacing_rate = self._pacing_rate(self.cwnd * BW_UNIT // micro, HIGH_GAIN)

    def _set_pacing_rate(self, bandwidth: int, gain: int, rtt: int | None) -> None:
        rate = self._pacing_rate(bandwidth, gain)
        if not self._seen_rtt and rtt:
            self._pacing_from_rtt(rtt)
        if self.full_bw_reached or self.pacing_rate is None or rate > self.pacing_rate:
            self.pacing_rate = max(rate, 1)

    def _burst(self) -> int:
        """Segments that Linux hands down at once (tso_segs_goal): room for them is in every window."""
        rate = self.pacing_rate or 0
        octets = min(rate >> PACING_SHIFT, GSO_MOST)
        return min(max(octets // self.mss, 1 if rate < MIN_TSO_RATE else 2), 127)

    def _bdp(self, bandwidth: int, gain: int) -> int:
        if self.min_rtt is None:
            return 10
        return ((bandwidth * self.min_rtt * gain >> 8) + BW_UNIT - 1) // BW_UNIT

    def _budget(self, cwnd: int) -> int:
        cwnd = cwnd + 3 * self._burst() + 1 & ~1
        if self.mode is Mode.PROBE_BW and self._cycle == 0:
            cwnd += 2
        return cwnd

    def _inflight(self, bandwidth: int, gain: int) -> int:
        return self._budget(self._bdp(bandwidth, gain))

    def _save_cwnd(self) -> None:
        if self._previous.value < CongestionState.RECOVERY.value and self.mode is not Mode.PROBE_RTT:
            self._saved_cwnd = self.cwnd
        else:
            self._saved_cwnd = max(self._saved_cwnd, self.cwnd)

    def _recover_or_restore(self, sample: Sample) -> tuple[int, bool]:
        """The window through a recovery; True: packets are conserved, and that is all of it."""
        cwnd = self.cwnd
        previous, state = self._previous.value, sample.state.value
        recovery = CongestionState.RECOVERY.value
        if sample.losses:
            cwnd = max(cwnd - sample.losses, 1)
        if state == recovery and previous != recovery:
            self._conserving = True
            self._next_round = sample.delivered
            cwnd = sample.in_flight + sample.acked
        elif previous >= recovery > state:
            cwnd = max(cwnd, self._saved_cwnd)
            self._conserving = False
        self._previous = sample.state
        if self._conserving:
            return max(cwnd, sample.in_flight + sample.acked), True
        return cwnd, False

    def _set_cwnd(self, sample: Sample, bandwidth: int, gain: int) -> None:
        cwnd = self.cwnd
        if sample.acked:
            cwnd, conserving = self._recover_or_restore(sample)
            if not conserving:
                target = self._bdp(bandwidth, gain)
                if self.full_bw_reached:
                    most = self.best * EXTRA_ACKED_MAX // BW_UNIT
                    target += min(max(self._extra_acked), most)
                target = self._budget(target)
                if self.full_bw_reached:
                    cwnd = min(cwnd + sample.acked, target)
                elif cwnd < target or sample.delivered < 10:
                    cwnd += sample.acked
                cwnd = max(cwnd, CWND_MIN_TARGET)
        self.cwnd = min(cwnd, self.clamp)
        if self.mode is Mode.PROBE_RTT:
            self.cwnd = min(self.cwnd, CWND_MIN_TARGET)

    # The model of the path

    def _update_bandwidth(self, sample: Sample) -> None:
        self._round_start = False
        if sample.rate_delivered < 0 or sample.interval <= 0:
            return
        if sample.prior_delivered >= self._next_round:
            self._next_round = sample.delivered
            self._rounds += 1
            self._round_start = True
            self._conserving = False
        if self.policer.sample(self, sample, self._round_start, self.mode is Mode.PROBE_BW):
            self._begin_probe_bw(sample.now)
        bandwidth = sample.rate_delivered * BW_UNIT // max(sample.interval // MICROSECOND, 1)
        if not sample.app_limited or bandwidth >= self.bandwidth.value:
            self.bandwidth.update(BANDWIDTH_ROUNDS, self._rounds, bandwidth)

    def _update_ack_aggregation(self, sample: Sample) -> None:
        """How many segments more than the bandwidth says are acknowledged at once: room for silence of the receiver."""
        if sample.acked <= 0 or sample.rate_delivered < 0 or sample.interval <= 0:
            return
        if self._round_start:
            self._extra_acked_rounds += 1
            if self._extra_acked_rounds >= EXTRA_ACKED_ROUNDS:
                self._extra_acked_rounds = 0
                self._extra_acked_index ^= 1
                self._extra_acked[self._extra_acked_index] = 0
        epoch = (sample.now - self._ack_epoch_at) // MICROSECOND
        expected = self.best * epoch // BW_UNIT
        if self._ack_epoch_acked <= expected or self._ack_epoch_acked + sample.acked >= ACK_EPOCH_ACKED_RESET:
            self._ack_epoch_acked = 0
            self._ack_epoch_at = sample.now
            expected = 0
        self._ack_epoch_acked = min(0xFFFFF, self._ack_epoch_acked + sample.acked)
        extra = min(self._ack_epoch_acked - expected, self.cwnd)
        index = self._extra_acked_index
        self._extra_acked[index] = max(self._extra_acked[index], extra)

    def _in_flight_when_sent(self, in_flight: int) -> int:
        """What will be in flight when the next burst goes (packets_in_net_at_edt, with nothing handed down ahead of time)."""
        return in_flight + self._burst() if self.pacing_gain > UNIT else in_flight

    def _update_cycle_phase(self, sample: Sample) -> None:
        if self.mode is not Mode.PROBE_BW:
            return
        over = (sample.now - self._cycle_at) // MICROSECOND > (self.min_rtt or 0)
        gain = self.pacing_gain
        in_flight = self._in_flight_when_sent(sample.prior_in_flight)
        if gain > UNIT:  # until it has been felt, or losses say that it was enough
            over = over and bool(sample.losses or in_flight >= self._inflight(self.bandwidth.value, gain))
        elif gain < UNIT:  # until the queue that the probe made is gone
            over = over or in_flight <= self._inflight(self.bandwidth.value, UNIT)
        if over:
            self._cycle = self._cycle + 1 & 7
            self._cycle_at = sample.now

    def _check_full_bandwidth(self, sample: Sample) -> None:
        """The pipe is full when the bandwidth has not grown by a quarter for three rounds."""
        if self.full_bw_reached or not self._round_start or sample.app_limited:
            return
        best = self.bandwidth.value
        if best >= self._full_bw * FULL_BW_THRESH >> 8:
            self._full_bw = best
            self._full_bw_rounds = 0
            return
        self._full_bw_rounds += 1
        self.full_bw_reached = self._full_bw_rounds >= FULL_BW_ROUNDS

    def _check_drain(self, sample: Sample) -> None:
        if self.mode is Mode.STARTUP and self.full_bw_reached:
            self.mode = Mode.DRAIN
            self.ssthresh = self._inflight(self.bandwidth.value, UNIT)
        if self.mode is Mode.DRAIN and self._in_flight_when_sent(sample.in_flight) <= self._inflight(self.bandwidth.value, UNIT):
            self._begin_probe_bw(sample.now)

    def _begin_probe_bw(self, now: int) -> None:
        """Anywhere in the cycle but where it drains. Linux draws the place; here the microseconds of the clock say it."""
        self.mode = Mode.PROBE_BW
        self._cycle = len(CYCLE) - 1 - now // MICROSECOND % CYCLE_RAND + 1 & 7
        self._cycle_at = now

    def _check_probe_rtt_done(self, now: int) -> None:
        if self._probe_rtt_done_at is None or now <= self._probe_rtt_done_at:
            return
        self._min_rtt_at = now
        self.cwnd = max(self.cwnd, self._saved_cwnd)
        if self.full_bw_reached:
            self._begin_probe_bw(now)
        else:
            self.mode = Mode.STARTUP

    def _update_min_rtt(self, sample: Sample) -> None:
        now = sample.now
        expired = now > self._min_rtt_at + MIN_RTT_WINDOW
        if sample.rtt is not None:
            rtt = sample.rtt // MICROSECOND
            if self.min_rtt is None or rtt < self.min_rtt or expired:
                self.min_rtt = max(rtt, 1)
                self._min_rtt_at = now
        if expired and not self._idle_restart and self.mode is not Mode.PROBE_RTT:
            self.mode = Mode.PROBE_RTT
            self._save_cwnd()
            self._probe_rtt_done_at = None
        self.holds_back = self.mode is Mode.PROBE_RTT
        if self.mode is Mode.PROBE_RTT:
            if self._probe_rtt_done_at is None and sample.in_flight <= CWND_MIN_TARGET:
                self._probe_rtt_done_at = now + PROBE_RTT_TIME
                self._probe_rtt_round_done = False
                self._next_round = sample.delivered
            elif self._probe_rtt_done_at is not None:
                self._probe_rtt_round_done |= self._round_start
                if self._probe_rtt_round_done:
                    self._check_probe_rtt_done(now)
        if sample.rate_delivered > 0:
            self._idle_restart = False

    def _update_gains(self) -> None:
        if self.mode is Mode.STARTUP:
            self.pacing_gain = self.cwnd_gain = HIGH_GAIN
        elif self.mode is Mode.DRAIN:
            self.pacing_gain, self.cwnd_gain = DRAIN_GAIN, HIGH_GAIN
        elif self.mode is Mode.PROBE_BW:
            self.pacing_gain = UNIT if self.policer.bandwidth else CYCLE[self._cycle]
            self.cwnd_gain = CWND_GAIN
        else:
            self.pacing_gain = self.cwnd_gain = UNIT
