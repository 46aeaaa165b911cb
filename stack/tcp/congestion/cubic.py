"""CUBIC (RFC 9438), in the integers of Linux's tcp_cubic.c: the window is a cubic function of the time since the last loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.congestion.base import CongestionControl, CongestionState, Happening, Sample
from stack.tcp.congestion.hystart import HyStart

if TYPE_CHECKING:
    from stack.tcp.settings import TcpSettings

MILLISECOND = 1_000_000
SECOND = 1_000_000_000

SCALE = 1024  # of BETA
BETA = 717  # 0.7: what is left of the window after a loss (section 4.6)
HZ_BITS = 10  # the cubic function counts time in 1/1024 s
C = 41 * 10  # C = 0.4 as 410 / 1024 (section 4.1)
CUBE_FACTOR = (1 << (10 + 3 * HZ_BITS)) // C  # 1/C, to be multiplied by segments, of which the root is K
RENO_SCALE = 8 * (SCALE + BETA) // 3 // (SCALE - BETA)  # 8/alpha of section 4.3: ACKs for a segment more of Reno's window
MOST_SLOW = 20  # before the first loss: one segment more for 20 at least, 5 % a round trip

# cubic_root(n << 18), to within 3 % (Linux)
_ROOTS = bytes((
    0, 54, 54, 54, 118, 118, 118, 118, 123, 129, 134, 138, 143, 147, 151, 156,
    157, 161, 164, 168, 170, 173, 176, 179, 181, 185, 187, 190, 192, 194, 197, 199,
    200, 202, 204, 206, 209, 211, 213, 215, 217, 219, 221, 222, 224, 225, 227, 229,
    231, 232, 234, 236, 237, 239, 240, 242, 244, 245, 246, 248, 250, 251, 252, 254,
))  # fmt: skip


def cubic_root(a: int) -> int:
    """The cube root of `a`, with an average error of 0.195 %: a table and one step of Newton's method."""
    bits = a.bit_length()
    if bits < 7:
        return _ROOTS[a] + 35 >> 6
    third = (bits * 84 >> 8) - 1
    x = (_ROOTS[a >> 3 * third] + 10 << third) >> 6
    x = 2 * x + a // (x * (x - 1))
    return x * 341 >> 10  # 341 / 1024: a third


