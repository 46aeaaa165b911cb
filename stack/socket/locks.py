"""Locks that programs of hosts may hold while they wait: whoever else wants one waits in virtual time.

A lock of the library would stop the one thread that has the baton, and with it the network. These behave as the
library's outside of hosts, and between threads that have nothing to do with a network.
"""

from __future__ import annotations

import _queue
import _thread
from typing import Any

from stack.network.baton import Strand, current_strand
from stack.network.place import current_node
from stack.network.waiting import Source, polled, programs_of, wait


class Lock(Source):
    """As `threading.Lock`."""

    __slots__ = ("__weakref__", "_holder", "_real")

    def __init__(self) -> None:
        super().__init__()
        self._real = _thread.allocate_lock()
        self._holder: Strand | None = None                   # the program that acquired it, if one did

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if self._real.acquire(False):
            self._holder = current_strand()
            return True
        if blocking:
            return self._acquire(timeout)
        node = current_node()
        if node is not None:
            polled(node)
        return False

    def _acquire(self, timeout: float) -> bool:
        """The lock is taken: wait in virtual time if the caller is on a host, or if it must wait for a program.

        In real time where the network is run by another thread: it lets the program go on.
        """
        node = current_node()
        holder = self._holder
        if node is not None:
            programs = programs_of(node)
        elif holder is not None and holder is not current_strand() and timeout == -1 and holder.programs.can_be_run:
            programs = holder.programs
        else:
            return self._real.acquire(timeout=timeout)
        deadline = None if timeout == -1 else programs.scheduler.now + round(timeout * 1e9)
        while not self._real.acquire(False):
            if not programs.wait((self,), deadline, node, "acquire"):
                return False
        self._holder = current_strand()
        return True

    def release(self) -> None:
        strand, self._holder = self._holder, None
        self._real.release()
        if self.waiters:
            self.wake()
        if strand is not None:
            strand.programs.grabbed(strand)

    def locked(self) -> bool:
        return self._real.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self._real = _thread.allocate_lock()
        self._holder = None
        self.waiters = None

    def describe(self) -> str:
        holder = self._holder
        if holder is None or holder.program is None:
            return "a lock"
        return f"a lock that program {holder.program.name} on {holder.program.node.name} holds"


class RLock:
    """As `threading.RLock`."""

    __slots__ = ("__weakref__", "_block", "_count", "_owner")

    def __init__(self) -> None:
        self._block = Lock()
        self._owner: int | None = None
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        me = _thread.get_ident()
        if self._owner == me:
            self._count += 1
            return True
        if not self._block.acquire(blocking, timeout):
            return False
        self._owner = me
        self._count = 1
        return True

    __enter__ = acquire

    def release(self) -> None:
        if self._owner != _thread.get_ident():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if not self._count:
            self._owner = None
            self._block.release()

    def __exit__(self, *_: object) -> None:
        self.release()

    def locked(self) -> bool:
        return self._block.locked()

    # What threading.Condition asks for

    def _is_owned(self) -> bool:
        return self._owner == _thread.get_ident()

    def _release_save(self) -> tuple[int, int | None]:
        saved = self._count, self._owner
        self._count, self._owner = 0, None
        self._block.release()
        return saved

    def _acquire_restore(self, saved: tuple[int, int | None]) -> None:
        self._block.acquire()
        self._count, self._owner = saved

    def _recursion_count(self) -> int:
        return self._count if self._is_owned() else 0

    def _at_fork_reinit(self) -> None:
        self._block._at_fork_reinit()
        self._owner, self._count = None, 0


class SimpleQueue(_queue.SimpleQueue):                       # type: ignore[type-arg]
    """As `queue.SimpleQueue`."""

    def __init__(self) -> None:
        super().__init__()
        self._arrival = Source()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        super().put(item)
        self._arrival.wake()

    def put_nowait(self, item: Any) -> None:
        self.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        node = current_node()
        if node is None:
            return super().get(block, timeout)
        if not block:
            try:
                return super().get(False)
            except _queue.Empty:
                polled(node)
                raise
        if timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        deadline = None if timeout is None else node.scheduler.now + round(timeout * 1e9)
        while True:
            try:
                return super().get(False)
            except _queue.Empty:
                if not wait((self._arrival,), deadline, node, "get from a queue"):
                    raise

    def get_nowait(self) -> Any:
        return self.get(False)
