"""The retransmission timer's value: smoothed round-trip time, its variance, backoff (RFC 6298)."""

from __future__ import annotations

from stack.tcp.settings import TcpSettings


class RoundTrip:
    """SRTT, RTTVAR and RTO in nanoseconds. One segment is timed at a time: `timed_seq` is its end, None if none is."""

    __slots__ = ("minimum", "resent_at", "rto", "rttvar", "srtt", "timed_at", "timed_seq")

    def __init__(self, rto: int) -> None:
        self.srtt = 0  # 0: no measurement yet
        self.rttvar = 0
        self.rto = rto
        self.minimum = 0  # the smallest measurement; 0: none
        self.timed_seq: int | None = None
        self.timed_at = 0
        self.resent_at = 0  # when something was last sent again

    def start(self, end: int, now: int) -> None:
        """Time the segment that ends at `end`."""
        self.timed_seq = end
        self.timed_at = now

    def resent(self, now: int) -> None:
        """Karn's algorithm: what was sent again is not timed."""
        self.timed_seq = None
        self.resent_at = now

    def sample(self, r: int, settings: TcpSettings) -> None:
        """A measurement R: rules 2.2 and 2.3. Ends a backoff."""
        if not self.srtt:
            self.srtt = max(r, 1)
            self.rttvar = r >> 1
            self.minimum = self.srtt
        else:
            self.rttvar += abs(self.srtt - r) - self.rttvar >> 2
            self.srtt += r - self.srtt >> 3
            if r < self.minimum:
                self.minimum = r
        self.compute(settings)

    def compute(self, settings: TcpSettings) -> None:
        """RTO from SRTT and RTTVAR, without backoff.

        The floor stands under the variance term, as in Linux, and not under the sum: a steady path's RTO would come
        so near its round-trip time that a delayed ACK sets it off.
        """
        spread = 4 * self.rttvar
        rto = self.srtt + (spread if spread > settings.minimum_rto else settings.minimum_rto)
        self.rto = rto if rto < settings.maximum_rto else settings.maximum_rto

    def restart(self, settings: TcpSettings) -> None:
        """RTO as if nothing had been backed off."""
        if self.srtt:
            self.compute(settings)
        else:
            self.rto = settings.fallback_rto

    def back_off(self, settings: TcpSettings) -> None:
        """Rule 5.5: double the RTO."""
        self.rto = min(2 * self.rto, settings.maximum_rto)
