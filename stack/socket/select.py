"""`select` and `poll` over the sockets of a host (POSIX select(), poll())."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Iterable, Sequence
from typing import Any

from stack.network.node import Node
from stack.network.waiting import polled, wait
from stack.socket.description import ERR, FIRST_NUMBER, HUP, IN, NVAL, OUT, PRI, Description, among
from stack.socket.socket import Socket


def number_of(file: Any) -> int:
    """The file number of a socket, or a number itself; raises as `select.select` does."""
    number = file if isinstance(file, int) else None
    if number is None:
        method = getattr(file, "fileno", None)
        if method is None:
            raise TypeError("argument must be an int, or have a fileno() method.")
        number = method()
        if not isinstance(number, int):
            raise TypeError("fileno() returned a non-integer")
    if number < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({number})")
    return number


def description_of(node: Node, file: Any) -> Description | None:
    """What is open behind a socket, or under a number on this host; None if nothing is.

    A socket object may be another host's, as for its own methods. The real world's files are told apart and refused.
    """
    number = number_of(file)
    if isinstance(file, Socket):
        opened: Description = file._file
        return opened
    found: Description | None = node.descriptors.get(number)
    if found is None and number < FIRST_NUMBER:
        raise ValueError(
            f"file descriptor {number} is the operating system's: on host {node.name} only its own sockets can be waited for"
        )
    return found


def is_open(number: int, description: Description | None) -> bool:
    """Does the number still stand for that?"""
    return description is not None and description.node.descriptors.get(number) is description


def deadline_after(node: Node, seconds: float | None) -> int | None:
    """The virtual time in nanoseconds when so many seconds have passed."""
    return None if seconds is None else node.now + math.ceil(seconds * 1_000_000_000)


def select(
    node: Node, rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any], timeout: float | None = None, /
) -> tuple[list[Any], list[Any], list[Any]]:
    """As `select.select`."""
    if timeout is not None:
        if not isinstance(timeout, int | float):
            raise TypeError("timeout must be a float or None")
        if timeout < 0:
            raise ValueError("timeout must be non-negative")
    lists = [[(file, opened(node, file)) for file in files] for files in (rlist, wlist, xlist)]
    sources = list(dict.fromkeys(description for files in lists for _, description in files))

    def ready() -> tuple[list[Any], list[Any], list[Any]] | None:
        found = (
            [file for file, description in lists[0] if description.events & (IN | HUP | ERR)],
            [file for file, description in lists[1] if description.events & (OUT | ERR)],
            [file for file, description in lists[2] if description.events & PRI],
        )
        return found if any(found) else None

    return waited(node, sources, timeout, ready, "select") or ([], [], [])


def waited(node: Node, sources: Sequence[Description], timeout: float | None, ready: Any, doing: str) -> Any:
    """What `ready()` gives as soon as it gives something, or None when the time is over."""
    found = ready()
    if found:
        return found
    if timeout is not None and timeout <= 0:
        polled(node)
        return ready()
    deadline = deadline_after(node, timeout)
    while wait(sources, deadline, node, doing):
        found = ready()
        if found:
            return found
    return ready()


def opened(node: Node, file: Any) -> Description:
    found = description_of(node, file)
    if found is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return found


Wanted = tuple[Description | None, int]  # what a number stood for when it was registered, and the events asked for


class Poll:
    """As the object that `select.poll()` gives."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._wanted: dict[int, Wanted] = {}

    def register(self, fd: Any, eventmask: int = IN | PRI | OUT, /) -> None:
        """Ask for events of a file; again replaces what was asked."""
        self._wanted[number_of(fd)] = (description_of(self._node, fd), eventmask)

    def modify(self, fd: Any, eventmask: int, /) -> None:
        """Ask for other events of a file that is registered."""
        number = number_of(fd)
        if number not in self._wanted:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        self._wanted[number] = (self._wanted[number][0], eventmask)

    def unregister(self, fd: Any, /) -> None:
        """Ask no longer."""
        number = number_of(fd)
        if number not in self._wanted:
            raise KeyError(number)
        del self._wanted[number]

    def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
        """Files and their events; `timeout` in milliseconds, None or negative: for ever."""
        seconds = None if timeout is None or timeout < 0 else timeout / 1000
        return poll(self._node, self._wanted, seconds)


def poll(node: Node, wanted: dict[int, Wanted], timeout: float | None) -> list[tuple[int, int]]:
    """The files of `wanted` that have events, in its order; `timeout` in seconds."""
    sources = [description for number, (description, _) in wanted.items() if description and is_open(number, description)]

    def ready() -> list[tuple[int, int]]:
        found = []
        for number, (description, mask) in wanted.items():
            if description is None or not is_open(number, description):
                found.append((number, NVAL))
            elif events := among(description.events, mask | ERR | HUP):
                found.append((number, events))
        return found

    result: list[tuple[int, int]] = waited(node, sources, timeout, ready, "poll")
    return result
