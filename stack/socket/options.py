"""Socket options: what `setsockopt` takes and `getsockopt` gives, as Linux does (socket(7), tcp(7), ip(7), ipv6(7))."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable
from socket import AF_INET6, SOCK_DGRAM, SOCK_STREAM
from typing import Any

from stack.base.quantity import MILLISECOND, SECOND
from stack.socket import membership
from stack.socket.description import Description, error
from stack.tcp.half_open import defer_accept, deferred_seconds

# Linux's numbers, on every platform that does not have its own.
import socket as _library  # isort: skip


def _number(name: str, linux: int) -> int:
    return int(getattr(_library, name, linux))


SOL_SOCKET = _library.SOL_SOCKET
TCP, IP, IPV6, UDP = _library.IPPROTO_TCP, _library.IPPROTO_IP, _library.IPPROTO_IPV6, _library.IPPROTO_UDP
SO_REUSEADDR = _library.SO_REUSEADDR
SO_REUSEPORT = _number("SO_REUSEPORT", 15)
SO_BROADCAST = _library.SO_BROADCAST
SO_LINGER = _library.SO_LINGER
SO_RCVBUF, SO_SNDBUF = _library.SO_RCVBUF, _library.SO_SNDBUF
SO_RCVTIMEO, SO_SNDTIMEO = _number("SO_RCVTIMEO", 20), _number("SO_SNDTIMEO", 21)
IP_TTL, IP_TOS = _library.IP_TTL, _library.IP_TOS
IP_MULTICAST_TTL, IP_MULTICAST_LOOP, IP_MULTICAST_IF = (
    _library.IP_MULTICAST_TTL,
    _library.IP_MULTICAST_LOOP,
    _library.IP_MULTICAST_IF,
)
IPV6_V6ONLY, IPV6_UNICAST_HOPS = _number("IPV6_V6ONLY", 26), _number("IPV6_UNICAST_HOPS", 16)
IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP = _number("IPV6_MULTICAST_HOPS", 18), _number("IPV6_MULTICAST_LOOP", 19)
IPV6_TCLASS = _number("IPV6_TCLASS", 67)

BUFFER_MAX = 212_992  # net.core.rmem_max and wmem_max
_LEAST = {SO_RCVBUF: 2304, SO_SNDBUF: 4608}

Value = int | bytes
Getter = Callable[[Any], Value]
Setter = Callable[[Any, bytes], None]


class Option:
    """One option: how it is read, and how it is set (None: it cannot be)."""

    __slots__ = ("get", "kinds", "set")

    def __init__(self, get: Getter, set: Setter | None, kinds: tuple[int, ...] = (SOCK_STREAM, SOCK_DGRAM)) -> None:
        self.get = get
        self.set = set
        self.kinds = kinds


def get(description: Description, level: int, option: int, size: int = 0) -> Value:
    """As `getsockopt`: a number, or `size` octets at most."""
    found = _find(description, level, option, errno.EOPNOTSUPP)
    value = found.get(description)
    if not size:
        return value if isinstance(value, int) else int.from_bytes(value[:4].ljust(4, b"\0"), "little", signed=True)
    return (struct.pack("i", value) if isinstance(value, int) else value)[:size]


def put(description: Description, level: int, option: int, value: Any) -> None:
    """As `setsockopt`: a number, or octets."""
    found = _find(description, level, option, errno.ENOPROTOOPT)
    if found.set is None:
        raise error(errno.ENOPROTOOPT)
    if isinstance(value, int):
        value = struct.pack("i", value)
    found.set(description, bytes(value))


def _find(description: Description, level: int, option: int, foreign: int) -> Option:
    found = TABLE.get((level, option))
    if found is None:
        raise error(errno.ENOPROTOOPT)
    if description.kind not in found.kinds:
        raise error(foreign)
    if level == IPV6 and description.family != AF_INET6:
        raise error(errno.ENOPROTOOPT)
    return found


def _integer(value: bytes) -> int:
    if len(value) < 4:
        raise error(errno.EINVAL)
    return int(struct.unpack_from("i", value)[0])


def _small(value: bytes) -> int:
    """ip(7) takes one octet where it takes a number."""
    return value[0] if 1 <= len(value) < 4 else _integer(value)


def _kept(
    level: int,
    option: int,
    default: int = 0,
    low: int = 0,
    high: int = 0x7FFFFFFF,
    *,
    back: int | None = None,
    read: Callable[[bytes], int] = _integer,
) -> Option:
    """A number that is kept. `back`: the value that brings the default back."""

    def put(description: Description, value: bytes) -> None:
        number = read(value)
        if number == back:
            number = default
        elif not low <= number <= high:
            raise error(errno.EINVAL)
        description.keep(level, option, number)

    return Option(lambda description: description.option(level, option, default), put)


def _switch(level: int, option: int, default: int = 0, read: Callable[[bytes], int] = _integer) -> Option:
    """On or off."""
    return Option(
        lambda description: description.option(level, option, default),
        lambda description, value: description.keep(level, option, int(read(value) != 0)),
    )


def _setting(name: str, low: int = 0, high: int = 0x7FFFFFFF, unit: int = 1) -> Option:
    """A number among the connection's settings."""

    def put(description: Any, value: bytes) -> None:
        number = _integer(value)
        if not low <= number <= high:
            raise error(errno.EINVAL)
        description.configure(**{name: number * unit})

    return Option(lambda description: _settings(description, name) // unit, put, (SOCK_STREAM,))


def _flag(level: int, option: int, name: str) -> Option:
    """A switch among the connection's settings; datagram sockets keep it, to no effect."""

    def put(description: Any, value: bytes) -> None:
        on = _integer(value) != 0
        if description.kind == SOCK_STREAM:
            description.configure(**{name: on})
        else:
            description.keep(level, option, int(on))

    def read(description: Any) -> int:
        if description.kind == SOCK_STREAM:
            return _settings(description, name)
        return int(description.option(level, option))

    return Option(read, put, (SOCK_STREAM,) if level == TCP else (SOCK_STREAM, SOCK_DGRAM))


def _settings(description: Any, name: str) -> int:
    return int(getattr(description.settings, name))


def _buffer(option: int) -> Option:
    """Linux doubles what is asked, for its own bookkeeping, and says the double."""

    def put(description: Description, value: bytes) -> None:
        number = max(min(_integer(value), BUFFER_MAX) * 2, _LEAST[option])
        description.keep(SOL_SOCKET, option, number)

    def read(description: Any) -> int:
        return description.option(SOL_SOCKET, option) or int(description.buffer(option))

    return Option(read, put)


def _get_linger(description: Any) -> bytes:
    seconds = description.linger
    return struct.pack("ii", seconds is not None, (seconds or 0) // SECOND)


def _set_linger(description: Any, value: bytes) -> None:
    if len(value) < 8:
        raise error(errno.EINVAL)
    on, seconds = struct.unpack_from("ii", value)
    description.linger = max(seconds, 0) * SECOND if on else None


def _set_v6only(description: Description, value: bytes) -> None:
    number = _integer(value)
    if description.local() is not None:
        raise error(errno.EINVAL)
    description.keep(IPV6, IPV6_V6ONLY, int(number != 0))


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


def _segment_size() -> Option:
    def put(description: Any, value: bytes) -> None:
        number = _integer(value)
        if number and not 88 <= number <= 32767:
            raise error(errno.EINVAL)
        description.configure(maximum_segment=number or None)

    return Option(lambda description: int(description.segment_size), put, (SOCK_STREAM,))


def _set_congestion(description: Any, value: bytes) -> None:
    if value.rstrip(b"\0") != description.congestion:
        raise error(errno.ENOENT)


def _get_defer(description: Any) -> int:
    settings = description.settings
    return deferred_seconds(settings.defer_accept, settings.initial_rto, settings.maximum_rto) // SECOND


def _set_defer(description: Any, value: bytes) -> None:
    settings = description.settings
    description.configure(defer_accept=defer_accept(_integer(value) * SECOND, settings.initial_rto, settings.maximum_rto))


def _get_fast_open(description: Any) -> int:
    if description.listener is not None:
        return int(description.listener.fast_open_limit)
    return description.settings.fast_open_queue or 0


def _set_fast_open(description: Any, value: bytes) -> None:
    number = _integer(value)
    if number < 0 or description.connection is not None:
        raise error(errno.EINVAL)
    description.configure(fast_open_queue=number)


def _set_fast_open_connect(description: Any, value: bytes) -> None:
    number = _integer(value)
    if number not in (0, 1):
        raise error(errno.EINVAL)
    if not description.settings.fast_open & 1:
        raise error(errno.EOPNOTSUPP)
    if description.connection is not None or description.listener is not None:
        raise error(errno.EINVAL)
    description.configure(fast_open_connect=bool(number))


def _set_fast_open_key(description: Any, value: bytes) -> None:
    if len(value) not in (16, 32):
        raise error(errno.EINVAL)
    description.configure(fast_open_keys=tuple(value[at : at + 16] for at in range(0, len(value), 16)))


def _set_fast_open_no_cookie(description: Any, value: bytes) -> None:
    number = _integer(value)
    if number not in (0, 1) or description.connection is not None:
        raise error(errno.EINVAL)
    description.configure(fast_open_no_cookie=bool(number))


def _no_value(description: Description) -> Value:
    raise error(errno.ENOPROTOOPT)


_STREAM, _DATAGRAM = (SOCK_STREAM,), (SOCK_DGRAM,)
_READ_ONLY: Setter | None = None

TABLE: dict[tuple[int, int], Option] = {
    (SOL_SOCKET, _library.SO_TYPE): Option(lambda d: d.kind, _READ_ONLY),
    (SOL_SOCKET, _number("SO_DOMAIN", 39)): Option(lambda d: d.family, _READ_ONLY),
    (SOL_SOCKET, _number("SO_PROTOCOL", 38)): Option(lambda d: TCP if d.kind == SOCK_STREAM else UDP, _READ_ONLY),
    (SOL_SOCKET, _library.SO_ERROR): Option(lambda d: d.take_error(), _READ_ONLY),
    (SOL_SOCKET, _library.SO_ACCEPTCONN): Option(lambda d: int(d.listening), _READ_ONLY),
    (SOL_SOCKET, SO_REUSEADDR): _switch(SOL_SOCKET, SO_REUSEADDR),
    (SOL_SOCKET, SO_REUSEPORT): _switch(SOL_SOCKET, SO_REUSEPORT),
    (SOL_SOCKET, SO_BROADCAST): _switch(SOL_SOCKET, SO_BROADCAST),
    (SOL_SOCKET, _library.SO_DONTROUTE): _switch(SOL_SOCKET, _library.SO_DONTROUTE),
    (SOL_SOCKET, _library.SO_KEEPALIVE): _flag(SOL_SOCKET, _library.SO_KEEPALIVE, "keepalive"),
    (SOL_SOCKET, _library.SO_OOBINLINE): _flag(SOL_SOCKET, _library.SO_OOBINLINE, "urgent_inline"),
    (SOL_SOCKET, SO_LINGER): Option(_get_linger, _set_linger),
    (SOL_SOCKET, SO_RCVBUF): _buffer(SO_RCVBUF),
    (SOL_SOCKET, SO_SNDBUF): _buffer(SO_SNDBUF),
    (SOL_SOCKET, SO_RCVTIMEO): _time(SO_RCVTIMEO),
    (SOL_SOCKET, SO_SNDTIMEO): _time(SO_SNDTIMEO),
    (SOL_SOCKET, _number("SO_PRIORITY", 12)): _kept(SOL_SOCKET, _number("SO_PRIORITY", 12), high=6),
    (TCP, _library.TCP_NODELAY): _flag(TCP, _library.TCP_NODELAY, "nodelay"),
    (TCP, _number("TCP_CORK", 3)): _flag(TCP, _number("TCP_CORK", 3), "cork"),
    (TCP, _number("TCP_KEEPIDLE", 4)): _setting("keepalive_idle", 1, 32767, SECOND),
    (TCP, _number("TCP_KEEPINTVL", 5)): _setting("keepalive_interval", 1, 32767, SECOND),
    (TCP, _number("TCP_KEEPCNT", 6)): _setting("keepalive_probes", 1, 127),
    (TCP, _number("TCP_SYNCNT", 7)): _setting("syn_retries", 1, 127),
    (TCP, _number("TCP_LINGER2", 8)): _setting("fin_wait_2", 0, 60, SECOND),
    (TCP, _number("TCP_USER_TIMEOUT", 18)): _setting("user_timeout", 0, unit=MILLISECOND),
    (TCP, _number("TCP_DEFER_ACCEPT", 9)): Option(_get_defer, _set_defer, _STREAM),
    (TCP, _number("TCP_FASTOPEN", 23)): Option(_get_fast_open, _set_fast_open, _STREAM),
    (TCP, _number("TCP_FASTOPEN_CONNECT", 30)): Option(
        lambda d: int(d.settings.fast_open_connect), _set_fast_open_connect, _STREAM
    ),
    (TCP, _number("TCP_FASTOPEN_KEY", 33)): Option(lambda d: b"".join(d.settings.fast_open_keys), _set_fast_open_key, _STREAM),
    (TCP, _number("TCP_FASTOPEN_NO_COOKIE", 34)): Option(
        lambda d: int(d.settings.fast_open_no_cookie), _set_fast_open_no_cookie, _STREAM
    ),
    (TCP, _library.TCP_MAXSEG): _segment_size(),
    (TCP, _number("TCP_INFO", 11)): Option(lambda d: d.information(), _READ_ONLY, _STREAM),
    (TCP, _number("TCP_CONGESTION", 13)): Option(
        lambda d: d.congestion.ljust(16, b"\0"),
        _set_congestion,
        _STREAM,
    ),
    (IP, IP_TTL): _kept(IP, IP_TTL, 64, 1, 255, back=-1, read=_small),
    (IP, IP_TOS): _kept(IP, IP_TOS, 0, 0, 255, read=_small),
    (IP, IP_MULTICAST_TTL): _kept(IP, IP_MULTICAST_TTL, 1, 0, 255, back=-1, read=_small),
    (IP, IP_MULTICAST_LOOP): _switch(IP, IP_MULTICAST_LOOP, 1, _small),
    (IP, IP_MULTICAST_IF): Option(membership.get_interface, membership.set_interface, _DATAGRAM),
    (IP, _library.IP_ADD_MEMBERSHIP): Option(_no_value, membership.join, _DATAGRAM),
    (IP, _library.IP_DROP_MEMBERSHIP): Option(_no_value, membership.leave, _DATAGRAM),
    (IPV6, IPV6_V6ONLY): Option(lambda d: d.option(IPV6, IPV6_V6ONLY), _set_v6only),
    (IPV6, IPV6_UNICAST_HOPS): _kept(IPV6, IPV6_UNICAST_HOPS, 64, 0, 255, back=-1),
    (IPV6, IPV6_MULTICAST_HOPS): _kept(IPV6, IPV6_MULTICAST_HOPS, 1, 0, 255, back=-1),
    (IPV6, IPV6_MULTICAST_LOOP): _switch(IPV6, IPV6_MULTICAST_LOOP, 1),
    (IPV6, IPV6_TCLASS): _kept(IPV6, IPV6_TCLASS, 0, 0, 255, back=-1),
    (IPV6, _number("IPV6_MULTICAST_IF", 17)): Option(membership.get_interface6, membership.set_interface6, _DATAGRAM),
    (IPV6, _number("IPV6_JOIN_GROUP", 20)): Option(_no_value, membership.join6, _DATAGRAM),
    (IPV6, _number("IPV6_LEAVE_GROUP", 21)): Option(_no_value, membership.leave6, _DATAGRAM),
}
