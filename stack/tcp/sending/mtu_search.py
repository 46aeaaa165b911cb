"""What is known of the size of segments that a path carries, while it is searched for (RFC 4821 section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stack.tcp.block import Block


class Search:
    """Between which sizes the truth lies, and the probe that is out."""

    __slots__ = ("began", "end", "high", "low", "path", "size", "start")

    def __init__(self, low: int, high: int, path: int, now: int) -> None:
        self.low = low  # search_low: is known to arrive
        self.high = high  # search_high: nothing larger is tried
        self.path = path  # what routes and routers say
        self.size = 0  # probe_size; 0: no probe is out
        self.start = 0  # its numbers
        self.end = 0
        self.began = now

    def failed(self) -> None:
        """The probe was lost: nothing as large is tried again (tcp_mtup_probe_failed)."""
        self.high, self.size = self.size - 1, 0


def begin(b: Block, now: int) -> None:
    """The smallest size that settings let one hope for is taken to arrive, the largest to be tried (tcp_mtup_init)."""
    b.mtu_search = Search(b.settings.base_mss, b.peer_mss, b.path_mss, now)
