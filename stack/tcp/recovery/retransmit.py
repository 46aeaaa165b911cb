"""Sending again: a record of the queue, or all that is lost and the window has room for (RFC 6675 section 5, RFC 9293 3.8.1)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from stack.tcp.congestion.base import CongestionState
from stack.tcp.recovery.retransmit_queue import BURST_END, LOST, RECORD_END, RESENT, SACKED
from stack.tcp.recovery.timer import REORDERING, start_timer
from stack.tcp.segment import FIN, PSH
from stack.tcp.sending import pacing
from stack.tcp.sending.burst import burst_size
from stack.tcp.sending.output import segment_room, transmit

if TYPE_CHECKING:
    from stack.tcp.block import Block


def send_lost(b: Block, now: int) -> None:
    """Send what is lost again, as far as the congestion window has room (tcp_xmit_retransmit_queue)."""
    rtx, recovery = b.rtx, b.recovery
    records = rtx.records
    if not records:
        return
    index = rtx.at(rtx.again) if rtx.again else 0
    mended = True  # everything so far was sent again or arrived
    restart = False
    begun = together = -1  # from there up to there segments go out as one buffer
    kind = "retransmission" if recovery.state is CongestionState.LOSS else "fast retransmit"
    while index < len(records):
        record = records[index]
        if mended:
            rtx.again = record.seq
        if b.pacer is not None and pacing.held(b, now):
            break
        if b.congestion.cwnd <= rtx.in_flight or rtx.retrans_out >= rtx.lost_out:
            break
        if not record.marks & LOST:
            mended = mended and bool(record.marks & (SACKED | RESENT))
        elif not record.marks & (SACKED | RESENT):
            if index > together:
                begun, together = index, mark_burst(b, index)
            if not send_record_again(b, index, kind, now, PSH if begun < index == together else 0):
                break
            rtx.mark_resent(records[index], now)
            if recovery.state is CongestionState.LOSS:
                b.counters.TCPSlowStartRetrans += 1
            else:
                b.counters.TCPFastRetrans += 1
            if b.pacer is not None:
                pacing.sent(b, record.end - record.seq, 1, now)
            note_resent(b, now)
            recovery.prr_out += recovery.reducing
            restart = restart or (index == 0 and b.pending != REORDERING)
        index += 1
    if restart:
        start_timer(b, now)


def mark_burst(b: Block, first: int) -> int:
    """The last of the records from `first` on that go again together, as one buffer."""
    rtx = b.rtx
    most = min(b.congestion.cwnd - rtx.in_flight, rtx.lost_out - rtx.retrans_out, burst_size(b, b.snd.mss))
    last = first
    for record in islice(rtx.records, first, first + most):
        if record.marks & (LOST | SACKED | RESENT) != LOST or record.end - record.seq > b.snd.mss:
            break
        last += 1
        if record.marks & BURST_END:
            break
    last -= 1
    if last >= first:
        rtx.records[last].marks |= BURST_END
    return max(last, first)


def note_resent(b: Block, now: int) -> None:
    """Keep what undoing needs: when the first repetition went out, and how many D-SACKs would prove them all wrong."""
    recovery = b.recovery
    if recovery.resent_at is None:
        recovery.resent_at = now
    recovery.undo_retrans = max(recovery.undo_retrans, 0) + 1


def send_record_again(b: Block, index: int, kind: str, now: int, push: int = 0) -> bool:
    """Send the record at `index` again, cut to the segment size and the window; whether it went (__tcp_retransmit_skb)."""
    rtx, snd = b.rtx, b.snd
    record = rtx.records[index]
    if b.mtu_search is not None:
        b.mtu_search.size = 0  # a probe that is out can prove nothing any more
    if record.seq < snd.una:
        record.seq = snd.una  # its head was acknowledged
    size = segment_room(b, now)
    room = snd.una + snd.wnd - record.seq
    if room <= 0:
        if record.seq != snd.una:
            return False  # the window shrank: what lies beyond it waits (SHLD-16)
        room = size  # but the first segment serves as a probe of the window
    limit = min(size, room)
    length = record.end - record.seq - (record.flags & FIN)
    if length > limit:
        rtx.split(index, limit)
        length = limit
    elif length < limit and b.settings.collapse and not record.flags & FIN:
        length = join_following(b, index, limit)
    text = b.outgoing.slice(record.seq, length) if length and b.outgoing is not None else b""
    b.retransmitted += 1
    b.counters.RetransSegs += 1
    b.counters.OutSegs -= 1  # which leaves repetitions out
    b.data_segments_out += length > 0
    recovery = b.recovery
    recovery.bytes_resent += length
    cause = f"{kind} of {b.relative(record.seq, record.end - record.seq)}"
    rtx.sent_again(record, now)
    if b.rate is not None:
        b.rate.sent(record, rtx, now)
    transmit(b, record.seq, record.flags | push, text, cause, now)
    return True


def join_following(b: Block, index: int, limit: int) -> int:
    """Small segments go again as one (tcp_retrans_try_collapse); how long the first has become."""
    rtx = b.rtx
    record = rtx.records[index]
    length = record.end - record.seq
    for following in list(islice(rtx.records, index + 1, index + 1 + limit)):
        size = following.end - following.seq - (following.flags & FIN)  # which takes no room
        if following.marks & SACKED or length + size > limit:
            break
        if record.marks & RECORD_END or following.end > b.snd.una + b.snd.wnd:
            break  # MSG_EOR: what belongs to different records of the program is not joined
        rtx.join(index, 0)
        length += size
    return length
