"""What may be sent now, and in which segments: windows, Nagle, cork, PSH (RFC 9293 sections 3.7.4 and 3.8.6.2.1, RFC 896).

The rules are those of Linux's tcp_write_xmit. What the program writes is kept in pieces (its socket buffers), a segment
never reaches from one into the next, and a piece's last segment carries its PSH.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.congestion import validation
from stack.tcp.congestion.base import Happening
from stack.tcp.receiving import delayed_ack
from stack.tcp.recovery import prr, tlp
from stack.tcp.recovery.retransmit import send_lost
from stack.tcp.recovery.retransmit_queue import BURST_END, RECORD_END, Record
from stack.tcp.recovery.states import NEW, NOTHING
from stack.tcp.recovery.timer import LOSS_PROBE, WINDOW_PROBE, probe_base, rearm, set_timer
from stack.tcp.recovery.timer import NOTHING as NO_TIMER
from stack.tcp.segment import ACK, FIN, PSH
from stack.tcp.sending import mtu_probing, pacing
from stack.tcp.sending.burst import CWND, burst_size, defers, grow
from stack.tcp.sending.chronograph import BUSY, WINDOW
from stack.tcp.sending.output import (
    is_plain,
    segment_room,
    send_acknowledgment,
    send_reset,
    send_syn,
    transmit,
    transmit_next,
)
from stack.tcp.state import CLOSED, HAS_DATA, SYN_RECEIVED

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.formats.tcp import TCP


class Piece:
    """Data that was written and not sent yet, up to `end`."""

    __slots__ = ("end", "push", "record")

    def __init__(self, end: int, push: bool, record: bool) -> None:
        self.end = end
        self.push = push  # its last segment carries PSH
        self.record = record  # MSG_EOR: nothing is joined to it


def output(b: Block, now: int, new: bool = True) -> None:
    """Send all that may be sent, and an acknowledgment if one is due. Called after every event. Not `new`: data that waits
    for company waits on, since a timer went off that is none of its own."""
    if b.syn_due is not None:
        send_syn(b, now)
    if b.state in HAS_DATA or (b.state is SYN_RECEIVED and b.fast is not None and b.fast.usable):
        recovery = b.recovery
        if recovery.repair:
            repair(b, now)
        if new and (b.outgoing is not None or b.fin_queued):
            send_new(b, now)
    if b.reset_due is not None:
        send_reset(b)
    if (b.ack_now or (b.ack_check and delayed_ack.check(b, now))) and b.state is not CLOSED:
        send_acknowledgment(b, now)


def repair(b: Block, now: int) -> None:
    """What a recovery wants sent (tcp_xmit_recovery)."""
    recovery = b.recovery
    wanted, recovery.repair = recovery.repair, NOTHING
    if wanted == NEW:  # F-RTO, step 2.b
        send_new(b, now, nagle=False)
        if b.snd.nxt > recovery.point:
            return
        recovery.frto = False
    send_lost(b, now)


def first_waiting(b: Block) -> int:
    """Octets of the first piece that waits, its FIN counted."""
    pieces = b.pieces
    if pieces:
        only = len(pieces) == 1 and b.fin_queued
        return pieces[0].end - b.snd.nxt + only
    return 1 if b.fin_queued and b.fin is None else 0


def can_send_first(b: Block) -> bool:
    """The window has room for the first segment that waits (tcp_snd_wnd_test)."""
    waiting = first_waiting(b)
    return waiting > 0 and min(waiting, b.snd.mss) <= b.snd.una + b.snd.wnd - b.snd.nxt


def waits(b: Block, partial: bool) -> bool:
    """Whether a segment that is not full waits: a cork, or Nagle's algorithm in Minshall's form, which waits for small
    segments only (SHLD-7, appendix A.3; tcp_nagle_check)."""
    if not partial or b.fin_queued or b.snd.up > b.snd.una:
        return False
    settings = b.settings
    if settings.cork or b.more:
        return True
    return not settings.nodelay and b.snd.small > b.snd.una and len(b.rtx.records) > 0


# Sending


def send_new(b: Block, now: int, nagle: bool = True, probe: bool = False, once: bool = False) -> None:
    """New data and the FIN, as far as both windows let them (tcp_write_xmit). `once`: one buffer of it; `probe`: one segment,
    whatever CWND says."""
    if b.fin is not None or not (b.pieces or b.fin_queued):
        return
    snd, rtx, control, pieces = b.snd, b.rtx, b.congestion, b.pieces
    if b.settings.local_congestion:
        not_taken(b, now)
        return
    mss = snd.mss if b.held is None and b.rcv.dsack is None and b.ecn is None else segment_room(b, now)
    edge = snd.una + snd.wnd
    before = len(rtx.records)
    sent = probe_path(b, now) if b.mtu_search is not None and not probe else 0
    if sent < 0:
        return
    other = rtx.retrans_out - rtx.sacked_out - rtx.lost_out
    cwnd = control.cwnd
    held_up = BUSY
    deferred = 0
    while pieces and (b.pacer is None or not pacing.held(b, now)):
        room = cwnd - len(rtx.records) - other
        if room <= 0 and not probe:
            break
        if len(pieces) > 1:
            grow(b, pieces, min(max(room, 1), cwnd >> 1 or 1), mss)
        piece, nxt, last = pieces[0], snd.nxt, len(pieces) == 1
        fin = last and b.fin_queued
        length = piece.end - nxt
        window = edge - nxt
        if (length + fin if length <= mss else mss) > window:
            held_up = WINDOW
            break
        if length <= mss:
            if last and nagle and waits(b, length < mss):
                break
            limit = length
        else:
            if not (probe or once) and (deferred := defers(b, length, window, room, mss, last, now)):
                held_up = BUSY if deferred == CWND else WINDOW
                break
            limit = portion(b, length, window, 1 if probe else min(room, cwnd >> 1 or 1), mss, last, nagle)
        if not before and not sent:
            start_sending(b, now)
        sent += send_piece(b, piece, limit, mss, now)
        if snd.nxt >= piece.end:
            pieces.popleft()
        if probe or once:
            break
    if b.fin_queued and not pieces and b.fin is None and not (probe and sent):
        sent += send_fin(b, edge, cwnd, probe, now)
    if b.chrono.kind != held_up:
        b.chrono.turn(held_up, now)
    limited = deferred == CWND or len(rtx.records) + other >= cwnd
    if sent or limited:
        validation.validate(b, limited, now)
    if sent:
        sent_new(b, sent, before, probe, now)
    elif not rtx.records and b.pending == NO_TIMER and first_waiting(b):
        set_timer(b, WINDOW_PROBE, now + probe_base(b))


def not_taken(b: Block, now: int) -> None:
    """The interface takes nothing: what waits stays unsent, and is tried again when the timer of the window's probes says so."""
    prr.enter_cwr(b, now)
    if not b.rtx.records and b.pending == NO_TIMER and first_waiting(b):
        set_timer(b, WINDOW_PROBE, now + probe_base(b))


