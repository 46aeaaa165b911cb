"""Real time: a network that has an end outside (a TAP) keeps to the machine's monotonic clock, and hears what comes in.

The only reader of a wall clock. It is one more thing among those that the scheduler drives: always due, so that such a network
is never quiescent. When it is driven, all that was due before has been done; it sleeps until something else is due or comes
in. So virtual time follows real time and never runs ahead; where the computer is too slow, it lags, and what is due is done
late, in its order.
"""

from __future__ import annotations

from collections.abc import Callable
from select import select  # these two are the library's own, whatever a host makes of them later
from time import monotonic_ns

from stack.base.quantity import SECOND
from stack.network.scheduler import Scheduler

PATIENCE = 10_000_000  # ns: the longest sleep, so that whoever runs the network can look at the world
REST = 20_000_000  # ns for which nobody has run the network, after which that is a rest; less is a slow program
_NEVER = 1 << 62


class RealTime:
    """Files of the outside: `open(file, take)` has `take(now)` called when there is something to be read."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.deadline: int | None = None
        self._files: dict[int, Callable[[int], None]] = {}
        self._origin = 0  # what the monotonic clock shows when virtual time is 0

    def open(self, file: int, take: Callable[[int], None]) -> None:
        """Hear what comes in by this file. The first one makes time real."""
        self._files[file] = take
        if self.deadline is None:
            self._start()

    def close(self, file: int) -> None:
        """Hear this file no more. Without any, time is virtual again."""
        self._files.pop(file, None)
        if not self._files:
            self.deadline = None

    def resume(self) -> None:
        """Someone runs the network. If nobody did for a while, its time has stood still meanwhile."""
        if self._files and monotonic_ns() - self._origin - self.scheduler.now > REST:
            self._start()

    def _start(self) -> None:
        self.deadline = now = self.scheduler.now
        self._origin = monotonic_ns() - now
        self.scheduler.poke(self, now)

    def timeout(self, now: int) -> None:
        """Sleep until something is due, or comes in; take what has come."""
        scheduler = self.scheduler
        self.deadline = _NEVER  # not None: the scheduler would forget us, when it is asked for what else is due
        real = now
        try:
            real = self._look(scheduler, now)
        finally:
            self.deadline = real if self._files else None

    def _look(self, scheduler: Scheduler, now: int) -> int:
        """The real time, when something is due or has been taken."""
        following = scheduler.next_time()
        limit = scheduler.programs.limit if scheduler.programs is not None else None
        real = monotonic_ns() - self._origin
        wake = real + PATIENCE
        for time in (following, limit):
            if time is not None and time < wake:
                wake = time
        ready, _, _ = select(self._files, (), (), max(0, wake - real) / SECOND)
        real = max(now, monotonic_ns() - self._origin)
        if ready:
            # What waited for us when we looked came before anything that has become due since we last did.
            scheduler.now = moment = real if following is None or following > real else max(now, following - 1)
            for file in ready:
                take = self._files.get(file)
                if take is not None:
                    take(moment)
        return real
