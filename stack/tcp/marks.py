"""Places in the stream that a program wants to hear of: when they were first sent, and when the peer has acknowledged them.

What transmit time stamps (SO_TIMESTAMPING) and buffers given without a copy (MSG_ZEROCOPY) are made of.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

Told = Callable[["Reached", int], None]


class Reached(Enum):
    """What has happened to a place."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    RELEASED = "released"  # the connection ended first


class Marks:
    """Places, in the order of the stream; each with the function that is told. Made when the first is asked for."""

    __slots__ = ("_unacknowledged", "_unsent")

    def __init__(self) -> None:
        self._unsent: deque[tuple[int, Told]] = deque()
        self._unacknowledged: deque[tuple[int, Told]] = deque()

    def add(self, end: int, told: Told) -> None:
        """Tell when all before the sequence number `end` was sent, and acknowledged."""
        self._unsent.append((end, told))
        self._unacknowledged.append((end, told))

    def sent(self, nxt: int, now: int) -> None:
        """SND.NXT is `nxt`."""
        while self._unsent and self._unsent[0][0] <= nxt:
            self._unsent.popleft()[1](Reached.SENT, now)

    def acknowledged(self, una: int, now: int) -> None:
        """SND.UNA is `una`."""
        while self._unacknowledged and self._unacknowledged[0][0] <= una:
            self._unacknowledged.popleft()[1](Reached.ACKNOWLEDGED, now)

    def release(self, now: int) -> None:
        """The connection has ended."""
        self._unsent.clear()
        while self._unacknowledged:
            self._unacknowledged.popleft()[1](Reached.RELEASED, now)
