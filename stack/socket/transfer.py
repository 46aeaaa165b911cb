"""The calls of a socket object that send and receive, and that wait for it (POSIX.1 send, recv; CPython's socket)."""

from __future__ import annotations

import errno
import math
import socket
from collections.abc import Callable
from socket import SOCK_DGRAM, SOCK_STREAM
from typing import Any

from stack.network.node import Node
from stack.network.waiting import polled, wait
from stack.socket import fast_open, messages, sockaddr
from stack.socket.description import error
from stack.socket.fast_open import MSG_FASTOPEN

DONTWAIT = int(getattr(socket, "MSG_DONTWAIT", 0x40))
WAITALL = int(getattr(socket, "MSG_WAITALL", 0x100))
PEEK = int(socket.MSG_PEEK)
_CHUNK = 1 << 18  # octets handed down at once: what is not taken is cut again


class Transfer:
    """The part of `Socket` that moves data."""

    __slots__ = ()

    _file: Any  # the open file, or CLOSED
    _timeout: float | None  # seconds; None: for ever, 0.0: not at all

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
        if flags & WAITALL:
            found = self._receive(found, bufsize, flags, "recv")
        elif found is None:
            found = self._again(file.receive, (bufsize, flags), "recv", flags)
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

    def _open_fast(self, octets: bytes, to: Any, doing: str, flags: int) -> int:
        """Send what may go with the SYN; a call that blocks waits for the connection, and sends the rest."""
        file, flags = self._file, flags & ~MSG_FASTOPEN
        taken = fast_open.begin(file, octets, to)
        if self._timeout is not None or flags & DONTWAIT:  # with a time, the library never lets a call block
            if not taken:
                raise error(errno.EINPROGRESS)
            return taken
        fast_open.waits(file)
        code = self._again(lambda: None if file.connecting else (file.connected(),), (), "open", flags, first=True)[0]
        if code:
            raise error(code)
        rest = octets[taken:]
        if rest:
            sent = file.send(rest, flags, None)
            taken += self._again(file.send, (rest, flags, None), doing, flags) if sent is None else sent
        return taken

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
        if file.kind == SOCK_STREAM and (flags & MSG_FASTOPEN or fast_open.deferred(file)) and doing[:4] == "send":
            return self._open_fast(arguments[0], arguments[2], doing, flags)
        if self._timeout == 0.0 or flags & DONTWAIT:
            result = call(*arguments) if first else None
            if result is None:
                polled(node)
                raise error(errno.EAGAIN)
            return result
        if deadline is None:
            deadline = self._deadline()
        limited = False
        if deadline is None and file.extra is not None:
            deadline = messages.time_limit(file, doing)
            limited = deadline is not None
        result = call(*arguments) if first else None
        sources = (file,)
        while result is None:
            if not wait(sources, deadline, node, doing):
                raise error(errno.EAGAIN) if limited else TimeoutError("timed out")
            if not file.references:
                raise error(errno.EBADF)
            result = call(*arguments)
        return result
