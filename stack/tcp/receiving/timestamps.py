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
MINUTE = 60 * SECOND
OUTDATED = 24 * 86400 * SECOND  # TS.Recent says nothing after so long, section 5.5


def clock(b: Block, now: int) -> int:
    """TSval: a clock of milliseconds, from an offset of the connection's own."""
    return now // MILLISECOND + b.ts_offset & MASK


def options(b: Block, now: int) -> TCPOptions:
    """The timestamps option of a segment sent now; made once for all segments of a millisecond."""
    tick = now // MILLISECOND
    if tick != b.options_tick or b.ts_recent != b.options_echo or b.options is None:
        b.options_tick, b.options_echo = tick, b.ts_recent
        b.options = timestamps_option(clock(b, now), b.ts_recent)
    return b.options


def before(first: int, second: int) -> bool:
    """Whether timestamp `first` is older than `second` (modulo 2**32)."""
    return bool(first - second & _HALF)


def rejects(b: Block, seg: Segment, now: int) -> str | None:
    """PAWS, rule R1: the segment is from the past. None: it is not; otherwise why it is answered, "" if in silence.

    RST segments are not held to it, nor, as in Linux, ACKs that were merely overtaken by the last one.
    """
    if seg.ts_val is None:
        return "" if b.settings.timestamps_required and not seg.flags & (RST | SYN) else None  # RFC 7323 section 3.2
    age = b.ts_recent - seg.ts_val & MASK
    tolerance = 0 if b.settings.timestamps_required else 1  # TCP_PAWS_WINDOW
    if age <= tolerance or age >= _HALF or seg.flags & RST or not b.ts_recent or now - b.ts_recent_at > OUTDATED:
        return None
    if seg.len or seg.ack is None:
        return "an old timestamp"
    if seg.seq < b.rcv.nxt:
        return ""
    wnd = seg.wnd << b.snd.scale
    if seg.seq == b.rcv.nxt and seg.ack == b.snd.una and seg.seq <= b.snd.wl1 and wnd <= b.snd.wnd:
        return None if age * MILLISECOND * 5 <= b.rtt.rto * 6 else "an old timestamp"
    return "an old timestamp"


def past(b: Block, seg: Segment, now: int) -> bool:
    """PAWS as TIME-WAIT has it (tcp_paws_reject): an old RST counts as well, for a minute."""
    if not b.timestamps or seg.ts_val is None or not b.ts_recent or not before(seg.ts_val, b.ts_recent):
        return False
    return now - b.ts_recent_at <= (MINUTE if seg.flags & RST else OUTDATED)


def renew(b: Block, seg: Segment, now: int) -> None:
    """TS.Recent from a segment that passed `past`."""
    if b.timestamps and seg.ts_val is not None:
        b.ts_recent, b.ts_recent_at = seg.ts_val, now


def strange_echo(b: Block, seg: Segment, now: int) -> bool:
    """In SYN-SENT: TSecr is none of the values that our SYNs had (Linux's PAWSACTIVEREJECTED)."""
    if seg.ts_val is None or not seg.ts_ecr:
        return False
    return before(seg.ts_ecr, clock(b, b.progress)) or before(clock(b, now), seg.ts_ecr)


def remember(b: Block, seg: Segment, now: int) -> None:
    """Rule R3: TS.Recent comes from the segment that the next ACK answers."""
    if seg.ts_val is None or seg.seq > b.rcv.acked:
        return
    if not before(seg.ts_val, b.ts_recent) or not b.ts_recent or now - b.ts_recent_at > OUTDATED:
        b.ts_recent = seg.ts_val
        b.ts_recent_at = now


def elapsed(b: Block, echo: int, now: int) -> int | None:
    """RTTM (section 4.1): the time since we sent the timestamp that TSecr echoes, in whole milliseconds, one at least."""
    ticks = clock(b, now) - echo & MASK
    return max(ticks, 1) * MILLISECOND if ticks < _HALF // 1000 else None
