"""Quantities as text: times, rates, sizes and fractions, in the words of `tc` or as plain SI numbers."""

from __future__ import annotations

import re
from decimal import Decimal

from stack.base.errors import QuantityError

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000

_TIMES = {
    "ns": 1, "us": MICROSECOND, "µs": MICROSECOND, "ms": MILLISECOND,
    "s": SECOND, "sec": SECOND, "second": SECOND, "seconds": SECOND,
    "m": 60 * SECOND, "min": 60 * SECOND, "minute": 60 * SECOND, "minutes": 60 * SECOND,
    "h": 3600 * SECOND, "hour": 3600 * SECOND, "hours": 3600 * SECOND,
    "d": 86400 * SECOND, "day": 86400 * SECOND, "days": 86400 * SECOND,
}  # fmt: skip
_RATES = {
    "bit": 1, "bit/s": 1, "bps": 8,
    "kbit": 10**3, "kbit/s": 10**3, "kbps": 8 * 10**3,
    "mbit": 10**6, "mbit/s": 10**6, "mbps": 8 * 10**6,
    "gbit": 10**9, "gbit/s": 10**9, "gbps": 8 * 10**9,
    "tbit": 10**12, "tbit/s": 10**12, "tbps": 8 * 10**12,
}  # fmt: skip
_SIZES = {
    "": 1, "b": 1, "octet": 1, "octets": 1, "byte": 1, "bytes": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9,
    "kib": 2**10, "mib": 2**20, "gib": 2**30,
}  # fmt: skip
_NUMBER = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([^\d\s.]*)\s*")


def _scaled(value: str, units: dict[str, int], kind: str, example: str) -> int:
    match = _NUMBER.fullmatch(value)
    scale = units.get(match[2].lower()) if match else None
    if match is None or scale is None:
        raise QuantityError(f"{value!r} is not a {kind}; expected a number with a unit, such as {example!r}")
    return round(Decimal(match[1]) * scale)


def _plain(value: float | int, scale: int, kind: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise QuantityError(f"{value!r} is not a {kind}; expected a text or a number of at least 0")
    return value * scale if isinstance(value, int) else round(Decimal(value) * scale)


def nanoseconds(value: str | float | int) -> int:
    """A time: "20 ms", "1.5 s", "2 min", or a number of seconds. Nanoseconds; raises `QuantityError`."""
    if isinstance(value, str):
        return _scaled(value, _TIMES, "time", "20 ms")
    return _plain(value, SECOND, "time")


def bits_per_second(value: str | float | int) -> int:
    """A rate: "10 Mbit", "1 Gbit", "100 kbps" (`tc`: bytes), or a number of bits a second; raises `QuantityError`."""
    rate = _scaled(value, _RATES, "rate", "10 Mbit") if isinstance(value, str) else _plain(value, 1, "rate")
    if rate <= 0:
        raise QuantityError(f"{value!r} is not a rate; expected at least one bit a second")
    return rate


def octets(value: str | float | int) -> int:
    """A size: "64 KB", "1 MiB", or a number of octets; raises `QuantityError`."""
    return _scaled(value, _SIZES, "size", "64 KB") if isinstance(value, str) else _plain(value, 1, "size")


def fraction(value: str | float | int) -> float:
    """A share: "1%", "0.25", or a number from 0 to 1; raises `QuantityError`."""
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*", value)
        share = float(Decimal(match[1]) / (100 if match[2] else 1)) if match else -1.0
    elif isinstance(value, bool) or not isinstance(value, int | float):
        share = -1.0
    else:
        share = float(value)
    if not 0 <= share <= 1:
        raise QuantityError(f"{value!r} is not a fraction; expected '1%' or a number from 0 to 1")
    return share


def show_time(ns: int) -> str:
    """Nanoseconds as people write them: 20000000 → '20 ms'."""
    for unit, name in ((SECOND, "s"), (MILLISECOND, "ms"), (MICROSECOND, "µs")):
        if abs(ns) >= unit:
            return f"{_trim(ns, unit)} {name}"
    return f"{ns} ns"


def show_rate(rate: int) -> str:
    """Bits a second as `tc` writes them: 10000000 → '10 Mbit'."""
    for unit, name in ((10**9, "Gbit"), (10**6, "Mbit"), (10**3, "kbit")):
        if rate >= unit:
            return f"{_trim(rate, unit)} {name}"
    return f"{rate} bit"


def _trim(value: int, unit: int) -> str:
    return f"{Decimal(value) / unit:.3f}".rstrip("0").rstrip(".")
