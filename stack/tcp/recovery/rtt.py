"""The retransmission timer's value: smoothed round-trip time, its variance, backoff (RFC 6298), as Linux computes it."""

from __future__ import annotations

from stack.base.quantity import SECOND
from stack.tcp.settings import TcpSettings

MINIMUM_WINDOW = 300 * SECOND  # tcp_min_rtt_wlen: how long the smallest measurement is believed
_QUARTER = MINIMUM_WINDOW // 4


class RoundTrip:
    """Nanoseconds; SRTT is kept times 8 and the deviations times 4, as RFC 6298's fractions want it.

    Linux differs from RFC 6298 in two ways, so that a steady path's RTO does not come so near its round-trip time that a
    delayed ACK sets it off: the floor stands under the variance and not under the sum, and the variance is the largest
    mean deviation of the last round trip, which falls by a quarter a round trip only.
    """

    __slots__ = (
        "_deviation", "_largest", "_least", "_round", "_scaled", "_second", "_second_at", "_third",
        "_third_at", "_variance", "backoff", "minimum", "rto",
        "srtt", "timed_at", "timed_seq",
    )  # fmt: skip

    def __init__(self, rto: int) -> None:
        self._scaled = 0  # 8 SRTT; 0: no measurement yet
        self.srtt = 0  # smoothed round-trip time; 0: no measurement yet
        self._deviation = 0  # 4 times the mean deviation
        self._largest = 0  # the largest of it in this round trip
        self._variance = 0  # 4 RTTVAR
        self._round = 0  # SND.NXT when this round trip began
        self.rto = rto
        self.backoff = 0  # how often it was doubled
        self.minimum = 0  # the smallest measurement of the last five minutes; 0: none
        self._least = 0  # when it was
        self._second = self._second_at = 0  # the smallest since then, and when
        self._third = self._third_at = 0  # the smallest since that, and when
        self.timed_seq: int | None = None  # the end of the SYN, while it is timed
        self.timed_at = 0

    @property
    def rttvar(self) -> int:
        """The mean deviation, as TCP_INFO tells it."""
        return self._deviation >> 2

    def start(self, end: int, now: int) -> None:
        """Time the SYN, which ends at `end` and is in no queue."""
        self.timed_seq = end
        self.timed_at = now

    def resent(self, now: int) -> None:
        """Karn's algorithm: what was sent again is not timed."""
        self.timed_seq = None

    def sample(self, r: int, una: int, nxt: int, settings: TcpSettings) -> None:
        """A measurement R: rules 2.2 and 2.3 (tcp_rtt_estimator). Ends a backoff."""
        scaled = self._scaled
        least = settings.minimum_rto
        if scaled:
            error = r - (scaled >> 3)
            scaled += error
            deviation = self._deviation
            if error < 0:
                change = -error - (deviation >> 2)
                if change > 0:
                    change >>= 3  # a round-trip time that falls is no reason to wait longer
            else:
                change = error - (deviation >> 2)
            self._deviation = deviation = deviation + change
            if deviation > self._largest:
                self._largest = deviation
                if deviation > self._variance:
                    self._variance = deviation
            if una > self._round:
                if self._largest < self._variance:
                    self._variance -= self._variance - self._largest >> 2
                self._round = nxt
                self._largest = least
        else:
            scaled = r << 3
            self._deviation = r << 1
            self._variance = self._largest = max(self._deviation, least)
            self._round = nxt
        self._scaled = scaled = scaled if scaled > 8 else 8
        self.backoff = 0
        self.srtt = scaled >> 3
        rto = self.srtt + self._variance
        self.rto = rto if rto < settings.maximum_rto else settings.maximum_rto

    def observe(self, r: int, now: int) -> None:
        """Keep the minimum of the last five minutes, by the best of three parts of it (Kathleen Nichols' filter)."""
        passed = now - self._least
        if r > self._third and passed <= _QUARTER and self.minimum:
            return  # larger than all three, which stay what they are for so long
        if r <= self.minimum or not self.minimum or now - self._third_at > MINIMUM_WINDOW:
            self.minimum = r or 1
            self._least = self._second_at = self._third_at = now
            self._second = self._third = r
            return
        if r <= self._second:
            self._second, self._second_at = self._third, self._third_at = r, now
        elif r <= self._third:
            self._third, self._third_at = r, now
        if passed > MINIMUM_WINDOW:
            self._shift(r, now)
            if now - self._least > MINIMUM_WINDOW:
                self._shift(r, now)
        elif self._second_at == self._least and passed > _QUARTER:
            self._second, self._second_at = self._third, self._third_at = r, now
        elif self._third_at == self._second_at and passed > MINIMUM_WINDOW // 2:
            self._third, self._third_at = r, now

    def _shift(self, r: int, now: int) -> None:
        """The smallest is too old: the second takes its place."""
        self.minimum, self._least = self._second, self._second_at
        self._second, self._second_at = self._third, self._third_at
        self._third, self._third_at = r, now

    def restart(self, settings: TcpSettings) -> None:
        """RTO as if nothing had been backed off."""
        self.backoff = 0
        if self._scaled:
            self.rto = min(self.srtt + self._variance, settings.maximum_rto)
        else:
            self.rto = settings.fallback_rto

    def take_back(self, settings: TcpSettings) -> None:
        """RTO as if it had been doubled once less (RFC 6069)."""
        times = self.backoff - 1
        self.restart(settings)
        if not self._scaled:
            self.rto = settings.initial_rto
        self.backoff = times
        self.rto = min(self.rto << times, settings.maximum_rto)

    def back_off(self, settings: TcpSettings) -> None:
        """Rule 5.5: double the RTO."""
        self.backoff += 1
        self.rto = min(2 * self.rto, settings.maximum_rto)
