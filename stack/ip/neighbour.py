"""The neighbour cache: which link address an IP address has, and whether it still answers (RFC 4861 section 7.3).

One machine for both families: ARP (RFC 826) and neighbour discovery ask and answer, this decides. The states:

    (none) ──send──▶ INCOMPLETE ──answer──▶ REACHABLE ──30 s without a sign of life──▶ STALE
                         │3 × 1 s                 ▲                                      │send
                         ▼                        │answer                                ▼
                      failed ◀──3 × 1 s──────── PROBE ◀────────────5 s────────────── DELAY
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from stack.base.address import MAC, IPAddress
from stack.base.randomness import Stream

SECOND = 1_000_000_000
REACHABLE_TIME = 30 * SECOND  # times 0.5 to 1.5, RFC 4861 section 6.3.2
RETRANSMIT = SECOND
DELAY_FIRST_PROBE = 5 * SECOND
SOLICITATIONS = 3
NEIGHBOURS = 1024  # Linux's gc_thresh3
WAITING = 101  # packets that wait for one answer, the newest ones (Linux's unres_qlen)


class State(Enum):
    """RFC 4861 section 5.1, and Linux's PERMANENT."""

    INCOMPLETE = "incomplete"
    REACHABLE = "reachable"
    STALE = "stale"
    DELAY = "delay"
    PROBE = "probe"
    FAILED = "failed"
    PERMANENT = "permanent"


class Neighbour:
    """One neighbour. While it is `fresh` its `mac` may be used without asking the cache."""

    __slots__ = ("address", "asked", "due", "fresh", "is_router", "mac", "state", "used", "waiting")

    def __init__(self, address: IPAddress, state: State, mac: MAC | None) -> None:
        self.address = address
        self.state = state
        self.mac = mac
        self.fresh = False
        self.due: int | None = None
        self.asked = 0
        self.used = -1
        self.is_router = False
        self.waiting: list[Any] = []

    def __repr__(self) -> str:
        return f"Neighbour({self.address} {self.mac or '?'} {self.state.value})"


