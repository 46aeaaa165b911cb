"""The socket object of a host: what `socket.socket(...)` makes there (POSIX.1 sockets, with CPython's interface).

It is a subclass of the library's own class, without a file of the operating system under it: what the library writes in
Python over its socket (files, `with`, the counting of references by files) is the library's own.
"""

from __future__ import annotations

import _socket
import errno
import socket
import sys
import warnings
from collections.abc import Callable
from socket import AF_INET, SOCK_STREAM
from typing import Any

from stack.base.errors import StackError
from stack.network.place import current_node
from stack.network.waiting import wait
from stack.socket import options, sockaddr
from stack.socket.description import CLOSED, Description, error
from stack.socket.opening import open_socket
from stack.socket.transfer import Transfer

_blank = _socket.socket.__new__
_TYPE_FLAGS = int(getattr(socket, "SOCK_NONBLOCK", 0)) | int(getattr(socket, "SOCK_CLOEXEC", 0))
_LONGEST = 2**63 / 1e9  # seconds of a time-out
_NONBLOCK = int(getattr(socket, "SOCK_NONBLOCK", 0))


class Socket(Transfer, socket.socket):
    """A socket of an emulated host."""

    __slots__ = ("_file", "_inheritable", "_number", "_proto", "_timeout")

    def __new__(cls, *arguments: Any, **named: Any) -> Socket:
        made: Socket = _blank(cls)
        made._file = CLOSED
        made._number = -1
        made._proto = 0
        made._timeout = None
        return made

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        node: Any = current_node()
        if node is None:
            raise StackError("a socket of a host is made on that host: inside `with host:` or in a program of it")
        if fileno is None:
            kind = SOCK_STREAM if type == -1 else type
            file = open_socket(node, AF_INET if family == -1 else family, kind & ~_TYPE_FLAGS, max(proto, 0))
            self._set(file, file.open(), max(proto, 0))
            if kind & _NONBLOCK:
                self._wait(0.0)
            return
        if not isinstance(fileno, int):
            raise TypeError(f"{fileno.__class__.__name__!r} object cannot be interpreted as an integer")
        if fileno < 0:
            raise ValueError("negative file descriptor")
        found = node.descriptors.get(fileno)
        if found is None:
            raise error(errno.EBADF)
        self._set(found, fileno, max(proto, 0))

    def _set(self, file: Description, number: int, proto: int) -> None:
        self._file = file
        self._number = number
        self._proto = proto
        self._timeout = socket.getdefaulttimeout()
        self._inheritable = False
        self._io_refs = 0
        self._closed = False

    def __del__(self, _closed: Any = CLOSED, _ending: Callable[[], bool] = sys.is_finalizing) -> None:
        file = self._file
        if file is _closed or _ending():
            return
        programs = file.node.scheduler.programs
        if programs is not None and programs.closed:
            return  # the host is gone, and all that was open on it
        warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
        self._file = CLOSED
        # Whoever dropped it may be in the middle of an event of the network: it is closed as the next one.
        file.node.scheduler.call_at(file.node.now, file.close, self._number)

    # What it is

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AddressFamily(self._kept("family", AF_INET))

    @property
    def type(self) -> socket.SocketKind:
        return socket.SocketKind(self._kept("kind", SOCK_STREAM))

    @property
    def proto(self) -> int:
        return int(self._proto)

    @property
    def timeout(self) -> float | None:
        return self._timeout

    def _kept(self, name: str, default: int) -> int:
        return int(getattr(self._file, name)) if self._file is not CLOSED else default

    def fileno(self) -> int:
        return self._number

    def get_inheritable(self) -> bool:
        return bool(self._inheritable)

    def set_inheritable(self, inheritable: bool) -> None:
        self._inheritable = bool(inheritable)

    def settimeout(self, value: float | None, /) -> None:
        if value is not None:
            value = float(value)
            if not value >= 0:
                raise ValueError("Timeout value out of range" if value < 0 else "Invalid value NaN (not a number)")
            if value > _LONGEST:
                raise OverflowError("timestamp out of range for platform time_t")
        self._wait(value)

    def gettimeout(self) -> float | None:
        return self._timeout

    def setblocking(self, flag: bool, /) -> None:
        self._wait(None if flag else 0.0)

    def _wait(self, seconds: float | None) -> None:
        """How long calls wait. As the library has it, a socket with a time-out does not block underneath."""
        self._timeout = seconds
        if self._file is not CLOSED:
            self._file.nonblocking = seconds is not None

    def getblocking(self) -> bool:
        return self._timeout != 0.0

    # Addresses and connections

    def bind(self, address: Any, /) -> None:
        file = self._file
        file.bind(*sockaddr.read(file.node, file.family, address, "bind"))

    def listen(self, backlog: int = 128, /) -> None:
        self._file.listen(max(backlog, 0))

    def connect(self, address: Any, /) -> None:
        code = self._connect(address, "connect")
        if code:
            raise TimeoutError("timed out") if code == errno.EWOULDBLOCK else error(code)

    def connect_ex(self, address: Any, /) -> int:
        try:
            return self._connect(address, "connect_ex")
        except socket.gaierror:
            raise
        except OSError as trouble:
            if trouble.errno is None:
                raise
            return trouble.errno

    def _connect(self, address: Any, caller: str) -> int:
        """The errno with which it ends; EWOULDBLOCK: the time is over."""
        file, timeout = self._file, self._timeout
        code: int = file.connect(*sockaddr.read(file.node, file.family, address, caller))
        if code not in (errno.EINPROGRESS, errno.EALREADY) or self._impatient:
            return code
        deadline = self._deadline()
        while file.connecting:
            if not wait((file,), deadline, file.node, "connect"):
                return errno.EWOULDBLOCK
            if not file.references:
                raise error(errno.EBADF)
        # With a time-out, the library's socket does not block underneath: it asks for SO_ERROR.
        result: int = file.connected() if timeout is None else file.take_error()
        return result

    def accept(self) -> tuple[socket.socket, Any]:
        file = self._file
        found = file.accept()
        if found is None:
            found = self._again(file.accept, (), "accept")
        connection, address = found
        made: Socket = _blank(Socket)
        made._set(connection, connection.open(), self._proto)
        return made, sockaddr.show(file.family, address)

    def getsockname(self) -> Any:
        file = self._file
        return sockaddr.show(file.family, file.local())

    def getpeername(self) -> Any:
        file = self._file
        address = file.remote()
        if address is None:
            raise error(errno.ENOTCONN)
        return sockaddr.show(file.family, address)

    def shutdown(self, how: int, /) -> None:
        self._file.shutdown(how)

    # Closing. The library's `close` counts the files made over the socket, and calls `_real_close` with the last.

    def _real_close(self, _ss: Any = None) -> None:
        file, number = self._file, self._number
        if file is CLOSED:
            return
        self._file, self._number = CLOSED, -1
        file.close(number)
        seconds = None if file.references else file.linger
        if seconds:
            deadline = file.node.now + seconds
            while file.lingering and wait((file,), deadline, file.node, "close"):
                pass

    def detach(self) -> int:
        number = self._number
        self._file, self._number, self._closed = CLOSED, -1, True
        return number

    def dup(self) -> Socket:
        file = self._file
        made: Socket = _blank(self.__class__)
        made._set(file, file.open(), self._proto)
        made._timeout = self._timeout
        return made

    # Options

    def setsockopt(self, level: int, optname: int, value: Any, optlen: int | None = None, /) -> None:
        file = self._file
        file.references  # noqa: B018 - a closed socket has none
        options.put(file, level, optname, bytes(optlen or 0) if value is None else value)

    def getsockopt(self, level: int, optname: int, buflen: int = 0, /) -> Any:
        file = self._file
        file.references  # noqa: B018
        if not 0 <= buflen <= 1024:
            raise OSError("getsockopt buflen out of range")
        return options.get(file, level, optname, buflen)


Socket.__module__ = "socket"  # as programs know it, in `repr` too
Socket.__name__ = Socket.__qualname__ = "socket"

_made: dict[type, type] = {socket.socket: Socket}


def on_host(kind: type) -> type:
    """The class that stands in for a class of sockets when one is made on a host: a subclass of it."""
    made = _made.get(kind)
    if made is None:
        if issubclass(kind, Socket):
            return kind
        if any(base.__module__ == "ssl" for base in kind.__mro__):
            raise OSError(
                errno.EOPNOTSUPP,
                "a host has no ssl.SSLSocket: TLS over its blocking sockets is not supported yet; asyncio with ssl=… is, "
                "and so are memory buffers (SSLContext.wrap_bio)",
            )
        try:
            made = type(kind.__name__, (kind, Socket), {"__module__": kind.__module__, "__qualname__": kind.__qualname__})
        except TypeError as trouble:
            raise TypeError(f"{kind.__qualname__} has __slots__ of its own, which a host's sockets have no room for") from trouble
        _made[kind] = made
    return made
