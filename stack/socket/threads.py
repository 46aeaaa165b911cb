"""Threads of a host: `threading.Thread` started on a host is a program of that host, and waits in virtual time.

Locks and simple queues that are made once there is a network are those of `stack.socket.locks`, wherever they are made:
programs may share them with each other and with whoever made them.
"""

from __future__ import annotations

import _thread
import concurrent.futures.thread
import importlib
import logging
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from stack.network.baton import current_strand
from stack.network.place import current_node, inside
from stack.network.program import ProgramExit
from stack.network.programs import Programs, opened
from stack.network.waiting import programs_of
from stack.socket import locks
from stack.socket.switch import Dispatching, Switch

_PROGRAM = "_program"  # the attribute of a thread of a host that holds its program
POLL = 1_000_000  # ns between looks at an import lock, which wakes nobody


class Making(Dispatching):
    """Stands in for a class or factory whose objects are ours everywhere, from now on."""

    __slots__ = ("_ours",)

    def __init__(self, original: Any, ours: type, home: str, name: str) -> None:
        super().__init__(original, ours, home, name)
        self._ours = ours

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._ours(*arguments, **named)

    def __instancecheck__(self, instance: object) -> bool:
        kinds = (self._ours, self.__wrapped__) if isinstance(self.__wrapped__, type) else (self._ours,)
        return isinstance(instance, kinds)


def install(switch: Switch) -> None:
    for module, name, ours in (
        ("threading", "Lock", locks.Lock),
        ("threading", "_allocate_lock", locks.Lock),
        ("threading", "RLock", locks.RLock),
        ("queue", "SimpleQueue", locks.SimpleQueue),
    ):
        original = switch.original(module, name)
        switch.replace(module, name, Making(original, ours, module, name))
    # Handlers keep their lock while they write, perhaps to a socket.
    for reference in logging._handlerList:                   # type: ignore[attr-defined]
        handler = reference()
        if handler is not None and handler.lock is not None:
            handler.lock = locks.RLock()
    for name in ("concurrent.futures", "asyncio"):
        logging.getLogger(name).addFilter(_of_interest)
    _install_threads(switch)
    _install_import_lock(switch)
    # Programs end before the interpreter waits for their threads. (Those registered last are called first.)
    threading._register_atexit(_close_all)                   # type: ignore[attr-defined]


def _install_threads(switch: Switch) -> None:
    def started(self: threading.Thread) -> None:
        node = current_node()
        if node is None or self._started.is_set():           # type: ignore[attr-defined]
            start(self)
        else:
            _start_on(self, programs_of(node), node, start)

    def joined(self: threading.Thread, timeout: float | None = None) -> None:
        program = self.__dict__.get(_PROGRAM)
        if program is not None and self is not threading.current_thread() and not program.join(timeout):
            return
        with inside(None):
            join(self, timeout if program is None else None)

    def alive(self: threading.Thread) -> bool:
        program = self.__dict__.get(_PROGRAM)
        return bool(is_alive(self)) if program is None else not program.done

    start = switch.attribute(threading.Thread, "start", started)
    join = switch.attribute(threading.Thread, "join", joined)
    is_alive = switch.attribute(threading.Thread, "is_alive", alive)


class Started:
    """The event by which a thread of the library tells who starts it that it runs, of the interpreter's own lock.

    The new thread tells it before it has the baton, and must not wait in virtual time for a lock that its starter holds.
    """

    __slots__ = ("_lock", "_set")

    def __init__(self) -> None:
        self._set = False
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        self._lock.release()

    def wait(self, timeout: float | None = None) -> bool:
        if self._lock.acquire(timeout=-1 if timeout is None else timeout):
            self._lock.release()
        return self._set

    def _at_fork_reinit(self) -> None:
        """The interpreter asks for it; a child of a fork finds the event as it was."""


def _start_on(thread: threading.Thread, programs: Programs, node: Any, start: Callable[..., None]) -> None:
    """Start a thread that runs when it has the baton, and is no obstacle to the end of the process."""
    program, strand = programs.adopt(node, thread.name)
    strand.thread = thread
    body = thread.run
    strand.body = partial(_run, thread, body)
    daemonic = thread._daemonic                              # type: ignore[attr-defined]
    own: Any = thread
    own.run = strand.main
    own._daemonic = True
    with inside(None):
        own._started = Started()
        try:
            start(thread)
        except BaseException as error:
            programs.ready.remove(strand.waits[-1])
            program.finish(None, ProgramExit())
            raise error
        finally:
            own._daemonic = daemonic
    thread.__dict__[_PROGRAM] = program


def _run(thread: threading.Thread, body: Callable[[], None]) -> None:
    """What a thread of the library does with what its function raises: it is reported, and does not spread."""
    try:
        body()
    except (SystemExit, ProgramExit):
        raise
    except BaseException as error:
        threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, thread)))
    finally:
        thread.__dict__.pop("run", None)


def _install_import_lock(switch: Switch) -> None:
    """A module that is being imported by a program that waits: others wait in virtual time."""
    kind: Any = importlib._bootstrap._ModuleLock             # type: ignore[attr-defined]

    blocked: dict[int, Any] = {}                             # thread → the lock of the module that it waits for

    def circular(lock: Any, me: int) -> bool:
        """Does the owner of `lock` wait for a module that this thread is importing?"""
        owner, steps = lock.owner, len(blocked)
        while owner in blocked and steps:
            owner, steps = blocked[owner].owner, steps - 1
        return bool(owner == me)

    def acquired(self: Any) -> Any:
        me = threading.get_ident()
        while self.owner not in (None, me) and (programs := _programs_with(self.owner)) is not None:
            if circular(self, me):                           # the library takes the module as far as it is
                raise importlib._bootstrap._DeadlockError(f"deadlock detected by {self!r}")  # type: ignore[attr-defined]
            blocked[me] = self
            try:
                programs.wait((), programs.scheduler.now + POLL, current_node(), f"import {self.name}")
            finally:
                del blocked[me]
        return acquire(self)

    acquire = switch.attribute(kind, "acquire", acquired)


def _programs_with(ident: int) -> Programs | None:
    """The network in which the thread `ident` is a program that waits, or the calling thread, if ours is a program there."""
    mine = current_strand()
    for programs in opened():
        if mine is not None and mine.programs is programs and programs.caller.ident == ident:
            return programs
        if any(strand is not None and strand.ident == ident for strand in programs.live.values()):
            return programs
    return None


def _of_interest(record: logging.LogRecord) -> bool:
    """A worker that is ended with its network has no news for the log."""
    return not (record.exc_info and record.exc_info[0] is ProgramExit)


def _close_all() -> None:
    for programs in opened():
        try:
            programs.close()
        except BaseException as error:
            sys.stderr.write(f"packetstack: {error}\n")


# Its exit function must be registered before ours, so that it is called after it.
assert concurrent.futures.thread is not None
