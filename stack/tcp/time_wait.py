"""TIME-WAIT, and the FIN-WAIT-2 of a connection that its program closed (RFC 9293 section 3.10.7.4, RFC 1337, RFC 7323).

Linux keeps of both no more than numbers, a window and TS.Recent (tcp_timewait_state_process), and so is shorter with what
comes: no ACK moves anything, no RST is challenged. What begins a new incarnation is `Connection.takes_new_syn`'s to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp import acknowledge
from stack.tcp.ending import become_closed, start_time_wait
from stack.tcp.receiving import timestamps
from stack.tcp.segment import FIN, RST, SYN, Segment
from stack.tcp.state import FIN_WAIT_2, TIME_WAIT

if TYPE_CHECKING:
    from stack.tcp.block import Block


def waits(b: Block) -> bool:
    """Whether nothing is left but to see the peer's FIN, or its repetitions, answered."""
    return b.state is TIME_WAIT or (b.state is FIN_WAIT_2 and b.closed_by_user)


def time_wait_state(b: Block, seg: Segment, now: int) -> bool:
    """A segment arrives in either; the last step for it."""
    past = timestamps.past(b, seg, now)
    b.counters.PAWSTimewait += past
    if b.state is FIN_WAIT_2:
        _fin_wait_2(b, seg, past, now)
    elif not past and seg.seq == b.rcv.nxt and (not seg.len or seg.flags & RST):
        if not seg.flags & RST:
            start_time_wait(b, now)
        elif not b.settings.rfc1337:
            become_closed(b, now)
            return True
        timestamps.renew(b, seg, now)
    elif not seg.flags & RST:
        if past or seg.ack is not None:  # a SYN alone may be a new one with a lower number: no reason to wait longer
            start_time_wait(b, now)
        _answer(b, seg, "a segment in TIME-WAIT", now)
    return True


def _fin_wait_2(b: Block, seg: Segment, past: bool, now: int) -> None:
    rcv, end = b.rcv, seg.seq + seg.len
    if past or not _in_window(seg.seq, end, rcv.nxt, max(rcv.edge, rcv.nxt)):
        _answer(b, seg, "outside the window", now)
    elif seg.flags & RST:
        become_closed(b, now)
    elif seg.flags & SYN and seg.seq >= rcv.nxt:
        _reset(b, seg, "a SYN after close", now)
    elif seg.ack is None or not seg.len or end <= rcv.nxt:
        return
    elif not seg.flags & FIN or end != rcv.nxt + 1:
        _reset(b, seg, "data after close", now)  # section 3.6.1, SHLD-3; RFC 2525 section 2.17
    else:
        rcv.nxt = end
        rcv.fin = True
        timestamps.renew(b, seg, now)
        start_time_wait(b, now)
        acknowledge.now(b, None)


def _in_window(seq: int, end: int, left: int, right: int) -> bool:
    return seq == left or (end > left and seq < right) or seq == end == right


def _answer(b: Block, seg: Segment, cause: str, now: int) -> None:
    """An ACK; those for segments without text are rationed, lest two hosts go on answering each other."""
    skipped = "TCPACKSkippedTimeWait" if b.state is TIME_WAIT else "TCPACKSkippedFinWait2"
    if (seg.len and not seg.flags & SYN) or acknowledge.allowed(b, skipped, now):
        acknowledge.now(b, cause)


def _reset(b: Block, seg: Segment, cause: str, now: int) -> None:
    b.reset_due = (0, seg.seq + seg.len, cause) if seg.ack is None else (seg.ack, None, cause)
    become_closed(b, now)
