"""The challenge ACKs that a host sends in a second, for all connections together (RFC 5961 section 7)."""

from __future__ import annotations

from collections.abc import Callable

from stack.base.quantity import SECOND

UNLIMITED = 2_147_483_647  # tcp_challenge_ack_limit's default: each connection's own ration is limit enough


class ChallengeLimit:
    """As in Linux, the second's allowance is drawn around the limit: an exact one told outsiders of others' connections
    (CVE-2016-5696). `draw()` gives a fraction in [0, 1)."""

    __slots__ = ("_draw", "_left", "_second")

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw = draw
        self._left = 0
        self._second = -1

    def take(self, limit: int, now: int) -> bool:
        """Whether one more may be sent at `now`."""
        if limit >= UNLIMITED:
            return True
        if now // SECOND != self._second:
            self._second = now // SECOND
            half = (limit + 1) >> 1
            self._left = half + int(self._draw() * limit)
        if self._left <= 0:
            return False
        self._left -= 1
        return True
