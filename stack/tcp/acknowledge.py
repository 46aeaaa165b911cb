"""What an acknowledgment does, and when one is owed (RFC 9293 section 3.10.7.4 step five, RFC 5681, RFC 5961)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND
from stack.tcp.acknowledgment import Acknowledgment
from stack.tcp.congestion import ecn, rate, validation
from stack.tcp.congestion.base import CongestionState, Sample
from stack.tcp.congestion.validation import is_limited
from stack.tcp.opening.handshake import set_segment_size
from stack.tcp.receiving import timestamps
from stack.tcp.recovery import prr, rack, sack, states, tlp
from stack.tcp.recovery.retransmit_queue import EVER_RESENT, LOST, RESENT, SACKED
from stack.tcp.recovery.timer import WINDOW_PROBE, clear_timer, probe_interval, rearm, set_timer
from stack.tcp.sending import mtu_probing
from stack.tcp.sending.chronograph import IDLE
from stack.tcp.sending.transmit import first_waiting
from stack.tcp.state import ESTABLISHED, SYN_RECEIVED

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.segment import Segment

_LARGE = 1 << 17  # half of it holds any segment


def now(b: Block, cause: str | None) -> None:
    """Acknowledge with the next segment, which goes out at the end of this event."""
    b.ack_now = True
    b.ack_cause = cause


def challenge(b: Block, cause: str, at: int) -> None:
    """An ACK that anyone could provoke: only so many in a time, of a connection and of a host (RFC 5961 section 7)."""
    if allowed(b, "TCPACKSkippedChallenge", at) and (b.challenges is None or b.challenges.take(b.settings.challenge_limit, at)):
        b.counters.TCPChallengeACK += 1
        now(b, cause)


def challenge_syn(b: Block, cause: str, at: int) -> None:
    """The answer to a SYN on a connection (RFC 5961 section 4)."""
    b.counters.TCPSYNChallenge += 1
    b.counters.InErrs += b.state is ESTABLISHED
    challenge(b, cause, at)


def allowed(b: Block, skipped: str, at: int) -> bool:
    """Whether a bad segment may bring out an answer again (tcp_oow_rate_limited); `skipped` is the counter of those that may not.

    In whole ms, as Linux counts: a peer's probes 500 ms apart are answered though one came a little early.
    """
    if at // MILLISECOND - b.last_challenge // MILLISECOND < b.settings.invalid_interval // MILLISECOND:
        b.counters.add(skipped)
        return False
    b.last_challenge = at
    return True


def acknowledged(b: Block, seg: Segment, ack: int, at: int) -> None:
    """An acceptable ACK in a synchronized state: the queue, the timers, both windows (tcp_ack)."""
    snd, rtx = b.snd, b.rtx
    una = snd.una
    told = Acknowledgment(ack, una, snd.nxt, seg.ts_ecr if seg.ts_val is not None else 0, seg.sent_len > 0)
    prior_flight, prior_delivered, prior_lost = rtx.in_flight, rtx.delivered, rtx.lost
    outstanding = bool(rtx.records)
    if b.ecn is not None:
        told.ece = ecn.echoed(b, seg)
    if b.rate is not None:
        rate.check(b)
    if ack < una:
        old(b, told, seg, at)
        return
    b.counters.TCPPureAcks += not seg.sent_len
    prior_fack, none_sacked = sack.highest(b), not rtx.sacked_out
    if ack > una:
        told.advanced = True
        advance(b, ack, at)
    wnd = seg.wnd << snd.scale
    # "ack > una" is Linux's: else the old window, counted from the new SND.UNA, would reach further than was ever offered.
    # And where neither number moved, a window is not believed to have shrunk, unless to nothing (tcp_may_update_window).
    if ack > una or snd.wl1 < seg.seq or (snd.wl1 == seg.seq and (wnd > snd.wnd or not wnd)):
        told.window_updated = True
        if wnd != snd.wnd and b.pieces:
            validation.after_idle(b, at)
        update_window(b, seg, wnd)
    if b.sack and seg.sack:
        sack.tag(b, told, seg.sack, at)
    nothing_new = outstanding and ack == una and told.has_data and not seg.sack and b.recovery.state is CongestionState.OPEN
    if nothing_new and (b.ecn is None or b.ecn.accurate is None):
        return  # the peer's data says nothing of ours, as in Linux's fast path
    if not outstanding:
        if b.ecn is not None:
            ecn.count_marks(b, told, seg, 0, False)
        if told.dsacked:
            states.alert(b, told, at)
        window_answered(b, at)
        if b.recovery.probe_end:
            tlp.probe_acknowledged(b, told, at)
        return
    clean(b, told, prior_fack, at)
    if b.rack.dsack_seen or b.rack.steps > 1:
        rack.widen(b, told.prior_delivered)
    if b.recovery.probe_end:
        tlp.probe_acknowledged(b, told, at)
    if b.ecn is not None:
        ecn.count_marks(b, told, seg, rtx.delivered - prior_delivered, not none_sacked or told.newly_sacked)
    moves = told.has_data or told.window_updated or told.data_acked
    if not moves or told.newly_sacked or told.ece or told.dsacked or b.recovery.state is not CongestionState.OPEN:
        if not (told.advanced or moves or told.dsacked):
            told.duplicates = 1
        states.alert(b, told, at)
    if told.restart_timer:
        restart_timer(b, at)
    steer(b, told, rtx.delivered - prior_delivered, rtx.lost - prior_lost, prior_flight, at)
    _order_repairs(b, told)


def old(b: Block, told: Acknowledgment, seg: Segment, at: int) -> None:
    """An ACK below SND.UNA: its SACK blocks may tell something new."""
    if b.sack and seg.sack:
        delivered = b.rtx.delivered
        sack.tag(b, told, seg.sack, at)
        if b.ecn is not None:
            ecn.count_marks(b, told, seg, b.rtx.delivered - delivered, True)
        b.rtx.delivered = delivered  # Linux counts what newer ACKs deliver only
        states.alert(b, told, at)
        _order_repairs(b, told)


def _order_repairs(b: Block, told: Acknowledgment) -> None:
    if told.try_new:
        b.recovery.repair = states.NEW
    elif told.repair:
        b.recovery.repair = states.LOST


def clean(b: Block, told: Acknowledgment, prior_fack: int, at: int) -> None:
    """Take what is acknowledged from the queue, and the round-trip times that it tells (tcp_clean_rtx_queue)."""
    rtx, snd = b.rtx, b.snd
    records = rtx.records
    sacked_before = rtx.sacked_out
    count, first, last = take_acknowledged(b, told, at)
    told.data_acked = count > 0
    if not records and not b.pieces and b.chrono.kind != IDLE:
        b.chrono.turn(IDLE, at)
    if records and records[0].marks & SACKED and b.sack:
        told.reneging = True
    seq_rtt = newest_rtt = None
    if first is not None and not told.resent_acked:
        seq_rtt, newest_rtt = at - first, at - last
        told.maybe_delayed = (
            count == 1 and not sacked_before and snd.una - told.prior_una < snd.mss
            and told.prior_delivered + 1 == rtx.delivered and not (told.newly_sacked or told.ece or told.dsacked)
        )  # fmt: skip
    sack_rtt = None
    if told.first_sacked is not None:
        sack_rtt, newest_rtt = at - told.first_sacked, at - told.last_sacked
    measured = measure(b, told, seq_rtt, sack_rtt, newest_rtt, at)
    if count:
        told.restart_timer = True
        if b.mtu_search is not None and b.mtu_search.size and snd.una >= b.mtu_search.end:
            mtu_probing.acknowledged(b, b.mtu_search)
        if not b.sack:
            states.remove_duplicates(b, count)
            if told.resent_acked:
                told.original = False  # without SACK nobody knows which of the two arrived
        elif told.reordered < prior_fack:
            sack.check_reordering(b, told.reordered)  # a hole was filled by what was sent once
    elif records and measured and sack_rtt is not None and sack_rtt > at - records[0].sent_at:
        told.restart_timer = True  # what was SACKed had been sent before the first was sent again
    sample = b.ack_sample = b.ack_sample or Sample()
    sample.now = at
    sample.una, sample.nxt = snd.una, snd.nxt
    sample.acked = count
    sample.in_flight = max(0, rtx.delivered - told.prior_delivered)
    sample.rtt = newest_rtt
    b.congestion.measured(sample)


def take_acknowledged(b: Block, told: Acknowledgment, at: int) -> tuple[int, int | None, int]:
    """Records that lie below SND.UNA leave the queue: how many, and when the first and the last that went once were sent."""
    rtx, rate = b.rtx, b.rate
    records = rtx.records
    una = b.snd.una
    minimum = b.rtt.minimum
    count = last = 0
    first: int | None = None
    while records and records[0].end <= una:
        record = records.popleft()
        marks = record.marks
        count += 1
        if marks & (RESENT | EVER_RESENT):
            told.resent_acked = True
            if marks & RESENT:
                rtx.retrans_out -= 1
        elif not marks & SACKED:
            if first is None:
                first = record.sent_at
            last = record.sent_at
            told.reordered = min(told.reordered, record.seq)
            if record.end <= b.recovery.point:
                told.original = True
        if marks & LOST:
            rtx.lost_out -= 1
        if marks & SACKED and b.sack:
            rtx.sacked_out -= 1
        elif b.sack:
            rtx.delivered += 1
            # An echo from before the repetition: it was the original that arrived
            if not marks & (RESENT | EVER_RESENT) or not _echoes_before(b, told.echo, record.sent_at):
                b.rack.advance(record, minimum, at)
        told.prior_delivered = max(told.prior_delivered, record.delivered)
        if rate is not None:
            rate.took(record)
    return count, first, last


def _echoes_before(b: Block, echo: int, sent_at: int) -> bool:
    return b.timestamps and echo > 0 and timestamps.before(echo, timestamps.clock(b, sent_at))


def measure(b: Block, told: Acknowledgment, seq_rtt: int | None, sack_rtt: int | None, newest: int | None, at: int) -> bool:
    """A round-trip time from the queue, from SACKs, or else, where a repetition makes those ambiguous (Karn), from TSecr."""
    r = seq_rtt if seq_rtt is not None else sack_rtt
    if r is None and b.timestamps and told.echo and told.data_acked:
        r = newest = timestamps.elapsed(b, told.echo, at)
    if r is None:
        return False
    if told.dsacked and seq_rtt is None and sack_rtt is None:
        # The peer held the text already, and echoes a timestamp as old as the ACKs that were lost. That is no measurement;
        # but the path is there, so no backoff.
        b.rtt.restart(b.settings)
        return True
    if newest is not None and not (told.maybe_delayed and newest > b.rtt.minimum):
        b.rtt.observe(newest, at)  # a delayed ACK says nothing of the least
    b.rtt.sample(r, b.snd.una, b.snd.nxt, b.settings)
    return True


def steer(b: Block, told: Acknowledgment, delivered: int, lost: int, prior_flight: int, at: int) -> None:
    """The congestion window after an ACK (tcp_cong_control)."""
    control, rtx, sample = b.congestion, b.rtx, b.ack_sample
    assert sample is not None  # `clean` made it
    flight = rtx.in_flight
    sample.now = at
    sample.una, sample.nxt = b.snd.una, b.snd.nxt
    sample.acked = delivered
    sample.losses = lost
    sample.in_flight = flight
    sample.prior_in_flight = prior_flight
    sample.ece = told.ece
    sample.state = b.recovery.state
    sample.delivered = rtx.delivered
    sample.delivered_ce = rtx.delivered_ce
    sample.limited = is_limited(b)
    if b.rate is not None:
        b.rate.sample(sample, rtx.delivered, delivered, b.rtt.minimum, b.recovery.reneging, at)
    control.arrived(sample)
    if control.owns_window:
        control.control(sample)
        if control.holds_back and b.rate is not None:
            rate.limit(b)
    elif b.recovery.reducing:
        prr.reduce(b, delivered, lost, told.advanced)
    elif told.data_acked or (told.newly_sacked and b.recovery.reordering > b.settings.reordering):
        control.acknowledged(sample)


def window_answered(b: Block, at: int) -> None:
    """An ACK while nothing is outstanding: whether the window has room now for what waits (tcp_ack_probe)."""
    if b.pending != WINDOW_PROBE:
        return
    b.stuck = b.retries > 0
    b.retries = 0  # whoever answers probes may keep its window closed (MUST-37)
    if b.snd.nxt + first_waiting(b) <= b.snd.una + b.snd.wnd:
        b.backoff = 0
        clear_timer(b)
    else:
        set_timer(b, WINDOW_PROBE, at + probe_interval(b))


def update_window(b: Block, seg: Segment, wnd: int) -> None:
    """SND.WND, SND.WL1 and SND.WL2 from this segment."""
    snd = b.snd
    snd.wnd = wnd
    snd.wl1 = seg.seq
    snd.wl2 = seg.ack if seg.ack is not None else snd.una
    if wnd > snd.max_wnd or b.state is SYN_RECEIVED:
        largest_window(b, wnd)


def largest_window(b: Block, wnd: int) -> None:
    """MAX.SND.WND is `wnd`: a segment is no larger than half of it (Linux's way round silly windows, RFC 9293 3.8.6.2.1)."""
    before, b.snd.max_wnd = b.snd.max_wnd, wnd
    if before < _LARGE or wnd < _LARGE:
        set_segment_size(b)


def advance(b: Block, ack: int, at: int) -> None:
    """SND.UNA moves to `ack`: what lies before it is forgotten."""
    b.snd.una = ack
    b.progress = at
    b.retries = 0
    buffer = b.outgoing
    if buffer is not None:
        if ack >= buffer.end:
            b.outgoing = None
        else:
            buffer.release(ack)
    if b.marks is not None:
        b.marks.acknowledged(ack, at)


def restart_timer(b: Block, at: int) -> None:
    """The probe timer, or the retransmission timer, after an ACK (tcp_set_xmit_timer)."""
    if not tlp.schedule_probe(b, at, True):
        rearm(b, at)


def syn_acknowledged(b: Block, ack: int, seg: Segment, at: int) -> None:
    """Our SYN is acknowledged, and perhaps data that went with it or behind it (fast open)."""
    whole = ack
    if b.rtx.records:
        ack = b.iss + 1
    if b.recovery.timeouts and not (b.timestamps and seg.ts_ecr == timestamps.clock(b, b.progress)):
        b.recovery.undo_marker = b.iss  # not the first SYN is what was answered (tcp_try_undo_spurious_syn)
    advance(b, ack, at)
    rtt = b.rtt
    r = None
    if rtt.timed_seq is not None:
        r = at - rtt.timed_at
        rtt.timed_seq = None
    elif b.timestamps and seg.ts_ecr:
        r = timestamps.elapsed(b, seg.ts_ecr, at)
    if r is not None:
        rtt.observe(r, at)
        rtt.sample(r, b.snd.una, b.snd.nxt, b.settings)
    b.rtx.delivered = 1  # the SYN
    b.recovery.timeouts_over(at)
    rearm(b, at)
    if whole > ack or (seg.sack and b.rtx.records):
        acknowledged(b, seg, whole, at)
    elif b.recovery.state is CongestionState.LOSS:
        b.recovery.repair = states.LOST  # a child of fast open, whose SYN,ACK was lost more than once
