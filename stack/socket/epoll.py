"""`epoll` over the sockets of a host: level- and edge-triggered, once only (epoll(7), epoll_ctl(2))."""

from __future__ import annotations

import errno
import os
from types import TracebackType
from typing import Any, Self

from stack.network.node import Node
from stack.network.waiting import Source
from stack.socket.description import ERR, HUP, IN, OUT, PRI, Description, among
from stack.socket.select import description_of, is_open, number_of, opened, waited

ONESHOT, EDGE, EXCLUSIVE, WAKEUP = 1 << 30, 1 << 31, 1 << 28, 1 << 29
_WITH_EXCLUSIVE = IN | OUT | ERR | HUP | WAKEUP | EDGE | EXCLUSIVE
_ALWAYS = ERR | HUP


class Interest:
    """One registered file. `asked`: its events, without the flags; 0 and `spent` once EPOLLONESHOT has told.

    `stirred`: something that was asked for has happened since it was last told, which is what an edge is.
    """

    __slots__ = ("asked", "edge", "exclusive", "file", "once", "seen", "spent", "stirred")

    def __init__(self, file: Description, mask: int) -> None:
        self.file = file
        self.exclusive = bool(mask & EXCLUSIVE)
        self.ask(mask)
        file.watch(self)

    def ask(self, mask: int) -> None:
        """Begin anew with other events: what is there now counts."""
        self.asked = mask & 0xFFFF
        self.edge = bool(mask & EDGE)
        self.once = bool(mask & ONESHOT)
        self.spent = False
        self.stirred = True
        self.seen = self.file.arrivals()

    def woken(self, source: Source) -> None:
        """The file has changed: is it what was asked for?"""
        if self.edge and not self.stirred:
            key, self.seen = self.file.stirred(self.seen)
            self.stirred = bool(among(key, self.asked | _ALWAYS))

    def events(self) -> int:
        """The events to tell now."""
        if self.spent or (self.edge and not self.stirred):
            return 0
        found = among(self.file.events, self.asked | _ALWAYS)
        if not found:
            self.stirred = False
        return found

    def told(self) -> None:
        """The program has got its events."""
        self.stirred = False
        self.spent = self.once
        self.seen = self.file.arrivals()


class Epoll:
    """As `select.epoll`."""

    def __init__(self, node: Node, sizehint: int = -1, flags: int = 0) -> None:
        if sizehint != -1 and sizehint <= 0:
            raise ValueError("negative sizehint")
        self._node = node
        self._interests: dict[int, Interest] = {}
        self.closed = False

    def register(self, fd: Any, eventmask: int = IN | PRI | OUT) -> None:
        """Ask for events of a file."""
        self._check()
        number = number_of(fd)
        file = opened(self._node, fd)
        if eventmask & EXCLUSIVE and eventmask & ~_WITH_EXCLUSIVE:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        known = self._interests.get(number)
        if known is not None and known.file is file:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        self._interests[number] = Interest(file, eventmask)

    def modify(self, fd: Any, eventmask: int) -> None:
        """Ask for other events of a file that is registered."""
        interest = self._interests[self._registered(fd)]
        if eventmask & EXCLUSIVE or interest.exclusive:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        interest.ask(eventmask)

    def unregister(self, fd: Any) -> None:
        """Ask no longer."""
        self._forget(self._registered(fd))

    def poll(self, timeout: float | None = None, maxevents: int = -1) -> list[tuple[int, int]]:
        """Files and their events; `timeout` in seconds, None or negative: for ever."""
        self._check()
        if maxevents != -1 and maxevents <= 0:
            raise ValueError(f"maxevents must be greater than 0, got {maxevents}")
        for number in [number for number, each in self._interests.items() if not is_open(number, each.file)]:
            self._forget(number)  # the kernel forgets a file when it is closed
        sources = list(dict.fromkeys(each.file for each in self._interests.values()))
        seconds = None if timeout is None or timeout < 0 else timeout
        found: list[tuple[int, int]] = waited(self._node, sources, seconds, self._ready, "poll")
        if 0 < maxevents < len(found):
            found = found[:maxevents]
            for number, _ in found:  # the others come first the next time
                self._interests[number] = self._interests.pop(number)
        for number, _ in found:
            self._interests[number].told()
        return found

    def _ready(self) -> list[tuple[int, int]]:
        return [(number, events) for number, each in self._interests.items() if (events := each.events())]

    def close(self) -> None:
        """Forget everything."""
        self.closed = True
        for number in list(self._interests):
            self._forget(number)

    def fileno(self) -> int:
        """It has no number on this host: raises EINVAL once closed, ENOSYS otherwise."""
        self._check()
        raise OSError(errno.ENOSYS, "an epoll object of an emulated host has no file number")

    def __enter__(self) -> Self:
        self._check()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _check(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed epoll object")

    def _forget(self, number: int) -> None:
        interest = self._interests.pop(number)
        interest.file.unwatch(interest)

    def _registered(self, fd: Any) -> int:
        self._check()
        number = number_of(fd)
        if number not in self._interests:
            if description_of(self._node, fd) is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return number
