"""How many segments Linux hands down as one buffer (TCP segmentation offload), which shows in their PSH (RFC 9293 MUST-60)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.sending import pacing

if TYPE_CHECKING:
    from collections import deque

    from stack.tcp.block import Block
    from stack.tcp.sending.transmit import Piece

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
