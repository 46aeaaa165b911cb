"""The options of TCP, a row each (tcp(7), linux/tcp.h; RFC 9293 section 3.9.1)."""

from __future__ import annotations

import errno
from typing import Any

from stack.base.quantity import MILLISECOND, SECOND
from stack.socket import numbers as n
from stack.socket.description import Description, error
from stack.socket.numbers import SOL_TCP
from stack.socket.option import (
    MOST,
    READ_ONLY,
    STREAM,
    Option,
    Setter,
    Table,
    Value,
    between,
    constant,
    flag,
    integer,
    kept,
    of_settings,
    setting,
    switch,
)
from stack.tcp.congestion.registry import available
from stack.tcp.opening.half_open import defer_accept, deferred_seconds

_FIN_TIMEOUT_MAX = 120  # seconds
_LEAST_CLAMP = 1152  # half of SOCK_MIN_RCVBUF
_TICK = 4_000_000  # nanoseconds of a jiffy where Linux counts 250 in a second


def _set_segment_size(description: Any, value: bytes) -> None:
    number = integer(value)
    description.configure(maximum_segment=between(number, 88, 32767) if number else None)


def _set_congestion(description: Any, value: bytes) -> None:
    if not value:
        raise error(errno.EINVAL)
    name = value[:15].split(b"\0")[0].decode("ascii", "replace")
    if name not in available():
        raise error(errno.ENOENT)
    description.configure(congestion=name)


def _get_linger2(description: Any) -> int:
    """TCP_LINGER2: seconds in FIN-WAIT-2; negative: none."""
    time = of_settings(description, "fin_wait_2")
    return -1 if time < 0 else time // SECOND


def _set_linger2(description: Any, value: bytes) -> None:
    seconds = integer(value)
    if seconds < 0:
        description.configure(fin_wait_2=-1)
    elif 0 < seconds <= _FIN_TIMEOUT_MAX:
        description.configure(fin_wait_2=seconds * SECOND)
    else:  # the host's own
        description.configure(fin_wait_2=description.node.engine.tcp.settings.fin_wait_2)


def _get_clamp(description: Any) -> int:
    connection = description.connection
    return int(of_settings(description, "window_clamp") if connection is None else connection.rcv.clamp)


def _set_clamp(description: Any, value: bytes) -> None:
    number = integer(value)
    if not number and description.connection is not None:
        raise error(errno.EINVAL)
    description.configure(window_clamp=max(number, _LEAST_CLAMP) if number else 0)


