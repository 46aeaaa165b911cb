"""Congestion window validation: a window that is not used is no longer known to be right (RFC 2861, as Linux does it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.congestion.base import CongestionState, Happening
from stack.tcp.sending.chronograph import BUFFER

if TYPE_CHECKING:
    from stack.tcp.block import Block


class Usage:
    """How far the congestion window was used, in this round trip and before."""

    __slots__ = ("limited", "most", "round", "stamp", "used")

    def __init__(self) -> None:
        self.limited = False  # the congestion window held data back in this round trip
        self.most = 0  # the most segments that were outstanding in it
        self.round = 0  # SND.NXT when it began
        self.used = 0  # the most segments outstanding since the window was full last
        self.stamp = 0  # when it was full, or let down, last


def is_limited(b: Block) -> bool:
    """The congestion window is what holds data back (tcp_is_cwnd_limited).

    In slow start it is, if half of it is used: it is to grow to twice what is acknowledged.
    """
    usage, control = b.usage, b.congestion
    return usage.limited or (control.cwnd < control.ssthresh and control.cwnd < 2 * usage.most)


def validate(b: Block, limited: bool, now: int) -> None:
    """After data was sent, or could not be for the congestion window (tcp_cwnd_validate)."""
    usage, snd, control = b.usage, b.snd, b.congestion
    outstanding = len(b.rtx.records)
    if limited or snd.una >= usage.round or (not usage.limited and outstanding > usage.most):
        usage.limited = limited
        usage.most = outstanding
        usage.round = snd.nxt
    if usage.limited or (control.cwnd < control.ssthresh and control.cwnd < 2 * usage.most):
        usage.used = 0
        usage.stamp = now
        return
    if outstanding > usage.used:
        usage.used = outstanding
    if b.short_of_space and not b.pieces and b.chrono.kind != BUFFER:
        b.chrono.turn(BUFFER, now)
    if b.settings.slow_start_after_idle and now - usage.stamp >= b.rtt.rto and not control.owns_window:
        let_down(b, now)


def let_down(b: Block, now: int) -> None:
    """The program or the receiver used less than the window for an RTO: half way down to what was used."""
    usage, control = b.usage, b.congestion
    if b.recovery.state is CongestionState.OPEN and not b.short_of_space:
        used = max(usage.used, b.settings.initial_segments)
        if used < control.cwnd:
            control.ssthresh = current_ssthresh(b)
            control.cwnd = control.cwnd + used >> 1
        usage.used = 0
    usage.stamp = now


def current_ssthresh(b: Block) -> int:
    """SSTHRESH that remembers three quarters of the window (tcp_current_ssthresh)."""
    control = b.congestion
    if b.recovery.reducing:
        return control.ssthresh
    return max(control.ssthresh, (control.cwnd >> 1) + (control.cwnd >> 2))


def after_idle(b: Block, now: int) -> None:
    """There is something to send, and perhaps nothing was for long (tcp_slow_start_after_idle_check)."""
    if b.rtx.records or not b.last_sent or now - b.last_sent <= b.rtt.rto:
        return
    if b.settings.slow_start_after_idle and not b.congestion.owns_window:
        restart(b, now)


def restart(b: Block, now: int) -> None:
    """Data after an idle time longer than the RTO: halve the window for each RTO of it (tcp_cwnd_restart, RFC 5681 4.1)."""
    control, rto = b.congestion, b.rtt.rto
    control.event(Happening.WINDOW_RESTART, now)
    control.ssthresh = current_ssthresh(b)
    window = control.cwnd
    least = min(b.settings.initial_segments, window)
    idle = now - b.last_sent - rto
    while idle > 0 and window > least:
        window >>= 1
        idle -= rto
    control.cwnd = max(window, least)
    b.usage.stamp = now
    b.usage.used = 0
