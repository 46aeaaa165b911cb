"""The clocks of a host: `time` in virtual time.

`time.time()` is the network's time after a fixed epoch, in UTC, which is the time zone of every host. The other clocks
count from the making of the network. Reading a clock takes no time; who reads it a hundred times without waiting lets
the network go on (`polled`).
"""

from __future__ import annotations

import calendar
import time as real
from collections.abc import Callable
from operator import index
from typing import Any

from stack.network.place import Place
from stack.network.waiting import polled, wait
from stack.socket.switch import Switch, original

#: Virtual time 0, in nanoseconds since 1970: 2025-01-01 00:00:00 UTC.
EPOCH = 1_735_689_600_000_000_000


def now(node: Place) -> int:
    """Nanoseconds since the network was made."""
    polled(node)
    return node.scheduler.now


def time(node: Place) -> float:
    return (EPOCH + now(node)) / 1e9


def time_ns(node: Place) -> int:
    return EPOCH + now(node)


def monotonic(node: Place) -> float:
    return now(node) / 1e9


def sleep(node: Place, seconds: float, /) -> None:
    """Wait for virtual seconds. 0 lets others run that are ready now."""
    nanoseconds = round(seconds * 1e9) if isinstance(seconds, float) else index(seconds) * 1_000_000_000
    if nanoseconds < 0:
        raise ValueError("sleep length must be non-negative")
    wait((), node.scheduler.now + nanoseconds, node, "sleep")


def gmtime(node: Place, seconds: float | None = None, /) -> real.struct_time:
    """As `time.gmtime`; also what `localtime` means on a host."""
    moment: real.struct_time = original("time", "gmtime")(time(node) if seconds is None else seconds)
    return moment


def mktime(node: Place, moment: Any, /) -> float:
    return float(calendar.timegm(tuple(moment)))


def strftime(node: Place, form: str, moment: Any = None, /) -> str:
    text: str = original("time", "strftime")(form, gmtime(node) if moment is None else moment)
    return text


def asctime(node: Place, moment: Any = None, /) -> str:
    text: str = original("time", "asctime")(gmtime(node) if moment is None else moment)
    return text


def ctime(node: Place, seconds: float | None = None, /) -> str:
    return asctime(node, gmtime(node, seconds))


def install(switch: Switch) -> None:
    emulated: dict[str, Callable[..., Any]] = {
        "time": time,
        "time_ns": time_ns,
        "monotonic": monotonic,
        "monotonic_ns": now,
        "perf_counter": monotonic,
        "perf_counter_ns": now,
        "sleep": sleep,
        "gmtime": gmtime,
        "localtime": gmtime,
        "mktime": mktime,
        "strftime": strftime,
        "asctime": asctime,
        "ctime": ctime,
    }
    for name, function in emulated.items():
        switch.function("time", name, function)
