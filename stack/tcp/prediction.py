"""Header prediction: the fast way for the segment that was expected (Van Jacobson; RFC 7323 appendix).

In front of step one of `arrives.py`, for a connection in ESTABLISHED with nothing on the books: the next text in
sequence, or an acknowledgment of new data, or both. It does what the eight steps do to such a segment, no more and no less;
`STACK_TCP_PREDICTION=0` turns it off, and a test compares the two.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from stack.tcp import acknowledge, timestamps
from stack.tcp.deliver import deliver_text
from stack.tcp.output import output
from stack.tcp.recovery import grow
from stack.tcp.segment import ACK, PSH, TIMESTAMPS_FIRST
from stack.tcp.seq import MASK
from stack.tcp.state import ESTABLISHED

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.formats.tcp import TCP

_HALF = 0x80000000
_PAIR = Struct(">II").unpack_from
_PUSHED = ACK | PSH


def predicted(b: Block, header: TCP, text: bytes, now: int) -> bool:
    """Whether the segment was the expected one, and has been dealt with."""
    flags = header.flags
    rcv, snd = b.rcv, b.snd
    if (
        (flags != ACK and flags != _PUSHED)
        or b.state is not ESTABLISHED
        or header.sequence != rcv.nxt & MASK
        or b.recovery is not None
        or b.held is not None
        or b.urgent is not None
        or b.probing
        or b.ecn is not None
        or b.closed_by_user
    ):
        return False
    una = snd.una
    acked = header.acknowledgment - una & MASK
    if acked > snd.nxt - una or not (acked or text) or (text and len(text) > rcv.edge - rcv.nxt):
        return False
    options = header.options
    if b.timestamps:
        if len(options) != 12 or options[:4] != TIMESTAMPS_FIRST:
            return False
        value, echo = _PAIR(options, 4)
        if value - b.ts_recent & _HALF:
            return False
        if rcv.nxt <= rcv.acked:
            b.ts_recent = value
            b.ts_recent_at = now
    elif options:
        return False
    else:
        echo = 0
    ack = una + acked
    if acked:
        flight = snd.nxt - una
        acknowledge.advance(b, ack, now)
        rtt = b.rtt
        if rtt.timed_seq is None:
            if echo:
                timestamps.measure(b, echo, now)
        elif ack >= rtt.timed_seq:
            rtt.timed_seq = None
            rtt.sample(now - rtt.timed_at, b.settings)
        acknowledge.restart_timer(b, now)
        grow(b, acked, flight, b.limited, now)
    wnd = header.window << snd.scale
    snd.wnd = wnd
    snd.wl1 = rcv.nxt
    snd.wl2 = ack
    if wnd > snd.max_wnd:
        snd.max_wnd = wnd
    if text:
        deliver_text(b, rcv.nxt, text, now)
    output(b, now)
    return True
