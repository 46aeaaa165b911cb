"""Buffers given without a copy (MSG_ZEROCOPY): a segment is made of so many of them at most (skb_zerocopy_iter_stream)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.socket.numbers import MSG_EOR, MSG_ZEROCOPY, SO_ZEROCOPY, SOL_SOCKET

if TYPE_CHECKING:
    from stack.socket.stream import Stream

MOST = 17  # MAX_SKB_FRAGS


def too_many(stream: Stream, buffers: list[bytes], flags: int) -> bool:
    """Whether the buffers of one call have to be shared out. Linux counts the pages that they lie in: here each is in one."""
    connection = stream.connection
    asked = flags & MSG_ZEROCOPY and len(buffers) > MOST and stream.option(SOL_SOCKET, SO_ZEROCOPY)
    return bool(asked and connection is not None and not connection.opening)


def send(stream: Stream, buffers: list[bytes], flags: int) -> int | None:
    """What `Stream.send` does, in parts that no segment reaches across; told of as one."""
    total = 0
    plain = flags & ~MSG_ZEROCOPY
    for at in range(0, len(buffers), MOST):
        part = b"".join(buffers[at : at + MOST])
        taken = stream.send(part, plain | MSG_EOR if at + MOST < len(buffers) else plain, None)
        total += taken or 0
        if taken != len(part):
            break
    if total and stream.connection is not None:
        stream.transmit_reports().zerocopy(stream.connection, stream.node.now)
    return total or None
