"""Proportional rate reduction: letting the window down over a round trip (RFC 6937, and SSRB by loss as RFC 9937 has it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.congestion.base import INFINITE, CongestionState, Happening

if TYPE_CHECKING:
    from stack.tcp.block import Block


def begin(b: Block, now: int) -> None:
    """A reduction begins; it ends when what is outstanding now is acknowledged (tcp_init_cwnd_reduction)."""
    recovery, control = b.recovery, b.congestion
    recovery.point = b.snd.nxt
    recovery.probe_end = 0
    recovery.prr_delivered = recovery.prr_out = 0
    control.cwnd_count = 0
    control.prior_cwnd = control.cwnd
    control.ssthresh = control.lost(now)
    announce(b)


def announce(b: Block) -> None:
    """The next new data says that the window was reduced (tcp_ecn_queue_cwr)."""
    if b.ecn is not None:
        b.ecn.queue_cwr = True


def reduce(b: Block, delivered: int, lost: int, advanced: bool) -> None:
    """Segments were `delivered` and found `lost` by an ACK during the reduction (tcp_cwnd_reduction)."""
    recovery, control = b.recovery, b.congestion
    if delivered <= 0:
        return
    flight = b.rtx.in_flight
    recovery.prr_delivered += delivered
    room = control.ssthresh - flight
    if room < 0:  # proportional: SSTHRESH segments go out for each window of them that was delivered
        count = -(-control.ssthresh * recovery.prr_delivered // control.prior_cwnd) - recovery.prr_out
    else:  # slow start up to SSTHRESH while the ACKs advance and tell of no more losses; else packet conservation
        count = max(recovery.prr_delivered - recovery.prr_out, delivered)
        if advanced and not lost:
            count += 1
        count = min(room, count)
    if not recovery.prr_out:
        count = max(count, 1)  # the fast retransmit itself
    control.cwnd = flight + max(count, 0)


def end(b: Block, now: int) -> None:
    """The reduction is over: CWND is SSTHRESH, unless it was undone (tcp_end_cwnd_reduction)."""
    recovery, control = b.recovery, b.congestion
    if control.owns_window:
        return
    if control.ssthresh < INFINITE and (recovery.state is CongestionState.CWR or recovery.undo_marker is not None):
        control.cwnd = control.ssthresh
        b.usage.stamp = now
    control.event(Happening.COMPLETE, now)


def enter_cwr(b: Block, now: int) -> None:
    """Let the window down though nothing was lost: a mark, or a queue of our own that overflowed (tcp_enter_cwr)."""
    recovery = b.recovery
    recovery.prior_ssthresh = 0
    if recovery.state.value < CongestionState.CWR.value:
        recovery.undo_marker = None
        begin(b, now)
        recovery.enter(b, CongestionState.CWR, now)
