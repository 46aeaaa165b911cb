"""What a view needs of a trace: records with a time, a packet, an interface, a number, a comment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from stack.codec.packet import Packet


class Record(Protocol):
    """One frame that was seen. A trace from a file and one from an emulation give the same records."""

    @property
    def number(self) -> int:
        """The place in the trace, from 1."""

    @property
    def time(self) -> int:
        """Nanoseconds, of the network's clock or since 1970."""

    @property
    def packet(self) -> Packet: ...

    @property
    def interface(self) -> str: ...

    @property
    def comment(self) -> str | None:
        """Why the packet is there, where the trace knows it."""


Records = Iterable[Record]


def seconds(ns: int, places: int = 6) -> str:
    """Nanoseconds as seconds with a fixed number of places, cut, not rounded: 20_000_000 → "0.020000"."""
    whole, rest = divmod(abs(ns), 1_000_000_000)
    return f"{'-' if ns < 0 else ''}{whole}.{rest:09d}"[: (places - 9) or None]
