"""The timer of the sender: retransmission, tail loss probe, reordering or window probe, one at a time (RFC 6298 section 5).

What is to happen when `b.timer_at` comes is `b.pending`. As in Linux, one timer is enough: each of the others is set in place
of the retransmission timer, goes off before it would have, and puts it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stack.tcp.block import Block

NEVER = 1 << 62  # a timer that is not set
NOTHING = 0
RETRANSMISSION = 1
WINDOW_PROBE = 3
LOSS_PROBE = 5
REORDERING = 6


def set_timer(b: Block, pending: int, at: int) -> None:
    """`pending` happens at `at`, in place of what was to happen."""
    b.pending = pending
    b.timer_at = at
    if b.deadline is None or at < b.deadline:
        b.arm(at)


def clear_timer(b: Block) -> None:
    """Nothing is to happen."""
    b.pending = NOTHING
    b.timer_at = NEVER


def start_timer(b: Block, now: int) -> None:
    """(Re)start the retransmission timer from now."""
    set_timer(b, RETRANSMISSION, now + b.rtt.rto)


def rearm(b: Block, now: int) -> None:
    """The retransmission timer runs if anything is outstanding (tcp_rearm_rto).

    After a timer that stood in its place, it runs from when the first segment was sent.
    """
    if b.fast is not None and b.fast.usable and b.snd.una == b.iss:
        return  # the timer is the SYN,ACK's
    records = b.rtx.records
    if not records:
        clear_timer(b)
        return
    at = now + b.rtt.rto
    if b.pending == REORDERING or b.pending == LOSS_PROBE:
        at = max(records[0].sent_at + b.rtt.rto, now + 1)
    set_timer(b, RETRANSMISSION, at)


def probe_base(b: Block) -> int:
    """The first interval of the window probes (tcp_probe0_base)."""
    return max(b.rtt.rto, b.settings.minimum_rto)


def probe_interval(b: Block) -> int:
    """How long until the next window probe (tcp_probe0_when)."""
    return min(probe_base(b) << min(b.backoff, 30), b.settings.maximum_rto)
