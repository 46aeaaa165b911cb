"""For how long a connection had data to send, and what held it up: tcpi_busy_time and its kin (RFC 4898's idea, Linux's chronos)."""

from __future__ import annotations

IDLE, BUSY, WINDOW, BUFFER = range(4)  # nothing to send; sending; held up by the receiver's window, or by the send buffer


class Chronograph:
    """What holds now, since when, and how long each has held, in nanoseconds."""

    __slots__ = ("_buffer", "_busy", "_window", "kind", "since")

    def __init__(self) -> None:
        self.kind = IDLE
        self.since = 0
        self._busy = self._window = self._buffer = 0

    def turn(self, kind: int, now: int) -> None:
        """From now on `kind` holds."""
        before = self.kind
        if before == BUSY:
            self._busy += now - self.since
        elif before == WINDOW:
            self._window += now - self.since
        elif before == BUFFER:
            self._buffer += now - self.since
        self.kind = kind
        self.since = now

    def totals(self, now: int) -> tuple[int, int, int]:
        """For how long there was something to send; and of that, for how long the window and the buffer held it up."""
        self.turn(self.kind, now)
        return self._busy + self._window + self._buffer, self._window, self._buffer
