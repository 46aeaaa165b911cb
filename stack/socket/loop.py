"""The asyncio loop of a host: asyncio's own selector loop, over emulated sockets and virtual time.

A host's own loop is *resident*: the network gives it turns, one at a time, whenever something is ready. A loop that a
program makes (`asyncio.run`) is run by that program, and waits as any blocking call does.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
from _thread import get_ident
from asyncio import events, selector_events
from collections.abc import Callable
from typing import Any

from stack.base.errors import StackError
from stack.network.baton import PATIENCE, SLEEPS, current_strand
from stack.network.place import Place, inside
from stack.network.program import Program, ProgramExit
from stack.network.programs import SPIN_LIMIT, SPIN_STEP
from stack.network.waiting import programs_of
from stack.socket.loop_selector import LoopSelector
from stack.socket.loop_tasks import line_of, tasks_of

SPIN = 1000  # turns in a row, with nothing changed, after which a loop that is always ready yields to the next event
LAST_TURNS = 1000
CHAIN = 10  # turns that a loop may have in one go, while nobody else is waiting for one


_SelectorLoop: Any = selector_events.BaseSelectorEventLoop


class HostLoop(_SelectorLoop):                               # type: ignore[misc]
    """A loop on a host. `resident`: driven by the network."""

    strand: None = None                                      # its turns are the calling thread's

    def __init__(self, node: Place, resident: bool = False) -> None:
        self.node = node
        self.resident = resident
        self.programs = programs_of(node)
        self._running: dict[Program, asyncio.Task[Any]] = {}
        self._signals: dict[int, tuple[Any, ...]] = {}
        self._queued = self._turning = self._by_time = False
        self._later: int | None = None                       # when a loop that spins has its next turn
        self._spins = 0
        self._chained = 0                                    # turns that followed another at once
        self._spun = 0
        self._looked = 0                                     # what had happened in the network at its last turn
        self.empty = 0                                       # turns in a row by time-out that changed nothing
        self._thread_id: int | None = None
        self._default_executor: Any = None
        selector = LoopSelector(node, self._abort_all, self._woken if resident else None)
        super().__init__(selector)
        self.programs.keep = keep_running
        self._clock_resolution = 1e-9

    def __del__(self) -> None:
        if not getattr(self, "resident", True):              # a resident loop is gone with its network: nothing is lost
            super().__del__()

    # What the network sees

    @property
    def deadline(self) -> int | None:
        """When the next timer is due (ns), if no turn is coming anyway."""
        if self._queued or self._turning:
            return None
        scheduled = self._scheduled
        while scheduled and scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(scheduled)._scheduled = False
        timer = round(scheduled[0]._when * 1e9) if scheduled else None
        if self._later is not None and (timer is None or self._later < timer):
            return self._later
        return timer

    @property
    def housekeeping(self) -> bool:
        """Has it been waking by time-out only, changing nothing?"""
        limit = (PATIENCE if self.programs.patient else SLEEPS) * max(1, len(self._scheduled))
        return self.empty >= limit and self._looked == self.programs.activity

    def timeout(self, now: int) -> None:
        self._by_time = True
        self._queue()

    def turn(self) -> None:
        """Run what is ready, once. Called with this loop at the head of the network's queue."""
        self.programs.ready.popleft()
        self._queued = False
        self._turn()

    def start(self, program: Program, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Run a coroutine function as a task of this loop."""

        def begin() -> None:
            task = self.create_task(function(*arguments), name=program.name)
            self._running[program] = task
            task.add_done_callback(finished)

        def finished(task: asyncio.Task[Any]) -> None:
            self._running.pop(program, None)
            if task.cancelled():
                program.finish(None, ProgramExit())
            elif (error := task.exception()) is not None:
                program.surfaced = isinstance(error, KeyboardInterrupt)  # asyncio let it through already
                program.finish(None, error)
            else:
                program.finish(task.result(), None)

        self.call_soon(begin)
        self._queue()

    def account(self) -> list[str]:
        """The tasks, and where they wait."""
        return [line_of(task) for task in tasks_of(self)]

    def end(self) -> list[str]:
        """Cancel every task, abort what is open, close the loop. Returns the tasks that would not end."""
        with inside(self.node):
            self._cancel_all()
            self._abort_all()
            self._last_turns()                               # servers wait for their connections
            self._cancel_all()
            left = [line_of(task) for task in tasks_of(self) if not self._lost(task)]
            closing = self.create_task(self.shutdown_asyncgens())
            self._last_turns()
            closing.cancel()
            executor, self._default_executor = self._default_executor, None
            if executor is not None:
                executor.shutdown(wait=False, cancel_futures=True)
            self.resident = False
            self.close()
        return left

    def _lost(self, task: asyncio.Task[Any]) -> bool:
        """Has a task no step to come and nothing to wait for? Ctrl-C came between. Its coroutine is closed, if it lets us."""
        own: Any = task
        if self._ready or own._fut_waiter is not None:
            return False
        own._log_destroy_pending = False
        try:
            own.get_coro().close()
        except BaseException:
            return False
        return True

    def _abort_all(self) -> None:
        self.set_exception_handler(_only_errors)
        for _, transport in sorted(dict(self._transports).items()):
            transport.abort()

    def _cancel_all(self) -> None:
        self.set_exception_handler(_only_errors)
        for task in tasks_of(self):
            task.cancel()
        self._last_turns()

    # Turns

    def _woken(self) -> None:
        self.empty = 0
        self.programs.wakes += 1
        self.programs.activity += 1
        self._queue()

    def _queue(self) -> None:
        if not self._queued and not self._turning and not self.is_closed():
            self._queued = True
            self.programs.ready.append(self)

    def _turn(self) -> None:
        programs, scheduler = self.programs, self.programs.scheduler
        before = scheduler.order + programs.wakes
        by_time, self._by_time = self._by_time, False
        self._turning = True
        self._later = None
        programs.polls = 0
        try:
            self._run_ready()
        finally:
            self._turning = False
            changed = scheduler.order + programs.wakes != before
            if changed:
                self.empty = self._spins = self._spun = 0
            elif by_time:
                self.empty += 1
            self._looked = programs.activity
            self._follow()
            scheduler.poke(self)

    def _run_ready(self) -> None:
        """Run what is ready, once, on the host, as the running loop of this thread."""
        outer = put_away()
        hooks = sys.get_asyncgen_hooks()
        try:
            self._thread_id = get_ident()
            sys.set_asyncgen_hooks(firstiter=self._asyncgen_firstiter_hook, finalizer=self._asyncgen_finalizer_hook)
            events._set_running_loop(self)
            with inside(self.node):
                self._run_once()
                while self._ready and self.programs.undisturbed and self._chained < CHAIN:
                    self._chained += 1                       # it would have the next turn anyway
                    self._run_once()
        except SystemExit:
            pass                                             # it ended a task, and no more than that
        finally:
            self._spins += self._chained
            self._chained = 0
            self._thread_id = None
            sys.set_asyncgen_hooks(*hooks)
            events._set_running_loop(None)
            bring_back(outer)

    def _follow(self) -> None:
        """See that the next turn comes, if there is cause for one now."""
        if self._ready or self._selector.noted:
            self._spins += 1
            if self._spins < SPIN:
                self._queue()
                return
            scheduler = self.programs.scheduler
            now = scheduler.now
            step = min(max(SPIN_STEP, self._spun // 8), SPIN_LIMIT)
            following = scheduler.next_time()
            if following is not None and following - now < step:
                step = following - now
            self._spun += step
            self._later = now + step
        else:
            self._spins = 0

    def _last_turns(self) -> None:
        for _ in range(LAST_TURNS):
            if not self._ready:
                return
            self._run_ready()

    # What a program sees

    def time(self) -> float:
        """Virtual time in seconds, the same as `time.monotonic()` on the host."""
        now: int = self.programs.scheduler.now
        return now / 1e9

    def run_forever(self) -> None:
        if self.resident:
            raise StackError(f"the loop of {self.node.name} is run by the network; use asyncio.run() for another one")
        outer = put_away()
        try:
            super().run_forever()
        except ProgramExit:
            self.set_exception_handler(_only_errors)
            raise
        finally:
            bring_back(outer)

    def run_until_complete(self, future: Any) -> Any:
        outer = put_away()
        try:
            return super().run_until_complete(future)
        finally:
            bring_back(outer)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        if not self._ending():
            await (super().shutdown_default_executor(*(() if timeout is None else (timeout,))))
        elif self._default_executor is not None:             # its threads are programs, and end as such
            self._default_executor.shutdown(wait=False, cancel_futures=True)

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> Any:
        import socket

        return socket.getaddrinfo(host, port, family, type, proto, flags)

    async def _create_server_getaddrinfo(self, *arguments: Any, **named: Any) -> list[Any]:
        return [_InOrder(one) for one in await super()._create_server_getaddrinfo(*arguments, **named)]

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        import socket

        return socket.getnameinfo(sockaddr, flags)

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: Any) -> None:
        """Taken note of: no signals reach a host."""
        self._signals[sig] = (callback, *args)

    def remove_signal_handler(self, sig: int) -> bool:
        return self._signals.pop(sig, None) is not None

    def close(self) -> None:
        if self._ending() and not self.is_closed() and not self.is_running():
            self._abort_all()                                # the program had no time to close what is open
            self._last_turns()
        super().close()

    def _ending(self) -> bool:
        """Is the program being ended that runs this loop?"""
        strand = current_strand()
        return strand is not None and strand.ending

    # What asyncio asks for

    def _make_self_pipe(self) -> None:
        self._internal_fds += 1

    def _close_self_pipe(self) -> None:
        self._internal_fds -= 1

    def _write_to_self(self) -> None:
        if self.resident:
            self._woken()
        else:
            self._selector.prod()

    def _check_running(self) -> None:
        if self.is_running():
            raise RuntimeError("This event loop is already running")


class _InOrder(tuple[Any, ...]):
    """An address to listen on. asyncio puts those of a server into a set: with one hash for all, its order depends on none."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 0


def keep_running() -> Callable[[], object]:
    """The running loop of this thread and its task, to be put back after an exception: Ctrl-C can come amid a turn."""
    loop, hooks = events._get_running_loop(), sys.get_asyncgen_hooks()
    task = None if loop is None else asyncio.current_task(loop)

    def put_back() -> None:
        sys.set_asyncgen_hooks(*hooks)
        events._set_running_loop(loop)
        if task is not None and _swap is not None and asyncio.current_task(loop) is not task:
            _swap(loop, task)

    return put_back


def _only_errors(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """At the end of a loop, that something was cancelled is no news."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


_swap: Callable[..., Any] | None = getattr(asyncio.tasks, "_swap_current_task", None)
Outer = tuple[asyncio.AbstractEventLoop, Any] | None


def put_away() -> Outer:
    """Put away the running loop of this thread (a Jupyter kernel's, another host's) and its current task."""
    loop = events._get_running_loop()
    if loop is None:
        return None
    task = None
    if _swap is not None:                                    # before 3.12, the current task is kept for each loop
        task = asyncio.current_task(loop)
        if task is not None:
            _swap(loop, None)
    events._set_running_loop(None)
    return loop, task


def bring_back(outer: Outer) -> None:
    """What `put_away` gave is current again."""
    if outer is None:
        return
    loop, task = outer
    events._set_running_loop(loop)
    if task is not None and _swap is not None:
        _swap(loop, task)