def _microseconds(name: str) -> Option:
    """A time that is set in microseconds, between two ticks of Linux's clock and 200 ms."""

    def put(description: Any, value: bytes) -> None:
        ticks = -(-integer(value) * 1000 // _TICK)
        description.configure(**{name: between(ticks, 2, 50) * _TICK})

    return Option(lambda description: of_settings(description, name) // 1000, put, STREAM)


def _refused(number: int) -> Setter:
    def put(description: Description, value: bytes) -> None:
        raise error(number)

    return put


def _set_ulp(description: Description, value: bytes) -> None:
    """TCP_ULP: no protocol above TCP is in this kernel."""
    raise error(errno.ENOENT if value else errno.EINVAL)


def _raises(number: int) -> Any:
    def get(description: Description) -> Value:
        raise error(number)

    return get


def _get_defer(description: Any) -> int:
    settings = description.settings
    return deferred_seconds(settings.defer_accept, settings.initial_rto, settings.maximum_rto) // SECOND


def _set_defer(description: Any, value: bytes) -> None:
    settings = description.settings
    description.configure(defer_accept=defer_accept(integer(value) * SECOND, settings.initial_rto, settings.maximum_rto))


def _get_fast_open(description: Any) -> int:
    if description.listener is not None:
        return int(description.listener.fast_open_limit)
    return description.settings.fast_open_queue or 0


def _set_fast_open(description: Any, value: bytes) -> None:
    number = integer(value)
    if number < 0 or description.connection is not None:
        raise error(errno.EINVAL)
    description.configure(fast_open_queue=number)


def _set_fast_open_connect(description: Any, value: bytes) -> None:
    number = between(integer(value), 0, 1)
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
    number = between(integer(value), 0, 1)
    if description.connection is not None:
        raise error(errno.EINVAL)
    description.configure(fast_open_no_cookie=bool(number))


def _set_not_sent(description: Any, value: bytes) -> None:
    number = integer(value) & 0xFFFFFFFF
    description.keep(SOL_TCP, n.TCP_NOTSENT_LOWAT, number)
    description.configure(not_sent_low_water=number or description.host_settings.not_sent_low_water)


TABLE: Table = {
    # When to send
    (SOL_TCP, n.TCP_NODELAY): flag(SOL_TCP, n.TCP_NODELAY, "nodelay", STREAM),
    (SOL_TCP, n.TCP_CORK): flag(SOL_TCP, n.TCP_CORK, "cork", STREAM),
    (SOL_TCP, n.TCP_MAXSEG): Option(lambda d: int(d.segment_size), _set_segment_size, STREAM),
    (SOL_TCP, n.TCP_NOTSENT_LOWAT): Option(
        lambda d: d.option(SOL_TCP, n.TCP_NOTSENT_LOWAT), _set_not_sent, STREAM  # what the sysctl says is not told
    ),
    (SOL_TCP, n.TCP_CONGESTION): Option(lambda d: d.congestion.ljust(16, b"\0"), _set_congestion, STREAM),
    # When to acknowledge, and what to offer
    (SOL_TCP, n.TCP_QUICKACK): Option(
        lambda d: int(d.quick_acknowledgments), lambda d, value: d.acknowledge_quickly(integer(value)), STREAM
    ),
    (SOL_TCP, n.TCP_WINDOW_CLAMP): Option(_get_clamp, _set_clamp, STREAM),
    # How long to try
    (SOL_TCP, n.TCP_KEEPIDLE): setting("keepalive_idle", 1, 32767, SECOND),
    (SOL_TCP, n.TCP_KEEPINTVL): setting("keepalive_interval", 1, 32767, SECOND),
    (SOL_TCP, n.TCP_KEEPCNT): setting("keepalive_probes", 1, 127),
    (SOL_TCP, n.TCP_SYNCNT): setting("syn_retries", 1, 127),
    (SOL_TCP, n.TCP_USER_TIMEOUT): setting("user_timeout", 0, unit=MILLISECOND),
    (SOL_TCP, n.TCP_LINGER2): Option(_get_linger2, _set_linger2, STREAM),
    (SOL_TCP, n.TCP_RTO_MIN_US): _microseconds("minimum_rto"),
    (SOL_TCP, n.TCP_RTO_MAX_MS): setting("maximum_rto", 1000, 120_000, MILLISECOND),
    # Opening
    (SOL_TCP, n.TCP_DEFER_ACCEPT): Option(_get_defer, _set_defer, STREAM),
    (SOL_TCP, n.TCP_FASTOPEN): Option(_get_fast_open, _set_fast_open, STREAM),
    (SOL_TCP, n.TCP_FASTOPEN_CONNECT): Option(
        lambda d: int(d.settings.fast_open_connect), _set_fast_open_connect, STREAM
    ),
    (SOL_TCP, n.TCP_FASTOPEN_KEY): Option(lambda d: b"".join(d.settings.fast_open_keys), _set_fast_open_key, STREAM),
    (SOL_TCP, n.TCP_FASTOPEN_NO_COOKIE): Option(
        lambda d: int(d.settings.fast_open_no_cookie), _set_fast_open_no_cookie, STREAM
    ),
    # What to tell
    (SOL_TCP, n.TCP_INFO): Option(lambda d: d.information(), READ_ONLY, STREAM),
    (SOL_TCP, n.TCP_CC_INFO): Option(lambda d: d.congestion_information(), READ_ONLY, STREAM),
    (SOL_TCP, n.TCP_INQ): switch(SOL_TCP, n.TCP_INQ, strict=True, kinds=STREAM),
    (SOL_TCP, n.TCP_IS_MPTCP): constant(0, STREAM),
    (SOL_TCP, n.TCP_ULP): Option(lambda d: b"", _set_ulp, STREAM),
    # Taking a connection apart and elsewhere is for the kernel's own checkpoints: not offered, as to one without CAP_NET_ADMIN
    (SOL_TCP, n.TCP_REPAIR): Option(lambda d: 0, _refused(errno.EPERM), STREAM),
    (SOL_TCP, n.TCP_REPAIR_QUEUE): Option(_raises(errno.EINVAL), _refused(errno.EPERM), STREAM),
    (SOL_TCP, n.TCP_QUEUE_SEQ): Option(_raises(errno.EINVAL), _refused(errno.EPERM), STREAM),
    (SOL_TCP, n.TCP_REPAIR_OPTIONS): Option(_raises(errno.ENOPROTOOPT), _refused(errno.EINVAL), STREAM),
    (SOL_TCP, n.TCP_REPAIR_WINDOW): Option(_raises(errno.EINVAL), _refused(errno.EPERM), STREAM),
    (SOL_TCP, n.TCP_TIMESTAMP): Option(lambda d: int(d.time_stamp), _refused(errno.EPERM), STREAM),
    # Kept to no effect: thin streams get what every stream gets
    (SOL_TCP, n.TCP_THIN_LINEAR_TIMEOUTS): setting("thin_linear_timeouts", 0, 1),
    (SOL_TCP, n.TCP_THIN_DUPACK): Option(
        lambda d: 0, lambda d, value: d.keep(SOL_TCP, n.TCP_THIN_DUPACK, between(integer(value), 0, 1)), STREAM
    ),
    (SOL_TCP, n.TCP_TX_DELAY): kept(SOL_TCP, n.TCP_TX_DELAY, 0, 0, MOST, kinds=STREAM),
}
