"""Undoing a reduction of the window that was for nothing: Eifel by timestamps (RFC 3522, 4015), D-SACK (RFC 3708)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.congestion.base import CongestionState
from stack.tcp.receiving import timestamps
from stack.tcp.recovery.rack import PERSIST
from stack.tcp.recovery.sack import check_reordering

if TYPE_CHECKING:
    from stack.tcp.acknowledgment import Acknowledgment
    from stack.tcp.block import Block


def remember(b: Block) -> None:
    """A recovery begins: from here on repetitions are counted (tcp_init_undo)."""
    recovery, rtx = b.recovery, b.rtx
    recovery.undo_marker = b.snd.una
    probing = recovery.probe_end and recovery.probe_resent
    recovery.undo_retrans = rtx.retrans_out + bool(probing) or -1  # 0 would say that all were proved wrong


def was_delayed(b: Block, ack: Acknowledgment) -> bool:
    """The ACK echoes a timestamp from before the first repetition: the original arrived (tcp_packet_delayed)."""
    recovery = b.recovery
    if recovery.resent_at is not None:
        return ack.echo > 0 and b.timestamps and timestamps.before(ack.echo, timestamps.clock(b, recovery.resent_at))
    return b.sack or b.snd.una < recovery.point  # nothing was sent again yet


def possible(b: Block, ack: Acknowledgment) -> bool:
    """Nothing was lost after all (tcp_may_undo)."""
    recovery = b.recovery
    return recovery.undo_marker is not None and (not recovery.undo_retrans or was_delayed(b, ack))


def undo(b: Block, unmark: bool, now: int) -> None:
    """The window, and SSTHRESH, as they were (tcp_undo_cwnd_reduction). `unmark`: what is marked lost is not."""
    recovery, control = b.recovery, b.congestion
    if unmark:
        b.rtx.forget_losses()
    if recovery.prior_ssthresh:
        control.cwnd = control.undo()
        if recovery.prior_ssthresh > control.ssthresh:
            control.ssthresh = recovery.prior_ssthresh
            if b.ecn is not None:
                b.ecn.queue_cwr = False
    b.usage.stamp = now
    recovery.undo_marker = None
    b.rack.advanced = True  # look again for losses


def by_dsack(b: Block, now: int) -> bool:
    """Every repetition was reported as a duplicate (tcp_try_undo_dsack)."""
    recovery = b.recovery
    if recovery.undo_marker is None or recovery.undo_retrans:
        return False
    b.rack.persist = min(PERSIST, b.rack.persist + 1)
    undo(b, False, now)
    b.counters.TCPDSACKUndo += 1
    return True


def of_recovery(b: Block, ack: Acknowledgment, now: int) -> bool:
    """All of a recovery is acknowledged; whether its state is to be kept (tcp_try_undo_recovery)."""
    if possible(b, ack):
        undo(b, False, now)
        if b.recovery.state is CongestionState.LOSS:
            b.counters.TCPLossUndo += 1
        else:
            b.counters.TCPFullUndo += 1
    elif b.rack.persist:
        b.rack.persist -= 1
    if holds_state(b):
        return True
    b.recovery.enter(b, CongestionState.OPEN, now)
    b.recovery.reneging = False
    return False


def holds_state(b: Block) -> bool:
    """Without SACK, duplicates that our own repetitions cause must not begin another recovery: the state stays until
    something *above* the recovery point is acknowledged (RFC 6582 section 3.2 step 2)."""
    if b.sack or b.snd.una != b.recovery.point:
        return False
    if not b.rtx.any_resent:
        b.recovery.resent_at = None
    return True


def of_loss(b: Block, ack: Acknowledgment, spurious: bool, now: int) -> bool:
    """The timeout was for nothing: by F-RTO (`spurious`), timestamps or D-SACK (tcp_try_undo_loss)."""
    if not spurious and not possible(b, ack):
        return False
    undo(b, True, now)
    b.counters.TCPLossUndo += 1
    b.counters.TCPSpuriousRTOs += spurious
    b.retries = 0
    if holds_state(b):
        return True
    if spurious or b.sack:
        b.recovery.enter(b, CongestionState.OPEN, now)
        b.recovery.reneging = False
    return True


def of_partial(b: Block, ack: Acknowledgment, now: int) -> bool:
    """A partial ACK for the original, which was late (tcp_try_undo_partial); whether nothing more is to be done.

    While repetitions are out, new data is clocked out and nothing more is marked lost.
    """
    recovery, rtx = b.recovery, b.rtx
    if recovery.undo_marker is None or not was_delayed(b, ack):
        return False
    check_reordering(b, ack.prior_una, by_time=True)
    if rtx.retrans_out:
        return True
    if not rtx.any_resent:
        recovery.resent_at = None
    undo(b, True, now)
    b.counters.TCPPartialUndo += 1
    recovery.keep_open(b, now)
    return False
