"""The only maker of segments: what the block allows to be sent now (RFC 9293 sections 3.7.4, 3.8 and 3.10.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.quantity import show_time
from stack.codec.fields import Sealed
from stack.tcp import ecn, timestamps
from stack.tcp.block import NEVER
from stack.tcp.congestion.base import Happening
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.recovery import Mode, pipe
from stack.tcp.segment import ACK, FIN, PSH, RST, SYN, URG, sack_option, syn_options
from stack.tcp.seq import MASK
from stack.tcp.state import CLOSED, HAS_DATA, SYN_RECEIVED, SYN_SENT

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.recovery import Recovery

_NO_OPTIONS = TCPOptions()
_ROOM_FOR_SACK = 72  # a segment that holds less goes without SACK blocks: they would leave no room for text
_make = TCP.of


def output(b: Block, now: int) -> None:
    """Send all that may be sent, an acknowledgment if one is due, and set the timers. Called after every event."""
    if b.syn_due is not None:
        send_syn(b, now)
    if b.state in HAS_DATA or (b.state is SYN_RECEIVED and b.fast is not None and b.fast.usable):
        if b.recovery is not None and not send_again(b, b.recovery, now):
            pass  # lost segments wait for the congestion window; new ones wait behind them
        elif b.outgoing is not None or b.fin_queued:
            send_new(b, now)
    if b.reset_due is not None:
        send_reset(b)
    if b.ack_now and b.state is not CLOSED:
        send_acknowledgment(b, now)


def transmit(b: Block, seq: int, flags: int, text: bytes, cause: str | None, now: int) -> None:
    """Make one segment of a synchronized connection, with the acknowledgment and window of this moment."""
    rcv = b.rcv
    nxt = rcv.nxt
    offered = rcv.edge - nxt
    free = rcv.buff - b.incoming.size if b.incoming is not None else rcv.buff
    if free > offered:
        widen(b, free)
        offered = rcv.edge - nxt
    # Rounded up, as Linux does: what was offered is not taken back by the scale (RFC 7323 section 2.4).
    window = min(-(-offered >> rcv.scale), 0xFFFF)
    if window << rcv.scale > offered:
        if window << rcv.scale < free + rcv.buff:
            rcv.edge = nxt + (window << rcv.scale)
        else:
            window -= 1  # tiny segments, each rounded up, would fill the buffer without end
    options = timestamps.options(b, now) if b.timestamps else _NO_OPTIONS
    if b.sack and (b.held is not None or rcv.dsack is not None):
        options = with_sack(b, options, len(text))
    if b.ecn is not None:
        options = ecn.with_counters(b, options, len(text))
        flags |= ecn.outgoing(b, seq, len(text))
    urgent = 0
    if b.snd.up > seq and b.snd.up > b.snd.una:
        flags |= URG
        urgent = min(b.snd.up - seq, 0xFFFF)
    remote = b.remote
    assert remote is not None
    header = _make(
        b.local[1], remote[1], seq & MASK, nxt & MASK, Sealed, 0, flags,
        window, Sealed, urgent, options,
    )  # fmt: skip
    if b.sink is not None:
        b.sink(b, header, text, cause)
    else:
        emit(b, header, text, cause)
    rcv.acked = nxt
    b.ack_now = False
    b.ack_at = NEVER


def emit(b: Block, header: TCP, text: bytes, cause: str | None) -> None:
    """Hand a segment down."""
    if b.sink is not None:
        b.sink(b, header, text, cause)
    elif b.outbox is None:
        b.outbox = [(header, text, cause)]
    else:
        b.outbox.append((header, text, cause))


def widen(b: Block, free: int) -> None:
    """Move the right window edge, but not in small steps (section 3.8.6.2.2)."""
    rcv = b.rcv
    free = min(free, rcv.largest)
    if free - (rcv.edge - rcv.nxt) >= min(rcv.buff // 2, rcv.full):
        edge = rcv.nxt + (free >> rcv.scale << rcv.scale)
        if edge > rcv.edge:
            rcv.edge = edge


def with_sack(b: Block, options: TCPOptions, size: int) -> TCPOptions:
    """Add what is held above the gap, after a report of a duplicate (RFC 2018 section 4, RFC 2883).

    As many blocks as fit beside `size` octets of text: what the path does not carry would not leave the host.
    """
    room = min(3 if options else 4, (b.snd.mss - size - 4) // 8)
    if room <= 0:
        return options
    blocks = b.held.blocks(room) if b.held is not None else []
    if b.rcv.dsack is not None:
        blocks = [b.rcv.dsack, *blocks][:room]
        b.rcv.dsack = None
    return TCPOptions(options + sack_option(blocks)) if blocks else options


def send_syn(b: Block, now: int) -> None:
    """SYN, or SYN,ACK once the peer's SYN is there, with the options of section 3.2 and RFC 7323, RFC 2018."""
    settings, rcv = b.settings, b.rcv
    cause, b.syn_due = b.syn_due or None, None
    answer = b.state is not SYN_SENT
    agreed = answer and b.passive  # the SYN,ACK of a simultaneous open offers all that our SYN did, as in Linux
    stamps = (timestamps.clock(b, now), b.ts_recent) if (b.timestamps if agreed else settings.timestamps) else None
    scale = rcv.scale if rcv.offered is None or agreed else rcv.offered
    scaling = rcv.scaling if agreed else settings.window_scaling
    options = syn_options(rcv.mss, scale if scaling else None, b.sack if agreed else settings.sack, stamps)
    text = b""
    fast = b.fast
    if fast is not None:
        if fast.cookie is not None:
            options = TCPOptions(options + fast.option())
            fast.asked = not answer
            fast.cookie = None  # once: who repeats a SYN takes no risks
        if fast.text and b.snd.nxt == b.iss and b.outgoing is not None:
            text = b.outgoing.slice(b.iss + 1, fast.text)
    window = min(rcv.buff, 0xFFFF)  # never scaled in a SYN
    rcv.edge = rcv.nxt + window
    flags, acknowledgment = (SYN | ACK, rcv.nxt) if answer else (SYN, 0)
    flags |= ecn.syn_flags(b, answer)
    if b.ecn is not None:
        options = ecn.with_counters(b, options, 0, syn=True)
    assert b.remote is not None
    emit(
        b,
        _make(
            b.local[1], b.remote[1], b.iss & MASK, acknowledgment & MASK, Sealed, 0, flags, window, Sealed, 0, options
        ),
        text,
        cause,
    )
    rcv.acked = rcv.nxt
    b.ack_now = False
    b.ack_at = NEVER
    if b.snd.nxt == b.iss:
        b.snd.nxt = b.iss + 1 + len(text)
        b.progress = now
        b.rtt.start(b.iss + 1, now)
    else:
        b.rtt.resent(now)
        b.retransmitted += 1
    if b.timer_at == NEVER:
        start_timer(b, now)


