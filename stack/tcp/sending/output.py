"""The only maker of segments: their acknowledgment, window and options (RFC 9293 sections 3.7.1, 3.8.6 and 3.10.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.codec.fields import Sealed
from stack.tcp.block import NEVER
from stack.tcp.congestion import ecn
from stack.tcp.congestion.accurate_ecn import OCTETS
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.receiving import timestamps, window
from stack.tcp.recovery.timer import start_timer
from stack.tcp.segment import ACK, RST, SYN, URG, sack_option, syn_options
from stack.tcp.sending.send_space import ROOM_FOR_SACK, sack_octets
from stack.tcp.seq import MASK
from stack.tcp.signing.md5 import MD5_KIND
from stack.tcp.state import SYN_SENT

if TYPE_CHECKING:
    from stack.tcp.block import Block

_NO_OPTIONS = TCPOptions()
_make = TCP.of


def transmit(b: Block, seq: int, flags: int, text: bytes, cause: str | None, now: int) -> TCP:
    """Make one segment of a synchronized connection, with the acknowledgment and window of this moment."""
    rcv = b.rcv
    field = window.offer(b)
    options = timestamps.options(b, now) if b.timestamps else _NO_OPTIONS
    first, duplicate = options, rcv.dsack
    if b.sack and (b.held is not None or rcv.dsack is not None):
        options = with_sack(b, options, len(text))
    if b.ecn is not None:
        options = ecn.with_counters(b, first, options, len(text), duplicate[0] if duplicate is not None else None, now)
        flags |= ecn.outgoing(b, seq, len(text))
    urgent = 0
    if b.snd.up > seq and b.snd.up > b.snd.una:
        flags |= URG
        urgent = min(b.snd.up - seq, 0xFFFF)
    remote = b.remote
    assert remote is not None
    header: TCP = _make(
        b.local[1], remote[1], seq & MASK, rcv.nxt & MASK, Sealed, 0, flags,
        field, Sealed, urgent, options,
    )  # fmt: skip
    if b.sink is not None and b.signature is None:
        b.sink(b, header, text, cause)
    else:
        emit(b, header, text, cause)
    b.stamped = now
    b.segments_out += 1
    b.ack_now = b.ack_check = False
    b.ack_at = NEVER
    acks = b.acks
    if acks.scheduled:
        acks.scheduled = acks.no_memory = False
        acks.pushed = acks.compressed = 0
        if acks.quick:
            acks.quick -= 1
            if not acks.quick:
                acks.ato = b.settings.delayed_ack
    if text and not acks.pingpong and now - acks.heard < acks.ato:
        answered(b)
    return header


def is_plain(b: Block) -> bool:
    """Segments that go out as one buffer differ in nothing but number, flags and text."""
    return (
        b.ecn is None and b.signature is None and b.sink is not None and b.held is None and b.rcv.dsack is None
        and b.rcv.scale > 0 and b.snd.up <= b.snd.una
    )  # fmt: skip


def transmit_next(b: Block, before: TCP, seq: int, flags: int, text: bytes, cause: str | None, now: int) -> None:
    """One segment more of those that go out as one buffer: as the one before, of which nothing depends on its number or text."""
    header = _make(
        before.source, before.destination, seq & MASK, before.acknowledgment, Sealed, 0, flags,
        before.window, Sealed, 0, before._options,
    )  # fmt: skip
    assert b.sink is not None
    b.sink(b, header, text, cause)
    b.segments_out += 1
    acks = b.acks
    if not acks.pingpong and now - acks.heard < acks.ato:
        answered(b)


def answered(b: Block) -> None:
    """Data goes out soon after data came in: it is an answer (tcp_event_data_sent)."""
    acks = b.acks
    acks.answers += 1
    acks.pingpong = int(acks.answers >= b.settings.pingpong_threshold)


def emit(b: Block, header: TCP, text: bytes, cause: str | None) -> None:
    """Hand a segment down, signed if it is to be."""
    if b.settings.local_congestion:
        return
    if b.signature is not None:
        header = b.signature.sign(b, header, text)
    if b.sink is not None:
        b.sink(b, header, text, cause)
    elif b.outbox is None:
        b.outbox = [(header, text, cause)]
    else:
        b.outbox.append((header, text, cause))


def with_sack(b: Block, options: TCPOptions, size: int) -> TCPOptions:
    """Add what is held above the gap, after a report of a duplicate (RFC 2018 section 4, RFC 2883).

    As many blocks as fit beside `size` octets of text: what the path does not carry would not leave the host.
    """
    room = min(3 if options else 4, (b.snd.mss - size - 4) // 8)
    if b.signature is not None:
        room = min(room, (36 - b.signature.size - len(options)) // 8)
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
    stamping = b.timestamps if agreed else settings.timestamps and (b.signature is None or b.signature.kind != MD5_KIND)
    stamps = (timestamps.clock(b, now), b.ts_recent) if stamping else None
    scale = rcv.scale if rcv.scale_offered is None or agreed else rcv.scale_offered
    scaling = rcv.scaling if agreed else settings.window_scaling
    options = syn_options(rcv.mss, scale if scaling else None, b.sack if agreed else settings.sack, stamps)
    text = b""
    fast = b.fast
    if fast is not None:
        if fast.cookie is not None and len(options) + len(fast.option()) <= 40 - (b.signature.size if b.signature is not None else 0):
            options = TCPOptions(options + fast.option())
            fast.asked = not answer
            fast.cookie = None  # once: who repeats a SYN takes no risks
        if fast.text and b.snd.nxt == b.iss and b.outgoing is not None:
            text = b.outgoing.slice(b.iss + 1, fast.text)
    if fast is not None and fast.child and not fast.window:
        fast.window = rcv.offered
    # Never scaled in a SYN, and repeated as it was though a child of fast open may have offered another since
    field = min(rcv.offered if fast is None else fast.window or rcv.offered, 0xFFFF)
    rcv.edge = rcv.nxt + rcv.offered
    flags, acknowledgment = (SYN | ACK, rcv.nxt) if answer else (SYN, 0)
    flags |= ecn.syn_flags(b, answer)
    if b.ecn is not None:
        options = ecn.in_synack(b, options)
    assert b.remote is not None
    emit(
        b,
        _make(
            b.local[1], b.remote[1], b.iss & MASK, acknowledgment & MASK, Sealed, 0, flags, field, Sealed, 0, options
        ),
        text,
        cause,
    )
    b.segments_out += not b.passive  # a SYN,ACK is the listener's
    b.data_segments_out += text != b""
    counters = b.counters
    counters.OutSegs += b.passive
    rcv.acked = rcv.nxt
    b.ack_now = False
    b.ack_at = NEVER
    if b.snd.nxt == b.iss:
        b.snd.nxt = b.iss + 1 + len(text)
        b.progress = now
        b.rtt.start(b.iss + 1, now)
        counters.TCPOrigDataSent += text != b""
    else:
        counters.OutSegs -= not b.passive  # a SYN,ACK that is repeated counts, as in Linux
        count_again(b, answer, now)
    if b.timer_at == NEVER:
        start_timer(b, now)


def count_again(b: Block, answer: bool, now: int) -> None:
    """A SYN goes out again, unless this is the first SYN,ACK of a simultaneous open, whose answer is timed."""
    if answer and not b.passive and not b.retries:
        b.rtt.start(b.iss + 1, now)
        return
    b.rtt.resent(now)
    b.retransmitted += 1
    b.counters.RetransSegs += 1
    b.counters.TCPSynRetrans += 1


def send_reset(b: Block) -> None:
    """The reset that a step asked for: it answers a segment, and has nothing but numbers (tcp_v4_send_reset)."""
    assert b.reset_due is not None
    seq, ack, cause = b.reset_due
    b.reset_due = None
    flags = RST if ack is None else RST | ACK
    assert b.remote is not None
    header = _make(
        b.local[1], b.remote[1], seq & MASK, (ack or 0) & MASK, Sealed, 0, flags, 0, Sealed, 0, _NO_OPTIONS
    )
    b.counters.OutSegs += 1
    b.counters.OutRsts += 1
    emit(b, header, b"", cause)


def send_active_reset(b: Block, cause: str | None, now: int) -> None:
    """The reset of a connection that is given up here: a segment like any, with its window and options (tcp_send_active_reset)."""
    b.counters.OutRsts += 1
    transmit(b, acceptable(b), RST | ACK, b"", cause, now)


def send_acknowledgment(b: Block, now: int) -> None:
    """A segment that carries nothing but the acknowledgment."""
    cause, b.ack_cause = b.ack_cause, None
    transmit(b, acceptable(b), ACK, b"", cause, now)


def acceptable(b: Block) -> int:
    """The number of a segment without text: SND.NXT, but inside the window if the peer took some of it back (tcp_acceptable_seq)."""
    snd = b.snd
    beyond = snd.nxt - snd.una - snd.wnd
    return snd.nxt if beyond <= 0 or (b.rcv.scaling and beyond < 1 << b.rcv.scale) else snd.nxt - beyond


def send_half_open_acknowledgment(b: Block, cause: str, now: int) -> None:
    """The answer to what does not open a half-open connection: its window is still that of the SYN,ACK (tcp_v4_reqsk_send_ack)."""
    assert b.remote is not None
    header = _make(
        b.local[1], b.remote[1], b.snd.nxt & MASK, b.rcv.nxt & MASK, Sealed, 0, ACK, min(b.rcv.offered, 0xFFFF) >> b.rcv.scale, Sealed, 0,
        timestamps.options(b, now) if b.timestamps else _NO_OPTIONS,
    )  # fmt: skip
    emit(b, header, b"", cause)


def segment_room(b: Block, now: int) -> int:
    """The effective send MSS less the options of accurate ECN and SACK that go with this segment, where the MSS is not tiny."""
    mss = b.snd.mss
    if b.ecn is not None and mss > ROOM_FOR_SACK and ecn.sends_option(b, now):
        mss -= OCTETS
    return mss - sack_octets(b, mss)
