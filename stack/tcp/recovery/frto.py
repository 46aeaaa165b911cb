"""The retransmission timeout: what it does to queue and window, and F-RTO, whether it was for nothing (RFC 5681, RFC 5682)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.congestion.base import CongestionState, Happening
from stack.tcp.congestion.validation import current_ssthresh
from stack.tcp.recovery import prr, rack, undo
from stack.tcp.recovery.retransmit_queue import SACKED

if TYPE_CHECKING:
    from stack.tcp.acknowledgment import Acknowledgment
    from stack.tcp.block import Block

_DISORDER, _RECOVERY, _LOSS = CongestionState.DISORDER.value, CongestionState.RECOVERY.value, CongestionState.LOSS


def mark_lost(b: Block, now: int) -> None:
    """The peer holds nothing but what it SACKed; what was sent just now may be on its way (tcp_timeout_mark_lost)."""
    recovery, rtx = b.recovery, b.rtx
    records = rtx.records
    if records and records[0].marks & SACKED and b.sack:
        rtx.sacked_out = 0  # it took back what it had reported (RFC 2018 section 8): believe nothing of it
        recovery.reneging = True
        b.counters.TCPSACKReneging += 1
        recovery.known = ()
        for record in records:
            record.marks &= ~SACKED
    elif not b.sack:
        rtx.sacked_out = 0
    for index, record in enumerate(records):
        if index and not recovery.reneging and b.settings.rack and rack.overdue(b, record, 0, now) > 0:
            continue
        rtx.mark_lost(record)
    rtx.look_again()


def enter_loss(b: Block, now: int) -> None:
    """RETRANSMISSION TIMEOUT: the loss window, and slow start (tcp_enter_loss)."""
    recovery, rtx, control = b.recovery, b.rtx, b.congestion
    begins = recovery.state.value < _RECOVERY
    if begins and not rtx.any_resent:
        recovery.resent_at = None
    mark_lost(b, now)
    if recovery.state.value <= _DISORDER or recovery.point <= b.snd.una or (recovery.state is _LOSS and not b.retries):
        recovery.prior_ssthresh = current_ssthresh(b)
        control.prior_cwnd = control.cwnd
        control.ssthresh = control.lost(now)
        control.event(Happening.LOSS, now)
        undo.remember(b)
    control.cwnd = rtx.in_flight + 1
    control.cwnd_count = 0
    b.usage.stamp = now
    if recovery.state.value <= _DISORDER and rtx.sacked_out >= b.settings.reordering:
        recovery.reordering = min(recovery.reordering, b.settings.reordering)
    recovery.enter(b, _LOSS, now)
    recovery.point = b.snd.nxt
    recovery.probe_end = 0
    prr.announce(b)
    recovery.frto = b.settings.frto and (begins or b.retries > 0)


def process(b: Block, ack: Acknowledgment, now: int) -> None:
    """An ACK after a timeout (tcp_process_loss)."""
    recovery, snd, rtx = b.recovery, b.snd, b.rtx
    recovered = snd.una >= recovery.point
    if ack.advanced and undo.of_loss(b, ack, False, now):
        return
    if recovery.frto:
        # Step 3.b: what was never sent again was delivered, so not everything was lost.
        if ack.original and undo.of_loss(b, ack, True, now):
            return
        if snd.nxt > recovery.point:
            if ack.newly_sacked or ack.duplicates:
                recovery.frto = False  # step 3.a: the loss was real
        elif ack.advanced and not recovered:
            recovery.point = snd.nxt
            # Step 2.b: try new data, once the window is known; the ACK of it will tell
            if b.unsent and snd.una + snd.wnd > snd.nxt:
                ack.try_new = True
                return
            recovery.frto = False
    if recovered:
        undo.of_recovery(b, ack, now)  # step 2.a
        return
    if not b.sack:
        if snd.nxt > recovery.point and ack.duplicates:
            recovery.add_duplicates(b, ack)  # the new data of step 2.b arrived: let it clock out repetitions
        elif ack.advanced:
            rtx.sacked_out = 0
    ack.repair = True
