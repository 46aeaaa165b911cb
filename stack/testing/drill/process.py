"""The process that a script's system calls are made in: its files, and how calls begin (google/packetdrill's run_system_call.c)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from stack.socket.epoll import Epoll
from stack.socket.socket import Socket
from stack.testing.drill.arguments import Arguments
from stack.testing.drill.files import Call, Files, OpenFile, SocketFile, Waits
from stack.testing.drill.profile import Profile
from stack.testing.drill.script import ScriptError, Syscall

DONTWAIT = 0x40  # MSG_DONTWAIT, on Linux
Function = Callable[["Process", Arguments], Call[int]]


class Process(ABC):
    """The files of a script, and the one call that is on its way. What sockets are, and what time is, a host says."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.files = Files()
        #: The port at the other end of accepted connections, and of datagram sockets, which answer it where the script
        #: leaves the address open: number of the socket → port.
        self.peers: dict[int, int] = {}
        #: The files that the script makes, by their paths.
        self.disk: dict[str, bytearray] = {}
        #: When the script began, in nanoseconds of `now`.
        self.epoch = 0

    @property
    @abstractmethod
    def now(self) -> int:
        """The time of the host, in nanoseconds."""

    @property
    @abstractmethod
    def realtime_epoch(self) -> int:
        """When the script began, by the host's own clock, in nanoseconds since 1970."""

    @abstractmethod
    def new_socket(self, family: int, kind: int, protocol: int) -> Socket:
        """A socket of the host."""

    @abstractmethod
    def new_epoll(self) -> Epoll:
        """An epoll instance of the host."""

    def socket_file(self, made: Socket, nonblocking: bool) -> SocketFile:
        """What a socket's number stands for."""
        return SocketFile(made, nonblocking)

    def place(self, result: object, file: OpenFile) -> int:
        """Give a new file the number that the script expects (or the next free one), which is the call's result."""
        number = result if isinstance(result, int) and result >= 0 else self.files.free()
        self.files.add(number, file)
        return number

    def start(self, syscall: Syscall) -> Call[int]:
        """The call, not begun yet. Raises `ScriptError` for one that there is not."""
        from stack.testing.drill.calls import TABLE

        function = TABLE.get(syscall.name)
        if function is None:
            raise ScriptError(syscall.place, f"there is no system call {syscall.name}()")
        return function(self, Arguments(syscall))

    def close(self) -> None:
        """End: what is open is closed."""
        self.files.close()


def until_done(file: OpenFile, attempt: Callable[[], object], flags: int = 0) -> Call[object]:
    """Repeat what would block until it does not: at once EAGAIN where the file, or MSG_DONTWAIT, says so; later where SO_RCVTIMEO does."""
    deadline = limit(file, "recv")
    while True:
        try:
            return attempt()
        except BlockingIOError:
            source = file.source
            if file.nonblocking or flags & DONTWAIT or source is None or over(file, deadline):
                raise
        yield Waits([source], deadline)


def limit(file: OpenFile, doing: str) -> int | None:
    """When SO_RCVTIMEO, or SO_SNDTIMEO for "send", ends a call on this file that begins now: nanoseconds, or None."""
    return file.limit(doing) if isinstance(file, SocketFile) else None


def over(file: OpenFile, deadline: int | None) -> bool:
    """Whether that time has come."""
    return deadline is not None and isinstance(file, SocketFile) and file.now >= deadline
