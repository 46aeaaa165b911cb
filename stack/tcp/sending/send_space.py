"""How much more the program may write: the send buffer as Linux counts it (SO_SNDBUF, TCP_NOTSENT_LOWAT; sk_stream_memory_free).

The program's octets lie in pieces, Linux's socket buffers. While there is room a new one is begun, and filled: what is
taken goes past the limit by less than a piece.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.recovery.retransmit_queue import BURST_END
from stack.tcp.sending.burst import LARGEST, burst_size

if TYPE_CHECKING:
    from stack.tcp.block import Block

ROOM_FOR_SACK = 72  # a segment that holds less goes without SACK blocks: they would leave no room for text
_OVERHEAD = 896  # of a piece: its bookkeeping and its head (tcp_stream_alloc_skb)
_MANY = 32
_INITIAL_WINDOW = 10  # TCP_INIT_CWND
_HEADERS = 320 + 320  # MAX_TCP_HEADER, and struct skb_shared_info at the end of a frame's memory
_SOCKET_BUFFER = 256  # struct sk_buff
_SMALL_WINDOW = 536  # TCP_MSS_DEFAULT


def sack_octets(b: Block, mss: int) -> int:
    """What the SACK option takes from a segment of `mss` octets that is sent now."""
    held = b.held
    if not b.sack or mss < ROOM_FOR_SACK:
        return 0
    blocks = min((len(held.sacks) if held is not None else 0) + (b.rcv.dsack is not None), 3 if b.timestamps else 4)
    return 4 + 8 * blocks if blocks else 0


def piece_size(b: Block, mss: int) -> int:
    """The most that a piece holds: whole segments, and no more than half the largest window (tcp_xmit_size_goal)."""
    most = b.snd.max_wnd
    half = most >> 1 if most > _SMALL_WINDOW else most
    size = min(LARGEST, half) if half else LARGEST
    return max(size // mss * mss, mss)


def not_sent(b: Block) -> int:
    """Octets that are queued and were never sent."""
    return max(0, b.outgoing.end - b.snd.nxt) if b.outgoing is not None else 0


def expand(b: Block) -> None:
    """An autotuned send buffer grows with the congestion window: twice what it takes were each segment a socket buffer of
    its own, in memory of a power of two, and never shrinks (tcp_sndbuf_expand)."""
    settings = b.settings
    if settings.fixed_send_buffer:
        return
    segments = max(_INITIAL_WINDOW, b.congestion.cwnd, b.recovery.reordering + 1)
    frame = max(b.peer_mss, b.snd.mss) + _HEADERS
    size = min(2 * segments * ((1 << (frame - 1).bit_length()) + _SOCKET_BUFFER), settings.send_buffer_max)
    if b.send_memory < size:
        b.send_memory = size


def limit(b: Block) -> int:
    """The size of the send buffer, with overhead: autotuned, or twice what SO_SNDBUF fixed (sk_sndbuf)."""
    return 2 * b.settings.send_buffer if b.settings.fixed_send_buffer else b.send_memory


def queued(b: Block) -> int:
    """How much of the limit is in use: the octets, and the overhead of the pieces that wait and of the bursts that were sent
    (sk_wmem_queued). Of many, the bursts are not counted but reckoned: this is asked with every ACK."""
    buffer = b.outgoing
    if buffer is None:
        return 0
    records = b.rtx.records
    count = len(b.pieces) if b.pieces is not None else 0
    if len(records) > _MANY:
        count -= -len(records) // burst_size(b, b.snd.mss)
    else:
        for record in records:
            count += record.marks & BURST_END > 0
    return buffer.end - buffer.start + count * _OVERHEAD


def free(b: Block) -> bool:
    """Another piece may be begun (sk_stream_memory_free)."""
    low_water = b.settings.not_sent_low_water
    return queued(b) < limit(b) and (not low_water or not_sent(b) < low_water)


def has_room(b: Block) -> bool:
    """Whoever waits to write is woken: a third of the buffer is free, and half of what may wait unsent, as in Linux."""
    low_water = b.settings.not_sent_low_water
    if low_water and 2 * not_sent(b) >= low_water:
        return False
    used = queued(b)
    return limit(b) - used >= used >> 1


def check(b: Block) -> None:
    """The program waits for room, and an ACK came: perhaps there is some, or the buffer grows (tcp_check_space)."""
    expand(b)
    b.wake_writer()
