"""The socket object of a host: what `socket.socket(...)` makes there (POSIX.1 sockets, with CPython's interface).

It is a subclass of the library's own class, without a file of the operating system under it: what the library writes in
Python over its socket (files, `with`, the counting of references by files) is the library's own.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import math
import socket
import sys
import warnings
from collections.abc import Callable
from socket import AF_INET, SOCK_DGRAM, SOCK_STREAM
from typing import Any

from stack.base.errors import StackError
from stack.network.node import Node
from stack.network.place import current_node
from stack.network.waiting import polled, wait
from stack.socket import messages, options, sockaddr
from stack.socket.description import CLOSED, Description, error
from stack.socket.opening import open_socket

_blank = _socket.socket.__new__
DONTWAIT = int(getattr(socket, "MSG_DONTWAIT", 0x40))
WAITALL = int(getattr(socket, "MSG_WAITALL", 0x100))
PEEK = int(socket.MSG_PEEK)
_TYPE_FLAGS = int(getattr(socket, "SOCK_NONBLOCK", 0)) | int(getattr(socket, "SOCK_CLOEXEC", 0))
_NONBLOCK = int(getattr(socket, "SOCK_NONBLOCK", 0))
_CHUNK = 1 << 18  # octets handed down at once: what is not taken is cut again


class Socket(socket.socket):
    """A socket of an emulated host."""

    __slots__ = ("_file", "_inheritable", "_number", "_proto", "_timeout")

    _file: Any  # the open file, or CLOSED
    _timeout: float | None

    def __new__(cls, *arguments: Any, **named: Any) -> Socket:
        made: Socket = _blank(cls)
        made._file = CLOSED
        made._number = -1
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
                self._timeout = 0.0
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
        self._timeout = value

    def gettimeout(self) -> float | None:
        return self._timeout

    def setblocking(self, flag: bool, /) -> None:
        self._timeout = None if flag else 0.0

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
        if code not in (errno.EINPROGRESS, errno.EALREADY) or timeout == 0.0:
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

    # Sending and receiving

    def send(self, data: Any, flags: int = 0, /) -> int:
        file = self._file
        octets = data if data.__class__ is bytes else messages.octets(data)
        taken: int | None = file.send(octets, flags, None)
        if taken is None:
            taken = int(self._again(file.send, (octets, flags, None), "send", flags))
        return taken

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        file = self._file
        octets = data if data.__class__ is bytes else messages.octets(data)
        size, sent, deadline = len(octets), 0, self._deadline()
        while True:
            piece = octets[sent : sent + _CHUNK]
            taken = file.send(piece, flags, None)
            if taken is None:
                taken = self._again(file.send, (piece, flags, None), "sendall", flags, deadline)
            sent += taken
            if sent >= size:
                return

    def sendto(self, data: Any, *arguments: Any) -> int:
        if not 1 <= len(arguments) <= 2:
            raise TypeError(f"sendto() takes 2 or 3 arguments ({len(arguments) + 1} given)")
        flags = arguments[0] if len(arguments) == 2 else 0
        return self._send_to(messages.octets(data), flags, arguments[-1], "sendto")

    def sendmsg(self, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None, /) -> int:
        for _ in ancdata:
            raise error(errno.EINVAL)
        return self._send_to(b"".join(map(messages.octets, buffers)), flags, address, "sendmsg")

    def _send_to(self, octets: bytes, flags: int, address: Any, caller: str) -> int:
        file = self._file
        to = None if address is None else sockaddr.read(file.node, file.family, address, caller)
        taken: int | None = file.send(octets, flags, to)
        return int(self._again(file.send, (octets, flags, to), caller, flags)) if taken is None else taken

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        sent: int = self._sendfile_use_send(file, offset, count)  # type: ignore[attr-defined]
        return sent

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        file = self._file
        if bufsize <= 0:
            if bufsize < 0:
                raise ValueError("negative buffersize in recv")
            file.references  # noqa: B018 - a closed socket has none
            return b""
        found = file.receive(bufsize, flags)
        if found is None or flags & WAITALL:
            found = self._receive(found, bufsize, flags, "recv")
        data: bytes = found[0]
        return data

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        if bufsize < 0:
            raise ValueError("negative buffersize in recvfrom")
        data, address, _ = self._message(bufsize, flags, "recvfrom")
        return data, address

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        view, size = messages.room(buffer, nbytes, "recv_into")
        data = self.recv(size, flags) if size else b""
        view[: len(data)] = data
        return len(data)

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        view, size = messages.room(buffer, nbytes, "recvfrom_into")
        data, address, _ = self._message(size, flags, "recvfrom_into")
        view[: len(data)] = data
        return len(data), address

    def recvmsg(self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /) -> tuple[bytes, list[Any], int, Any]:
        if bufsize < 0:
            raise ValueError("negative buffer size in recvmsg()")
        data, address, out = self._message(bufsize, flags, "recvmsg")
        return data, [], out, address

    def recvmsg_into(self, buffers: Any, ancbufsize: int = 0, flags: int = 0, /) -> tuple[int, list[Any], int, Any]:
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        data, address, out = self._message(sum(map(len, views)), flags, "recvmsg_into")
        messages.scatter(data, views)
        return len(data), [], out, address

    def _message(self, size: int, flags: int, doing: str) -> tuple[bytes, Any, int]:
        file = self._file
        found = file.receive(size, flags)
        if found is None or (flags & WAITALL and file.kind == SOCK_STREAM):
            found = self._receive(found, size, flags, doing)
        data, sender, out = found
        return data, None if sender is None else sockaddr.show(file.family, sender), out

    def _receive(self, found: Any, size: int, flags: int, doing: str) -> Any:
        """Go on receiving until there is something, or all that MSG_WAITALL wants."""
        file = self._file
        if not flags & WAITALL or file.kind == SOCK_DGRAM:
            return self._again(file.receive, (size, flags), doing, flags)
        if flags & PEEK:
            return self._again(lambda: file.receive(size, flags) if file.has(size) else None, (), doing, flags, first=True)
        got = b"" if found is None else found[0]
        while len(got) < size and (found is None or found[0]):
            found = file.receive(size - len(got), flags)
            if found is None:
                try:
                    found = self._again(file.receive, (size - len(got), flags), doing, flags)
                except OSError:
                    if not got:
                        raise
                    break
            got += found[0]
        return got, None, 0

    # Waiting

    def _deadline(self) -> int | None:
        timeout = self._timeout
        return None if timeout is None else self._file.node.now + math.ceil(timeout * 1_000_000_000)

    def _again(
        self,
        call: Callable[..., Any],
        arguments: tuple[Any, ...],
        doing: str,
        flags: int = 0,
        deadline: int | None = None,
        first: bool = False,
    ) -> Any:
        """Repeat a call that would block until it does not, or until the time is over. `first`: it was not made yet."""
        file = self._file
        node: Node = file.node
        if self._timeout == 0.0 or flags & DONTWAIT:
            result = call(*arguments) if first else None
            if result is None:
                polled(node)
                raise error(errno.EAGAIN)
            return result
        if deadline is None:
            deadline = self._deadline()
        limited = deadline is None and file.extra is not None
        if limited:
            deadline = messages.time_limit(file, doing)
            limited = deadline is not None
        while not first or (result := call(*arguments)) is None:
            first = True
            if not wait((file,), deadline, node, doing):
                raise error(errno.EAGAIN) if limited else TimeoutError("timed out")
            if not file.references:
                raise error(errno.EBADF)
        return result

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
        made = _made[kind] = type(kind.__name__, (kind, Socket), {"__module__": kind.__module__})
        with contextlib.suppress(AttributeError):
            made.__qualname__ = kind.__qualname__
    return made
