"""How fast segments are delivered: a sample an ACK (draft-cheng-iccrg-delivery-rate-estimation-02, Linux's tcp_rate.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.congestion.base import Sample
    from stack.tcp.recovery.retransmit_queue import Record, RetransmitQueue


class DeliveryRate:
    """Kept for a control that `wants_rate`. Counts are segments, times nanoseconds."""

    __slots__ = (
        "_end",
        "_found",
        "_prior_delivered",
        "_prior_time",
        "_resent",
        "_send_interval",
        "_was_limited",
        "app_limited",
        "delivered",
        "delivered_at",
        "first_sent_at",
        "interval",
        "limited",
    )  # fmt: skip

    def __init__(self) -> None:
        self.first_sent_at = 0  # when the newest segment delivered was sent
        self.delivered_at = 0  # when `delivered` counted up last
        self.app_limited = 0  # until so many segments are delivered, samples say what the program sent, not the path
        self.delivered = 0  # the last sample: segments,
        self.interval = 0  # the time they took,
        self.limited = False  # and whether the program had nothing more to send
        self.begin()

    def begin(self) -> None:
        """An ACK begins."""
        self._found = False
        self._end = self._prior_delivered = self._prior_time = self._send_interval = 0
        self._was_limited = self._resent = False

    def sent(self, record: Record, rtx: RetransmitQueue, now: int) -> None:
        """`record` goes out (tcp_rate_skb_sent); it is in the queue already."""
        if len(rtx.records) == 1 and rtx.records[0] is record:
            self.first_sent_at = self.delivered_at = now
        record.rate = (self.first_sent_at, self.delivered_at, self.app_limited > 0)

    def took(self, record: Record) -> None:
        """`record` was delivered (tcp_rate_skb_delivered): the newest of an ACK is the one that counts."""
        if record.rate is None:
            return
        first_sent_at, delivered_at, limited = record.rate
        sent_at = record.sent_at
        if not self._found or sent_at > self.first_sent_at or (sent_at == self.first_sent_at and record.end > self._end):
            self._found = True
            self._prior_delivered = record.delivered
            self._prior_time = delivered_at
            self._was_limited = limited
            self._resent = record.marks & 130 > 0
            self._end = record.end
            self.first_sent_at = sent_at
            self._send_interval = sent_at - first_sent_at
        record.rate = None

    def sample(self, sample: Sample, total: int, acked: int, minimum: int, reneging: bool, now: int) -> None:
        """Fill in the sample of this ACK (tcp_rate_gen). `total`: segments delivered since the connection began."""
        if self.app_limited and total > self.app_limited:
            self.app_limited = 0
        if acked:
            self.delivered_at = now
        sample.prior_delivered = self._prior_delivered
        sample.prior_time = self._prior_time
        sample.app_limited = self._was_limited
        sample.retransmitted = self._resent
        sample.rate_delivered = sample.interval = -1
        if not self._found or reneging:
            self.begin()
            return
        sample.rate_delivered = total - self._prior_delivered
        interval = max(self._send_interval, now - self._prior_time)
        if interval >= minimum:  # shorter than any round trip: a gap in what the ACKs tell
            sample.interval = interval
            if not self._was_limited or sample.rate_delivered * self.interval >= self.delivered * interval:
                self.delivered = sample.rate_delivered
                self.interval = interval
                self.limited = self._was_limited
        self.begin()


def check(b: Block) -> None:
    """Before an ACK, and before the program writes: nothing waits, though the window would let it go. Samples of what is
    outstanding until now, and of what comes next, tell of the program and not of the path (tcp_rate_check_app_limited)."""
    rate, rtx, outgoing = b.rate, b.rtx, b.outgoing
    assert rate is not None
    waiting = outgoing.end - b.snd.nxt if outgoing is not None else 0
    if waiting < b.snd.mss and rtx.in_flight < b.congestion.cwnd and rtx.lost_out <= rtx.retrans_out:
        limit(b)


def limit(b: Block) -> None:
    """Until what is in flight now is delivered, samples are no measure of the path."""
    assert b.rate is not None
    b.rate.app_limited = b.rtx.delivered + b.rtx.in_flight or 1