def send_reset(b: Block) -> None:
    """The reset that a step asked for."""
    assert b.reset_due is not None
    seq, ack, cause = b.reset_due
    b.reset_due = None
    flags = RST if ack is None else RST | ACK
    assert b.remote is not None
    header = _make(
        b.local[1], b.remote[1], seq & MASK, (ack or 0) & MASK, Sealed, 0, flags, 0, Sealed, 0, _NO_OPTIONS
    )
    emit(b, header, b"", cause)


def send_acknowledgment(b: Block, now: int) -> None:
    """A segment that carries nothing but the acknowledgment."""
    cause, b.ack_cause = b.ack_cause, None
    transmit(b, b.snd.nxt, ACK, b"", cause, now)


def send_again(b: Block, recovery: Recovery, now: int) -> bool:
    """Send lost segments again; False if some must wait for the congestion window."""
    if recovery.mode is Mode.DISORDER:
        return True
    snd, board = b.snd, recovery.board
    if b.sack and recovery.mode is Mode.FAST and (b.outgoing is None or snd.nxt >= b.outgoing.end):
        board.mark_lost(board.highest or snd.una)  # NextSeg rule 3: nothing new to send, so fill every hole
    while (hole := board.next_hole()) is not None:
        seq, right = hole
        size = min(right - seq, segment_room(b), snd.una + snd.wnd - seq)
        if size <= 0:
            return True  # the window shrank: what lies beyond it waits (SHLD-16)
        if not recovery.force and size > b.congestion.cwnd * snd.mss - pipe(b):
            b.limited = True
            return False
        recovery.force = False
        kind = "fast retransmit" if recovery.mode is Mode.FAST else f"retransmission timeout {b.retries}"
        resend(b, seq, size, f"{kind} of {b.relative(seq, size)}", now)
        board.mark_resent(seq + size)
        if seq == snd.una:
            start_timer(b, now)
    return True


def resend(b: Block, seq: int, size: int, cause: str, now: int) -> None:
    """Send [seq, seq + size) again, repackaged; the FIN with it where it stands there."""
    flags = ACK
    end = b.outgoing.end if b.outgoing is not None else seq
    if b.fin is not None and seq + size > b.fin:
        flags |= FIN
        size = b.fin - seq
    text = b.outgoing.slice(seq, size) if b.outgoing is not None and size else b""
    if text and seq + size == end:
        flags |= PSH
    b.rtt.resent(now)
    b.retransmitted += 1
    transmit(b, seq, flags, text, cause, now)


