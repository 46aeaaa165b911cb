"""Text that arrived above a gap, held for later (RFC 9293 section 3.10.7.4, SHLD-31); its runs are SACK blocks (RFC 2018)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

_JOIN = 2048  # neighbouring pieces are joined up to this size: tiny segments cannot grow the number of objects


class Reassembly:
    """Disjoint runs of octets above RCV.NXT, in order. What arrived first stays; overlaps are cut off the newcomer."""

    __slots__ = ("_ends", "_pieces", "_recent", "_starts", "fin")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._pieces: list[list[bytes]] = []
        self._recent: list[int] = []  # octets of the runs that were added to last, the latest first
        self.fin: int | None = None  # where the peer's FIN stands, if it came above a gap

    def __len__(self) -> int:
        return len(self._starts)

    def insert(self, seq: int, text: bytes, limit: int) -> bool:
        """Hold `text` at `seq`; False if it was refused because `limit` runs are held already."""
        starts, ends, pieces = self._starts, self._ends, self._pieces
        end = seq + len(text)
        first = bisect_left(ends, seq)  # runs before it end before the newcomer begins
        last = bisect_right(starts, end)  # runs from it on begin after the newcomer ends
        if first == last:
            if len(starts) >= limit:
                return False
            starts.insert(first, seq)
            ends.insert(first, end)
            pieces.insert(first, [text])
        else:
            merged: list[bytes] = []
            at = seq
            for run in range(first, last):
                if starts[run] > at:
                    _add(merged, text[at - seq : starts[run] - seq])
                if run == first and starts[run] <= seq:
                    merged = pieces[run]  # in place: a long run that grows at its end costs nothing extra
                else:
                    merged.extend(pieces[run])
                at = ends[run]
            if end > at:
                _add(merged, text[at - seq :])
            left, right = min(seq, starts[first]), max(end, ends[last - 1])
            starts[first:last], ends[first:last], pieces[first:last] = [left], [right], [merged]
        self._note(seq)
        return True

    def _note(self, seq: int) -> None:
        recent = self._recent
        if seq in recent:
            recent.remove(seq)
        recent.insert(0, seq)
        del recent[8:]

    def take(self, nxt: int) -> list[bytes]:
        """The pieces that follow `nxt` without a gap; they are held no longer."""
        starts = self._starts
        taken: list[bytes] = []
        while starts and starts[0] <= nxt:
            for piece in self._pieces[0]:
                size = len(piece)
                if starts[0] + size > nxt:
                    taken.append(piece[nxt - starts[0] :] if starts[0] < nxt else piece)
                    nxt = starts[0] + size
                starts[0] += size
            del starts[0], self._ends[0], self._pieces[0]
        return taken

    def blocks(self, count: int) -> list[tuple[int, int]]:
        """Up to `count` runs as SACK blocks, the one that changed last first (RFC 2018 section 4)."""
        order: list[int] = []
        for seq in self._recent:
            run = bisect_right(self._starts, seq) - 1
            if run >= 0 and seq < self._ends[run] and run not in order:
                order.append(run)
                if len(order) == count:
                    break
        return [(self._starts[run], self._ends[run]) for run in order]

    def covers(self, seq: int, end: int) -> bool:
        """Whether [seq, end) is held already, in one run."""
        run = bisect_right(self._starts, seq) - 1
        return run >= 0 and end <= self._ends[run]


def _add(pieces: list[bytes], piece: bytes) -> None:
    if pieces and len(pieces[-1]) + len(piece) <= _JOIN:
        pieces[-1] += piece
    elif piece:
        pieces.append(piece)
