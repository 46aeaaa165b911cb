"""The process of a script that runs against this machine's kernel: its sockets are the kernel's, its time is the machine's."""

from __future__ import annotations

import os
import select
import struct
import time
from contextlib import suppress
from socket import SOCK_STREAM
from typing import cast

from stack.socket import numbers
from stack.socket.epoll import Epoll
from stack.socket.socket import Socket
from stack.testing.drill.files import Call, SocketFile
from stack.testing.drill.kernel_socket import KernelSocketFile, open_socket
from stack.testing.drill.kernel_thread import CallThread
from stack.testing.drill.process import Process
from stack.testing.drill.profile import Profile
from stack.testing.drill.script import Syscall

# Calls that never wait need no other thread, which costs them half their time
_AT_ONE_GO = frozenset({
    "socket", "bind", "listen", "fcntl", "ioctl", "pipe", "pipe2", "open", "cap_set", "getsockname", "getpeername", "getsockopt", "setsockopt",
    "epoll_create", "epoll_create1", "epoll_ctl",
})  # fmt: skip
_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close(2) resets


class KernelProcess(Process):
    """Calls are made one at a time, by a thread of this process."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.calls = CallThread()

    #: When the script began, in nanoseconds since 1970.
    realtime = 0
    #: The congestion control of new sockets, where the namespace's default could not be set.
    control: str | None = None

    @property
    def now(self) -> int:
        return time.monotonic_ns()

    @property
    def realtime_epoch(self) -> int:
        return self.realtime

    def new_socket(self, family: int, kind: int, protocol: int) -> Socket:
        made = open_socket(family, kind | os.O_CLOEXEC, protocol)
        if self.control is not None and kind == SOCK_STREAM:
            made.setsockopt(numbers.SOL_TCP, numbers.TCP_CONGESTION, self.control.encode())
        return made

    def new_epoll(self) -> Epoll:
        return cast("Epoll", select.epoll())  # the same methods

    def socket_file(self, made: Socket, nonblocking: bool) -> SocketFile:
        return KernelSocketFile(made, nonblocking)

    def start(self, syscall: Syscall) -> Call[int]:
        call = super().start(syscall)
        return call if syscall.name in _AT_ONE_GO else self.calls.make(call)

    def close(self) -> None:
        """Connections are reset: none outlives the run, and its namespace."""
        for file in self.files:
            if isinstance(file, SocketFile):
                with suppress(OSError):
                    file.socket.setsockopt(numbers.SOL_SOCKET, numbers.SO_LINGER, _AT_ONCE)
        super().close()
