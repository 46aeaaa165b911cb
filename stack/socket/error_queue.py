"""The error queue of a socket: what MSG_ERRQUEUE reads (ip(7) IP_RECVERR; linux/errqueue.h, Documentation/networking/
timestamping.rst and msg_zerocopy.rst)."""

from __future__ import annotations

import errno
import struct
from collections import deque
from dataclasses import dataclass
from socket import AF_INET, AF_INET6
from typing import TYPE_CHECKING

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.base.quantity import SECOND
from stack.socket import numbers

if TYPE_CHECKING:
    from stack.socket.description import Address

Control = list[tuple[int, int, bytes]]  # control messages: level, type, octets

_MOST = 1024  # notices kept: a program that never reads them does not fill the machine
_V4_MAPPED = b"\0" * 10 + b"\xff\xff"


@dataclass(slots=True)
class Notice:
    """One message of the queue: the fields of struct sock_extended_err, and what goes beside it.

    `payload`: the octets that the message is about, of which `hidden` more are not kept; `moment`: CLOCK_REALTIME in
    nanoseconds, of a time stamp; `about`: the peer that the datagram went to; `offender`: who told.
    """

    errno: int
    origin: int
    type: int = 0
    code: int = 0
    info: int = 0
    data: int = 0
    payload: bytes = b""
    hidden: int = 0
    moment: int | None = None
    about: Address | None = None
    offender: IPAddress | None = None

    def control(self, family: int) -> Control:
        """As control messages, in Linux's order."""
        made: Control = []
        if self.moment is not None:
            stamp = struct.pack("qq", self.moment // SECOND, self.moment % SECOND)
            made.append((numbers.SOL_SOCKET, numbers.SCM_TIMESTAMPING, stamp + bytes(32)))
        octets = struct.pack(
            "=IBBBBII", self.errno, self.origin, self.type, self.code, 0, self.info & 0xFFFFFFFF, self.data & 0xFFFFFFFF
        )
        if family == AF_INET6:
            made.append((numbers.SOL_IPV6, numbers.IPV6_RECVERR, octets + _sockaddr6(self.offender)))
        else:
            made.append((numbers.SOL_IP, numbers.IP_RECVERR, octets + _sockaddr4(self.offender)))
        return made


def _sockaddr4(address: IPAddress | None) -> bytes:
    if not isinstance(address, IPv4Address):
        return bytes(16)
    return struct.pack("=H2x4s8x", int(AF_INET), bytes(address))


def _sockaddr6(address: IPAddress | None) -> bytes:
    if address is None:
        return bytes(28)
    octets = bytes(address) if isinstance(address, IPv6Address) else _V4_MAPPED + bytes(address)
    return struct.pack("=H2x4x16s4x", int(AF_INET6), octets)


class ErrorQueue:
    """Notices, oldest first."""

    __slots__ = ("_notices",)

    def __init__(self) -> None:
        self._notices: deque[Notice] = deque()

    def __len__(self) -> int:
        return len(self._notices)

    def add(self, notice: Notice) -> None:
        """Queue one; beyond the bound it is lost, as where Linux finds no memory for it."""
        if len(self._notices) < _MOST:
            self._notices.append(notice)

    def completed(self, first: int, last: int) -> None:
        """MSG_ZEROCOPY sends `first` to `last` are done with their buffers; joined to the notice before where it is the next."""
        tail = self._notices[-1] if self._notices else None
        if tail is not None and tail.origin == numbers.SO_EE_ORIGIN_ZEROCOPY and tail.data + 1 == first:
            tail.data = last
            return
        # The emulation always copies, and says so.
        self.add(
            Notice(0, numbers.SO_EE_ORIGIN_ZEROCOPY, code=numbers.SO_EE_CODE_ZEROCOPY_COPIED, info=first, data=last)
        )

    def take(self) -> Notice:
        """The oldest; raises EAGAIN where there is none, however patient the reader is."""
        if not self._notices:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return self._notices.popleft()