class Cubic(CongestionControl):
    """Time is looked at in milliseconds, as by a Linux of HZ = 1000: the function is evaluated once in each at most."""

    name = "cubic"
    hystart: type[HyStart] | None = HyStart

    __slots__ = (
        "_detect", "_watch", "ack_count", "count", "delay_min", "epoch_start", "k", "last_cwnd", "last_max_cwnd", "last_time",
        "origin_point", "reno_cwnd",
    )  # fmt: skip

    def __init__(self, mss: int, initial_window: int) -> None:
        super().__init__(mss, initial_window)
        self._detect = None if self.hystart is None else 3  # the signs that HyStart looks for; None: no HyStart
        self._watch: HyStart | None = None  # made with the first ACK in slow start
        self._reset()

    def _reset(self) -> None:
        self.count = 0  # ACKed segments for one more of the window
        self.last_max_cwnd = 0  # W_max; 0: unknown
        self.last_cwnd = 0
        self.last_time = 0  # ms: when the function was evaluated last
        self.origin_point = 0  # of the cubic function
        self.k = 0  # 1/1024 s from the beginning of the epoch to the origin point
        self.delay_min: int | None = None  # ns
        self.epoch_start: int | None = None  # ms
        self.ack_count = 0
        self.reno_cwnd = 0  # W_est

    def configure(self, settings: TcpSettings) -> None:
        if not settings.cubic_hystart:
            self._detect = None
        elif self._detect is not None:
            self._detect = settings.cubic_hystart_detect

    def _watching(self, detect: int) -> HyStart:
        """What watches slow start."""
        watch = self._watch
        if watch is None:
            assert self.hystart is not None
            watch = self._watch = self.hystart()
            watch.ack_train, watch.delay = detect & 1 > 0, detect & 2 > 0
        return watch

    def measured(self, sample: Sample) -> None:
        rtt = sample.rtt
        if rtt is None:
            return
        # Right after fast recovery delays say little
        if self.epoch_start is not None and sample.now // MILLISECOND - self.epoch_start < 1000:
            return
        if self.delay_min is None or rtt < self.delay_min:
            self.delay_min = max(rtt, 1)
        if self.cwnd < self.ssthresh and self._detect is not None:
            watch = self._watching(self._detect)
            if not watch.found:
                watch.measured(self, sample, rtt, self.delay_min)

    def acknowledged(self, sample: Sample) -> None:
        if not sample.limited:
            return
        acked = sample.acked
        if self.cwnd < self.ssthresh:
            acked = self.slow_start(acked if self._detect is None else self._watching(self._detect).growth(self, acked))
            if not acked:
                return
        self._update(acked, sample.now // MILLISECOND)
        self.grow_by_one_in(self.count, acked)

    def _update(self, acked: int, now: int) -> None:
        """Compute `count` (section 4.2 to 4.5)."""
        cwnd = self.cwnd
        self.ack_count += acked
        if self.last_cwnd == cwnd and now - self.last_time <= 31:  # HZ / 32
            return
        if self.epoch_start is None or now != self.last_time:
            self.last_cwnd = cwnd
            self.last_time = now
            if self.epoch_start is None:
                self._begin_epoch(cwnd, acked, now)
            self.count = self._cubic(cwnd, now)
        # The Reno-friendly region (section 4.3)
        delta = cwnd * RENO_SCALE >> 3
        if self.ack_count > delta:
            more, self.ack_count = divmod(self.ack_count - 1, delta)  # `while (ack_cnt > delta)`: a rest of delta stays
            self.ack_count += 1
            self.reno_cwnd += more
        if self.reno_cwnd > cwnd:
            self.count = min(self.count, cwnd // (self.reno_cwnd - cwnd))
        self.count = max(self.count, 2)  # at most 1.5 times the window in a round trip (section 4.4)

    def _begin_epoch(self, cwnd: int, acked: int, now: int) -> None:
        self.epoch_start = now
        self.ack_count = acked
        self.reno_cwnd = cwnd
        if self.last_max_cwnd <= cwnd:
            self.k = 0
            self.origin_point = cwnd
        else:
            self.k = cubic_root(CUBE_FACTOR * (self.last_max_cwnd - cwnd))
            self.origin_point = self.last_max_cwnd

    def _cubic(self, cwnd: int, now: int) -> int:
        """W_cubic(t + RTT), and in how many ACKs the window gets there (section 4.2)."""
        assert self.epoch_start is not None
        t = now - self.epoch_start + -(-(self.delay_min or 0) // MILLISECOND)
        t = (t << HZ_BITS) // 1000
        away = abs(t - self.k)
        delta = C * away * away * away >> 10 + 3 * HZ_BITS
        target = self.origin_point - delta if t < self.k else self.origin_point + delta
        count = cwnd // (target - cwnd) if target > cwnd else 100 * cwnd  # a very small increment
        if not self.last_max_cwnd and count > MOST_SLOW:
            return MOST_SLOW  # the bandwidth is still unknown: do not creep
        return count

    def lost(self, now: int) -> int:
        self.epoch_start = None
        cwnd = self.cwnd
        # Fast convergence: a flow whose window peaks lower than last time gives way to newer ones (section 4.7)
        self.last_max_cwnd = cwnd * (SCALE + BETA) // (2 * SCALE) if cwnd < self.last_max_cwnd else cwnd
        return max(cwnd * BETA // SCALE, 2)

    def entered(self, state: CongestionState, now: int) -> None:
        if state is CongestionState.LOSS:
            self._reset()
            if self._detect is not None:
                self._watching(self._detect).restart(now)

    def event(self, what: Happening, now: int) -> None:
        if what is Happening.TRANSMIT_START and self.epoch_start is not None:
            # The time without data is no time in which the function rises (section 5.8)
            idle = now // MILLISECOND - self.last_sent // MILLISECOND
            if idle > 0:
                self.epoch_start = min(self.epoch_start + idle, now // MILLISECOND)
