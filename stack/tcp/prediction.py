"""Header prediction: the fast way for the segment that was expected (Van Jacobson; RFC 7323 appendix).

In front of step one of `arrives.py`, for a connection in ESTABLISHED with nothing on the books: the next text in
sequence, or an acknowledgment of new data, or both; and such an acknowledgment of data that a FIN follows. It does what the eight steps do to such a segment, no more and no less;
`STACK_TCP_PREDICTION=0` turns it off, and a test compares the two.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from stack.tcp import acknowledge
from stack.tcp.congestion.base import CongestionState
from stack.tcp.receiving import autotune
from stack.tcp.receiving.deliver import deliver_text
from stack.tcp.recovery.timer import WINDOW_PROBE
from stack.tcp.recovery.tlp import schedule_probe
from stack.tcp.segment import ACK, PSH, TIMESTAMPS_FIRST
from stack.tcp.sending.transmit import output
from stack.tcp.seq import MASK
from stack.tcp.state import ESTABLISHED, FIN_WAIT_1

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.formats.tcp import TCP

_OPEN = CongestionState.OPEN
_HALF = 0x80000000
_PAIR = Struct(">II").unpack_from
_PUSHED = ACK | PSH


def predicted(b: Block, header: TCP, text: bytes, now: int) -> bool:
    """Whether the segment was the expected one, and has been dealt with."""
    flags = header.flags
    rcv, snd, rtx = b.rcv, b.snd, b.rtx
    nxt, una = rcv.nxt, snd.una
    if (
        (flags != ACK and flags != _PUSHED)
        or (b.state is not ESTABLISHED and (text or b.state is not FIN_WAIT_1))
        or header.sequence != nxt & MASK
        or b.held is not None
        or b.urgent is not None
        or b.pending == WINDOW_PROBE
        or b.ecn is not None
        or b.rate is not None
    ):
        return False
    records = rtx.records
    if records and (b.recovery.state is not _OPEN or rtx.sacked_out or una < rtx.dubious or b.rack.dsack_seen):
        return False
    acked = header.acknowledgment - una & MASK
    if acked:
        if acked > snd.nxt - una or not records or records[0].end - una > acked or (b.fin is not None and una + acked > b.fin):
            return False
    elif not text:
        return False
    if text and (b.closed_by_user or len(text) > rcv.acked + rcv.offered - nxt):
        return False
    options = header._options
    if b.timestamps:
        if len(options) != 12 or options[:4] != TIMESTAMPS_FIRST:
            return False
        value, echo = _PAIR(options, 4)
        if value - b.ts_recent & _HALF:
            return False
        if nxt <= rcv.acked:
            b.ts_recent = value
            b.ts_recent_at = now
    elif options:
        return False
    else:
        echo = b.sizing.echo
    ack = una + acked
    unset = False
    if acked:
        b.counters.TCPHPAcks += 1
        unset = acknowledge.forward(b, ack, now)
    wnd = header.window << snd.scale
    if acked or snd.wl1 < nxt or wnd > snd.wnd or not wnd:
        snd.wnd = wnd
        snd.wl1 = nxt
        snd.wl2 = ack
        if wnd > snd.max_wnd:
            acknowledge.largest_window(b, wnd)
    if text:
        b.counters.TCPHPHits += 1
        if echo != b.sizing.echo:
            autotune.echoed(b, len(text), echo, now)
        deliver_text(b, nxt, text, flags, now)
    if not unset:
        output(b, now)
        return True
    before = snd.nxt
    output(b, now)
    if snd.nxt == before:
        schedule_probe(b, now, True)
    return True
