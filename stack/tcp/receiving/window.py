"""The receive window: how much is offered, and what is taken in (RFC 9293 section 3.8.6.2.2, as Linux does it).

Memory and window are two measures of the buffer: `ratio`, in 1/256, is how much of the memory is text in what this peer
sends. RCV.SSTHRESH is how much of that is offered at most: it grows with each segment that is worth its memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.receiving.memory import truesize

if TYPE_CHECKING:
    from stack.tcp.block import Block, Receive

_SHIFT = 8  # TCP_RMEM_TO_WIN_SCALE
_LARGEST = 0xFFFF << 14  # the window that the greatest scale can say
_SIGNED = 32_767  # MAX_TCP_WINDOW
_LEAST_CLAMP = 1152  # SOCK_MIN_RCVBUF / 2
_MSS_DEFAULT, _MSS_LEAST = 536, 88
_TIMESTAMPS = 12  # octets of the timestamps option, aligned


def room(rcv: Receive, memory: int) -> int:
    """The octets of text that so much memory holds (tcp_win_from_space)."""
    return memory * rcv.ratio >> _SHIFT


def used(b: Block) -> int:
    """The memory of what was received and not yet read (sk_rmem_alloc)."""
    memory = 0
    if b.incoming is not None:
        memory = b.incoming.memory
    return memory if b.held is None else memory + b.held.memory


def begin(b: Block, mss: int, scaling: bool) -> None:
    """The window and the scale of our SYN: whole segments of half the buffer (tcp_select_initial_window)."""
    rcv, settings = b.rcv, b.settings
    space, clamp = room(rcv, rcv.buff), settings.window_clamp
    if settings.fixed_receive_buffer and not 0 < clamp <= space:
        clamp = space
    clamp = clamp or _LARGEST
    space = min(clamp, space)
    if space > mss:
        space -= space % mss
    rcv.scale = 0
    if scaling:
        largest = min(max(space, settings.receive_buffer_max, settings.receive_buffer_limit), clamp)
        rcv.scale = min(max(largest.bit_length() - 16, 0), 14)
    rcv.clamp = min(0xFFFF << rcv.scale, clamp)
    if settings.initial_receive_segments:
        space = min(space, settings.initial_receive_segments * mss)
    rcv.offered = rcv.ssthresh = min(space, _SIGNED) if settings.signed_windows else space
    rcv.edge = rcv.nxt + rcv.offered


def established(b: Block, now: int) -> None:
    """The SYNs have met: the first guess of the peer's segment size, and what is kept in reserve (tcp_init_buffer_space)."""
    rcv, settings = b.rcv, b.settings
    less = _TIMESTAMPS if b.timestamps else 0
    mss = rcv.advmss = rcv.mss - less
    rcv.full = max(min(rcv.advmss, b.snd.mss, rcv.offered // 2, _MSS_DEFAULT), _MSS_LEAST)
    full, reserve = room(rcv, rcv.buff), settings.application_window
    if rcv.clamp >= full:
        rcv.clamp = full
        if reserve and full > 4 * mss:
            rcv.clamp = max(full - (full >> reserve), 4 * mss)
    if reserve and rcv.clamp > 2 * mss and rcv.clamp + mss > full:
        rcv.clamp = max(2 * mss, full - mss)
    rcv.ssthresh = min(rcv.ssthresh, rcv.clamp)
    b.sizing.begin(min(rcv.ssthresh, rcv.offered, 10 * mss), rcv.nxt, now)


def offer(b: Block) -> int:
    """The window field of a segment that is sent now; what it says is not taken back (SHLD-14; tcp_select_window)."""
    rcv = b.rcv
    nxt, scale = rcv.nxt, rcv.scale
    if b.acks.no_memory:
        rcv.offered = 0
        rcv.acked = nxt
        return 0
    current = rcv.acked + rcv.offered - nxt
    window = rcv.selected
    if window is not None:
        rcv.selected = None
    elif current >= rcv.ssthresh > 0 and b.incoming is None and b.held is None and scale and not b.settings.shrink_window:
        window = -(-current >> scale) << scale  # no more than RCV.SSTHRESH would be selected: what was offered stays
    else:
        window = select(b)
    if window < current and not (b.settings.shrink_window and scale):
        if not window and (b.incoming is not None or b.held is not None):
            b.counters.TCPWantZeroWindowAdv += 1
        # Rounded up: what was offered is not taken back by the scale (RFC 7323 section 2.4).
        window = -(-current >> scale) << scale
    field = window >> scale
    if not field or not rcv.offered:
        b.counters.TCPToZeroWindowAdv += rcv.offered > 0
        b.counters.TCPFromZeroWindowAdv += field > 0
    rcv.offered = window
    rcv.acked = nxt
    if nxt + window > rcv.edge:
        rcv.edge = nxt + window
    if field > _SIGNED:
        field = min(field, _SIGNED if b.settings.signed_windows and not scale else 0xFFFF)
    return field


def select(b: Block) -> int:
    """The window to offer now, if nothing had been offered before (__tcp_select_window)."""
    rcv = b.rcv
    memory = buff = rcv.buff
    if b.incoming is not None:
        memory -= b.incoming.memory
    if b.held is not None:
        memory -= b.held.memory
    ratio, scale, mss, full = rcv.ratio, rcv.scale, rcv.full, rcv.clamp
    free, allowed = memory * ratio >> _SHIFT, buff * ratio >> _SHIFT
    if allowed < full:
        full = allowed
    if mss > full:
        mss = full
        if mss <= 0:
            return 0
    shrinks = scale and b.settings.shrink_window
    if shrinks:
        free = free >> scale << scale
    if free < full >> 1:
        b.acks.quick = 0
        free = free >> scale << scale
        # Too little for a segment, or for another round trip: shut the window before memory runs out
        if free < allowed >> 4 or free < mss or (shrinks and free < 1 << scale):
            return 0
    if free > rcv.ssthresh:
        free = rcv.ssthresh
    if scale:
        return -(-free >> scale) << scale
    window = rcv.offered
    if window <= free - mss or window > free:
        return free // mss * mss  # whole segments, and no small steps: the receiver's SWS avoidance (MUST-39)
    if mss == full and free > window + (full >> 1):
        return free
    return window


def measure(b: Block, size: int) -> None:
    """The segment is as large as any before: learn the peer's segment size, and what its text costs (tcp_measure_rcv_mss)."""
    rcv = b.rcv
    whole = size
    if size > b.settings.offload_segment > 0:
        size = b.settings.offload_segment
    if size != rcv.full:
        ratio = max((whole << _SHIFT) // truesize(whole), 1)
        if ratio != rcv.ratio:
            rcv.ratio = ratio
            clamp(b, room(rcv, rcv.buff))
            b.sizing.space = min(b.sizing.space, rcv.clamp)
    rcv.full = min(size, rcv.advmss)


def clamp(b: Block, window: int) -> None:
    """No larger window than this is offered from now on (TCP_WINDOW_CLAMP)."""
    rcv = b.rcv
    window = max(window, _LEAST_CLAMP)
    if window == rcv.clamp:
        return
    shrinks = window < rcv.clamp
    rcv.clamp = window
    rcv.ssthresh = min(rcv.ssthresh, window) if shrinks else max(min(rcv.offered, window), rcv.ssthresh)


def grow(b: Block, size: int) -> None:
    """A segment came that is worth its memory: more may be offered (tcp_grow_window)."""
    rcv = b.rcv
    memory = b.incoming.memory if b.incoming is not None else 0
    if b.held is not None:
        memory += b.held.memory
    free = (rcv.buff - memory) * rcv.ratio >> _SHIFT
    spare = (free if free < rcv.clamp else rcv.clamp) - rcv.ssthresh
    if spare <= 0:
        return
    cost = room(rcv, truesize(size))
    if cost <= size:
        more = 2 * rcv.advmss
    else:
        more = 0
        cost >>= 1
        most = room(rcv, b.settings.receive_buffer_max) >> 1
        while rcv.ssthresh <= most:
            if cost <= size:
                more = 2 * rcv.full
                break
            cost >>= 1
            most >>= 1
    if more:
        rcv.ssthresh += min(spare, max(more, 2 * size))
        b.acks.quick |= 1


def takes(b: Block, seq: int, size: int) -> bool:
    """Whether there is memory for a segment with `size` octets at `seq`, made if need be (tcp_try_rmem_schedule)."""
    if used(b) + size <= b.rcv.buff:
        return True
    return used(b) > 0 and _prune(b, seq, size)


def _prune(b: Block, seq: int, size: int) -> bool:
    """Memory is short: a larger buffer, what is here packed tightly, then what is above a gap given up (tcp_prune_queue)."""
    rcv, settings = b.rcv, b.settings
    counters = b.counters
    counters.PruneCalled += 1
    b.acks.quick = 0
    if rcv.buff < settings.receive_buffer_max and not settings.fixed_receive_buffer:
        rcv.buff = max(rcv.buff, min(used(b), settings.receive_buffer_max))
    if used(b) > rcv.buff:
        rcv.ssthresh = min(rcv.clamp, 2 * rcv.advmss)
    if used(b) + size <= rcv.buff:
        return True
    if b.held is not None:
        counters.TCPRcvCollapsed += b.held.collapse()
    if b.incoming is not None:
        counters.TCPRcvCollapsed += b.incoming.collapse()
    pruned = False
    while used(b) + size > rcv.buff:
        if b.held is None or not b.held.prune(seq):
            counters.RcvPruned += 1
            return False
        if not pruned:
            counters.OfoPruned += 1
            pruned = True
    return True
