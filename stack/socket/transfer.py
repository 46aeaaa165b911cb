"""The calls of a socket object that send and receive, and that wait for it (POSIX.1 send, recv; CPython's socket)."""

from __future__ import annotations

import errno
import math
from collections.abc import Callable
from socket import SOCK_DGRAM, SOCK_STREAM
from typing import Any

from stack.network.node import Node
from stack.network.waiting import polled, wait
from stack.socket import fast_open, fragments, messages, sockaddr
from stack.socket.description import error
from stack.socket.fast_open import MSG_FASTOPEN
from stack.socket.numbers import MSG_DONTWAIT as DONTWAIT
from stack.socket.numbers import MSG_ERRQUEUE as ERRQUEUE
from stack.socket.numbers import MSG_OOB as OOB
from stack.socket.numbers import MSG_PEEK as PEEK
from stack.socket.numbers import MSG_WAITALL as WAITALL
from stack.socket.numbers import SO_RCVLOWAT, SOL_SOCKET

_LOW_WATER = (SOL_SOCKET, SO_RCVLOWAT)
_NOT_WAITING = DONTWAIT | ERRQUEUE | OOB  # these give what is there, or an error
Call = Callable[..., Any]
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
        parts = [messages.octets(each) for each in buffers]
        octets = b"".join(parts)
        control = [(level, kind, messages.octets(data)) for level, kind, data in ancdata]
        file = self._file
        if not control and file.kind == SOCK_STREAM and fragments.too_many(file, parts, flags):
            sent = fragments.send(file, parts, flags)
            return int(self._again(fragments.send, (file, parts, flags), "sendmsg", flags)) if sent is None else sent
        if not control:
            return self._send_to(octets, flags, address, "sendmsg")
        to = None if address is None else sockaddr.read(file.node, file.family, address, "sendmsg")
        taken: int | None = file.send_message(octets, flags, to, control)
        if taken is None:
            taken = int(self._again(file.send_message, (octets, flags, to, control), "sendmsg", flags))
        return taken

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
        if flags & WAITALL or (file.extra is not None and _LOW_WATER in file.extra):
            found = self._receive(file.receive, bufsize, flags, "recv")
        else:
            found = file.receive(bufsize, flags)
            if found is None:
                found = self._again(file.receive, (bufsize, flags), "recv", flags)
        data: bytes = found[0]
        return data

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        if bufsize < 0:
            raise ValueError("negative buffersize in recvfrom")
        data, address = self._message(self._file.receive, bufsize, flags, "recvfrom")[:2]
        return data, address

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        view, size = messages.room(buffer, nbytes, "recv_into")
        data = self.recv(size, flags) if size else b""
        view[: len(data)] = data[: len(view)]  # MSG_TRUNC tells more than there is room for
        return len(data)

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        view, size = messages.room(buffer, nbytes, "recvfrom_into")
        data, address = self._message(self._file.receive, size, flags, "recvfrom_into")[:2]
        view[: len(data)] = data[: len(view)]
        return len(data), address

    def recvmsg(self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /) -> tuple[bytes, list[Any], int, Any]:
        if bufsize < 0:
            raise ValueError("negative buffer size in recvmsg()")
        data, address, out, control = self._message(self._file.receive_message, bufsize, flags, "recvmsg")
        control, cut = messages.control_room(control, ancbufsize)
        return data, control, out | cut, address

    def recvmsg_into(self, buffers: Any, ancbufsize: int = 0, flags: int = 0, /) -> tuple[int, list[Any], int, Any]:
        views = [memoryview(buffer).cast("B") for buffer in buffers]
        data, address, out, control = self._message(
            self._file.receive_message, sum(map(len, views)), flags, "recvmsg_into"
        )
        messages.scatter(data, views)
        control, cut = messages.control_room(control, ancbufsize)
        return len(data), control, out | cut, address

    def _message(self, call: Call, size: int, flags: int, doing: str) -> Any:
        """What `receive` or `receive_message` of the open file gives, with the sender as the program sees it."""
        data, sender, *rest = self._receive(call, size, flags, doing)
        return data, None if sender is None else sockaddr.show(self._file.family, sender), *rest

    def _receive(self, call: Call, size: int, flags: int, doing: str) -> Any:
        """Receive until there is something, or as much as MSG_WAITALL or SO_RCVLOWAT want before the call returns."""
        file = self._file
        found: Any = None
        if file.kind == SOCK_DGRAM or flags & _NOT_WAITING or self._impatient:
            found = call(size, flags)
            return self._again(call, (size, flags), doing, flags) if found is None else found
        target = size if flags & WAITALL else min(size, file.low_water())
        if flags & PEEK:
            return self._again(lambda: call(size, flags) if file.has(target) else None, (), doing, flags, first=True)
        got = b""
        last: Any = None
        deadline = self._deadline()
        while last is None or (len(got) < target and found[0]):
            try:
                found = call(size - len(got), flags)
                if found is None:
                    found = self._again(call, (size - len(got), flags), doing, flags, deadline)
            except OSError:
                if not got:
                    raise
                break
            last = found
            got += found[0]
        return got, *last[1:]

    def _open_fast(self, octets: bytes, to: Any, doing: str, flags: int) -> int:
        """Send what may go with the SYN; a call that blocks waits for the connection, and sends the rest."""
        file, flags = self._file, flags & ~MSG_FASTOPEN
        taken = fast_open.begin(file, octets, flags, to)
        if self._timeout is not None or self._impatient or flags & DONTWAIT:  # with a time, the library never lets a call block
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

    @property
    def _impatient(self) -> bool:
        """Calls do not wait: by `settimeout(0)`, or by O_NONBLOCK where that was set by the number of the file."""
        timeout = self._timeout
        return timeout == 0.0 or (timeout is None and self._file.nonblocking)

    def _deadline(self) -> int | None:
        timeout = self._timeout
        return None if timeout is None else self._file.node.now + math.ceil(timeout * 1_000_000_000)

    def _again(
        self,
        call: Call,
        arguments: tuple[Any, ...],
        doing: str,
        flags: int = 0,
        deadline: int | None = None,
        first: bool = False,
    ) -> Any:
        """Repeat a call that would block until it does not, or until the time is over. `first`: it was not made yet."""
        file = self._file
        node: Node = file.node
        if doing[:4] == "send" and file.kind == SOCK_STREAM and (flags & MSG_FASTOPEN or fast_open.deferred(file)):
            return self._open_fast(arguments[0], arguments[2], doing, flags)
        if flags & DONTWAIT or self._impatient:
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
