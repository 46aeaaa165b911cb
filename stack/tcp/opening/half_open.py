"""A half-open connection of a listener: its segments and its timer, as Linux's request sockets have them.

What RFC 9293 section 3.10.7.4 says of SYN-RECEIVED holds, but in Linux's order (`tcp_check_req`), stricter about SYNs and
RSTs (RFC 5961), and with what a listener may want: TCP_DEFER_ACCEPT, a queue that is full, fast open.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from stack.tcp import acknowledge
from stack.tcp.congestion import ecn
from stack.tcp.ending import become_closed, give_up
from stack.tcp.opening.handshake import listen_again
from stack.tcp.receiving import timestamps
from stack.tcp.recovery import frto
from stack.tcp.segment import ACK, RST, SYN
from stack.tcp.sending.output import send_half_open_acknowledgment

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.segment import Segment

DONE = True
GO_ON = False


def pending(b: Block) -> bool:
    """Whether the last ACK of a passive handshake is yet to come."""
    return b.listener is not None or (b.fast is not None and b.fast.usable)


def check_half_open(b: Block, seg: Segment, now: int) -> bool:
    """tcp_check_req: whether the segment may complete the handshake."""
    flags = seg.flags
    old = b.timestamps and seg.ts_val is not None and timestamps.before(seg.ts_val, b.ts_recent)
    if flags & (SYN | ACK | RST) == SYN and seg.seq == b.irs and not old:
        ecn.syn_again(b, seg)
        if acknowledge.allowed(b, "TCPACKSkippedSynRecv", now):
            b.syn_due = "the SYN came again"
            _start_timer(b, now)
        return DONE
    opened = b.listener is None
    if not opened and seg.ack is not None and seg.ack != b.iss + 1 and not flags & RST:  # of a RST, the number decides
        b.reset_due = (seg.ack, None, "the ACK of something not sent")
        return DONE
    if old or not _in_window(seg, b.rcv.nxt, b.rcv.nxt + min(b.rcv.wnd, 0xFFFF)):
        b.counters.PAWSEstab += old
        if not flags & RST and acknowledge.allowed(b, "TCPACKSkippedSynRecv", now):
            send_half_open_acknowledgment(b, "outside the window", now)
        return DONE
    if flags & RST and seg.seq != b.rcv.nxt:  # RFC 5961 section 3.2, check 3
        if acknowledge.allowed(b, "TCPACKSkippedSynRecv", now):
            send_half_open_acknowledgment(b, "challenge ACK: a RST inside the window", now)
        return DONE
    if flags & RST:
        b.counters.AttemptFails += 1  # of a child that was opened fast, its end is counted once more, as in Linux
        _reset(b, opened, now)
        return DONE
    if flags & SYN and seg.seq != b.irs:
        # A bad SYN: the peer is told; a connection that the program may have already is not given up for it.
        b.reset_due = (0, seg.seq + seg.len, "another SYN") if seg.ack is None else (seg.ack, None, "another SYN")
        b.counters.AttemptFails += 1
        if not opened:
            b.counters.EmbryonicRsts += 1
            listen_again(b, now)
        return DONE
    if seg.ack is None:
        return DONE
    return GO_ON if opened else _hold_back(b, seg, now)


def _in_window(seg: Segment, left: int, right: int) -> bool:
    first, end = seg.seq, seg.seq + seg.len
    return first == left or (end > left and first < right) or first == end == right


def _reset(b: Block, opened: bool, now: int) -> None:
    if not opened:
        b.counters.EmbryonicRsts += 1
        listen_again(b, now)
        return
    assert b.fast is not None
    b.fast.handshake_over(now, reset=True)
    become_closed(b, now, errno.ECONNRESET)


def _hold_back(b: Block, seg: Segment, now: int) -> bool:
    """A listener that wants data first, or has no room, lets the SYN,ACK come again."""
    listener = b.listener
    if listener is None:
        return GO_ON
    if b.retries < b.settings.defer_accept and seg.seq + seg.len == b.irs + 1:
        b.counters.TCPDeferAcceptDrop += 1
        b.bare_ack = True
        return DONE
    if listener.full:
        listener.overflow()
        if b.settings.abort_on_overflow:
            b.counters.EmbryonicRsts += 1
            b.reset_due = (seg.ack or 0, None, "no room in the queue to accept")
            listen_again(b, now)
        b.bare_ack = True
        return DONE
    return GO_ON


def synack_timeout(b: Block, now: int) -> None:
    """The SYN,ACK was not answered (reqsk_timer_handler, tcp_fastopen_synack_timer)."""
    settings, listener = b.settings, b.listener
    b.counters.TCPTimeouts += 1
    defer = settings.defer_accept
    if listener is None:
        expired, again = b.retries >= settings.synack_retries + 1, True  # one more for a child of fast open
    else:
        limit = listener.synack_limit(settings.synack_retries)
        expired = b.retries >= limit and (not defer or not b.bare_ack or b.retries >= defer)
        # No SYN,ACK while data is waited for; one at the end of that time, as a last chance for it
        again = not defer or not b.bare_ack or b.retries >= defer - 1
    if expired:
        give_up(b, now)
        return
    if listener is not None and not b.retries:
        listener.young -= 1
    if listener is None and b.retries == 1:  # the window, as after two SYN,ACKs of a usual opening
        frto.enter_loss(b, now)
    b.recovery.timed_out(b.retries > 0, now)
    b.retries += 1
    if again:
        b.syn_due = f"retransmission timeout {b.retries}, SYN,ACK"
    _start_timer(b, now)


def _start_timer(b: Block, now: int) -> None:
    b.timer_at = now + min(b.settings.initial_rto << b.retries, b.settings.maximum_rto)
    b.arm(b.timer_at)


def defer_accept(seconds: int, initial: int, maximum: int) -> int:
    """TCP_DEFER_ACCEPT's seconds as a number of SYN,ACKs: those that fill the time (secs_to_retrans)."""
    count, period, step = 0, initial, initial
    if seconds > 0:
        count = 1
        while seconds > period and count < 255:
            count += 1
            step = min(2 * step, maximum)
            period += step
    return count


def deferred_seconds(count: int, initial: int, maximum: int) -> int:
    """And back (retrans_to_secs)."""
    period, step = 0, initial
    for _ in range(count):
        period += step
        step = min(2 * step, maximum)
    return period
