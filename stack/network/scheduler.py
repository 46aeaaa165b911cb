"""The one clock of a network, and its queue of what is due.

Whatever has a deadline is driven the same way: a link, a host, a call at a given time, a wait that times out. A heap
entry is `(time, order, thing)`; ties go by insertion. A thing has more than one entry only if its deadline moved
earlier since; entries that come too early, or for nothing, are dropped, and the clock does not move for them.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from stack.network.programs import Programs


class Timed(Protocol):
    """What the scheduler drives. `housekeeping` (absent: False): its timers change nothing that a program can see."""

    @property
    def deadline(self) -> int | None: ...

    def timeout(self, now: int) -> None: ...


class Call:
    """A function to be called at a time; `cancel()` forgets it."""

    __slots__ = ("arguments", "deadline", "function", "housekeeping")

    def __init__(self, deadline: int, function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        self.deadline: int | None = deadline
        self.function = function
        self.arguments = arguments
        self.housekeeping = False

    def cancel(self) -> None:
        self.deadline = None

    def timeout(self, now: int) -> None:
        self.deadline = None
        self.function(*self.arguments)


class Scheduler:
    """Virtual time in nanoseconds, and everything that is due, in order."""

    __slots__ = ("__weakref__", "_entries", "_heap", "now", "order", "programs")

    def __init__(self) -> None:
        self.now = 0
        #: Counts the entries made. That it grew says that something was set in motion.
        self.order = 0
        #: Who runs in this network (`Programs` puts itself here).
        self.programs: Programs | None = None
        self._heap: list[tuple[int, int, Timed]] = []
        # The times of a thing's entries in the heap, later ones first. Calls have one entry, and no list.
        self._entries: dict[Timed, list[int]] = {}

    def call_at(self, time: int, function: Callable[..., object], *arguments: Any) -> Call:
        """Call `function(*arguments)` at `time`, or as soon as possible if that is past."""
        call = Call(time if time > self.now else self.now, function, arguments)
        self.order = order = self.order + 1
        heappush(self._heap, (call.deadline or 0, order, call))
        return call

    def poke(self, thing: Timed, deadline: int | None = None) -> None:
        """The deadline of `thing` (given, or else asked for) may have moved: see that it is woken in time."""
        if deadline is None:
            deadline = thing.deadline
            if deadline is None:
                return
        times = self._entries.get(thing)
        if times and deadline >= times[-1]:
            return
        try:
            if times is None:
                self._entries[thing] = [deadline]
            else:
                times.append(deadline)
            self.order = order = self.order + 1
            heappush(self._heap, (deadline, order, thing))
        except BaseException:
            self._repair(thing)
            raise

    def step(self) -> bool:
        """Run the one next event; False if nothing is left."""
        thing = self.peek()
        if thing is None:
            return False
        self.fire(thing)
        return True

    def fire(self, thing: Timed) -> None:
        """Run the next event, which `peek` has just told.

        Nothing, if it is not the next any more: what is asked about a thing in between (is it housekeeping?) may show that it
        was due later than it had said.
        """
        heap = self._heap
        if not heap or heap[0][2] is not thing:
            return
        times = self._entries.get(thing)
        try:
            time = heappop(heap)[0]
            if times is not None:
                times.pop()
            if time > self.now:
                self.now = time
            thing.timeout(self.now)
            if times is None:
                return
            deadline = thing.deadline
            if deadline is None:
                if not times:
                    self._entries.pop(thing, None)
            elif not times or deadline < times[-1]:
                times.append(deadline)
                self.order = order = self.order + 1
                heappush(heap, (deadline, order, thing))
        except BaseException:                                # Ctrl-C can come between any two of these lines
            self._repair(thing)
            raise

    def _repair(self, thing: Timed) -> None:
        """See that what is still due after an exception has its entry, and one only."""
        self._heap[:] = [entry for entry in self._heap if entry[2] is not thing]
        heapify(self._heap)
        if self._entries.pop(thing, None) is not None:
            self.poke(thing)
        elif thing.deadline is not None:
            self.order += 1
            heappush(self._heap, (thing.deadline, self.order, thing))

    def peek(self) -> Timed | None:
        """What is driven next. Entries before it that are too early, or for nothing, are dropped."""
        heap = self._heap
        while heap:
            time, order, thing = heap[0]
            deadline = thing.deadline
            if deadline is not None and deadline <= time:
                return thing
            try:
                heappop(heap)
                times = self._entries.get(thing)
                if times is None:                            # a cancelled call
                    continue
                times.pop()
                if deadline is None:
                    if not times:
                        del self._entries[thing]
                elif not times or deadline < times[-1]:
                    times.append(deadline)
                    heappush(heap, (deadline, order, thing))
            except BaseException:
                self._repair(thing)
                raise
        return None

    def next_time(self) -> int | None:
        """When the next event is due (ns), or None if nothing is left."""
        if self.peek() is None:
            return None
        return max(self._heap[0][0], self.now)

    def busy(self) -> bool:
        """Is anything due that is neither housekeeping nor the time-out of an idle program?"""
        return any(
            thing.deadline is not None and not getattr(thing, "housekeeping", False) for _, _, thing in self._heap
        )
