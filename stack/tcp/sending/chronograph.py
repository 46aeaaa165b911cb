"""For how long a connection had data to send, and what held it up: tcpi_busy_time and its kin (RFC 4898's idea, Linux's chronos)."""

from __future__ import annotations

IDLE, BUSY, WINDOW, BUFFER = range(4)  # nothing to send; sending; held up by the receiver's window, or by the send buffer


class Chronograph:
    """What holds now, since when, and how long each has held, in nanoseconds."""

    __slots__ = ("kind", "since", "spent")

    def __init__(self) -> None:
        self.kind = IDLE
        self.since = 0
        self.spent = [0, 0, 0, 0]

    def turn(self, kind: int, now: int) -> None:
        """From now on `kind` holds."""
        self.spent[self.kind] += now - self.since
        self.kind = kind
        self.since = now

    def total(self, kind: int, now: int) -> int:
        """How long `kind` has held; BUSY: anything but IDLE."""
        spent = self.spent[:]
        spent[self.kind] += now - self.since
        return sum(spent[BUSY:]) if kind == BUSY else spent[kind]
