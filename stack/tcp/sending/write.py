"""What the program writes is cut into pieces, Linux's socket buffers, as far as the send buffer has room (tcp_sendmsg; RFC 9293 section 3.9.1.2)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from stack.tcp.congestion import validation
from stack.tcp.sending.chronograph import BUSY, IDLE
from stack.tcp.sending.output import segment_room
from stack.tcp.sending.send_space import free, piece_size
from stack.tcp.sending.transmit import Piece, send_new
from stack.tcp.state import HAS_DATA, SYN_RECEIVED

if TYPE_CHECKING:
    from stack.tcp.block import Block


def queue(b: Block, data: bytes, more: bool, record: bool, now: int, urgent: bool = False) -> int:
    """The program wrote `data`: cut it into pieces while there is room, and send while doing so what fills one
    (tcp_sendmsg). How many octets were taken.

    `more`: MSG_MORE; `record`: MSG_EOR; `urgent`: MSG_OOB, of which a piece is a segment, and nothing goes before all is here.
    """
    snd, pieces, buffer = b.snd, b.pieces, b.outgoing
    assert buffer is not None
    if pieces is None:
        pieces = b.pieces = deque()
    mss = snd.mss if b.held is None and b.rcv.dsack is None and b.ecn is None else segment_room(b, now)
    largest = mss if urgent else piece_size(b, mss)
    half = snd.max_wnd >> 1
    ready = b.state in HAS_DATA or (b.state is SYN_RECEIVED and b.fast is not None and b.fast.usable)
    if b.chrono.kind == IDLE:
        b.chrono.turn(BUSY, now)
    at = start = buffer.end
    end = start + len(data)
    while at < end:
        room = 0
        if pieces and not pieces[-1].record:
            room = largest - (pieces[-1].end - (pieces[-2].end if len(pieces) > 1 else snd.nxt))
        if room <= 0:
            if not free(b):
                break
            validation.after_idle(b, now)
            pieces.append(Piece(at, False, False))
            room = largest
        last = pieces[-1]
        if at == start:
            last.push = False
        stop = last.end = min(end, at + room)
        buffer.append(data[at - start : stop - start])
        at = stop
        if at == end:
            break
        if at > b.pushed + half and not urgent:
            last.push = True
            b.pushed = at
            if ready:
                send_new(b, now, nagle=False)
        elif ready and len(pieces) == 1 and not urgent:
            send_new(b, now, nagle=False, once=True)
    if at == start:
        return 0
    if urgent:
        snd.up = at
    if not pieces:
        return at - start
    last = pieces[-1]
    if at == end:
        last.record = record
    if not more or at < end or at > b.pushed + half:  # what finds no room is pushed, for room to come
        last.push = True
        b.pushed = at
    return at - start
