"""A neighbour is asked for, answers, is checked from time to time, lies, dies."""

from __future__ import annotations

from typing import Any

from stack.base.address import MAC, IPAddress, IPv4Address
from stack.base.randomness import Stream
from stack.ip.neighbour import WAITING, NeighbourCache, State

SECOND = 1_000_000_000
B = IPv4Address("10.0.0.2")
MAC_B, MAC_EVIL = MAC("02:00:00:00:00:0b"), MAC("02:00:00:00:00:ee")


class Told:
    """A cache whose sinks write down what it wants."""

    def __init__(self, limit: int = 1024) -> None:
        self.asked: list[tuple[int, MAC | None]] = []
        self.sent: list[tuple[Any, MAC]] = []
        self.failed: list[Any] = []
        self.lost: list[Any] = []
        self.cache = NeighbourCache(
            Stream(1), lambda address, mac, now: self.asked.append((now, mac)),
            lambda item, mac, now: self.sent.append((item, mac)), self._fail, self.lost.append, limit,
        )

    def _fail(self, address: IPAddress, items: list[Any], now: int) -> None:
        self.failed += items

    def run(self, until: int) -> None:
        """As the network would drive it."""
        while (due := self.cache.deadline) is not None and due <= until:
            self.cache.timeout(due)

    def state(self, address: IPAddress = B) -> State | None:
        neighbour = self.cache.get(address)
        return None if neighbour is None else neighbour.state


def known() -> Told:
    told = Told()
    told.cache.send(B, "hello", 0)
    told.cache.heard(B, MAC_B, 1000, answer=True)
    return told


def test_packets_wait_for_the_answer_and_leave_in_order() -> None:
    told = Told()
    assert [told.cache.send(B, item, 0) for item in "abc"] == [None] * 3
    assert told.asked == [(0, None)]
    assert not told.cache.housekeeping
    told.cache.heard(B, MAC_B, 1000, answer=True)
    assert told.sent == [("a", MAC_B), ("b", MAC_B), ("c", MAC_B)]
    neighbour = told.cache.send(B, "d", 2000)
    assert neighbour is not None
    assert (neighbour.mac, neighbour.state, neighbour.fresh) == (MAC_B, State.REACHABLE, True)
    assert told.cache.housekeeping


def test_three_questions_then_failure() -> None:
    told = Told()
    told.cache.send(B, "a", 0)
    told.run(10 * SECOND)
    assert told.asked == [(0, None), (SECOND, None), (2 * SECOND, None)]
    assert told.failed == ["a"]
    assert told.state() is None
    told.cache.send(B, "b", 20 * SECOND)  # a new attempt begins anew
    assert len(told.asked) == 4


def test_more_packets_than_may_wait_push_out_the_oldest() -> None:
    told = Told()
    for number in range(WAITING + 5):
        told.cache.send(B, number, 0)
    assert told.lost == [0, 1, 2, 3, 4]


def test_a_neighbour_in_use_is_checked_in_unicast_after_it_was_silent() -> None:
    told = known()
    told.run(60 * SECOND)
    neighbour = told.cache.send(B, "later", 60 * SECOND)
    assert neighbour is not None
    assert neighbour.state is State.DELAY
    told.run(65 * SECOND)
    assert told.asked[1:] == [(65 * SECOND, MAC_B)]
    assert told.cache.housekeeping
    told.cache.heard(B, MAC_B, 65 * SECOND + 1, answer=True)
    assert told.state() is State.REACHABLE


def test_an_idle_neighbour_is_left_in_peace() -> None:
    told = known()
    assert told.cache.entries() == [(B, MAC_B, State.REACHABLE)]
    told.run(60 * SECOND)
    assert told.cache.entries() == [(B, MAC_B, State.STALE)]
    assert told.cache.deadline is None
    assert len(told.asked) == 1


def test_a_neighbour_that_went_away_is_forgotten_and_asked_for_anew() -> None:
    told = known()
    told.run(60 * SECOND)
    told.cache.send(B, "into the void", 60 * SECOND)
    told.run(100 * SECOND)
    assert [when for when, _ in told.asked[1:]] == [65 * SECOND, 66 * SECOND, 67 * SECOND]
    assert told.state() is None
    told.cache.send(B, "again", 100 * SECOND)
    assert told.asked[-1] == (100 * SECOND, None)


def test_progress_of_an_upper_layer_saves_the_question() -> None:
    told = known()
    told.run(60 * SECOND)
    told.cache.send(B, "data", 60 * SECOND)
    told.cache.confirm(B, 61 * SECOND)
    told.run(70 * SECOND)
    assert len(told.asked) == 1
    assert told.state() is State.REACHABLE


