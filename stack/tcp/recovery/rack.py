"""RACK: a segment is lost when one that was sent later has been delivered, and time enough has passed (RFC 8985)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND
from stack.tcp.congestion.base import CongestionState
from stack.tcp.recovery import prr
from stack.tcp.recovery.retransmit_queue import EVER_RESENT, LOST, RESENT, SACKED, Record
from stack.tcp.recovery.timer import REORDERING, RETRANSMISSION, rearm, set_timer

if TYPE_CHECKING:
    from stack.tcp.block import Block

_LEAST = 2 * MILLISECOND  # TCP_TIMEOUT_MIN
PERSIST = 16  # recoveries for which a window that was widened stays so
_STEPS = 255


class Rack:
    """The newest segment that is known to have been delivered, and how long segments may be late."""

    __slots__ = ("advanced", "dsack_seen", "end", "last_delivered", "number", "persist", "rtt", "steps")

    def __init__(self) -> None:
        self.number = 0  # of its transmission, in place of RACK.xmit_ts: here much is sent at the same instant
        self.end = 0  # RACK.end_seq
        self.rtt = 0  # RACK.rtt: of the segment delivered last
        self.advanced = False  # since the queue was looked through
        self.steps = 1  # RACK.reo_wnd_mult: the reordering window in quarters of the minimum round-trip time
        self.persist = 0  # RACK.reo_wnd_persist
        self.dsack_seen = False
        self.last_delivered = 0  # `delivered` when the window was widened last

    def advance(self, record: Record, minimum: int, now: int) -> None:
        """`record` was delivered (tcp_rack_advance).

        Whether that was its repetition, if there was one, nobody knows; if it came sooner than any round trip, it was not.
        """
        rtt = now - record.sent_at
        if rtt < minimum and record.marks & (RESENT | EVER_RESENT):
            return
        self.advanced = True
        self.rtt = rtt
        if record.number > self.number or (record.number == self.number and record.end > self.end):
            self.number = record.number
            self.end = record.end


def reordering_window(b: Block) -> int:
    """How late a segment may be before it counts as lost (tcp_rack_reo_wnd)."""
    recovery, rack = b.recovery, b.rack
    if not recovery.reordering_seen and (
        recovery.state.value >= CongestionState.RECOVERY.value
        or (b.rtx.sacked_out >= recovery.reordering and not b.settings.rack_alone)
    ):
        return 0
    return min((b.rtt.minimum >> 2) * rack.steps, b.rtt.srtt)


def overdue(b: Block, record: Record, window: int, now: int) -> int:
    """How long until `record` counts as lost; 0 or less: it does (tcp_rack_skb_timeout)."""
    return b.rack.rtt + window - (now - record.sent_at)


def detect(b: Block, now: int) -> int:
    """Mark what is lost; how long to wait for what may still come, 0 for nothing (tcp_rack_detect_loss).

    Linux keeps a list in the order of sending. Here it is two: the queue, which is in that order as far as nothing was sent
    again, and the repetitions.
    """
    rtx, rack = b.rtx, b.rack
    records = rtx.records
    window = reordering_window(b)
    newest, end = rack.number, rack.end
    wait = 0
    unbroken = True  # everything so far is SACKed, lost or sent again
    start = rtx.at(rtx.cleared) if rtx.cleared else 0
    for record in islice(records, start, None):
        marks = record.marks
        if marks & EVER_RESENT or marks & (SACKED | LOST):
            if unbroken:
                rtx.cleared = record.end
            continue
        if record.number > newest or (record.number == newest and record.end >= end):
            break
        late = rack.rtt + window - (now - record.sent_at)
        if late <= 0:
            rtx.mark_lost(record)
            if unbroken:
                rtx.cleared = record.end
        else:
            unbroken = False
            wait = max(wait, late)
    repetitions = rtx.resent
    while repetitions and (repetitions[0][0].sent_at != repetitions[0][1] or repetitions[0][0].end <= b.snd.una):
        repetitions.popleft()
    for record, sent_at in repetitions:
        if sent_at != record.sent_at or record.end <= b.snd.una or record.marks & SACKED:
            continue
        if record.marks & LOST and not record.marks & RESENT:
            continue
        if record.number > newest or (record.number == newest and record.end >= end):
            break
        late = rack.rtt + window - (now - sent_at)
        if late <= 0:
            rtx.mark_lost(record)
        else:
            wait = max(wait, late)
    return wait


def mark_lost(b: Block, now: int) -> bool:
    """After an ACK: look through the queue if something newer was delivered; whether a timer was set (tcp_rack_mark_lost)."""
    rack = b.rack
    if not rack.advanced:
        return False
    rack.advanced = False
    wait = detect(b, now)
    if wait:
        set_timer(b, REORDERING, now + min(wait + _LEAST, b.rtt.rto))
    return wait > 0


def timeout(b: Block, now: int) -> None:
    """The reordering timer went off: what it waited for did not come (tcp_rack_reo_timeout)."""
    recovery, rtx = b.recovery, b.rtx
    flight, lost = rtx.in_flight, rtx.lost
    detect(b, now)
    if rtx.in_flight != flight:
        if recovery.state is not CongestionState.RECOVERY:
            recovery.enter_recovery(b, False, now)
            if not b.congestion.owns_window:
                prr.reduce(b, 1, rtx.lost - lost, False)
        recovery.repair = 1
    if b.pending != RETRANSMISSION:
        rearm(b, now)


def widen(b: Block, prior_delivered: int) -> None:
    """D-SACKs tell of repetitions that were not needed: wait longer, a quarter of the minimum round-trip time each round."""
    rack = b.rack
    if not prior_delivered or b.settings.rack_fixed_window:
        return
    if prior_delivered < rack.last_delivered:
        rack.dsack_seen = False  # of a round for which the window was widened already
    if rack.dsack_seen:
        rack.steps = min(rack.steps + 1, _STEPS)
        rack.dsack_seen = False
        rack.last_delivered = b.rtx.delivered
        rack.persist = PERSIST
    elif not rack.persist:
        rack.steps = 1
