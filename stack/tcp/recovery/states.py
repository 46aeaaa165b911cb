"""Loss recovery: the states Open, Disorder, CWR, Recovery and Loss, and what an ACK does to them (RFC 5681, 6582, 6675, 8985).

The machine is Linux's tcp_fastretrans_alert, in its order and with its names where they say something.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND
from stack.tcp.congestion.base import CongestionState
from stack.tcp.congestion.validation import current_ssthresh
from stack.tcp.recovery import frto, prr, rack, rfc6675, undo
from stack.tcp.recovery.retransmit_queue import BURST_END, EVER_RESENT, SACKED
from stack.tcp.recovery.retransmit_queue import LOST as LOST_MARK
from stack.tcp.recovery.timer import RETRANSMISSION, set_timer
from stack.tcp.segment import FIN

if TYPE_CHECKING:
    from stack.tcp.acknowledgment import Acknowledgment
    from stack.tcp.block import Block

_OPEN, _DISORDER, _CWR, _RECOVERY, _LOSS = CongestionState
NOTHING, LOST, NEW = 0, 1, 2  # what output is to send for a recovery: nothing, what is lost, or new data first (F-RTO)


class Recovery:
    """What the sender believes, and what it needs to take it back."""

    __slots__ = (
        "bytes_resent", "dsack_dups", "frto", "known", "point", "prior_ssthresh", "probe_end", "probe_resent", "prr_delivered",
        "prr_out", "reducing", "reneging", "reordering", "reordering_seen", "repair", "resent_at", "state",
        "timeout_began", "timeout_recoveries", "timeout_time", "timeouts", "undo_marker", "undo_retrans",
    )  # fmt: skip

    def __init__(self, reordering: int) -> None:
        self.state = _OPEN
        self.point = 0  # RecoveryPoint, high_seq: SND.NXT when the state was entered
        self.reducing = False  # CWR or Recovery: the window is being let down
        self.prior_ssthresh = 0  # SSTHRESH before the reduction; 0: it is not to be undone
        self.undo_marker: int | None = None  # SND.UNA when what might be undone began
        self.undo_retrans = 0  # repetitions that no D-SACK has proved wrong; -1: none was sent yet
        self.resent_at: int | None = None  # when the first repetition of this episode went out (retrans_stamp)
        self.prr_delivered = 0
        self.prr_out = 0
        self.frto = False
        self.reneging = False
        self.reordering = reordering  # the largest distance, in segments, by which something came too late
        self.reordering_seen = 0  # how often
        self.known: Sequence[tuple[int, int]] = ()  # the SACK blocks of the last ACK that had any
        self.dsack_dups = 0
        self.probe_end = 0  # TLPHighRxt: SND.NXT when the tail loss probe went out; 0: none is out
        self.probe_resent = False  # the probe repeated a segment
        self.repair = NOTHING
        self.bytes_resent = 0
        self.timeouts = 0  # retransmission timeouts, ever
        self.timeout_recoveries = 0  # and series of them,
        self.timeout_time = 0  # how long those lasted that are over,
        self.timeout_began: int | None = None  # and since when the one lasts that is not

    def enter(self, b: Block, state: CongestionState, now: int) -> None:
        """Change state."""
        if state is not self.state:
            b.congestion.entered(state, now)
            self.state = state
            self.reducing = state is _RECOVERY or state is _CWR

    def timed_out(self, again: bool, now: int) -> None:
        """The retransmission timer went off, the first time of a series or `again` (tcp_update_rto_stats)."""
        self.timeouts += 1
        if not again:
            self.timeout_recoveries += 1
            self.timeout_began = now

    def timeouts_over(self, now: int) -> None:
        """The state Loss is left (tcp_update_rto_time)."""
        if self.timeout_began is not None:
            self.timeout_time += now - self.timeout_began
            self.timeout_began = None

    def keep_open(self, b: Block, now: int) -> None:
        """Open, or Disorder if something is still on the books (tcp_try_keep_open)."""
        state = _DISORDER if b.rtx.left_out or b.rtx.any_resent else _OPEN
        if state is not self.state:
            self.enter(b, state, now)
            self.point = b.snd.nxt

    def enter_recovery(self, b: Block, ece: bool, now: int) -> None:
        """Fast retransmit and fast recovery begin (tcp_enter_recovery)."""
        if not b.rtx.any_resent:
            self.resent_at = None
        self.prior_ssthresh = 0
        if b.sack:
            b.counters.TCPSackRecovery += 1
        else:
            b.counters.TCPRenoRecovery += 1
        undo.remember(b)
        if not self.reducing:
            if not ece:
                self.prior_ssthresh = current_ssthresh(b)
            prr.begin(b, now)
        self.enter(b, _RECOVERY, now)

    def add_duplicates(self, b: Block, ack: Acknowledgment) -> None:
        """Without SACK: each duplicate ACK says that some segment has left the network (tcp_add_reno_sack)."""
        if ack.duplicates:
            rtx = b.rtx
            before = rtx.sacked_out
            rtx.sacked_out += ack.duplicates
            limit_duplicates(b, 0)
            rtx.delivered += max(0, rtx.sacked_out - before)


def limit_duplicates(b: Block, acked: int) -> None:
    """More duplicates than segments could cause: something was reordered (tcp_check_reno_reordering)."""
    rtx, recovery = b.rtx, b.recovery
    outstanding = len(rtx.records)
    holes = min(max(rtx.lost_out, 1), outstanding)
    if rtx.sacked_out + holes > outstanding:
        rtx.sacked_out = outstanding - holes
        recovery.reordering = min(outstanding + acked, b.settings.reordering_limit)
        recovery.reordering_seen += 1
        b.counters.TCPRenoReorder += 1


def remove_duplicates(b: Block, acked: int) -> None:
    """Without SACK: `acked` segments at once. One fills the hole, the rest are those that the duplicates told of."""
    rtx = b.rtx
    if acked > 0:
        rtx.delivered += max(acked - rtx.sacked_out, 1)
        rtx.sacked_out = max(0, rtx.sacked_out - (acked - 1))
    limit_duplicates(b, acked)


def alert(b: Block, ack: Acknowledgment, now: int) -> None:
    """An ACK that is not just more of the same (tcp_fastretrans_alert)."""
    recovery, rtx = b.recovery, b.rtx
    if not rtx.records and rtx.sacked_out:
        rtx.sacked_out = 0
    if ack.ece:
        recovery.prior_ssthresh = 0  # A. A mark: no undoing
    if ack.reneging and ack.advanced:  # B. The peer took back what it had SACKed; it may think again
        set_timer(b, RETRANSMISSION, now + max(b.rtt.srtt >> 1, 10 * MILLISECOND))
        ack.restart_timer = False
        return
    if recovery.state is _OPEN:
        recovery.resent_at = None
    elif b.snd.una >= recovery.point and _leave(b, ack, now):  # D. State exit conditions
        return
    if recovery.state is _RECOVERY:  # E. Process state
        if not _in_recovery(b, ack, now):
            return
    elif not _in_other_states(b, ack, now):
        return
    ack.repair = True


def _leave(b: Block, ack: Acknowledgment, now: int) -> bool:
    """The recovery point is acknowledged; whether that is all."""
    recovery = b.recovery
    if recovery.state is _CWR:
        if b.snd.una != recovery.point:  # CWR is held until something above it is acknowledged: the bit is to arrive
            prr.end(b, now)
            recovery.enter(b, _OPEN, now)
    elif recovery.state is _RECOVERY:
        if not b.sack:
            b.rtx.sacked_out = 0
        if undo.of_recovery(b, ack, now):
            return True
        prr.end(b, now)
    return False



def _in_recovery(b: Block, ack: Acknowledgment, now: int) -> bool:
    recovery = b.recovery
    if not ack.advanced:
        if not b.sack:
            recovery.add_duplicates(b, ack)
    elif undo.of_partial(b, ack, now):
        return False
    if undo.by_dsack(b, now):
        _try_to_open(b, ack, now)
    identify_losses(b, ack, now)
    if recovery.state is not _RECOVERY:  # undone; but there may be a loss after all
        if not b.rtx.lost_out:
            return False
        recovery.enter_recovery(b, ack.ece, now)
    return True


def _in_other_states(b: Block, ack: Acknowledgment, now: int) -> bool:
    recovery = b.recovery
    if recovery.state is _LOSS:
        frto.process(b, ack, now)
        if recovery.state is not _LOSS:
            recovery.timeouts_over(now)
        identify_losses(b, ack, now)
        if recovery.state is not _OPEN and not ack.lost_again:
            return False
    if not b.sack:
        if ack.advanced:
            b.rtx.sacked_out = 0
        recovery.add_duplicates(b, ack)
    if recovery.state.value <= _DISORDER.value:
        undo.by_dsack(b, now)
    identify_losses(b, ack, now)
    if not b.rtx.lost_out:
        _try_to_open(b, ack, now)
        return False
    search = b.mtu_search
    if search is not None and search.size and b.snd.una == search.start and recovery.state.value < _CWR.value:
        b.counters.TCPMTUPFail += 1
        search.failed()  # what was lost is a probe of the path's MTU: no sign of congestion
        b.congestion.cwnd += 1
        repackaged(b, now)
        return False
    recovery.enter_recovery(b, ack.ece, now)
    return True


def _try_to_open(b: Block, ack: Acknowledgment, now: int) -> None:
    """Nothing is lost (tcp_try_to_open)."""
    recovery = b.recovery
    if not b.rtx.any_resent:
        recovery.resent_at = None
    if ack.ece:
        prr.enter_cwr(b, now)
    if recovery.state is not _CWR:
        recovery.keep_open(b, now)


def identify_losses(b: Block, ack: Acknowledgment, now: int) -> None:
    """Mark what is lost: by time (RACK), by number (RFC 6675), or without SACK by duplicates (tcp_identify_packet_loss)."""
    rtx, recovery = b.rtx, b.recovery
    if not rtx.records:
        return
    if not b.sack:
        state = recovery.state.value
        if (state < _RECOVERY.value and rtx.sacked_out >= recovery.reordering) or (state == _RECOVERY.value and ack.advanced):
            first = rtx.records[0]
            if not first.marks & LOST_MARK:
                rtx.mark_lost(first)
        return
    before = rtx.retrans_out
    if b.settings.rack:
        if rack.mark_lost(b, now):
            ack.restart_timer = False
    else:
        rfc6675.mark_lost(b)
    if before > rtx.retrans_out:
        ack.lost_again = True


def repackaged(b: Block, now: int) -> None:
    """The segment size shrank (path MTU): what was too big is lost, which is no sign of congestion (tcp_simple_retransmit).

    What went out at once is cut anew as a whole, so that it takes no more segments than it must.
    """
    rtx, mss = b.rtx, b.snd.mss
    lost = False
    index = 0
    while index < len(rtx.records):
        record = rtx.records[index]
        if record.end - record.seq - (record.flags & FIN) > mss and not record.marks & SACKED:
            lost = True
            rtx.mark_lost(record)
            while index + 1 < len(rtx.records) and not record.marks & BURST_END:
                if rtx.records[index + 1].marks & (SACKED | EVER_RESENT):
                    break
                rtx.join(index, 0)
            if record.end - record.seq - (record.flags & FIN) > mss:
                rtx.split(index, mss)
        index += 1
    rtx.look_again()
    if not lost:
        return
    if not b.sack:
        limit_duplicates(b, 0)
    lost_without_congestion(b, now)


def lost_without_congestion(b: Block, now: int) -> None:
    """What is marked goes again, and CWND stays as it is (tcp_non_congestion_loss_retransmit)."""
    recovery = b.recovery
    if recovery.state is not _LOSS:
        recovery.point = b.snd.nxt
        b.congestion.ssthresh = current_ssthresh(b)
        recovery.prior_ssthresh = 0
        recovery.undo_marker = None
        recovery.enter(b, _LOSS, now)
    recovery.repair = LOST