def test_a_corrupted_answer_heals() -> None:
    """The first answer had a flipped bit: the probe of the wrong address fails, and everyone is asked."""
    told = Told()
    told.cache.send(B, "a", 0)
    told.cache.heard(B, MAC_EVIL, 1000, answer=True)
    told.run(60 * SECOND)
    told.cache.send(B, "b", 60 * SECOND)
    told.run(70 * SECOND)
    told.cache.send(B, "c", 70 * SECOND)
    assert told.asked[-1] == (70 * SECOND, None)
    told.cache.heard(B, MAC_B, 70 * SECOND, answer=True)
    assert told.sent[-1] == ("c", MAC_B)


def test_doubt_of_an_upper_layer_heals_sooner() -> None:
    told = known()
    told.cache.doubt(B, 2 * SECOND)
    assert told.asked[-1] == (2 * SECOND, MAC_B)
    told.cache.doubt(B, 2 * SECOND + 1)
    assert len(told.asked) == 2


def test_poison_that_nobody_asked_for_is_probed_soon() -> None:
    told = known()
    told.cache.heard(B, MAC_EVIL, 2 * SECOND, answer=True)
    assert told.state() is State.STALE
    told.cache.send(B, "a", 3 * SECOND)
    told.run(8 * SECOND)
    assert told.asked[-1] == (8 * SECOND, MAC_EVIL)
    told.run(20 * SECOND)
    assert told.state() is None


def test_an_advertisement_without_override_only_raises_doubt() -> None:
    told = known()
    told.cache.heard(B, MAC_EVIL, 2 * SECOND, answer=False, override=False)
    neighbour = told.cache.get(B)
    assert neighbour is not None
    assert (neighbour.mac, neighbour.state) == (MAC_B, State.STALE)
    told.cache.heard(B, MAC_EVIL, 2 * SECOND, answer=False, override=False)
    assert neighbour.mac == MAC_B


def test_a_neighbour_that_asks_us_is_known_without_asking_it() -> None:
    told = Told()
    told.cache.heard(B, MAC_B, 0, answer=False, create=True)
    neighbour = told.cache.send(B, "a", 1)
    assert neighbour is not None
    assert neighbour.mac == MAC_B
    told.cache.heard(IPv4Address("10.0.0.3"), MAC_B, 0, answer=False)
    assert len(told.cache) == 1


def test_one_whom_we_ask_asks_us_first() -> None:
    told = Told()
    told.cache.send(B, "a", 0)
    told.cache.heard(B, MAC_B, 1, answer=False, create=True)
    assert told.sent == [("a", MAC_B)]
    assert told.state() is State.DELAY


def test_a_permanent_neighbour_believes_nobody() -> None:
    told = Told()
    told.cache.set(B, MAC_B)
    told.cache.heard(B, MAC_EVIL, 0, answer=True)
    told.cache.confirm(B, 0)
    told.cache.doubt(B, 0)
    neighbour = told.cache.send(B, "a", 1 << 60)
    assert neighbour is not None
    assert (neighbour.mac, neighbour.state, told.cache.deadline) == (MAC_B, State.PERMANENT, None)


def test_a_flood_of_strangers_does_not_push_out_friends() -> None:
    told = Told(limit=64)
    told.cache.send(B, "hello", 0)
    told.cache.heard(B, MAC_B, 1, answer=True)
    for number in range(5000):
        told.cache.heard(IPv4Address(0x0A010000 + number), MAC_EVIL, 2, answer=False, create=True)
    assert len(told.cache) == 64
    assert told.state() is State.REACHABLE


def test_a_scan_of_empty_addresses_is_bounded_and_every_packet_accounted_for() -> None:
    told = Told(limit=64)
    told.cache.send(B, "hello", 0)
    told.cache.heard(B, MAC_B, 1, answer=True)
    for number in range(1000):
        told.cache.send(IPv4Address(0x0A010000 + number), number, 2 + number)
    assert len(told.cache) == 64
    assert told.failed == list(range(1000 - 63))
    assert told.state() is State.REACHABLE
    told.run(10 * SECOND)
    assert told.failed == list(range(1000))


def test_a_table_of_permanent_neighbours_alone_may_exceed_the_limit() -> None:
    told = Told(limit=2)
    for number in range(3):
        told.cache.set(IPv4Address(number), MAC_B)
    assert len(told.cache) == 3
