"""The thread that makes a script's system calls on this machine's kernel, where they block as they do for any program."""

from __future__ import annotations

import os
import queue
import select
import threading
import time
from typing import Any

from stack.network.waiting import Source
from stack.testing.drill.files import Call, Waits
from stack.testing.drill.kernel_socket import KernelDescription

_ENTERING = 0.001  # seconds after which a call that has not returned is one that waits
_NAP = 0.0005  # seconds between two looks at what is not the kernel's: pipes
_ALL = 1 | 2 | 4 | 0x2000 | 1 << 31  # EPOLLIN, EPOLLPRI, EPOLLOUT, EPOLLRDHUP; EPOLLET: once for each time that something comes


class CallThread(Source):
    """One call at a time. Its `fileno()` can be read when a call has returned."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: queue.SimpleQueue[_Made] = queue.SimpleQueue()
        self._returned = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        threading.Thread(target=self._run, daemon=True).start()

    def fileno(self) -> int:
        """The file to be waited for."""
        return self._returned

    def seen(self) -> None:
        """Nothing is new."""
        try:
            os.eventfd_read(self._returned)
        except BlockingIOError:
            pass

    def make(self, call: Call[int]) -> Call[int]:
        """The same call, made by the thread."""
        made = _Made(call)
        self._calls.put(made)
        if not made.returned.wait(_ENTERING):
            while not made.returned.is_set():
                yield Waits([self])
        if made.raised is not None:
            raise made.raised
        assert made.result is not None
        return made.result

    def _run(self) -> None:
        while True:
            made = self._calls.get()
            try:
                made.result = _through(made.call)
            except BaseException as raised:  # whatever it is, it is for who waits for the call
                made.raised = raised
            made.returned.set()
            os.eventfd_write(self._returned, 1)


class _Made:
    def __init__(self, call: Call[int]) -> None:
        self.call = call
        self.result: int | None = None
        self.raised: BaseException | None = None
        self.returned = threading.Event()


def _through(call: Call[int]) -> Any:
    """A call to its end. What waits by itself is poll(2) and its kin, for sockets: one look each time that something comes."""
    with select.epoll() as news:
        watched: set[int] = set()
        while True:
            try:
                waits = next(call)
            except StopIteration as end:
                return end.value
            numbers = [source.fileno() for source in waits.sources if isinstance(source, KernelDescription)]
            for number in numbers:
                if number not in watched:
                    watched.add(number)
                    news.register(number, _ALL)
            left = None if waits.deadline is None else max(0.0, (waits.deadline - time.monotonic_ns()) / 1e9)
            if len(numbers) == len(waits.sources) and (numbers or left is not None):
                news.poll(left)
            else:
                time.sleep(_NAP)
