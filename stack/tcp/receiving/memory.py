"""What a received segment costs of the receive buffer: its octets, the buffer around them, the bookkeeping (Linux's `truesize`).

SO_RCVBUF and tcp_rmem count this memory, so that a peer cannot fill a host with tiny segments, and the window follows
from it. The figures are those of a driver that copies each segment into memory of its own, as Linux's TUN device and
most Ethernet drivers do: a head of up to a page from the allocator's size classes, whole pages for what is longer.
"""

from __future__ import annotations

from functools import lru_cache

_PAGE = 4096
_BOOKKEEPING = 256  # struct sk_buff, aligned
_SHARED = 320  # struct skb_shared_info, at the end of the head
_AHEAD = 64  # room before the packet (NET_SKB_PAD)
_HEADERS = 40  # of IP and TCP, without options
_CLASSES = (640, 1024, 2048, 4096, 8192)  # of the allocator
_LINEAR = _PAGE - _AHEAD - _SHARED  # octets of a packet that go into a head of one page
_COLLAPSED = _PAGE - _SHARED


@lru_cache(maxsize=4096)
def cost(size: int) -> tuple[int, int]:
    """Octets of memory that a segment with `size` octets of text takes, and how many still fit behind the text in them: what
    follows is copied there for nothing.
    """
    packet = _HEADERS + size
    if _AHEAD + packet >= _PAGE:
        return _BOOKKEEPING + _PAGE + -(-(packet - _LINEAR) // _PAGE) * _PAGE, 0
    needed = -(-(_AHEAD + packet) // 64) * 64 + _SHARED
    head = next(size for size in _CLASSES if size >= needed)
    return _BOOKKEEPING + head, head - _SHARED - _AHEAD - packet


def truesize(size: int) -> int:
    """Octets of memory that a segment with `size` octets of text takes."""
    return cost(size)[0]


def collapsed(size: int) -> int:
    """The memory of `size` octets once they are packed without gaps (tcp_collapse)."""
    return -(-size // _COLLAPSED) * (_PAGE + _BOOKKEEPING)
