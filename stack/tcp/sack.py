"""The sender's scoreboard of selective acknowledgments (RFC 6675 sections 1 to 4, RFC 2018)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

DUPLICATES = 3  # DupThresh


class Scoreboard:
    """Which octets above SND.UNA the peer holds, as disjoint ranges in order.

    Two marks divide them: below `lost` whatever is not held counts as lost (IsLost is monotone: what lies below lost
    octets is lost too), and below `resent` every hole was sent again (HighRxt). The octets held above or below each mark
    are counted as they come, so that Pipe costs no walk.
    """

    __slots__ = ("_ends", "_starts", "above", "limit", "lost", "resent", "resent_held", "total")

    def __init__(self, una: int, limit: int) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.limit = limit
        self.lost = una
        self.resent = una
        self.total = 0  # octets held
        self.above = 0  # octets held at or above `lost`
        self.resent_held = 0  # octets held below `resent`

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def highest(self) -> int | None:
        """The end of the highest range."""
        return self._ends[-1] if self._ends else None

    def ranges(self) -> list[tuple[int, int]]:
        """The ranges held, in order."""
        return list(zip(self._starts, self._ends, strict=True))

    def update(self, blocks: list[tuple[int, int]], una: int, nxt: int) -> int:
        """Take the blocks of an ACK; the number of octets newly held. Blocks outside SND.UNA..SND.NXT are not believed."""
        before = self.total
        for left, right in blocks:
            if una < right <= nxt and left < right:
                self._hold(max(left, una), right)
        return self.total - before

    def _hold(self, left: int, right: int) -> None:
        starts, ends = self._starts, self._ends
        first = bisect_left(ends, left)
        last = bisect_right(starts, right)
        if first == last:
            if len(starts) < self.limit:
                starts.insert(first, left)
                ends.insert(first, right)
                self._count(left, right)
            return
        at = left
        for run in range(first, last):
            if starts[run] > at:
                self._count(at, starts[run])
            at = max(at, ends[run])
        if right > at:
            self._count(at, right)
        starts[first:last], ends[first:last] = [min(left, starts[first])], [max(right, ends[last - 1])]

    def _count(self, left: int, right: int) -> None:
        self.total += right - left
        if right > self.lost:
            self.above += right - max(left, self.lost)
        if left < self.resent:
            self.resent_held += min(right, self.resent) - left

    def advance(self, una: int) -> None:
        """SND.UNA moved to `una`: forget what lies below."""
        starts, ends = self._starts, self._ends
        count = bisect_right(ends, una)
        for run in range(count):
            self._forget(starts[run], ends[run])
        del starts[:count], ends[:count]
        if starts and starts[0] < una:
            self._forget(starts[0], una)
            starts[0] = una
        self.mark_lost(una)
        if self.resent < una:
            self.resent, self.resent_held = una, 0

    def _forget(self, left: int, right: int) -> None:
        self.total -= right - left
        if right > self.lost:
            self.above -= right - max(left, self.lost)
        if left < self.resent:
            self.resent_held -= min(right, self.resent) - left

    def mark_lost(self, below: int) -> None:
        """Whatever is not held below `below` is lost."""
        if below > self.lost:
            self.above -= self._between(self.lost, below)
            self.lost = below

    def _between(self, left: int, right: int) -> int:
        """The octets held in [left, right)."""
        run = bisect_right(self._ends, left)
        held = 0
        while run < len(self._starts) and self._starts[run] < right:
            held += min(self._ends[run], right) - max(self._starts[run], left)
            run += 1
        return held

    def find_losses(self, mss: int) -> None:
        """IsLost: three ranges above, or more than two full segments held above, and what is not held is lost."""
        octets = 0
        for count, run in enumerate(range(len(self._starts) - 1, -1, -1), 1):
            octets += self._ends[run] - self._starts[run]
            if count >= DUPLICATES or octets > (DUPLICATES - 1) * mss:
                self.mark_lost(self._starts[run])
                return

    def next_hole(self) -> tuple[int, int] | None:
        """NextSeg rule 1: the first lost octets that were not sent again, up to the next that are held."""
        at = self.resent
        run = bisect_right(self._starts, at) - 1
        if run >= 0 and at < self._ends[run]:
            at = self._ends[run]
        run += 1
        if at >= self.lost:
            return None
        right = self._starts[run] if run < len(self._starts) and self._starts[run] < self.lost else self.lost
        return at, right

    def mark_resent(self, below: int) -> None:
        """Every hole below `below` was sent again."""
        self.resent_held += self._between(self.resent, below)
        self.resent = below

    def forget_resent(self, una: int) -> None:
        """Nothing counts as sent again (a retransmission timeout)."""
        self.resent, self.resent_held = una, 0

    def pipe(self, una: int, nxt: int) -> int:
        """SetPipe: the octets thought to be in the network."""
        return nxt - self.lost - self.above + self.resent - una - self.resent_held
