"""The baton: of all the threads of a network one runs at a time, and it says which one is next.

A strand is a thread that may hold the baton: that of a program, or the calling thread (which runs the network). To pass
it on, a strand releases the other's lock and takes its own, which is held: it sleeps until it is passed the baton again.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from stack.network.place import Place, inside, settle, unsettle
from stack.network.program import Program, ProgramExit
from stack.network.waiting import Source

if TYPE_CHECKING:
    from stack.network.programs import Programs

WAITING, QUEUED, CALLED = range(3)

#: How often in a row a program may wake by time-out, having changed nothing, before it counts as idle: one that was
#: waiting for something; one that was only sleeping; any, when the calling thread itself waits, and Deadlock is the answer.
POLLS, SLEEPS, PATIENCE = 5, 1000, 10_000
#: How often a program that is being ended may wait again before it is given up.
REFUSALS = 100


class Wait:
    """One wait of a strand, used again for its next one. What a source wakes, and what the clock wakes."""

    __slots__ = ("deadline", "doing", "node", "programs", "sources", "state", "strand", "timed_out")

    def __init__(self, programs: Programs, strand: Strand) -> None:
        self.programs = programs
        self.strand: Strand | None = strand
        self.state = WAITING
        self.deadline: int | None = None
        self.timed_out = False
        self.node: Place | None = None
        self.sources: Any = ()
        self.doing = ""

    def woken(self, source: Source | None) -> None:
        if self.state == WAITING:
            self.state = QUEUED
            programs = self.programs
            programs.wakes += 1
            programs.activity += 1
            programs.ready.append(self)

    def timeout(self, now: int) -> None:
        self.deadline = None
        if self.state == WAITING:
            self.state = QUEUED
            self.timed_out = True
            self.programs.ready.append(self)

    @property
    def housekeeping(self) -> bool:
        """Is this the time-out of an idle program?"""
        strand = self.strand
        if strand is None or strand.program is None:
            return False
        programs = self.programs
        limit = PATIENCE if programs.patient else POLLS if self.sources else SLEEPS
        return strand.empty >= limit and strand.looked == programs.activity


class Strand:
    """A thread that may hold the baton. `program` is None for the calling thread."""

    __slots__ = (
        "abandoned", "body", "empty", "ending", "ident", "lock", "looked", "mark", "name", "node", "program", "programs",
        "refusals", "reported", "resting", "since", "spun", "thread", "timed_out", "turns", "waits",
    )  # fmt: skip

    def __init__(self, programs: Programs, program: Program | None = None) -> None:
        self.programs = programs
        self.program = program
        self.lock = _thread.allocate_lock()
        self.lock.acquire()
        self.thread: threading.Thread | None = None
        self.body: Callable[[], Any] | None = None
        self.ident = 0
        self.turns = 0                                       # how often it was passed the baton
        self.waits: list[Wait] = []                          # the innermost last; more than one in the calling thread only
        self.resting: list[Wait] = []
        # Idle? How often it woke by time-out, and waited again with nothing changed since it woke, from when on; and what had
        # happened in the network when it last did so (for it may look at more than it waits for).
        self.empty = self.since = 0
        self.looked = 0
        self.timed_out = False
        self.mark = 0
        self.spun = 0                                        # nanoseconds passed by polling, see Programs.spin
        self.ending = False
        self.refusals = 0
        self.reported = -1                                   # at which turn the watchdog spoke of it
        self.abandoned = False

    def begin(self) -> Wait:
        """The first turn of a program."""
        wait = Wait(self.programs, self)
        self.waits.append(wait)
        wait.woken(None)
        return wait

    def resume(self) -> None:
        """Let this thread run. The caller has stopped, or stops at once, by taking its own lock."""
        if self.thread is None and self.program is not None:
            self.thread = threading.Thread(target=self.main, name=self.program.name, daemon=True)
            with inside(None):
                self.thread.start()
        self.lock.release()

    def called(self) -> None:
        """This thread has been passed the baton: its turn leaves the queue. (Not before: Ctrl-C would lose it.)"""
        self.turns += 1
        wait, ready = self.waits[-1], self.programs.ready
        if ready and ready[0] is wait:
            wait.state = CALLED
            ready.popleft()

    def rejoin(self) -> None:
        """This thread has lost the baton (see `stack.network.watchdog`): queue for it, as if it had waited."""
        self.begin()
        if self in self.programs.astray:
            self.programs.astray.remove(self)
        self.lock.acquire()
        self.called()
        self.waits.pop()

    def main(self) -> None:
        """What the thread of a program does."""
        self.lock.acquire()
        self.called()
        self.ident = _thread.get_ident()
        program = self.program
        assert program is not None
        assert self.body is not None
        value, exception = None, None
        self.waits.clear()
        _current.strand = self
        settle(program.node)
        try:
            if self.ending:
                raise ProgramExit
            value = self.body()
        except BaseException as error:
            error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            exception = error
        self.body = None
        program.finish(value, exception)
        del value, exception
        unsettle()
        _current.strand = None
        programs = self.programs
        if programs.holder is self:
            programs.holder = programs.caller
            programs.caller.lock.release()
        elif self in programs.astray:
            programs.astray.remove(self)


class _Current(threading.local):
    strand: Strand | None = None


_current = _Current()


def current_strand() -> Strand | None:
    """The strand of the calling thread, if it is a program's."""
    return _current.strand


def cross(me: Strand, to: Strand) -> None:
    """Pass the baton on, and sleep until it comes back."""
    programs = me.programs
    if me.program is not None:
        programs.holder = to
        to.resume()
        me.lock.acquire()
        me.called()
        return
    turns = to.turns
    try:
        programs.holder = to
        to.resume()
        take(me.lock)
    except BaseException:                                    # Ctrl-C, or what a signal handler raised
        regain(me, to, turns)
        raise


if sys.platform == "win32":

    def take(lock: _thread.LockType) -> None:
        """Acquire a lock; on Windows, Ctrl-C is seen only between tries."""
        while not lock.acquire(timeout=0.2):
            pass

else:

    def take(lock: _thread.LockType) -> None:
        """Acquire a lock, so that Ctrl-C interrupts it."""
        lock.acquire()


def regain(me: Strand, to: Strand, turns: int, patience: float = 1.0, tries: int = 3) -> bool:
    """Get the baton back from whoever has it, however long that takes: two threads must not run.

    The program that has it gives it back when it waits next. One that does not wait is interrupted by `ProgramExit`
    every `patience` real seconds. False if that did not help `tries` times: then it is stuck in C code, and given up.
    """
    programs = me.programs
    programs.recalled = True
    left = tries
    try:
        while True:
            try:
                if programs.holder is me:                    # it is back; was the lock taken, too?
                    me.lock.acquire(timeout=0.2)
                    return True
                if me.lock.acquire(timeout=0.02):
                    return True
                if programs.holder is to and to.turns == turns and to.lock.locked():
                    programs.holder = me                     # it was never passed on
                    return True
                if me.lock.acquire(timeout=patience):
                    return True
                holder = programs.holder
                if left == 0:
                    holder.abandoned = True
                    programs.holder = me
                    return False
                left -= 1
                _interrupt(holder)
            except KeyboardInterrupt:
                continue
    finally:
        programs.recalled = False


def _interrupt(strand: Strand) -> None:
    try:
        from ctypes import c_ulong, py_object, pythonapi
    except ImportError:                                      # a Python without ctypes: it can only be waited for
        return
    pythonapi.PyThreadState_SetAsyncExc(c_ulong(strand.ident), py_object(ProgramExit))
