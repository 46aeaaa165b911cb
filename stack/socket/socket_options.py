"""The options of SOL_SOCKET, a row each (socket(7))."""

from __future__ import annotations

import errno
import struct
from socket import SOCK_STREAM
from typing import Any

from stack.base.quantity import SECOND
from stack.socket import numbers as n
from stack.socket.description import Description, error
from stack.socket.membership import interfaces
from stack.socket.numbers import SOL_SOCKET
from stack.socket.option import (
    MOST,
    READ_ONLY,
    STREAM,
    Option,
    Table,
    Value,
    between,
    constant,
    flag,
    integer,
    kept,
    switch,
)

_UNLIMITED = (1 << 64) - 1
_LEAST = {n.SO_RCVBUF: 2304, n.SO_SNDBUF: 4608}  # SOCK_MIN_RCVBUF and SOCK_MIN_SNDBUF on 64 bits


def _buffer(option: int, forced: bool = False) -> Option:
    """Linux doubles what is asked, for its own bookkeeping, and says the double. `forced`: beyond the host's limit."""

    def put(description: Any, value: bytes) -> None:
        number = integer(value)
        # A negative number is a huge one, as it is compared without a sign.
        number = max(number, 0) if forced else min(number & 0xFFFFFFFF, description.buffer_limit(option))
        description.keep(SOL_SOCKET, option, max(min(number, MOST // 2) * 2, _LEAST[option]))
        description.keep(SOL_SOCKET, n.SO_BUF_LOCK, _locks(description) | (2 if option == n.SO_RCVBUF else 1))

    def read(description: Any) -> Value:
        return int(description.option(SOL_SOCKET, option) or description.buffer(option))

    def unreadable(description: Any) -> Value:
        raise error(errno.ENOPROTOOPT)

    return Option(unreadable if forced else read, put)


def _locks(description: Description) -> int:
    return description.option(SOL_SOCKET, n.SO_BUF_LOCK)


def _get_linger(description: Any) -> bytes:
    seconds = description.linger
    return struct.pack("ii", seconds is not None, (seconds or 0) // SECOND)


def _set_linger(description: Any, value: bytes) -> None:
    if len(value) < 8:
        raise error(errno.EINVAL)
    on, seconds = struct.unpack_from("ii", value)
    description.linger = max(seconds, 0) * SECOND if on else None


def _time(option: int) -> Option:
    """SO_RCVTIMEO and SO_SNDTIMEO: a struct timeval."""

    def read(description: Description) -> bytes:
        nanoseconds = description.option(SOL_SOCKET, option)
        return struct.pack("ll", nanoseconds // SECOND, nanoseconds % SECOND // 1000)

    def put(description: Description, value: bytes) -> None:
        if len(value) < struct.calcsize("ll"):
            raise error(errno.EINVAL)
        seconds, microseconds = struct.unpack_from("ll", value)
        if not 0 <= microseconds < 1_000_000:
            raise error(errno.EDOM)
        description.keep(SOL_SOCKET, option, max(seconds, 0) * SECOND + microseconds * 1000)

    return Option(read, put)


def _time_stamp(option: int, other: int) -> Option:
    """SO_TIMESTAMP and SO_TIMESTAMPNS: the one turns the other off."""

    def put(description: Description, value: bytes) -> None:
        on = int(integer(value) != 0)
        description.keep(SOL_SOCKET, option, on)
        description.keep(SOL_SOCKET, other, 0)

    return Option(lambda description: description.option(SOL_SOCKET, option), put)


def _set_time_stamping(description: Any, value: bytes) -> None:
    """SO_TIMESTAMPING: flags, and in struct so_timestamping a clock beside them."""
    flags = integer(value)
    identified = flags & n.SOF_TIMESTAMPING_OPT_ID
    if flags & ~0x7FFFF or (flags & n.SOF_TIMESTAMPING_OPT_ID_TCP and not identified):
        raise error(errno.EINVAL)
    if flags & n.SOF_TIMESTAMPING_OPT_STATS and not flags & n.SOF_TIMESTAMPING_OPT_TSONLY:
        raise error(errno.EINVAL)
    if identified and not description.option(SOL_SOCKET, n.SO_TIMESTAMPING) & n.SOF_TIMESTAMPING_OPT_ID:
        description.identify_stamps(bool(flags & n.SOF_TIMESTAMPING_OPT_ID_TCP))
    description.keep(SOL_SOCKET, n.SO_TIMESTAMPING, flags)


def _get_cookie(description: Description) -> Value:
    """SO_COOKIE: eight octets, which no other socket of the host has."""
    return struct.pack("Q", description.cookie)


def _pacing_rate(description: Description) -> Value:
    """SO_MAX_PACING_RATE: octets a second; all ones where there is no limit."""
    extra = description.extra or {}
    rate = extra.get((SOL_SOCKET, n.SO_MAX_PACING_RATE), _UNLIMITED)
    return struct.pack("Q", rate)


def _set_pacing_rate(description: Description, value: bytes) -> None:
    if len(value) >= 8:
        rate = int(struct.unpack_from("Q", value)[0])
    else:
        rate = integer(value) & 0xFFFFFFFF
        rate = _UNLIMITED if rate == 0xFFFFFFFF else rate
    description.keep(SOL_SOCKET, n.SO_MAX_PACING_RATE, rate)
    if description.kind == SOCK_STREAM:
        stream: Any = description
        stream.configure(maximum_pacing_rate=None if rate == _UNLIMITED else rate)


def _set_rehash(description: Description, value: bytes) -> None:
    number = between(integer(value), -1, 1)
    description.keep(SOL_SOCKET, n.SO_TXREHASH, 1 if number < 0 else number)


def _set_low_water(description: Any, value: bytes) -> None:
    number = integer(value)
    description.keep(SOL_SOCKET, n.SO_RCVLOWAT, MOST if number < 0 else number or 1)


def _get_device(description: Description) -> Value:
    """SO_BINDTODEVICE: the interface's name, or nothing."""
    index = description.option(SOL_SOCKET, n.SO_BINDTOIFINDEX)
    name = next((each.name for number, each in interfaces(description.node) if number == index), None)
    return b"" if name is None else str(name).encode() + b"\0"


def _set_device(description: Description, value: bytes) -> None:
    name = value.split(b"\0")[0].decode("utf-8", "replace")
    index = next((number for number, each in interfaces(description.node) if each.name == name), 0)
    if name and not index:
        raise error(errno.ENODEV)
    description.keep(SOL_SOCKET, n.SO_BINDTOIFINDEX, index)


def _set_index(description: Description, value: bytes) -> None:
    index = between(integer(value), 0, MOST)
    if index and index not in dict(interfaces(description.node)):
        raise error(errno.ENODEV)
    description.keep(SOL_SOCKET, n.SO_BINDTOIFINDEX, index)


def _kept(option: int, default: int = 0, low: int = 0, high: int = MOST) -> tuple[tuple[int, int], Option]:
    return (SOL_SOCKET, option), kept(SOL_SOCKET, option, default, low, high)


def _switch(option: int, strict: bool = False) -> tuple[tuple[int, int], Option]:
    return (SOL_SOCKET, option), switch(SOL_SOCKET, option, strict=strict)


TABLE: Table = {
    # What it is
    (SOL_SOCKET, n.SO_TYPE): Option(lambda d: d.kind, READ_ONLY),
    (SOL_SOCKET, n.SO_DOMAIN): Option(lambda d: d.family, READ_ONLY),
    (SOL_SOCKET, n.SO_PROTOCOL): Option(lambda d: 6 if d.kind == SOCK_STREAM else 17, READ_ONLY),
    (SOL_SOCKET, n.SO_ERROR): Option(lambda d: d.take_error(), READ_ONLY),
    (SOL_SOCKET, n.SO_ACCEPTCONN): Option(lambda d: int(d.listening), READ_ONLY),
    (SOL_SOCKET, n.SO_COOKIE): Option(_get_cookie, READ_ONLY),
    (SOL_SOCKET, n.SO_MEMINFO): Option(lambda d: struct.pack("9I", *d.memory()), READ_ONLY),
    (SOL_SOCKET, n.SO_SNDLOWAT): constant(1),
    (SOL_SOCKET, n.SO_INCOMING_NAPI_ID): constant(0),
    # Buffers and waiting
    (SOL_SOCKET, n.SO_RCVBUF): _buffer(n.SO_RCVBUF),
    (SOL_SOCKET, n.SO_SNDBUF): _buffer(n.SO_SNDBUF),
    (SOL_SOCKET, n.SO_RCVBUFFORCE): _buffer(n.SO_RCVBUF, forced=True),
    (SOL_SOCKET, n.SO_SNDBUFFORCE): _buffer(n.SO_SNDBUF, forced=True),
    (SOL_SOCKET, n.SO_BUF_LOCK): kept(SOL_SOCKET, n.SO_BUF_LOCK, 0, 0, 3),
    (SOL_SOCKET, n.SO_RCVLOWAT): Option(lambda d: d.option(SOL_SOCKET, n.SO_RCVLOWAT, 1), _set_low_water),
    (SOL_SOCKET, n.SO_RCVTIMEO): _time(n.SO_RCVTIMEO),
    (SOL_SOCKET, n.SO_SNDTIMEO): _time(n.SO_SNDTIMEO),
    (SOL_SOCKET, n.SO_LINGER): Option(_get_linger, _set_linger),
    # Addresses and interfaces
    (SOL_SOCKET, n.SO_BINDTODEVICE): Option(_get_device, _set_device),
    (SOL_SOCKET, n.SO_BINDTOIFINDEX): Option(lambda d: d.option(SOL_SOCKET, n.SO_BINDTOIFINDEX), _set_index),
    # Reports
    (SOL_SOCKET, n.SO_TIMESTAMP): _time_stamp(n.SO_TIMESTAMP, n.SO_TIMESTAMPNS),
    (SOL_SOCKET, n.SO_TIMESTAMPNS): _time_stamp(n.SO_TIMESTAMPNS, n.SO_TIMESTAMP),
    (SOL_SOCKET, n.SO_TIMESTAMPING): Option(
        lambda d: struct.pack("ii", d.option(SOL_SOCKET, n.SO_TIMESTAMPING), 0), _set_time_stamping
    ),
    # What is the connection's
    (SOL_SOCKET, n.SO_KEEPALIVE): flag(SOL_SOCKET, n.SO_KEEPALIVE, "keepalive"),
    (SOL_SOCKET, n.SO_OOBINLINE): flag(SOL_SOCKET, n.SO_OOBINLINE, "urgent_inline"),
    (SOL_SOCKET, n.SO_MAX_PACING_RATE): Option(_pacing_rate, _set_pacing_rate),
    (SOL_SOCKET, n.SO_TXREHASH): Option(lambda d: d.option(SOL_SOCKET, n.SO_TXREHASH, 1), _set_rehash, STREAM),
} | dict(
    (
        _switch(n.SO_REUSEADDR),
        _switch(n.SO_REUSEPORT),
        _switch(n.SO_BROADCAST),
        _switch(n.SO_DONTROUTE),
        _switch(n.SO_ZEROCOPY, strict=True),
        _switch(n.SO_SELECT_ERR_QUEUE),
        # Kept to no effect: there is one processor, no device to poll, no mark to route by, no check to leave out
        _switch(n.SO_DEBUG),
        _switch(n.SO_NO_CHECK),
        _switch(n.SO_RXQ_OVFL),
        _switch(n.SO_PREFER_BUSY_POLL),
        _kept(n.SO_PRIORITY, 0, -MOST - 1),
        _kept(n.SO_MARK, 0, -MOST - 1),
        _kept(n.SO_BUSY_POLL),
        _kept(n.SO_INCOMING_CPU, -1, -MOST - 1),
    )
)
