"""The timers of a host: one heap, moved lazily, over ten thousand connections and whatever else has a deadline."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Protocol


class Timed(Protocol):
    """A thing with a deadline. What `Timers` notes on it: when its earliest entry is, and whether that is housekeeping."""

    scheduled: int | None
    scheduled_idle: bool

    @property
    def deadline(self) -> int | None: ...

    @property
    def housekeeping(self) -> bool: ...

    def timeout(self, now: int) -> None: ...


_Heap = list[tuple[int, int, Timed]]


class Timers:
    """A deadline that moves later costs nothing: its old entry, when it comes up, is put back at the new time.

    What only keeps house lies in a heap of its own, so that whether anything else is due is known at once.
    """

    __slots__ = ("_busy", "_idle", "_order")

    def __init__(self) -> None:
        self._busy: _Heap = []
        self._idle: _Heap = []
        self._order = 0

    def arm(self, thing: Timed) -> None:
        """The deadline of `thing` may have moved earlier, or have become more than housekeeping."""
        deadline = thing.deadline
        if deadline is None:
            return
        scheduled = thing.scheduled
        if scheduled is None or deadline < scheduled or (thing.scheduled_idle and not thing.housekeeping):
            thing.scheduled = deadline
            thing.scheduled_idle = idle = thing.housekeeping
            self._order += 1
            heappush(self._idle if idle else self._busy, (deadline, self._order, thing))

    def earliest(self) -> int | None:
        """The earliest deadline, or earlier: that of a thing whose deadline has moved since."""
        busy, idle = self._busy, self._idle
        while busy and busy[0][2].deadline is None:
            self._put_back(busy)
        while idle and (not busy or idle[0][0] < busy[0][0]):
            if idle[0][2].deadline is not None:
                return idle[0][0]
            self._put_back(idle)
        return busy[0][0] if busy else None

    @property
    def housekeeping(self) -> bool:
        """True if all that is due only keeps house."""
        for heap, wanted in ((self._idle, True), (self._busy, False)):
            while heap and (heap[0][2].deadline is None or heap[0][2].housekeeping is not wanted):
                self._put_back(heap)
        return not self._busy

    def timeout(self, now: int) -> None:
        """Wake whatever is due."""
        for heap in (self._busy, self._idle):
            while heap and heap[0][0] <= now:
                when, _, thing = heappop(heap)
                if thing.scheduled == when:
                    thing.scheduled = None
                deadline = thing.deadline
                if deadline is not None and deadline <= now:
                    thing.timeout(now)
                self.arm(thing)

    def _put_back(self, heap: _Heap) -> None:
        """The first entry is not true, or not any more: its thing goes where it belongs, if anywhere."""
        when, _, thing = heappop(heap)
        if thing.scheduled == when:
            thing.scheduled = None
        self.arm(thing)
