"""What an acknowledgment does, and when one is owed (RFC 9293 section 3.10.7.4 step five, RFC 5681, RFC 5961)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp import recovery, timestamps
from stack.tcp.block import NEVER
from stack.tcp.output import start_timer

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.segment import Segment


def now(b: Block, cause: str | None) -> None:
    """Acknowledge with the next segment, which goes out at the end of this event."""
    b.ack_now = True
    b.ack_cause = cause


def challenge(b: Block, cause: str, at: int) -> None:
    """An ACK that anyone could provoke: only so many in a time (RFC 5961 section 7)."""
    if allowed(b, at):
        now(b, cause)


def allowed(b: Block, at: int) -> bool:
    """Whether a bad segment may bring out an answer again."""
    if at - b.last_challenge < b.settings.invalid_interval:
        return False
    b.last_challenge = at
    return True


def acknowledged(b: Block, seg: Segment, ack: int, at: int) -> None:
    """An acceptable ACK in a synchronized state: the queue, the timers, both windows."""
    snd = b.snd
    una = snd.una
    wnd = seg.wnd << snd.scale
    if ack > una:
        flight = recovery.pipe(b)
        advance(b, ack, at)
        measure(b, seg, ack, at)
        restart_timer(b, at)
        recovery.acknowledged(b, ack - una, flight, seg.sack, at)
    elif ack == una:
        if seg.sack:
            recovery.selectively_acknowledged(b, seg.sack, at)
        elif not b.sack and snd.nxt > una and not seg.len and wnd == snd.wnd and not b.probing:
            recovery.duplicate_ack(b, at)
    if b.probing and b.retries:
        b.retries = 0  # whoever answers probes may keep its window closed (MUST-37)
        b.stuck = True
    # "ack > una" is Linux's: else the old window, counted from the new SND.UNA, would reach further than was ever offered.
    if ack > una or (ack == una and (snd.wl1 < seg.seq or (snd.wl1 == seg.seq and snd.wl2 <= ack))):
        update_window(b, seg, wnd)


def update_window(b: Block, seg: Segment, wnd: int) -> None:
    """SND.WND, SND.WL1 and SND.WL2 from this segment."""
    snd = b.snd
    snd.wnd = wnd
    snd.wl1 = seg.seq
    snd.wl2 = seg.ack if seg.ack is not None else snd.una
    if wnd > snd.max_wnd:
        snd.max_wnd = wnd


def advance(b: Block, ack: int, at: int) -> None:
    """SND.UNA moves to `ack`: what lies before it is forgotten, and the program may have room to write."""
    b.snd.una = ack
    b.progress = at
    b.retries = 0
    buffer = b.outgoing
    if buffer is not None:
        if ack >= buffer.end:
            b.outgoing = None
        else:
            buffer.release(ack)
        if b.short_of_space:
            b.wake_writer()
    if b.marks is not None:
        b.marks.acknowledged(ack, at)


def measure(b: Block, seg: Segment, ack: int, at: int) -> None:
    """The round-trip time that this ACK tells: of the segment that was timed, or from its timestamps."""
    rtt = b.rtt
    if rtt.timed_seq is not None:
        if ack >= rtt.timed_seq:
            rtt.timed_seq = None
            rtt.sample(at - rtt.timed_at, b.settings)
    elif seg.sack and seg.sack[0][1] <= ack and rtt.srtt:
        rtt.compute(b.settings)  # the report of a duplicate: no measurement, but the path is there, so no backoff
    elif b.timestamps and seg.ts_ecr:
        timestamps.measure(b, seg.ts_ecr, at)


def restart_timer(b: Block, at: int) -> None:
    """RFC 6298 rules 5.2 and 5.3."""
    if b.snd.nxt > b.snd.una:
        start_timer(b, at)
    else:
        b.timer_at = NEVER
        b.probing = b.stuck = False


def syn_acknowledged(b: Block, ack: int, seg: Segment, at: int) -> None:
    """Our SYN is acknowledged."""
    advance(b, ack, at)
    measure(b, seg, ack, at)
    restart_timer(b, at)