def send_new(b: Block, now: int) -> None:
    """New data and the FIN, as far as both windows, Nagle and the sender's SWS avoidance let them (3.8.6.2.1)."""
    if b.fin is not None:
        return
    snd = b.snd
    buffer = b.outgoing
    end = buffer.end if buffer is not None else snd.nxt
    nxt = snd.una if b.probing else snd.nxt  # a probe's octet goes out again with what follows it
    if nxt == end and not b.fin_queued:
        return
    if nxt == snd.una and b.settings.slow_start_after_idle and now - b.last_sent > b.rtt.rto and b.last_sent:
        b.congestion.event(Happening.WINDOW_RESTART, now)
        b.congestion.cwnd = min(b.congestion.cwnd, b.settings.initial_segments)  # RFC 5681 section 4.1
    first = nxt
    mss = snd.mss if b.held is None and b.rcv.dsack is None else segment_room(b)
    edge = snd.una + snd.wnd
    room = b.congestion.cwnd * snd.mss - (pipe(b) if b.recovery is not None else nxt - snd.una)
    b.limited = False
    while nxt < end:
        size = end - nxt
        if buffer is not None and buffer.records is not None:
            size = buffer.records.before(nxt, end) - nxt  # MSG_EOR: nothing is joined to what ends a record
        if size >= mss:
            size = mss
        elif nxt + size == end and may_wait(b, nxt, now):
            break
        if nxt + size > edge:
            size = usable(b, edge - nxt)
            if not size:
                break
        if size > room:
            b.limited = True
            break
        flags = ACK
        if nxt + size == end:
            flags = ACK | PSH  # nothing more is queued (MUST-61)
            if b.fin_queued and end < edge:
                flags = ACK | PSH | FIN
                b.fin = end
        assert buffer is not None
        transmit(b, nxt, flags, buffer.slice(nxt, size), None, now)
        nxt += size
        room -= size
        if size < mss:
            snd.small = nxt
    if b.fin_queued and b.fin is None and nxt == end and nxt < edge:
        b.fin = nxt
        transmit(b, nxt, ACK | FIN, b"", None, now)
    if b.fin is not None:
        nxt += 1
    if nxt > first:
        sent_new(b, nxt, now)
    elif snd.nxt == snd.una and b.timer_at == NEVER and not b.limited and edge < end + b.fin_queued:
        b.probing = True
        start_timer(b, now)


def sent_new(b: Block, nxt: int, now: int) -> None:
    """New data went out up to `nxt`: advance SND.NXT, start the timers that were off."""
    snd, rtt = b.snd, b.rtt
    if snd.nxt == snd.una or b.probing:
        b.progress = now
    snd.nxt = max(snd.nxt, nxt)
    b.last_sent = now
    b.rcv.quick = 0  # data flows both ways: acknowledgments ride on it
    if rtt.timed_seq is None:
        rtt.start(nxt, now)
    if b.marks is not None:
        b.marks.sent(snd.nxt, now)
    if b.short_of_space and b.settings.not_sent_low_water:
        b.wake_writer()
    if b.probing:
        rtt.restart(b.settings)  # the probes' backoff says nothing about the path
        b.probing = b.stuck = False
        b.retries = 0
        start_timer(b, now)
        if b.poke is not None:
            b.poke(b)  # what was housekeeping is so no longer
    elif b.timer_at == NEVER:
        b.retries = 0
        start_timer(b, now)


def segment_room(b: Block) -> int:
    """The effective send MSS less the SACK option that goes with this segment, where the MSS is not tiny."""
    mss, held = b.snd.mss, b.held
    if not b.sack or mss < _ROOM_FOR_SACK:
        return mss
    blocks = min((len(held) if held is not None else 0) + (b.rcv.dsack is not None), 3 if b.timestamps else 4)
    return mss - (4 + 8 * blocks) if blocks else mss


def may_wait(b: Block, nxt: int, now: int) -> bool:
    """Whether a segment that is not full waits: Nagle's algorithm (SHLD-7), or a cork.

    The algorithm in Minshall's form, as Linux has it (appendix A.3): it waits for small segments only.
    """
    settings, snd = b.settings, b.snd
    if b.fin_queued or snd.up > nxt:
        return False
    if settings.cork or b.more:
        if b.wait_at == NEVER:
            b.wait_at = now + settings.cork_limit
            b.arm(b.wait_at)
        return b.wait_at > now
    return not settings.nodelay and snd.small > snd.una


def usable(b: Block, window: int) -> int:
    """How much of a segment to send into `window` octets that do not hold it: rule 3 of the sender's algorithm."""
    if window > 0 and 2 * window >= b.snd.max_wnd:
        return window
    return 0


def start_timer(b: Block, now: int) -> None:
    """(Re)start the retransmission timer, or the probe timer while `probing` (RFC 6298 section 5)."""
    at = now + b.rtt.rto
    limit = b.settings.user_timeout
    if limit and b.retries:
        at = max(now, min(at, b.progress + limit))
    b.timer_at = at
    if b.deadline is None or at < b.deadline:
        b.arm(at)


def delay_acknowledgment(b: Block, now: int) -> None:
    """The text that came may be acknowledged later (section 3.8.6.3)."""
    delay = b.settings.delayed_ack
    if b.rcv.quick:
        b.rcv.quick -= 1
        b.ack_now = True
    elif not delay:
        b.ack_now = True
    elif b.ack_at == NEVER:
        b.ack_at = now + delay
        b.arm(b.ack_at)


def delayed(b: Block) -> str:
    """Why a delayed ACK goes out."""
    return f"delayed ACK, {show_time(b.settings.delayed_ack)}"
