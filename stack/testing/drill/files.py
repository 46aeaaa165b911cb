"""What a script's file numbers stand for: sockets, epoll instances, pipes, devices."""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Generator, Iterator
from typing import TypeVar

from stack.network.waiting import Source
from stack.socket.description import Description
from stack.socket.epoll import Epoll
from stack.socket.messages import time_limit
from stack.socket.socket import Socket
from stack.socket.stream import Stream

_T = TypeVar("_T")
PIPE = 65536  # octets that a pipe holds, pipe(7)


class Waits:
    """A call waits for one of `sources` to wake, or for `deadline` in nanoseconds."""

    __slots__ = ("deadline", "sources")

    def __init__(self, sources: list[Source], deadline: int | None = None) -> None:
        self.sources = sources
        self.deadline = deadline


#: A call on its way: it yields what it waits for, is resumed when that may have come, and returns its result.
Call = Generator[Waits, None, _T]


def error(code: int) -> OSError:
    """The error of an errno."""
    return OSError(code, os.strerror(code))


class OpenFile:
    """What is open under a number. `nonblocking`: O_NONBLOCK; `flags`: those of F_GETFL besides."""

    def __init__(self, flags: int = 2, nonblocking: bool = False) -> None:
        self.flags = flags
        self.nonblocking = nonblocking

    def read(self, size: int) -> bytes:
        """Octets; raises BlockingIOError where there are none yet."""
        raise error(errno.EBADF)

    def write(self, data: bytes) -> int:
        """How many octets were taken; raises BlockingIOError where there is no room."""
        raise error(errno.EBADF)

    @property
    def source(self) -> Source | None:
        """What wakes who waits for it."""
        return None

    def close(self) -> None:
        """The number is gone."""


class SocketFile(OpenFile):
    """A socket, which never blocks: the calls that wait for it do so themselves."""

    def __init__(self, socket: Socket, nonblocking: bool = False) -> None:
        super().__init__(2, nonblocking)
        self.socket = socket
        socket.setblocking(False)
        self.description: Description = socket._file

    @property
    def now(self) -> int:
        """The host's time, in nanoseconds."""
        return self.description.node.now

    def limit(self, doing: str) -> int | None:
        """When SO_RCVTIMEO, or SO_SNDTIMEO for "send", ends a call that begins now: nanoseconds, or None."""
        return time_limit(self.description, doing)

    @property
    def connects_anew(self) -> bool:
        """Whether its connection is over (it failed, or was dissolved by AF_UNSPEC), so that it may have another."""
        return isinstance(self.description, Stream) and self.description.connection is None

    def read(self, size: int) -> bytes:
        return self.socket.recv(size)

    def write(self, data: bytes) -> int:
        return self.socket.send(data)

    @property
    def source(self) -> Source:
        return self.description

    def close(self) -> None:
        if self.socket.fileno() >= 0:
            self.description.close(self.socket.detach())


class EpollFile(OpenFile):
    """An epoll instance, and the files that it watches."""

    def __init__(self, epoll: Epoll) -> None:
        super().__init__()
        self.epoll = epoll
        self.watched: dict[int, tuple[SocketFile, int]] = {}  # number of the script → its file, the user's data

    def close(self) -> None:
        self.epoll.close()


class Pipe(Source):
    """Octets between two ends."""

    def __init__(self) -> None:
        super().__init__()
        self.octets = 0
        self.pieces: deque[bytes] = deque()
        self.readers = self.writers = 1


class PipeEnd(OpenFile):
    """One end of a pipe."""

    def __init__(self, pipe: Pipe, writing: bool) -> None:
        super().__init__(1 if writing else 0)
        self.pipe = pipe
        self.writing = writing

    def read(self, size: int) -> bytes:
        pipe = self.pipe
        if self.writing:
            raise error(errno.EBADF)
        if not pipe.pieces:
            if pipe.writers:
                raise error(errno.EAGAIN)
            return b""
        whole = b"".join(pipe.pieces)
        pipe.pieces.clear()
        if whole[size:]:
            pipe.pieces.append(whole[size:])
        pipe.octets -= len(whole[:size])
        pipe.wake()
        return whole[:size]

    def write(self, data: bytes) -> int:
        pipe = self.pipe
        if not self.writing:
            raise error(errno.EBADF)
        if not pipe.readers:
            raise error(errno.EPIPE)
        taken = data[: PIPE - pipe.octets]
        if data and not taken:
            raise error(errno.EAGAIN)
        pipe.pieces.append(taken)
        pipe.octets += len(taken)
        pipe.wake()
        return len(taken)

    @property
    def room(self) -> int:
        """Octets that may be written."""
        return PIPE - self.pipe.octets

    @property
    def source(self) -> Source:
        return self.pipe

    def close(self) -> None:
        if self.writing:
            self.pipe.writers -= 1
        else:
            self.pipe.readers -= 1
        self.pipe.wake()


class Device(OpenFile):
    """/dev/null, /dev/zero, /dev/full: all that a script opens."""

    def __init__(self, path: str, flags: int) -> None:
        super().__init__(flags)
        self.path = path

    def read(self, size: int) -> bytes:
        return b"" if self.path == "/dev/null" else bytes(size)

    def write(self, data: bytes) -> int:
        if self.path == "/dev/full":
            raise error(errno.ENOSPC)
        return len(data)


DEVICES = ("/dev/null", "/dev/zero", "/dev/full")


class Files:
    """The numbers of a script, and what they stand for here."""

    def __init__(self) -> None:
        self._open: dict[int, OpenFile] = {}
        self._nameless: list[OpenFile] = []  # open still, under numbers that the script has given to others since

    def __getitem__(self, number: int) -> OpenFile:
        found = self._open.get(number)
        if found is None:
            raise error(errno.EBADF)
        return found

    def __iter__(self) -> Iterator[OpenFile]:
        return iter(list(self._open.values()))

    def socket(self, number: int) -> SocketFile:
        """The socket of this number; raises EBADF, ENOTSOCK."""
        found = self[number]
        if not isinstance(found, SocketFile):
            raise error(errno.ENOTSOCK)
        return found

    def get(self, number: int) -> OpenFile | None:
        """What is open under a number."""
        return self._open.get(number)

    def number_of(self, file: OpenFile) -> int:
        """The number of an open file."""
        return next((number for number, one in self._open.items() if one is file), -1)

    def add(self, number: int, file: OpenFile) -> None:
        """Open: a number that is in use is not taken again by the host either, so the script means the new file."""
        if number in self._open:
            self._nameless.append(self._open[number])
        self._open[number] = file

    def free(self) -> int:
        """The lowest number that is free, from 3 on."""
        number = 3
        while number in self._open:
            number += 1
        return number

    def remove(self, number: int) -> OpenFile:
        """Close."""
        file = self[number]
        del self._open[number]
        return file

    def close(self) -> None:
        """Close all, as the end of a process does."""
        for number in list(self._open):
            self.remove(number).close()
        while self._nameless:
            self._nameless.pop().close()
