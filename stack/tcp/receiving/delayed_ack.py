"""When to acknowledge: at once, delayed, or once for many (RFC 9293 section 3.8.6.3, RFC 5681 section 4.2, as Linux does it).

ACKs are not delayed while a peer may be in slow start (`quick`), except on a connection where data is answered by data
(`pingpong`), whose ACKs ride on the answers. The delay `ato` follows the time between segments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND, show_time
from stack.tcp.block import NEVER
from stack.tcp.receiving import window
from stack.tcp.state import CLOSE_WAIT, ESTABLISHED

if TYPE_CHECKING:
    from stack.tcp.block import Block

_TICK = 1 * MILLISECOND  # a jiffy, where there are a thousand in a second
_LONGEST = 200 * MILLISECOND  # TCP_DELACK_MAX
MOST = 16  # TCP_MAX_QUICKACKS
_HALF_SECOND = 500 * MILLISECOND
_FULL_SIZE = 536 + 20  # a segment of this size, header included, may be a full one
_NOT_TINY = 88 + 20
_RETRANSMIT = 3  # duplicate ACKs that go out at once, since a sender without SACK counts them


def text_arrived(b: Block, size: int, pushed: bool, now: int) -> None:
    """Text came in order: it is to be acknowledged, and says how its sender sends (tcp_event_data_recv)."""
    acks, rcv = b.acks, b.rcv
    acks.scheduled = b.ack_check = True
    if size != rcv.full:
        measure(b, size, pushed)
    else:
        acks.last_size = 0
        if pushed:
            acks.pushed |= 1
    if rcv.nxt >= b.sizing.rtt_edge:
        b.sizing.text_arrived(rcv.nxt, rcv.offered, now)
    least = b.settings.delayed_ack
    ato = acks.ato
    if not ato:  # the first data
        quick_mode(b, b.settings.quick_acks)
        acks.ato = least
    else:
        gap = now - acks.heard
        half = least >> 1
        if gap <= half:
            acks.ato = (ato >> 1) + half
        elif gap < ato:
            acks.ato = min((ato >> 1) + gap, b.rtt.rto)
        elif gap > b.rtt.rto:
            quick_mode(b, b.settings.quick_acks)  # the sender was idle, and begins again with a small window
    acks.heard = now
    if size >= 128 and rcv.ssthresh < rcv.clamp:
        window.grow(b, size)


def measure(b: Block, size: int, pushed: bool) -> None:
    """What counts as a full segment (tcp_measure_rcv_mss)."""
    acks, rcv = b.acks, b.rcv
    last, acks.last_size = acks.last_size, 0
    if size >= rcv.full:
        if size != rcv.full:
            window.measure(b, size)
        if pushed:
            acks.pushed |= 1  # the end of a write: its writer may wait for the ACK
        return
    header = 32 if b.timestamps else 20
    if size + header >= _FULL_SIZE or (size + header >= _NOT_TINY and not pushed):
        acks.last_size = size
        if size == last:
            rcv.full = size
            return
    acks.pushed |= 3 if acks.pushed else 1


def quick_mode(b: Block, most: int = MOST) -> None:
    """The next ACKs are not delayed (tcp_incr_quickack)."""
    quick = min(b.rcv.offered // (2 * b.rcv.full) or 2, most)
    if quick > b.acks.quick:
        b.acks.quick = quick


def hurry(b: Block, most: int = MOST) -> None:
    """Something is wrong at the sender: answer it quickly, whoever sends data (tcp_enter_quickack_mode)."""
    quick_mode(b, most)
    b.acks.pingpong = b.acks.answers = 0
    b.acks.ato = b.settings.delayed_ack


def check(b: Block, now: int) -> bool:
    """Text came, and no data went out that acknowledges it: whether to acknowledge at once; else it is delayed
    (__tcp_ack_snd_check)."""
    acks, rcv = b.acks, b.rcv
    b.ack_check = False
    if rcv.nxt - rcv.acked > rcv.full:
        if (b.incoming.size if b.incoming is not None else 0) < b.settings.receive_low_water:
            return True
        selected = window.select(b)
        if selected >= rcv.offered:
            rcv.selected = selected  # for the ACK, which is next
            return True  # more than a full segment, and the window moves on (SHLD-19); else reading brings it out
    if (acks.quick and not acks.pingpong) or not b.settings.delayed_ack:
        return True
    held = b.held
    if held is None or not (len(held) or held.fin is not None):
        return delay(b, now)
    settings = b.settings
    if not b.sack or acks.compressed >= settings.sack_compression_count:
        return True
    if acks.duplicates_at != rcv.nxt:
        acks.duplicates_at, acks.duplicates = rcv.nxt, 0
    if acks.duplicates < _RETRANSMIT:
        acks.duplicates += 1
        return True
    acks.compressed += 1
    b.counters.TCPAckCompressed += 1
    if acks.compressed == 1:
        rtt = b.sizing.rtt >> 3
        if b.rtt.srtt and b.rtt.srtt < rtt:
            rtt = b.rtt.srtt
        _arm(b, min(settings.sack_compression_delay, rtt * settings.sack_compression_percent // 100), now)
    return False


def delay(b: Block, now: int) -> bool:
    """Set the timer of the delayed ACK; True if it is so near that the ACK goes out at once (tcp_send_delayed_ack)."""
    acks, ato, least = b.acks, b.acks.ato, b.settings.delayed_ack
    if ato > least:
        longest = _LONGEST if acks.pingpong or acks.pushed else _HALF_SECOND
        if b.rtt.srtt:
            longest = min(longest, max(b.rtt.srtt, least))
        ato = min(ato, longest)
    ato = min(ato, _LONGEST)
    if b.ack_at != NEVER and b.ack_at <= now + (ato >> 2):
        return True
    if not ato and not acks.pingpong:
        return True
    _arm(b, ato or _TICK, now)  # the ACK of a FIN before which no text came: at Linux's next tick, or with what the program sends
    return False


def _arm(b: Block, delay: int, now: int) -> None:
    if now + delay < b.ack_at:
        b.ack_at = now + delay
        b.acks.delay = delay
        b.arm(b.ack_at)


def expired(b: Block) -> None:
    """The timer went off: nothing else has acknowledged (tcp_delack_timer_handler)."""
    acks = b.acks
    b.ack_at = NEVER
    b.ack_now = True
    if acks.compressed:
        b.counters.TCPAckCompressed -= 1  # one is sent after all
        b.ack_cause = f"{acks.compressed} ACKs as one"
        return
    b.counters.DelayedACKs += 1
    b.ack_cause = f"delayed ACK, {show_time(acks.delay)}"
    if acks.pingpong:
        acks.pingpong = acks.answers = 0
        acks.ato = b.settings.delayed_ack
    else:
        acks.ato = min(acks.ato << 1, b.rtt.rto)


def wanted_by_reader(b: Block, size: int) -> str | None:
    """The program has read `size` octets: why that is a reason to send an ACK, or None (tcp_cleanup_rbuf)."""
    acks, rcv = b.acks, b.rcv
    if acks.scheduled:
        if rcv.nxt - rcv.acked > rcv.full:
            return "two segments were read"
        if size and b.incoming is None and b.held is None and (acks.pushed > 1 or (acks.pushed and not acks.pingpong)):
            return "all was read"
    current = rcv.acked + rcv.offered - rcv.nxt
    if 2 * current <= rcv.clamp and size and not rcv.fin and not b.no_more_reads:
        offered = window.select(b)
        if offered and offered >= 2 * current:
            return "window update"
    return None


def set_quick(b: Block, wanted: int) -> None:
    """TCP_QUICKACK (__tcp_sock_set_quickack)."""
    acks = b.acks
    acks.pingpong = int(not wanted)
    acks.answers = 0
    if wanted and acks.scheduled and b.state in (ESTABLISHED, CLOSE_WAIT):
        acks.pushed |= 1
        cause = wanted_by_reader(b, 1)
        if cause is not None:
            b.ack_now, b.ack_cause = True, cause
        if not wanted & 1:
            acks.pingpong = 1