class NeighbourCache:
    """The neighbours on one interface, of one IP version.

    `solicit(address, mac, now)` asks (mac None: all), `release(item, mac, now)` sends what waited for an answer,
    `fail(address, items, now)` says that there was none, `overflow(item)` that too many waited for it.
    """

    def __init__(
        self,
        stream: Stream,
        solicit: Callable[[IPAddress, MAC | None, int], None],
        release: Callable[[Any, MAC, int], None],
        fail: Callable[[IPAddress, list[Any], int], None],
        overflow: Callable[[Any], None],
        limit: int = NEIGHBOURS,
    ) -> None:
        self._stream = stream
        self._solicit = solicit
        self._release = release
        self._fail = fail
        self._overflow = overflow
        self.limit = limit
        self._table: dict[IPAddress, Neighbour] = {}
        self._armed: dict[Neighbour, None] = {}  # those with a `due`, never more than `limit`

    @property
    def deadline(self) -> int | None:
        """When the next solicitation or change of state is due."""
        return min((neighbour.due for neighbour in self._armed if neighbour.due is not None), default=None)

    @property
    def housekeeping(self) -> bool:
        """True if no packet waits for what the deadline brings."""
        return not any(neighbour.state is State.INCOMPLETE for neighbour in self._armed)

    def send(self, address: IPAddress, item: Any, now: int) -> Neighbour | None:
        """Where to send `item` now; None if it waits for an answer first, or fails later."""
        neighbour = self._table.get(address)
        if neighbour is None:
            neighbour = self._add(address, State.INCOMPLETE, None, now)
            neighbour.waiting.append(item)
            self._ask(neighbour, now)
            return None
        neighbour.used = now
        if neighbour.state is State.INCOMPLETE:
            neighbour.waiting.append(item)
            if len(neighbour.waiting) > WAITING:
                self._overflow(neighbour.waiting.pop(0))
            return None
        if neighbour.state is State.STALE:
            neighbour.state = State.DELAY
            self._arm(neighbour, now + DELAY_FIRST_PROBE)
        return neighbour

    def heard(
        self, address: IPAddress, mac: MAC, now: int, *, answer: bool, override: bool = True, create: bool = False
    ) -> None:
        """Someone says that `address` is at `mac` (RFC 4861 section 7.2.5). `answer`: they say it because we asked them.

        An answer that nobody asked for proves nothing, so whoever poisons a cache is found out by the next probe.
        """
        neighbour = self._table.get(address)
        if neighbour is None:
            if create:
                self._add(address, State.STALE, mac, now)
            return
        if neighbour.state is State.PERMANENT:
            return
        asked = answer and neighbour.state in (State.INCOMPLETE, State.PROBE, State.DELAY)
        if neighbour.mac != mac:
            if neighbour.mac is not None and not override:
                if neighbour.state is State.REACHABLE:
                    self._stale(neighbour)
                return
            neighbour.mac = mac
            self._stale(neighbour)
        if asked:
            self._reachable(neighbour, now)
        waiting, neighbour.waiting = neighbour.waiting, []
        for item in waiting:
            self._release(item, mac, now)
        if waiting and not asked:
            neighbour.state = State.DELAY
            self._arm(neighbour, now + DELAY_FIRST_PROBE)

    def confirm(self, address: IPAddress, now: int) -> None:
        """An upper layer got on: what we send to `address` arrives (RFC 4861 section 7.3.1)."""
        neighbour = self._table.get(address)
        if neighbour is not None and neighbour.state not in (State.INCOMPLETE, State.PERMANENT):
            self._reachable(neighbour, now)

    def doubt(self, address: IPAddress, now: int) -> None:
        """An upper layer does not get on: ask at once whether the neighbour is there (RFC 1122 section 2.3.2.1 (4))."""
        neighbour = self._table.get(address)
        if neighbour is not None and neighbour.state in (State.REACHABLE, State.STALE, State.DELAY):
            self._probe(neighbour, now)

    def set(self, address: IPAddress, mac: MAC) -> None:
        """A neighbour that is known for good."""
        self.forget(address)
        self._add(address, State.PERMANENT, mac, 0).fresh = True

    def forget(self, address: IPAddress) -> None:
        """Know nothing of `address`. What waited for it is gone."""
        neighbour = self._table.pop(address, None)
        if neighbour is not None:
            self._disarm(neighbour)
            neighbour.state, neighbour.fresh = State.FAILED, False

    def get(self, address: IPAddress) -> Neighbour | None:
        """What is known of `address`."""
        return self._table.get(address)

    def entries(self) -> list[tuple[IPAddress, MAC | None, State]]:
        """The table, as a person would ask for it."""
        return [(each.address, each.mac, each.state) for each in self._table.values()]

    def __len__(self) -> int:
        return len(self._table)

    def timeout(self, now: int) -> None:
        """Ask again, or give up."""
        for neighbour in [each for each in self._armed if each.due is not None and each.due <= now]:
            if neighbour.state is State.REACHABLE:
                self._stale(neighbour)
            elif neighbour.state is State.DELAY:
                self._probe(neighbour, now)
            elif neighbour.asked < SOLICITATIONS:
                self._ask(neighbour, now)
            else:
                self._give_up(neighbour, now)

    def _ask(self, neighbour: Neighbour, now: int) -> None:
        neighbour.asked += 1
        self._arm(neighbour, now + RETRANSMIT)
        self._solicit(neighbour.address, neighbour.mac, now)

    def _probe(self, neighbour: Neighbour, now: int) -> None:
        neighbour.state, neighbour.asked, neighbour.fresh = State.PROBE, 0, False
        self._ask(neighbour, now)

    def _give_up(self, neighbour: Neighbour, now: int) -> None:
        self.forget(neighbour.address)
        if neighbour.waiting:
            self._fail(neighbour.address, neighbour.waiting, now)

    def _reachable(self, neighbour: Neighbour, now: int) -> None:
        self._disarm(neighbour)
        neighbour.state, neighbour.fresh = State.REACHABLE, True
        self._arm(neighbour, now + REACHABLE_TIME // 2 + REACHABLE_TIME * self._stream.getrandbits(16) // (1 << 16))

    def _stale(self, neighbour: Neighbour) -> None:
        self._disarm(neighbour)
        neighbour.state, neighbour.fresh = State.STALE, False

    def _arm(self, neighbour: Neighbour, due: int) -> None:
        neighbour.due = due
        self._armed[neighbour] = None

    def _disarm(self, neighbour: Neighbour) -> None:
        neighbour.due = None
        neighbour.asked = 0
        self._armed.pop(neighbour, None)

    def _add(self, address: IPAddress, state: State, mac: MAC | None, now: int) -> Neighbour:
        if len(self._table) >= self.limit:
            victims = [each for each in self._table.values() if each.state is not State.PERMANENT]
            if victims:
                self._give_up(min(victims, key=_worth), now)
        neighbour = self._table[address] = Neighbour(address, state, mac)
        if state is State.INCOMPLETE:
            neighbour.used = now
        return neighbour


def _worth(neighbour: Neighbour) -> tuple[int, int]:
    """What goes first when the table is full: what was never used, then what does not answer, then the longest unused."""
    if neighbour.used < 0:
        return 0, 0
    return (1 if neighbour.state is State.INCOMPLETE else 2 + neighbour.fresh), neighbour.used
