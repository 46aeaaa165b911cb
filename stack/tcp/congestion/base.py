"""The seam of congestion control: what the engine tells an algorithm, and what it reads from it (RFC 5681).

A control is a class. Subclass `CongestionControl`, override what differs, and give the class, or its registered name
(`registry.py`), to `TcpSettings(congestion=...)`. The engine finds losses, decides what to send again, and lets the
window down during a recovery (proportional rate reduction); a control says how the window grows, and how far it falls.
The verbs are those of Linux's tcp_congestion_ops, so that an algorithm written for Linux can be followed line by line.

Windows count segments of `mss` octets, times are nanoseconds, rates octets a second. Integers only: no floating point
where it reaches a window or a time.

An acknowledgment is told in this order: `measured` (if it brought a round-trip time or acknowledged data), `arrived`,
then what it means for a recovery (`lost` and `entered`, or `undo`), then either `control`, for a class with
`owns_window`, or, outside of recoveries, `acknowledged`.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stack.tcp.counters import Counters
    from stack.tcp.settings import TcpSettings

INFINITE = 0x7FFFFFFF  # SSTHRESH before the first loss, as Linux shows it


class CongestionState(Enum):
    """What the sender believes (Linux's tcp_ca_state). The value is what TCP_INFO says."""

    OPEN = 0  # nothing is wrong
    DISORDER = 1  # duplicate ACKs or SACKs came: reordering, or the beginning of a loss
    CWR = 2  # the window is being let down, for a mark (ECN) or a local reason; nothing was lost
    RECOVERY = 3  # fast retransmit
    LOSS = 4  # the retransmission timer went off


class Happening(Enum):
    """What `event` tells (Linux's tcp_ca_event)."""

    TRANSMIT_START = "first data after nothing was outstanding"
    WINDOW_RESTART = "the window was idle for an RTO and is let down"
    COMPLETE = "a reduction of the window has ended"
    LOSS = "the retransmission timer went off"
    CE = "a segment arrived with a congestion mark"
    NO_CE = "a segment arrived without one"


class Sample:
    """One acknowledgment. There is one sample a connection, written anew for each: valid during the call only."""

    __slots__ = (
        "acked", "app_limited", "delivered", "delivered_ce", "ece", "in_flight", "interval", "limited", "losses", "now",
        "nxt", "prior_delivered", "prior_in_flight", "prior_time", "rate_delivered", "retransmitted", "rtt", "state", "una",
    )  # fmt: skip

    def __init__(self) -> None:
        self.now = 0
        self.una = 0  # SND.UNA after the acknowledgment, unwrapped
        self.nxt = 0  # SND.NXT, unwrapped
        self.acked = 0  # segments that it delivered, by acknowledgment or SACK (acked_sacked)
        self.losses = 0  # segments found lost since the last acknowledgment
        self.in_flight = 0  # segments in the network now
        self.prior_in_flight = 0  # and before the acknowledgment
        self.rtt: int | None = None  # of the newest segment that it delivered; None: a repetition, nothing to measure
        self.limited = False  # the congestion window was what held data back (is_cwnd_limited)
        self.ece = False  # the peer echoes a congestion mark
        self.state = CongestionState.OPEN
        self.delivered = 0  # segments delivered since the connection began
        self.delivered_ce = 0  # those of them that were marked
        # The delivery rate (draft-cheng-iccrg-delivery-rate-estimation); only where the control `wants_rate`
        self.rate_delivered = -1  # segments delivered over `interval`; -1: no sample
        self.interval = -1  # -1: no sample
        self.prior_delivered = 0  # `delivered` when the newest segment delivered was sent; 0: no sample
        self.prior_time = 0  # and when that count was reached
        self.app_limited = False  # the program had nothing to send then
        self.retransmitted = False  # the newest segment delivered was a repetition


class CongestionControl:
    """The window stays where it is: a fixed one. Halves SSTHRESH at a loss, as RFC 5681 does."""

    name = "fixed"  # as TCP_CONGESTION says it
    wants_rate = False  # the delivery rate is to be sampled (costs time)
    owns_window = False  # `control` sets the window always: no growth, no reduction by the engine
    needs_ecn = False  # ECN is asked for and every segment is marked (TCP_CONG_NEEDS_ECN)

    __slots__ = (
        "clamp", "counters", "cwnd", "cwnd_count", "holds_back", "last_sent", "mss", "pacing_rate", "prior_cwnd", "ssthresh",
    )  # fmt: skip

    def __init__(self, mss: int, initial_window: int) -> None:
        self.mss = mss
        self.cwnd = initial_window
        self.cwnd_count = 0  # segments acknowledged towards the next one of the window
        self.ssthresh = INFINITE
        self.prior_cwnd = 0  # the window before the last reduction; the engine keeps it, for `undo`
        self.clamp = 0xFFFFFFFF  # the window grows no further
        self.last_sent = 0  # when data last went out; the engine keeps it, for TRANSMIT_START
        self.pacing_rate: int | None = None  # None: segments are not paced for this control
        self.counters: Counters | None = None  # of the host, while the control is a connection's
        self.holds_back = False  # the flight is kept small on purpose: no measure of the path's bandwidth

    # Told by the engine

    def configure(self, settings: TcpSettings) -> None:
        """Before anything else: the settings of the connection, for those few that a control has of its own."""

    def opened(self, rtt: int, now: int) -> None:
        """The connection is established. `rtt`: smoothed, 0 if nothing was measured yet."""

    def measured(self, sample: Sample) -> None:
        """Segments were acknowledged, or a round-trip time was measured (pkts_acked)."""

    def arrived(self, sample: Sample) -> None:
        """An acknowledgment of any kind came (in_ack_event)."""

    def acknowledged(self, sample: Sample) -> None:
        """The window may grow for `sample.acked` segments (cong_avoid): the state allows it."""

    def control(self, sample: Sample) -> None:
        """Set `cwnd` and `pacing_rate` (cong_control); only where `owns_window`."""

    def lost(self, now: int) -> int:
        """SSTHRESH for a loss or mark that was found now (ssthresh). The engine lets the window down to it."""
        return max(self.cwnd >> 1, 2)

    def undo(self) -> int:
        """The loss was none: the window to return to (undo_cwnd)."""
        return max(self.cwnd, self.prior_cwnd)

    def entered(self, state: CongestionState, now: int) -> None:
        """The sender changes its mind (set_state)."""

    def event(self, what: Happening, now: int) -> None:
        """See `Happening` (cwnd_event)."""

    def segment_size(self, mss: int) -> None:
        """The size of a full segment changed (path MTU)."""
        self.mss = mss

    # For algorithms to use

    @property
    def slow_starting(self) -> bool:
        """CWND is below SSTHRESH."""
        return self.cwnd < self.ssthresh

    def slow_start(self, acked: int) -> int:
        """Grow by what was acknowledged, up to SSTHRESH (RFC 5681 section 3.1; no limit an ACK: RFC 3465 with L infinite,
        which Linux, with pacing or without, has). Returns the segments that are left over for congestion avoidance."""
        cwnd = min(self.cwnd + acked, self.ssthresh)
        acked -= cwnd - self.cwnd
        self.cwnd = min(cwnd, self.clamp)
        return acked

    def grow_by_one_in(self, window: int, acked: int) -> None:
        """Congestion avoidance: one segment more for each `window` segments acknowledged (tcp_cong_avoid_ai)."""
        if self.cwnd_count >= window:  # credits of a time when the window was larger
            self.cwnd_count = 0
            self.cwnd += 1
        self.cwnd_count += acked
        if self.cwnd_count >= window:
            more, self.cwnd_count = divmod(self.cwnd_count, window)
            self.cwnd += more
        self.cwnd = min(self.cwnd, self.clamp)
