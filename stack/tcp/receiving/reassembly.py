"""Text that arrived above a gap, held for later (RFC 9293 section 3.10.7.4, SHLD-31), and what SACK says of it (RFC 2018)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from stack.tcp.receiving.memory import collapsed, cost, truesize

_BLOCKS = 4  # TCP_NUM_SACKS: as many as a header without timestamps can tell


class Reassembly:
    """Disjoint runs of octets above RCV.NXT, in order. What arrived first stays; overlaps are cut off the newcomer.

    `sacks` are the blocks to report, kept apart from the runs as in Linux: the one that changed last is first, and
    the fifth is forgotten until its run changes again. `memory` is what the runs take of the receive buffer.
    """

    __slots__ = ("_ends", "_pieces", "_starts", "fin", "memory", "sacks")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._pieces: list[list[bytes]] = []
        self.sacks: list[tuple[int, int]] = []
        self.memory = 0
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
            self.memory += truesize(len(text))
        else:
            merged: list[bytes] = []
            at = seq
            for run in range(first, last):
                if starts[run] > at:
                    self._add(merged, text[at - seq : starts[run] - seq])
                if run == first and starts[run] <= seq:
                    merged = pieces[run]  # in place: a long run that grows at its end costs nothing extra
                else:
                    merged.extend(pieces[run])
                at = ends[run]
            if end > at:
                self._add(merged, text[at - seq :])
            left, right = min(seq, starts[first]), max(end, ends[last - 1])
            starts[first:last], ends[first:last], pieces[first:last] = [left], [right], [merged]
        return True

    def _add(self, pieces: list[bytes], piece: bytes) -> None:
        if pieces and len(piece) <= cost(len(pieces[-1]))[1]:
            pieces[-1] += piece
        elif piece:
            pieces.append(piece)
            self.memory += truesize(len(piece))

    def take(self, nxt: int) -> list[bytes]:
        """The pieces that follow `nxt` without a gap; they are held no longer."""
        starts = self._starts
        taken: list[bytes] = []
        while starts and starts[0] <= nxt:
            for piece in self._pieces[0]:
                size = len(piece)
                self.memory -= truesize(size)
                if starts[0] + size > nxt:
                    taken.append(piece[nxt - starts[0] :] if starts[0] < nxt else piece)
                    nxt = starts[0] + size
                starts[0] += size
            del starts[0], self._ends[0], self._pieces[0]
        self.memory = max(self.memory, 0) if starts else 0
        self.sacks = [block for block in self.sacks if block[0] > nxt] if starts or self.fin is not None else []
        return taken

    def distant(self, seq: int, end: int) -> bool:
        """Whether [seq, end) belongs to none of the two blocks that changed last."""
        for at, (left, right) in enumerate(self.sacks):
            if seq <= right and left <= end:
                return at >= 2
        return len(self.sacks) >= 2

    def note(self, seq: int, end: int) -> None:
        """The block [seq, end) has come: it, with those that it touches, is reported first (tcp_sack_new_ofo_skb)."""
        sacks = self.sacks
        for at, (left, right) in enumerate(sacks):
            if seq <= right and left <= end:
                seq, end = min(seq, left), max(end, right)
                rest = []
                for block in sacks[:at] + sacks[at + 1 :]:
                    if seq <= block[1] and block[0] <= end:
                        seq, end = min(seq, block[0]), max(end, block[1])
                    else:
                        rest.append(block)
                self.sacks = [(seq, end), *rest]
                return
        self.sacks = [(seq, end), *sacks[: _BLOCKS - 1]]

    def overlap(self, seq: int, end: int) -> tuple[int, int] | None:
        """The first part of [seq, end) that is held already: a duplicate to report."""
        run = bisect_right(self._ends, seq)
        if run < len(self._starts) and self._starts[run] < end:
            return max(seq, self._starts[run]), min(end, self._ends[run])
        return None

    def blocks(self, count: int) -> list[tuple[int, int]]:
        """Up to `count` SACK blocks, the one that changed last first (RFC 2018 section 4)."""
        return self.sacks[:count]

    def within(self, seq: int, end: int) -> int:
        """How many pieces are in the runs that [seq, end) covers."""
        return sum([len(pieces) for pieces in self._pieces[bisect_left(self._starts, seq) : bisect_right(self._ends, end)]])

    def covers(self, seq: int, end: int) -> bool:
        """Whether [seq, end) is held already, in one run."""
        run = bisect_right(self._starts, seq) - 1
        return run >= 0 and end <= self._ends[run]

    @property
    def highest(self) -> int:
        """The end of the last run."""
        return self._ends[-1]

    def collapse(self) -> int:
        """Pack each run without gaps, since memory is short; how many segments that joined (tcp_collapse_ofo_queue)."""
        count = sum([len(pieces) for pieces in self._pieces if len(pieces) > 1])
        self._pieces = [[b"".join(pieces)] for pieces in self._pieces]
        self.memory = sum([min(truesize(len(pieces[0])), collapsed(len(pieces[0]))) for pieces in self._pieces])
        return count

    def prune(self, seq: int) -> bool:
        """Give up the last run if it lies after `seq`; the peer may have been told of it: SACK permits that, and its reports
        begin anew (tcp_prune_ofo_queue, RFC 2018 section 8)."""
        if not self._starts or self._starts[-1] <= seq:
            return False
        self.memory = max(0, self.memory - sum([truesize(len(piece)) for piece in self._pieces.pop()]))
        del self._starts[-1], self._ends[-1]
        self.sacks = []
        return True
