"""How much more the program may write: the send buffer as Linux counts it (SO_SNDBUF, TCP_NOTSENT_LOWAT; sk_stream_memory_free).

The program's octets lie in pieces, Linux's socket buffers. While there is room a new one is begun, and filled: what is
taken goes past the limit by less than a piece.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.sending.burst import LARGEST

if TYPE_CHECKING:
    from stack.tcp.block import Block

ROOM_FOR_SACK = 72  # a segment that holds less goes without SACK blocks: they would leave no room for text
_OVERHEAD = 896  # of a piece: its bookkeeping and its head (tcp_stream_alloc_skb)
_SMALL_WINDOW = 536  # TCP_MSS_DEFAULT


def sack_octets(b: Block, mss: int) -> int:
    """What the SACK option takes from a segment of `mss` octets that is sent now."""
    held = b.held
    if not b.sack or mss < ROOM_FOR_SACK:
        return 0
    blocks = min((len(held) if held is not None else 0) + (b.rcv.dsack is not None), 3 if b.timestamps else 4)
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


def limit(b: Block) -> int:
    """The size of the send buffer: twice the congestion window when autotuning, or what SO_SNDBUF fixed, with overhead."""
    settings = b.settings
    if settings.fixed_send_buffer:
        return 2 * settings.send_buffer
    size = 2 * b.congestion.cwnd * b.snd.mss
    if size < settings.send_buffer:
        size = settings.send_buffer
    return size if size < settings.send_buffer_max else settings.send_buffer_max


def queued(b: Block) -> int:
    """How much of the limit is in use: with the overhead of pieces where SO_SNDBUF, whose double allows for it, fixed it."""
    size = len(b.outgoing) if b.outgoing is not None else 0
    if not size or not b.settings.fixed_send_buffer:
        return size
    return size - -size // piece_size(b, b.snd.mss) * _OVERHEAD


def room(b: Block) -> int:
    """Octets that send() would take."""
    settings = b.settings
    spare = limit(b) - queued(b)
    low_water = settings.not_sent_low_water
    if not low_water and not settings.fixed_send_buffer:
        return spare
    largest = piece_size(b, b.snd.mss - sack_octets(b, b.snd.mss))
    pieces = b.pieces
    last = 0  # what still fits into the last piece, which no limit forbids
    if pieces and not pieces[-1].record:
        last = max(0, largest - (pieces[-1].end - (pieces[-2].end if len(pieces) > 1 else b.snd.nxt)))
    if spare <= last or (low_water and not_sent(b) + last >= low_water):
        return last
    return last + (largest if low_water else -(-(spare - last) // (largest + _OVERHEAD)) * largest)


def has_room(b: Block) -> bool:
    """Whoever waits to write is woken: a third of the buffer is free, and half of what may wait unsent, as in Linux."""
    settings = b.settings
    low_water = settings.not_sent_low_water
    if low_water and 2 * not_sent(b) >= low_water:
        return False
    most = limit(b)
    buffer = b.outgoing
    if buffer is not None and not settings.fixed_send_buffer:
        return most - (buffer.end - buffer.start) >= most // 3
    return most - queued(b) >= most // 3
