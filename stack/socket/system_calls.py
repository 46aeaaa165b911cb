"""System calls on file numbers of a host: read(2), write(2), readv, writev, sendfile, splice, close; fcntl(2); ioctl(2).

What `os` and `fcntl` mean on a host for numbers that are a host's. Other numbers are the operating system's: `Dispatched`
hands them to its own function.
"""

from __future__ import annotations

import errno
import functools
import os
import struct
from collections.abc import Callable
from typing import Any

from stack.network.node import Node
from stack.socket import messages, numbers
from stack.socket.description import FIRST_NUMBER, Description, error
from stack.socket.select import number_of
from stack.socket.socket import Socket
from stack.socket.switch import Switch
from stack.socket.transfer import Transfer

F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 1030
_FD_CLOEXEC = 1
O_RDWR, O_NONBLOCK, O_ASYNC, O_APPEND = 2, 0o4000, 0o20000, 0o2000
_PIECE = 1 << 16


class Opened(Transfer):
    """An open file by its number, for calls that wait unless O_NONBLOCK is set."""

    __slots__ = ("_file", "_timeout")

    def __init__(self, file: Description) -> None:
        self._file = file
        self._timeout = None


def _opened(node: Node, fd: int) -> Opened:
    found: Description | None = node.descriptors.get(fd)
    if found is None:
        raise error(errno.EBADF)
    return Opened(found)


def read(node: Node, fd: int, length: int, /) -> bytes:
    """read(2)."""
    return _opened(node, fd).recv(length)


def write(node: Node, fd: int, data: Any, /) -> int:
    """write(2)."""
    return _opened(node, fd).send(data)


def readv(node: Node, fd: int, buffers: Any, /) -> int:
    """readv(2)."""
    return _opened(node, fd).recvmsg_into(buffers)[0]


def writev(node: Node, fd: int, buffers: Any, /) -> int:
    """writev(2)."""
    return _opened(node, fd).sendmsg(buffers)


def close(node: Node, fd: int) -> None:
    """close(2)."""
    found = node.descriptors.get(fd)
    if found is None:
        raise error(errno.EBADF)
    found.close(fd)


def sendfile(node: Node, out_fd: int, in_fd: int, offset: int | None, count: int) -> int:
    """sendfile(2): from a file of the operating system to a socket. `offset` None: from where the file stands."""
    socket = _opened(node, out_fd)
    sent = 0
    while sent < count:
        size = min(count - sent, _PIECE)
        more = numbers.MSG_MORE if size < count - sent else 0
        octets = os.read(in_fd, size) if offset is None else os.pread(in_fd, size, offset + sent)
        if not octets:
            break
        try:
            taken = socket.send(octets, more)
        except OSError:
            if not sent:
                raise
            taken = 0
        sent += taken
        if taken < len(octets):
            if offset is None:
                os.lseek(in_fd, taken - len(octets), os.SEEK_CUR)
            break
    return sent


def splice(
    node: Node, src: int, dst: int, count: int, offset_src: int | None = None, offset_dst: int | None = None, flags: int = 0
) -> int:
    """splice(2) between a socket of the host and a pipe of the operating system."""
    if offset_src is not None or offset_dst is not None:
        raise error(errno.ESPIPE)
    waits = 0 if not flags & 2 else numbers.MSG_DONTWAIT  # SPLICE_F_NONBLOCK
    if src >= FIRST_NUMBER:
        return os.write(dst, _opened(node, src).recv(min(count, _PIECE), waits))
    octets = os.read(src, min(count, _PIECE))
    more = numbers.MSG_MORE if flags & 4 else 0  # SPLICE_F_MORE
    return _opened(node, dst).send(octets, waits | more) if octets else 0


def fcntl(original: Any, node: Node, fd: Any, cmd: int, arg: Any = 0) -> Any:
    """fcntl(2): the status flags of a host's file, and copies of its number."""
    number = number_of(fd)
    found: Description | None = node.descriptors.get(number)
    if found is None:
        return original(fd, cmd, arg)
    if cmd == F_GETFL:
        return O_RDWR | (O_NONBLOCK if found.nonblocking else 0)
    if cmd == F_SETFL:
        found.nonblocking = bool(arg & O_NONBLOCK)
        return 0
    if cmd in (F_DUPFD, F_DUPFD_CLOEXEC):
        return found.open()
    if cmd == F_GETFD:
        return _FD_CLOEXEC
    if cmd == F_SETFD:
        return 0
    raise error(errno.EINVAL)


def ioctl(original: Any, node: Node, fd: Any, request: int, arg: Any = 0, mutate_flag: bool = True) -> Any:
    """ioctl(2): FIONREAD and SIOCINQ, SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK, FIONBIO of the host's sockets."""
    found = fd._file if isinstance(fd, Socket) else node.descriptors.get(number_of(fd))
    if found is None:
        return original(fd, request, arg, mutate_flag)
    if request == numbers.FIONBIO:
        found.nonblocking = struct.unpack_from("i", messages.octets(arg))[0] != 0
        return 0 if isinstance(arg, int) else arg if isinstance(arg, bytes) else 0
    if request == numbers.SIOCATMARK:
        value = int(found.at_mark)
    elif request == numbers.SIOCINQ:
        value = found.unread()
    elif request in (numbers.SIOCOUTQ, numbers.SIOCOUTQNSD):
        value = found.unsent(request == numbers.SIOCOUTQ)
    else:
        raise error(errno.ENOTTY)
    packed = struct.pack("i", value)
    if isinstance(arg, bytes):
        return packed + arg[4:]
    if isinstance(arg, int):
        return 0
    memoryview(arg).cast("B")[:4] = packed
    return 0


def install(switch: Switch) -> None:
    """Say what is replaced; what the platform has not is left out."""
    calls: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
        "read": (read, (0,)),
        "write": (write, (0,)),
        "readv": (readv, (0,)),
        "writev": (writev, (0,)),
        "close": (close, (0,)),
        "sendfile": (sendfile, (0,)),
        "splice": (splice, (0, 1)),
    }
    for name, (call, places) in calls.items():
        if hasattr(os, name):
            switch.function("os", name, _dispatched(switch.original("os", name), call, places))
    try:
        switch.function("fcntl", "fcntl", functools.partial(fcntl, switch.original("fcntl", "fcntl")))
        switch.function("fcntl", "ioctl", functools.partial(ioctl, switch.original("fcntl", "ioctl")))
    except ImportError:  # not on this platform
        return


def _dispatched(original: Callable[..., Any], call: Callable[..., Any], places: tuple[int, ...]) -> Callable[..., Any]:
    """`call` where one of the arguments at `places` is a host's number, the system's own function otherwise."""

    def either(node: Node, *arguments: Any, **named: Any) -> Any:
        for place in places:
            number = arguments[place] if place < len(arguments) else None
            if isinstance(number, int) and number >= FIRST_NUMBER:
                return call(node, *arguments, **named)
        return original(*arguments, **named)

    return either
