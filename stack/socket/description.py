"""An open file of a host (POSIX 3.258, "open file description"): what file numbers and socket objects refer to."""

from __future__ import annotations

import errno
import itertools
import os
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from stack.network.waiting import Source
from stack.socket.error_queue import Control, ErrorQueue
from stack.socket.numbers import MSG_ERRQUEUE, MSG_TRUNC, SO_COOKIE, SOL_SOCKET

if TYPE_CHECKING:
    from stack.network.node import Node

# Events, with the numbers of poll(2) and epoll(7) on Linux.
IN, PRI, OUT, ERR, HUP, NVAL, RDHUP = 1, 2, 4, 8, 16, 32, 0x2000
_RDNORM, _WRNORM = 64, 256

#: Emulated files have numbers from here on, far above the operating system's. No number is given twice in a process.
FIRST_NUMBER = 1 << 24
_numbers = itertools.count(FIRST_NUMBER)

Address = tuple[Any, int]  # (IP address, port)


def error(code: int) -> OSError:
    """The error that a system call gives for an errno."""
    return OSError(code, os.strerror(code))


class Message(NamedTuple):
    """What recvmsg(2) gives: octets, who sent them (datagrams), the flags, and control messages."""

    data: bytes
    sender: Address | None
    flags: int
    control: Control


