"""Header prediction: the fast way for the segment that was expected (Van Jacobson; RFC 7323 appendix).

In front of step one of `arrives.py`, for a connection in ESTABLISHED with nothing on the books: the next text in
sequence, or an acknowledgment of new data, or both; and such an acknowledgment of data that a FIN follows. It does what the eight steps do to such a segment, no more and no less;
`STACK_TCP_PREDICTION=0` turns it off, and a test compares the two.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from stack.tcp import acknowledge
from stack.tcp.congestion.base import CongestionState, Sample
from stack.tcp.receiving import autotune
from stack.tcp.receiving.deliver import deliver_text
from stack.tcp.recovery.timer import LOSS_PROBE, NEVER, NOTHING, WINDOW_PROBE, rearm
from stack.tcp.recovery.tlp import schedule_probe
from stack.tcp.segment import ACK, PSH, TIMESTAMPS_FIRST
from stack.tcp.sending import send_space
from stack.tcp.sending.chronograph import IDLE
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
    nxt, una, records = rcv.nxt, snd.una, rtx.records
    if (
        (flags != ACK and flags != _PUSHED)
        or (b.state is not ESTABLISHED and (text or b.state is not FIN_WAIT_1))
        or header.sequence != nxt & MASK
        or b.held is not None
        or b.urgent is not None
        or b.pending == WINDOW_PROBE
        or b.ecn is not None
        or b.rate is not None
        or (records and (b.recovery.state is not _OPEN or rtx.sacked_out or una < rtx.dubious or b.rack.dsack_seen))
        or (text and (b.closed_by_user or len(text) > rcv.acked + rcv.offered - nxt))
    ):
        return False
    acked = header.acknowledgment - una & MASK
    if acked:
        if acked > snd.nxt - una or not records or records[0].end - una > acked or (b.fin is not None and una + acked > b.fin):
            return False
    elif not text:
        return False
    options = header._options
    if b.timestamps:
        if len(options) != 12 or options[:4] != TIMESTAMPS_FIRST:
            return False
        value, echo = _PAIR(options, 4)
        if value - b.ts_recent & _HALF:
            return False
        if nxt <= rcv.acked:
            b.ts_recent, b.ts_recent_at = value, now
    elif options:
        return False
    else:
        echo = b.sizing.echo
    ack, unset = una + acked, False
    wnd = header.window << snd.scale
    if acked:
        if wnd == snd.wnd:
            b.counters.TCPHPAcks += 1
        elif not text:
            b.counters.TCPPureAcks += 1  # Linux predicts no ACK that moves the window
        unset = acknowledged(b, ack, now)
    if acked or snd.wl1 < nxt or wnd > snd.wnd or not wnd:
        snd.wnd = wnd
        snd.wl1, snd.wl2 = nxt, ack
        if wnd > snd.max_wnd:
            acknowledge.largest_window(b, wnd)
    if text:
        b.counters.TCPHPHits += 1
        if echo != b.sizing.echo:
            autotune.echoed(b, len(text), echo, now)
        deliver_text(b, nxt, text, flags, now)
    before = snd.nxt
    output(b, now)
    if unset and snd.nxt == before:
        schedule_probe(b, now, True)
    return True


def acknowledged(b: Block, ack: int, at: int) -> bool:
    """What `acknowledge.acknowledged` does to an ACK of new data, and nothing else, while nothing is on the books.

    True: the timer of the tail loss probe is not set yet. Whoever sends more sets it; else it is to be set once that is known.
    """
    snd, rtx, control, rtt, settings = b.snd, b.rtx, b.congestion, b.rtt, b.settings
    records, una, nxt = rtx.records, snd.una, snd.nxt
    prior_flight = len(records)
    acknowledge.advance(b, ack, at)
    record = records.popleft()
    r = at - record.sent_at
    count = 1
    while records and records[0].end <= ack:
        record = records.popleft()
        count += 1
    newest = at - record.sent_at
    counted = rtx.delivered  # as `clean` finds it
    rtx.delivered = delivered = counted + count
    if b.sack:
        counted = delivered
        rack_ = b.rack
        rack_.advanced = True
        rack_.rtt = newest
        if record.number > rack_.number or (record.number == rack_.number and record.end > rack_.end):
            rack_.number = record.number
            rack_.end = record.end
    if newest <= rtt.minimum or count > 1 or ack - una >= snd.mss or record.delivered + 1 != counted:
        rtt.observe(newest, at)
    rtt.sample(r, ack, nxt, settings)
    unset = False
    if not records:
        b.pending = NOTHING
        b.timer_at = NEVER
        if not b.pieces:
            b.chrono.turn(IDLE, at)
    elif b.pending == LOSS_PROBE and b.pieces and settings.loss_probe:
        unset = True
    elif not schedule_probe(b, at, True):
        rearm(b, at)
    sample = b.ack_sample = b.ack_sample or Sample()
    sample.now = at
    sample.una, sample.nxt = ack, nxt
    sample.acked = count
    sample.rtt = newest
    sample.in_flight = delivered - record.delivered
    control.measured(sample)
    sample.losses = 0
    sample.in_flight = len(records)
    sample.prior_in_flight = prior_flight
    sample.ece = False
    sample.state = _OPEN
    sample.delivered = delivered
    sample.delivered_ce = rtx.delivered_ce
    usage = b.usage
    sample.limited = usage.limited or (control.cwnd < control.ssthresh and control.cwnd < 2 * usage.most)
    control.arrived(sample)
    control.acknowledged(sample)
    if b.short_of_space:
        send_space.check(b)
    return unset
