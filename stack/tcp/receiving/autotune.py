"""Receive-buffer autotuning: the buffer follows what the program reads in a round-trip time (dynamic right-sizing, Linux)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND
from stack.tcp.receiving import timestamps
from stack.tcp.seq import MASK

if TYPE_CHECKING:
    from stack.tcp.block import Block

_HALF = 0x80000000


class RightSizing:
    """What a receiver knows of the round trip (`rtt`: eight times it, 0: nothing), and what was read in the last one."""

    __slots__ = ("at", "echo", "read", "rtt", "rtt_at", "rtt_edge", "space")

    def __init__(self) -> None:
        self.space = 0  # octets read in a round-trip time, the most so far
        self.read = 0  # where the program's reading stood
        self.at = 0  # at that time
        self.rtt = 0
        self.rtt_edge = 0  # without timestamps: a round trip is over when the window's edge is reached
        self.rtt_at = 0
        self.echo = -1  # the TSecr that was measured last

    def begin(self, space: int, read: int, now: int) -> None:
        """The connection is open."""
        self.space, self.read, self.at = space, read, now

    def text_arrived(self, nxt: int, offered: int, now: int) -> None:
        """RCV.NXT is at `rtt_edge`: one window of text takes at least one round trip (tcp_rcv_rtt_measure)."""
        if self.rtt_at:
            sample = max(now - self.rtt_at, 1000) << 3
            if not self.rtt or sample < self.rtt:
                self.rtt = sample
        self.rtt_edge = nxt + offered
        self.rtt_at = max(now, 1)


def echoed(b: Block, size: int, echo: int, now: int) -> None:
    """Text whose TSecr says when the ACK that brought it out was sent (tcp_rcv_rtt_measure_ts)."""
    sizing = b.sizing
    if not b.timestamps or echo == sizing.echo:
        return
    sizing.echo = echo
    ticks = timestamps.clock(b, now) - echo & MASK
    if size < b.rcv.full or not echo or ticks >= _HALF:
        return
    sample = max(ticks, 1) * MILLISECOND
    if not sizing.rtt or sample << 3 < sizing.rtt:
        sizing.rtt = sample << 3
    elif b.incoming is None:  # else the program's slowness would be measured
        sizing.rtt += sample - (sizing.rtt >> 3)


def taken(b: Block, now: int) -> None:
    """The program has read: once in a round-trip time, see whether the buffer is still large enough (tcp_rcv_space_adjust)."""
    sizing = b.sizing
    if not sizing.rtt or now - sizing.at < sizing.rtt >> 3:
        return
    unread = b.unread
    position = b.rcv.nxt - b.rcv.fin - unread
    copied = position - sizing.read - unread
    if copied > sizing.space:
        grow(b, copied)
    sizing.read, sizing.at = position, now


def grow(b: Block, space: int) -> None:
    """Room for twice what was read, and for a sender that doubles its rate (tcp_rcvbuf_grow)."""
    sizing, rcv, settings = b.sizing, b.rcv, b.settings
    old, sizing.space = max(sizing.space, 1), space
    if not settings.moderate_receive_buffer or settings.fixed_receive_buffer:
        return
    wanted = 2 * space
    wanted += wanted * (space - old) // old * 2
    if b.held is not None and len(b.held):
        wanted += b.held.highest - rcv.nxt
    buff = min((wanted << 8) // rcv.ratio, settings.receive_buffer_max)
    if buff > rcv.buff:
        rcv.buff = buff
        rcv.clamp = buff * rcv.ratio >> 8
