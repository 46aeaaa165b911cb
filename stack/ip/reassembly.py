"""The fragment store: datagrams put together again (RFC 791 section 3.2, RFC 815, RFC 8200 section 4.5, RFC 5722).

It knows offsets and octets, not formats, so that one store serves each IP version. Overlap is answered as Linux answers
it in both versions: a fragment whose octets are all there already is ignored, one that overlaps in part condemns the whole datagram.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from enum import Enum
from typing import Any

SECOND = 1_000_000_000
IPV4_LIFETIME = 30 * SECOND  # Linux; RFC 1122 3.3.2 asks for 60 to 120 s
IPV6_LIFETIME = 60 * SECOND  # RFC 8200 section 4.5
MEMORY = 4 << 20  # octets of all datagrams that wait, overhead included (Linux's ipfrag_high_thresh)
PER_SOURCE = 64  # datagrams that one source may have waiting
OVERHEAD = 256  # octets that each fragment is taken to cost beside its data
LARGEST = 65535


class Verdict(Enum):
    """What became of a fragment."""

    WAITING = "kept"
    COMPLETE = "the last one missing"
    DUPLICATE = "there already"
    OVERLAP = "overlaps: the datagram is given up"
    MALFORMED = "impossible"
    LIMIT = "too many"
    EXPIRED = "not complete in time"


@dataclass(slots=True)
class Partial:
    """A datagram of which some fragments are here. `first` is whatever came with the fragment at offset 0."""

    key: tuple[Any, ...]
    source: Any
    expires: int
    pieces: list[tuple[int, bytes]]
    first: Any = None
    end: int | None = None
    held: int = 0
    largest: int = 0
    fields: int = 0  # 1 << ECN field of each fragment


class FragmentStore:
    """An engine of one IP version: `add` fragments, `timeout` gives up what waited too long, `take_given_up` tells what went."""

    __slots__ = ("_given_up", "_memory", "_partials", "_per_source", "lifetime", "memory_limit", "source_limit")

    housekeeping = False

    def __init__(self, lifetime: int = IPV4_LIFETIME, memory_limit: int = MEMORY, source_limit: int = PER_SOURCE) -> None:
        self.lifetime = lifetime
        self.memory_limit = memory_limit
        self.source_limit = source_limit
        self._partials: dict[tuple[Any, ...], Partial] = {}  # in order of arrival, so the first expires first
        self._per_source: dict[Any, int] = {}
        self._memory = 0
        self._given_up: list[tuple[Verdict, Partial]] = []

    @property
    def deadline(self) -> int | None:
        """When the oldest datagram is given up."""
        return next(iter(self._partials.values())).expires if self._partials else None

    def timeout(self, now: int) -> None:
        """Give up what waited longer than `lifetime`."""
        while self._partials:
            oldest = next(iter(self._partials.values()))
            if oldest.expires > now:
                return
            self._give_up(oldest, Verdict.EXPIRED)

    def take_given_up(self) -> list[tuple[Verdict, Partial]]:
        """The datagrams that went incomplete, and why. Those EXPIRED with a `first` deserve an ICMP time exceeded."""
        given_up, self._given_up = self._given_up, []
        return given_up

    def add(
        self, key: tuple[Any, ...], source: Any, offset: int, more: bool, data: bytes, now: int, context: Any = None, ecn: int = 0
    ) -> tuple[Verdict, Partial | None]:
        """A fragment with `data` at `offset` octets. With COMPLETE comes the datagram: `join(partial)` has its octets."""
        partial = self._partials.get(key)
        end = offset + len(data)
        if end > LARGEST or not data or (more and len(data) % 8):
            return Verdict.MALFORMED, None
        if partial is None:
            if not self._room(source):
                return Verdict.LIMIT, None
            partial = self._partials[key] = Partial(key, source, now + self.lifetime, [])
            self._per_source[source] = self._per_source.get(source, 0) + 1
        verdict = _place(partial, offset, end, more, data)
        if verdict is Verdict.WAITING:
            self._memory += len(data) + OVERHEAD
            partial.fields |= 1 << ecn
            if offset == 0:
                partial.first = context
            if partial.held == partial.end:
                self._forget(partial)
                return Verdict.COMPLETE, partial
            self._make_room(partial)
        elif verdict is Verdict.OVERLAP:
            self._give_up(partial, verdict)
        return verdict, None

    def __len__(self) -> int:
        return len(self._partials)

    @property
    def memory(self) -> int:
        """Octets held now, overhead included: never more than `memory_limit` and one fragment."""
        return self._memory

    def _room(self, source: Any) -> bool:
        return self._per_source.get(source, 0) < self.source_limit

    def _make_room(self, newest: Partial) -> None:
        """Too much memory: the oldest datagrams go, the one just added to as the last."""
        while self._memory > self.memory_limit:
            oldest = next(iter(self._partials.values()))
            if oldest is newest and len(self._partials) > 1:
                del self._partials[oldest.key]
                oldest.expires = max(oldest.expires, next(reversed(self._partials.values())).expires)
                self._partials[oldest.key] = oldest
                continue
            self._give_up(oldest, Verdict.LIMIT)

    def _give_up(self, partial: Partial, verdict: Verdict) -> None:
        self._forget(partial)
        self._given_up.append((verdict, partial))

    def _forget(self, partial: Partial) -> None:
        del self._partials[partial.key]
        self._memory -= partial.held + OVERHEAD * len(partial.pieces)
        left = self._per_source[partial.source] - 1
        if left:
            self._per_source[partial.source] = left
        else:
            del self._per_source[partial.source]


def _place(partial: Partial, offset: int, end: int, more: bool, data: bytes) -> Verdict:
    """Put the fragment among the others, in order of offset."""
    if not more:
        if partial.end is not None and partial.end != end:
            return Verdict.OVERLAP
    elif partial.end is not None and end > partial.end:
        return Verdict.OVERLAP
    pieces = partial.pieces
    at = bisect_left(pieces, (offset,))
    if _covered(pieces, at, offset, end):
        return Verdict.DUPLICATE
    if (at and pieces[at - 1][0] + len(pieces[at - 1][1]) > offset) or (at < len(pieces) and pieces[at][0] < end):
        return Verdict.OVERLAP
    if not more:
        if at < len(pieces):
            return Verdict.OVERLAP  # something lies beyond what claims to be the end
        partial.end = end
    pieces.insert(at, (offset, data))
    partial.held += len(data)
    partial.largest = max(partial.largest, len(data))
    return Verdict.WAITING


def _covered(pieces: list[tuple[int, bytes]], at: int, offset: int, end: int) -> bool:
    """Are all octets from `offset` to `end` here already, in pieces that touch?"""
    reached = offset
    if at and pieces[at - 1][0] + len(pieces[at - 1][1]) > offset:
        reached = pieces[at - 1][0] + len(pieces[at - 1][1])
    while reached < end and at < len(pieces) and pieces[at][0] == reached:
        reached += len(pieces[at][1])
        at += 1
    return reached >= end


def combined_ecn(partial: Partial) -> int | None:
    """The ECN field of a complete datagram (RFC 3168 section 5.3): CE where a fragment was marked; None: it is not to be
    delivered, since fragments of one datagram cannot be ECN-capable in part."""
    fields = partial.fields
    if fields & 1:
        return 0 if fields == 1 else None
    return 3 if fields & 8 else 1 if fields == 2 else 2


def join(partial: Partial) -> bytes:
    """The octets of a complete datagram."""
    return b"".join(data for _, data in partial.pieces)
