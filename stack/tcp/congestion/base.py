"""The seam of congestion control: what the engine tells an algorithm, and what it reads from it (RFC 5681).

Subclass `CongestionControl`, override what differs, and pass the class as `TcpSettings(congestion=...)`. The engine
detects losses and decides what to send again; an algorithm says how much may be in flight.
"""

from __future__ import annotations

UNLIMITED = 1 << 62  # SSTHRESH before the first loss


class CongestionControl:
    """Windows in octets, times in nanoseconds. This class never changes its window: a fixed one."""

    __slots__ = ("cwnd", "mss", "ssthresh")

    def __init__(self, mss: int, initial_window: int) -> None:
        self.mss = mss
        self.cwnd = initial_window
        self.ssthresh = UNLIMITED

    def acknowledged(self, acked: int, flight: int, limited: bool, now: int) -> None:
        """New data was acknowledged outside fast recovery.

        `acked`: octets; `flight`: octets that were outstanding before; `limited`: the window held data back.
        """

    def duplicate_acks(self, flight: int, now: int) -> None:
        """A loss was found by duplicate or selective acknowledgments: fast recovery begins."""

    def recovered(self, flight: int, now: int) -> None:
        """Fast recovery has ended: all that was outstanding when it began is acknowledged."""

    def timed_out(self, flight: int, first: bool, now: int) -> None:
        """The retransmission timer went off; `first`: not a repetition for the same segment."""

    def idle(self, duration: int, rto: int) -> None:
        """Data is sent again after nothing was outstanding for `duration`, longer than the RTO."""

    def segment_size(self, mss: int) -> None:
        """The size of a full segment changed (path MTU)."""
        self.mss = mss
