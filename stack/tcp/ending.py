"""The ways out: TIME-WAIT, resets, giving up (RFC 9293 sections 3.5.3, 3.6, 3.8.3, 3.10.8)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from stack.base.quantity import SECOND
from stack.tcp.block import NEVER
from stack.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, FIN_WAIT_2, SYN_RECEIVED, SYN_SENT, TIME_WAIT

if TYPE_CHECKING:
    from stack.tcp.block import Block

_SOON = 4 * SECOND  # Linux counts a wait that is no longer apart


def stop_timers(b: Block) -> None:
    """Turn all timers off."""
    b.timer_at = b.ack_at = b.wait_at = b.keep_at = b.reopened_at = NEVER
    b.pending = 0
    b.stuck = False


def become_closed(b: Block, now: int, error: int | None = None) -> None:
    """Delete the TCB: the queues are flushed. What was received in order can still be read, then `error` is told."""
    if b.fast is not None and b.held is not None and b.held.fin is not None and not b.held:
        b.fast.ended_above_a_gap(b, now)
    if b.state is ESTABLISHED or b.state is CLOSE_WAIT:
        b.counters.EstabResets += 1
    elif error is not None and (b.state is SYN_SENT or b.state is SYN_RECEIVED) and b.listener is None:
        b.counters.AttemptFails += 1
    b.enter(CLOSED, now)
    stop_timers(b)
    b.outgoing = b.held = b.pieces = None
    b.rtx.clear()
    b.ack_now = False
    b.syn_due = None
    b.deadline = None
    if b.marks is not None:
        b.marks.release(now)
    if error is not None:
        b.error = error
    if b.listener is not None:
        b.listener.gone(b)
    if b.fast is not None:
        b.fast.handshake_over(now)
    if b.poke is not None:
        b.poke(b)
    b.wake()


def refuse(b: Block, now: int) -> None:
    """A valid RST came: the error that Linux gives in each state."""
    if b.state is SYN_SENT:
        error = errno.ECONNREFUSED
    elif b.state is CLOSE_WAIT:
        error = errno.EPIPE
    else:
        error = errno.ECONNRESET
    become_closed(b, now, error)


def give_up(b: Block, now: int) -> None:
    """R2 or the user timeout is reached: the error of the last ICMP message, if there was one, as in Linux."""
    if b.listener is None:
        b.counters.TCPAbortOnTimeout += 1
    become_closed(b, now, b.soft_error or errno.ETIMEDOUT)


def await_fin(b: Block, now: int) -> None:
    """FIN-WAIT-2 of a connection that its program closed does not last for ever."""
    b.last_challenge = -NEVER
    _count_waiting(b, b.settings.fin_wait_2)
    b.wait_at = now + b.settings.fin_wait_2
    b.arm(b.wait_at)


def _count_waiting(b: Block, time: int) -> None:
    if time <= _SOON:
        b.counters.TWKilled += 1
    else:
        b.counters.TW += 1


def start_time_wait(b: Block, now: int) -> None:
    """Enter TIME-WAIT, or stay: (re)start its timer, turn off the others."""
    if b.state is not TIME_WAIT:
        if b.state is not FIN_WAIT_2 or not b.closed_by_user:  # which was counted as such
            _count_waiting(b, b.settings.time_wait)
        b.enter(TIME_WAIT, now)
        b.outgoing = b.held = b.pieces = None
        b.rtx.clear()
        b.last_challenge = -NEVER
        b.wake()
    stop_timers(b)
    b.wait_at = now + b.settings.time_wait
    b.arm(b.wait_at)
