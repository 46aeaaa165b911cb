"""Sequence numbers: 32 bits on the wire, plain unwrapped integers inside (RFC 9293 section 3.4).

At the edge `unwrap` puts the number of a segment near RCV.NXT or SND.UNA, and `wrap` takes it back; between them
`snd.una < seg.ack <= snd.nxt` is the RFC's own line, and an integer comparison.
"""

from __future__ import annotations

MASK = 0xFFFFFFFF
_HALF = 0x80000000


def unwrap(number: int, near: int) -> int:
    """The integer congruent to `number` modulo 2**32 that is nearest to `near` (within 2**31 of it)."""
    return near + ((number - near + _HALF & MASK) - _HALF)


def wrap(number: int) -> int:
    """The 32 bits of `number` that go on the wire."""
    return number & MASK
