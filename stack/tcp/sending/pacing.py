"""Pacing: data leaves at a rate instead of in bursts, by a timer of the connection's own (Linux's tcp_output.c; RFC 9438 section 5.2 asks for no more).

Only where a congestion control sets a rate (BBR), SO_MAX_PACING_RATE limits it, or the queue discipline is fq (`paced`). For the others the rate is a multiple of the window in a round trip (`tcp_update_pacing_rate`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.quantity import SECOND
from stack.tcp.recovery.states import LOST

if TYPE_CHECKING:
    from stack.tcp.block import Block

UNPACED = 10  # the first segments of a connection go at once


class Pacer:
    """When the next burst may go, in ns."""

    __slots__ = ("at", "sent", "waiting")

    def __init__(self) -> None:
        self.at = 0
        self.sent = 0  # segments with data, to `UNPACED`
        self.waiting = False  # something would go at once


def wanted(b: Block) -> bool:
    """Whether this connection's data is paced."""
    return b.settings.paced or b.congestion.pacing_rate is not None or b.settings.maximum_pacing_rate is not None


def rate(b: Block) -> int:
    """Octets a second; 0 before a round-trip time is known (as TCP_INFO shows it, also of what is not paced)."""
    control, settings = b.congestion, b.settings
    pace = control.pacing_rate
    if pace is None:
        srtt = b.rtt.srtt
        if not srtt:
            return settings.maximum_pacing_rate or 0
        share = settings.pacing_slow_start if control.cwnd < control.ssthresh // 2 else settings.pacing_avoidance
        pace = b.snd.mss * max(control.cwnd, len(b.rtx.records)) * share * SECOND // (100 * srtt)
    most = settings.maximum_pacing_rate
    return pace if most is None or pace < most else most


def held(b: Block, now: int) -> bool:
    """It is not yet time: sending goes on when the timer goes off (tcp_pacing_check)."""
    pacer = b.pacer
    assert pacer is not None
    pacer.waiting = pacer.at > now
    if pacer.waiting:
        b.arm(pacer.at)
    return pacer.waiting


def due(b: Block, now: int) -> None:
    """The timer may have gone off: what is lost comes before new data (tcp_tsq_handler)."""
    pacer = b.pacer
    assert pacer is not None
    if pacer.waiting and pacer.at <= now:
        pacer.waiting = False
        if b.rtx.lost_out > b.rtx.retrans_out:
            b.recovery.repair = LOST


def sent(b: Block, octets: int, segments: int, now: int) -> None:
    """A burst went out: when the next may. One that was late is followed sooner, by up to half of its time."""
    pacer = b.pacer
    assert pacer is not None
    late = now - pacer.at
    pacer.at = max(pacer.at, now)
    pacer.sent += segments
    pace = rate(b)
    if not pace or pacer.sent < UNPACED:
        return
    time = octets * SECOND // pace
    if late > 0:
        time -= min(time // 2, late)
    pacer.at += time
