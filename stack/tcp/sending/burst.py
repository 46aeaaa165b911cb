"""How many segments Linux hands down as one buffer (TCP segmentation offload), which shows in their PSH (RFC 9293 MUST-60)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND
from stack.tcp.congestion.base import CongestionState
from stack.tcp.sending import pacing

if TYPE_CHECKING:
    from collections import deque

    from stack.tcp.block import Block
    from stack.tcp.sending.transmit import Piece

CWND, RWND = 1, 2  # what holds up a segment that waits for more
_RECENT = 1 * MILLISECOND
_REPAIRING = (CongestionState.RECOVERY, CongestionState.LOSS)
LARGEST = 65_215  # sk_gso_max_size: what one of Linux's socket buffers holds at most


def burst_size(b: Block, mss: int) -> int:
    """How many segments go out as one buffer: what the path takes in a millisecond, two at least (tcp_tso_autosize).

    Segments are made one by one here, but Linux's receive no PSH in the middle of a buffer.
    """
    pace = pacing.rate(b)
    if not pace:
        return LARGEST // mss
    size = pace >> 10
    close = b.rtt.minimum // 1000 >> 9
    if close < 32:
        size += LARGEST >> close  # tcp_tso_rtt_log: larger for a peer that is near
    return max(min(size, LARGEST) // mss, b.settings.least_burst)


def grow(b: Block, pieces: deque[Piece], room: int, mss: int) -> None:
    """The first piece is less than may go out at once: it takes what is missing from the next, if that has as much (tcp_grow_skb)."""
    first, following = pieces[0], pieces[1]
    if room > b.settings.least_burst:
        room = min(room, burst_size(b, mss))
    missing = room * mss - (first.end - b.snd.nxt)
    if missing <= 0 or first.record:  # MSG_EOR: nothing is joined to it
        return
    first.end = min(first.end + missing, following.end)
    if first.end == following.end:
        first.push |= following.push
        first.record = following.record
        del pieces[1]


def defers(b: Block, length: int, window: int, room: int, mss: int, last: bool, now: int) -> int:
    """Whether a piece of more than one segment, of which the windows take only some, waits until they take more
    (tcp_tso_should_defer): something was sent a moment ago, and the next ACK is due. CWND or RWND says what it waits for.
    """
    if b.stamped < now - _RECENT or b.recovery.state in _REPAIRING or (b.fin_queued and last):
        return 0
    snd, records = b.snd, b.rtx.records
    congestion = room * mss
    limit = min(window, congestion)
    if limit >= burst_size(b, mss) * mss or (not last and limit >= length):
        return 0
    if limit >= min(snd.wnd, b.congestion.cwnd * mss) // 3 or not records:  # tcp_tso_win_divisor
        return 0
    srtt = b.rtt.srtt
    if records[0].sent_at + srtt - now > min(srtt >> 1, _RECENT):
        return 0
    if limit > length and b.pieces and b.pieces[0].record:
        return 0
    return CWND if congestion < window else RWND
