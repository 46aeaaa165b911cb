"""The send buffer and the receive buffer of a connection, in chunks: taking a segment costs its own length only."""

from __future__ import annotations

from bisect import bisect_right

from stack.tcp.receiving.memory import collapsed, cost, truesize

_SMALL = 4096  # writes are joined up to this size, so that a thousand tiny ones do not make a thousand chunks


class SendBuffer:
    """Octets queued and not yet acknowledged, at their (unwrapped) sequence numbers: [start, end)."""

    __slots__ = ("_at", "_chunks", "_starts", "end", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.end = start
        self._chunks: list[bytes] = []
        self._starts: list[int] = []
        self._at = 0  # the chunk where the last slice began

    def __len__(self) -> int:
        return self.end - self.start

    def append(self, data: bytes) -> None:
        """Queue data."""
        chunks = self._chunks
        if chunks and len(chunks[-1]) + len(data) <= _SMALL:
            chunks[-1] += data
        else:
            chunks.append(data)
            self._starts.append(self.end)
        self.end += len(data)

    def slice(self, seq: int, size: int) -> bytes:
        """`size` octets from `seq` on, all of them in the buffer."""
        at = self._at
        chunks, starts = self._chunks, self._starts
        offset = -1
        if at < len(starts):
            offset = seq - starts[at]
        if offset < 0 or offset >= len(chunks[at]):
            at = self._at = bisect_right(starts, seq) - 1
            offset = seq - starts[at]
        piece = chunks[at][offset : offset + size]
        missing = size - len(piece)
        if not missing:
            return piece
        pieces = [piece]
        while missing > 0:
            at += 1
            piece = chunks[at][:missing]
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def release(self, una: int) -> None:
        """Forget what lies before `una`: it was acknowledged."""
        self.start = una
        starts = self._starts
        if len(starts) > 1 and starts[1] <= una:
            count = bisect_right(starts, una) - 1
            del starts[:count], self._chunks[:count]
            self._at = max(0, self._at - count)
        if una >= self.end:
            starts.clear()
            self._chunks.clear()
            self._at = 0


class ReceiveBuffer:
    """Octets received in order and not yet read; `memory` is what they take of the receive buffer."""

    __slots__ = ("_chunks", "_first", "memory", "size")

    def __init__(self, text: bytes) -> None:
        size = len(text)
        self._chunks = [text]
        self._first = 0  # octets of the first chunk that were read
        self.size = size
        self.memory = cost(size)[0]

    def append(self, text: bytes) -> None:
        """Add what was received next: behind what came last if it fits there (tcp_try_coalesce)."""
        chunks = self._chunks
        size = len(text)
        if chunks and size <= cost(len(chunks[-1]))[1]:
            chunks[-1] += text
        else:
            chunks.append(text)
            self.memory += cost(size)[0]
        self.size += size

    def collapse(self) -> int:
        """Pack what is here without gaps, since memory is short; how many segments that joined."""
        count = len(self._chunks)
        self._chunks = [b"".join(self._chunks)[self._first :]]
        self._first = 0
        self.memory = collapsed(self.size)
        return count if count > 1 else 0

    def take(self, limit: int, peek: bool = False) -> bytes:
        """Up to `limit` octets; `peek` leaves them."""
        chunks, first = self._chunks, self._first
        if limit >= self.size:
            data = b"".join(chunks)[first:] if first else b"".join(chunks) if len(chunks) != 1 else chunks[0]
            if not peek:
                chunks.clear()
                self._first = 0
                self.size = self.memory = 0
            return data
        pieces = []
        missing = limit
        count = 0
        for chunk in chunks:
            piece = chunk[first : first + missing]
            pieces.append(piece)
            missing -= len(piece)
            if first + len(piece) < len(chunk):
                first += len(piece)
                break
            first = 0
            count += 1
            if not missing:
                break
        if not peek:
            if count:
                self.memory = max(self.memory - sum([truesize(len(chunk)) for chunk in chunks[:count]]), truesize(0))
                del chunks[:count]
            self._first = first
            self.size -= limit
        return b"".join(pieces)