class Description(Source):
    """What is open, once, however many numbers it has. Calls never block: None says that they would.

    `events` are those of poll(2); whoever changes them calls `wake()`.
    """

    __slots__ = ("extra", "family", "kind", "node", "nonblocking", "notices", "references")

    def __init__(self, node: Node, family: int, kind: int) -> None:
        self.waiters = None
        self.node = node
        self.family = family
        self.kind = kind
        self.references = 0
        self.nonblocking = False  # O_NONBLOCK
        #: The error queue (MSG_ERRQUEUE). Made when there is something to put into it.
        self.notices: ErrorQueue | None = None
        #: Options that are kept, and no more: (level, number) → value. Made when the first is set.
        self.extra: dict[tuple[int, int], Any] | None = None

    def open(self) -> int:
        """One more number for this file."""
        number = next(_numbers)
        self.references += 1
        self.node.descriptors[number] = self
        return number

    def close(self, number: int) -> None:
        """One number less; with the last, the file is released."""
        del self.node.descriptors[number]
        self.references -= 1
        if not self.references:
            self.release()
        self.wake()

    def describe(self) -> str:
        """Its addresses, for an account of who waits for what."""
        local, remote = self.local(), self.remote()
        text = "*:*" if local is None else f"{local[0]}:{local[1]}"
        return text if remote is None else f"{text} ↔ {remote[0]}:{remote[1]}"

    # What the kinds of socket do. The errors are those of a kind that does not.

    @property
    def events(self) -> int:
        """The events of poll(2) that are there now."""
        raise NotImplementedError

    def arrivals(self) -> Any:
        """What there was to see; two of them differ where something has come since (see `stirred`)."""
        return None

    def stirred(self, before: Any) -> tuple[int, Any]:
        """After a `wake()`: the events that it was about, as Linux's wake-ups say, and what there is to see now."""
        return self.events, None

    @property
    def readable(self) -> bool:
        """Reading would not block."""
        return bool(self.events & (IN | HUP | ERR))

    @property
    def writable(self) -> bool:
        """Writing would not block."""
        return bool(self.events & (OUT | ERR))

    @property
    def exceptional(self) -> bool:
        """There is urgent data."""
        return bool(self.events & PRI)

    def release(self) -> None:
        """The last number is gone."""
        raise NotImplementedError

    def local(self) -> Address | None:
        """Our address, or None."""
        raise NotImplementedError

    def remote(self) -> Address | None:
        """The peer's address, or None if there is no peer."""
        raise NotImplementedError

    def bind(self, address: Any, port: int) -> None:
        """Take an address."""
        raise NotImplementedError

    def connect(self, address: Any, port: int) -> int:
        """Begin to connect, or say how it stands: an errno, 0 when connected."""
        raise NotImplementedError

    def connected(self) -> int:
        """How the connecting that one waited for has ended: an errno, 0 when connected."""
        raise NotImplementedError

    @property
    def connecting(self) -> bool:
        """Is the connection still being made?"""
        return False

    def listen(self, backlog: int) -> None:
        """Wait for connections."""
        raise error(errno.EOPNOTSUPP)

    def accept(self) -> tuple[Description, Address] | None:
        """The next connection, with its peer's address."""
        raise error(errno.EOPNOTSUPP)

    def send(self, data: bytes, flags: int, to: Address | None) -> int | None:
        """How many octets were taken."""
        raise NotImplementedError

    def send_message(self, data: bytes, flags: int, to: Address | None, control: Control) -> int | None:
        """As `send`, with control messages: options for this one call."""
        raise NotImplementedError

    def receive(self, size: int, flags: int) -> tuple[bytes, Address | None, int] | None:
        """Octets, who sent them (datagrams), and the flags of recvmsg(2)."""
        raise NotImplementedError

    def receive_message(self, size: int, flags: int) -> Message | None:
        """As `receive`, with the control messages that were asked for."""
        if flags & MSG_ERRQUEUE:
            return self.take_notice(size)
        found = self.receive(size, flags)
        return None if found is None else Message(*found, [])

    def take_notice(self, size: int) -> Message:
        """The oldest message of the error queue; raises EAGAIN where there is none."""
        notice = (self.notices or ErrorQueue()).take()
        cut = len(notice.payload) + notice.hidden > size
        return Message(
            notice.payload[:size], notice.about, MSG_ERRQUEUE | (MSG_TRUNC if cut else 0), notice.control(self.family)
        )

    def low_water(self) -> int:
        """SO_RCVLOWAT: how many octets a read that waits, waits for."""
        return 1

    def disconnect(self) -> None:
        """connect(2) to an address of family AF_UNSPEC: have no peer any longer."""
        raise NotImplementedError

    def shutdown(self, how: int) -> None:
        """End one way or both: 0 reading, 1 writing, 2 both."""
        raise NotImplementedError

    def take_error(self) -> int:
        """SO_ERROR: the errno that waits to be told, once."""
        raise NotImplementedError

    def changed(self, level: int, option: int, value: int | bytes) -> None:
        """An option that is kept in `extra` was set: what follows from it for this kind of socket."""

    def unread(self) -> int:
        """FIONREAD, SIOCINQ: how many octets the next read can give."""
        return 0

    def unsent(self, acknowledged: bool) -> int:
        """SIOCOUTQ: octets that were not acknowledged yet; SIOCOUTQNSD (`acknowledged` False): not even sent."""
        return 0

    @property
    def at_mark(self) -> bool:
        """SIOCATMARK: is the next octet the urgent one?"""
        raise error(errno.EINVAL)

    @property
    def cookie(self) -> int:
        """SO_COOKIE: a number that no other socket of the host has."""
        key = (SOL_SOCKET, SO_COOKIE)
        if not self.option(*key):
            self.node.cookies += 1
            self.keep(*key, self.node.cookies)
        return self.option(*key)

    @property
    def listening(self) -> bool:
        """SO_ACCEPTCONN."""
        return False

    def option(self, level: int, option: int, default: int = 0) -> int:
        """The value of an option that is kept, as a number."""
        value = default if self.extra is None else self.extra.get((level, option), default)
        return value if isinstance(value, int) else default

    def keep(self, level: int, option: int, value: int | bytes) -> None:
        """Keep the value of an option."""
        self.extra = {**(self.extra or {}), (level, option): value}  # a new one: those that were accepted share the old
        self.changed(level, option, value)


def among(events: int, asked: int) -> int:
    """Those of the events that were asked for: POLLRDNORM goes with POLLIN, POLLWRNORM with POLLOUT."""
    return (events | (_RDNORM if events & IN else 0) | (_WRNORM if events & OUT else 0)) & asked


class Closed:
    """What a closed socket refers to: every call is EBADF."""

    def __getattr__(self, name: str) -> NoReturn:
        raise error(errno.EBADF)


CLOSED: Any = Closed()