def portion(b: Block, length: int, window: int, room: int, mss: int, last: bool, nagle: bool) -> int:
    """How much of a piece of more than one segment goes out as one buffer (tcp_mss_split_point).

    Where that is all that the window or the program has to give, it may end in less than a full segment.
    """
    if room == 1 or b.snd.up > b.snd.una:
        return mss  # each segment of urgent data has its own urgent pointer
    if room > b.settings.least_burst:
        room = min(room, burst_size(b, mss))
    limit = mss * room
    if limit <= window and not last:
        return min(limit, length)
    needed = min(length, window)
    if limit <= needed:
        return limit
    partial = needed % mss
    return needed - partial if nagle and partial and waits(b, True) else needed


def probe_path(b: Block, now: int) -> int:
    """Send a probe of the path's MTU if it is time for one: how many segments; -1: everything waits until it has room."""
    assert b.mtu_search is not None
    alone = not b.rtx.records
    sent = mtu_probing.send_probe(b, b.mtu_search, now)
    if sent and alone:
        start_sending(b, now)
    return -1 if sent is False else int(sent is True)


def send_piece(b: Block, piece: Piece, limit: int, mss: int, now: int, cause: str | None = None, push: int = 0) -> int:
    """Send `limit` octets of a piece in segments; how many. The FIN goes with the last."""
    snd, rtx, buffer = b.snd, b.rtx, b.outgoing
    assert buffer is not None
    records, delivered, rate = rtx.opened(), rtx.delivered, b.rate
    nxt = snd.nxt
    stop = nxt + limit
    edge = snd.una + snd.wnd
    alike = limit > mss and is_plain(b)
    before: TCP | None = None  # the segment before, where the next differs from it in number, flags and text only
    count = 0
    while nxt < stop:
        end = nxt + mss
        flags = ACK | push
        if end >= stop:
            end = stop
            if end == piece.end:
                if piece.push:
                    flags |= PSH
                if b.fin_queued and len(b.pieces or ()) == 1 and end < edge:
                    flags |= FIN
                    b.fin = end
            if end - nxt < mss and (b.fast is None or end > b.iss + 1 + b.fast.text):
                snd.small = end  # data that went with the SYN before is a repetition, and none counts for Nagle's algorithm
        text = buffer.slice(nxt, end - nxt)
        rtx.sent = number = rtx.sent + 1
        record = Record(nxt, end + (flags & FIN), flags, now, delivered, number)
        records.append(record)
        if end == stop:
            record.marks = BURST_END | RECORD_END if piece.record and end == piece.end else BURST_END
        if rate is not None:
            rate.sent(record, rtx, now)
        # Linux: several segments that go out as one buffer end in a PSH, for the receiver to pass them on together
        if count and end == stop:
            flags |= PSH
        if before is not None:
            transmit_next(b, before, nxt, flags, text, cause, now)
        else:
            made = transmit(b, nxt, flags, text, cause, now)
            before = made if alike else None
        snd.nxt = record.end
        nxt = end
        count += 1
    b.data_segments_out += count
    b.counters.TCPOrigDataSent += count
    if b.pacer is not None:
        pacing.sent(b, limit, count, now)
    return count


