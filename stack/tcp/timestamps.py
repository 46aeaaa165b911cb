"""The timestamps option and protection against wrapped sequence numbers (RFC 7323 sections 3 to 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND, SECOND
from stack.tcp.formats.options import TCPOptions
from stack.tcp.segment import RST, SYN, Segment, timestamps_option
from stack.tcp.seq import MASK

if TYPE_CHECKING:
    from stack.tcp.block import Block

_HALF = 0x80000000
OUTDATED = 24 * 86400 * SECOND  # TS.Recent says nothing after so long, section 5.5


def clock(b: Block, now: int) -> int:
    """TSval: a clock of milliseconds, from an offset of the connection's own."""
    return now // MILLISECOND + b.ts_offset & MASK


def options(b: Block, now: int) -> TCPOptions:
    """The timestamps option of a segment sent now; made once for all segments of a millisecond."""
    key = (now // MILLISECOND, b.ts_recent)
    if key != b.options_key or b.options is None:
        b.options_key = key
        b.options = timestamps_option(clock(b, now), b.ts_recent)
    return b.options


def before(first: int, second: int) -> bool:
    """Whether timestamp `first` is older than `second` (modulo 2**32)."""
    return bool(first - second & _HALF)


def rejects(b: Block, seg: Segment, now: int) -> bool:
    """PAWS, rule R1: the segment is from the past. RST segments are not held to it, nor SYNs in SYN-SENT."""
    if seg.ts_val is None or seg.flags & RST or not before(seg.ts_val, b.ts_recent):
        return False
    return now - b.ts_recent_at <= OUTDATED


def missing(b: Block, seg: Segment) -> bool:
    """Timestamps were agreed on and this segment has none: it is to be dropped in silence (section 3.2)."""
    return b.settings.timestamps_required and seg.ts_val is None and not seg.flags & (RST | SYN)


def strange_echo(b: Block, seg: Segment, now: int) -> bool:
    """In SYN-SENT: TSecr is none of the values that our SYNs had (Linux's PAWSACTIVEREJECTED)."""
    if seg.ts_val is None or not seg.ts_ecr:
        return False
    return before(seg.ts_ecr, clock(b, b.progress)) or before(clock(b, now), seg.ts_ecr)


def remember(b: Block, seg: Segment, now: int) -> None:
    """Rule R3: TS.Recent comes from the segment that the next ACK answers."""
    if seg.ts_val is None or seg.seq > b.rcv.acked:
        return
    if not before(seg.ts_val, b.ts_recent) or now - b.ts_recent_at > OUTDATED:
        b.ts_recent = seg.ts_val
        b.ts_recent_at = now


def elapsed(b: Block, echo: int, now: int) -> int | None:
    """RTTM (section 4.1): the time since we sent the timestamp that TSecr echoes, in whole milliseconds, one at least."""
    ticks = clock(b, now) - echo & MASK
    return max(ticks, 1) * MILLISECOND if ticks < _HALF // 1000 else None
