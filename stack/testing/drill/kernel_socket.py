"""Sockets of this machine's kernel, as a script's calls want them: a library's socket, and what stands behind its number."""

from __future__ import annotations

import errno
import fcntl
import select
import socket
import struct
import time
from typing import Any, cast

from stack.network.waiting import Source
from stack.socket import numbers
from stack.socket.description import Description
from stack.socket.socket import Socket
from stack.tcp.state import State
from stack.tcp.tcp_info import STATES
from stack.testing.drill import kernel_calls
from stack.testing.drill.files import SocketFile

_STATES = {number: state for state, number in STATES.items()}
_ANY = 0x203F  # all that poll(2) tells of sockets
_WIDE = struct.Struct("=i")


class KernelSocket(socket.socket):
    """A socket of the kernel, with what ours have besides the library's."""

    @property
    def _file(self) -> KernelDescription:
        return KernelDescription(self)

    def accept(self) -> tuple[KernelSocket, Any]:
        made, address = super().accept()
        return KernelSocket(self.family, self.type, self.proto, fileno=made.detach()), address


class KernelDescription(Description):
    """What stands behind the number of a kernel's socket: what the emulated one knows, asked by system calls."""

    def __init__(self, made: socket.socket) -> None:
        Source.__init__(self)
        self._socket = made

    def fileno(self) -> int:
        """The kernel's number."""
        return self._socket.fileno()

    @property
    def events(self) -> int:
        poll = select.poll()
        poll.register(self._socket, _ANY)
        found = poll.poll(0)
        return found[0][1] & _ANY if found else 0

    @property
    def state(self) -> State | None:
        """The state of a connection, None for what has none."""
        try:
            return _STATES.get(self._socket.getsockopt(numbers.SOL_TCP, numbers.TCP_INFO, 1)[0])
        except OSError:
            return None

    def connected(self) -> int:
        code = self._socket.getsockopt(numbers.SOL_SOCKET, numbers.SO_ERROR)
        return code or (errno.EINPROGRESS if self.state is State.SYN_SENT else 0)

    def unread(self) -> int:
        return self._asked(numbers.FIONREAD)

    def unsent(self, unacknowledged: bool = True) -> int:
        return self._asked(numbers.SIOCOUTQ if unacknowledged else numbers.SIOCOUTQNSD)

    @property
    def at_mark(self) -> bool:
        return bool(self._asked(numbers.SIOCATMARK))

    def _asked(self, request: int) -> int:
        return int(_WIDE.unpack(fcntl.ioctl(self._socket.fileno(), request, bytes(_WIDE.size)))[0])

    def disconnect(self) -> None:
        kernel_calls.disconnect(self._socket.fileno())


class KernelSocketFile(SocketFile):
    """A kernel's socket under a number of the script. It blocks, unless the script says otherwise: the kernel waits by itself."""

    description: KernelDescription

    def __init__(self, socket: Socket, nonblocking: bool = False) -> None:
        super().__init__(socket, nonblocking)
        socket.setblocking(not nonblocking)

    @property
    def nonblocking(self) -> bool:
        """O_NONBLOCK."""
        return self._nonblocking

    @nonblocking.setter
    def nonblocking(self, value: bool) -> None:
        self._nonblocking = value
        if hasattr(self, "socket"):
            self.socket.setblocking(not value)

    @property
    def now(self) -> int:
        return time.monotonic_ns()

    def limit(self, doing: str) -> int | None:
        """Long ago: the kernel has waited as long as SO_RCVTIMEO or SO_SNDTIMEO lets it when it says that a call would block."""
        return 0

    def close(self) -> None:
        self.socket.close()

    @property
    def connects_anew(self) -> bool:
        return self.description.state is State.CLOSED


def open_socket(family: int, kind: int, protocol: int) -> Socket:
    """A new one. Ours and the library's have the same methods, which is all that calls want."""
    return cast("Socket", KernelSocket(family, kind, protocol))