def send_fin(b: Block, edge: int, cwnd: int, probe: bool, now: int) -> int:
    """A FIN without data; 1 if it went."""
    snd, rtx = b.snd, b.rtx
    if edge <= snd.nxt or (cwnd <= rtx.in_flight and not probe):
        return 0
    if not rtx.records:
        start_sending(b, now)
    b.fin = snd.nxt
    rtx.sent += 1
    record = Record(snd.nxt, snd.nxt + 1, ACK | FIN, now, rtx.delivered, rtx.sent)
    rtx.opened().append(record)
    if b.rate is not None:
        b.rate.sent(record, rtx, now)
    b.counters.TCPOrigDataSent += 1
    transmit(b, b.fin, ACK | FIN, b"", None, now)
    snd.nxt += 1
    snd.small = snd.nxt
    return 1


def start_sending(b: Block, now: int) -> None:
    """Data goes out though nothing was outstanding."""
    b.congestion.event(Happening.TRANSMIT_START, now)
    b.progress = now


def sent_new(b: Block, sent: int, before: int, probe: bool, now: int) -> None:
    """New data went out: count it, and set the timer."""
    b.last_sent = now
    b.congestion.last_sent = now
    recovery = b.recovery
    if recovery.reducing:
        recovery.prr_out += sent
    if b.marks is not None:
        b.marks.sent(b.snd.nxt, now)
    if b.short_of_space and b.settings.not_sent_low_water:
        b.wake_writer()
    if b.stuck or b.pending == WINDOW_PROBE:
        b.retries = b.backoff = 0  # the probes' backoff says nothing about the path
        b.stuck = False
        b.probing_since = 0
        if b.poke is not None:
            b.poke(b)  # what was housekeeping is so no longer
    if probe or not tlp.schedule_probe(b, now, False):
        if not before or b.pending == LOSS_PROBE:
            rearm(b, now)


# Zero-window probes


def send_window_probe(b: Block, cause: str, now: int) -> bool:
    """Send what the window takes of the segment that waits, or a segment that only asks for an ACK (tcp_write_wakeup);
    whether data went. With `local_congestion` nothing does.

    Linux probes with an old number and no data. RFC 9293 wants an octet of new data (MUST-36): `window_probe_octet`.
    """
    if b.settings.local_congestion:
        return False
    snd = b.snd
    room = snd.una + snd.wnd - snd.nxt
    if room > 0:
        cause = "override timeout: a small window"
    if room <= 0 and b.settings.window_probe_octet:
        room = 1
    if room <= 0:
        if snd.up > snd.una:
            b.counters.TCPWinProbe += 1
            transmit(b, snd.una, ACK, b"", f"{cause}: urgent data waits", now)
        b.counters.TCPWinProbe += 1
        transmit(b, snd.una - 1, ACK, b"", cause, now)
        return False
    mss = segment_room(b, now)
    start_sending(b, now)
    if b.pieces:
        piece = b.pieces[0]
        piece.push = True
        snd_nxt = snd.nxt
        size = min(room, piece.end - snd_nxt, mss)
        b.pushed = max(b.pushed, snd_nxt + size)
        send_piece(b, piece, size, mss, now, cause, PSH)
        if snd.nxt >= piece.end:
            b.pieces.popleft()
    else:
        send_fin(b, snd.nxt + room, 1, True, now)
    b.last_sent = b.congestion.last_sent = now
    if not tlp.schedule_probe(b, now, False):
        rearm(b, now)
    return True
