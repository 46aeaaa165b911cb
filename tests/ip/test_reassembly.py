"""Fragments come in any order, twice, overlapping, or never; the store stays bounded."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.ip.reassembly import IPV4_LIFETIME, OVERHEAD, FragmentStore, Verdict, join

SECOND = 1_000_000_000
KEY = ("a", "b", 17, 1)


def pieces(data: bytes, size: int) -> list[tuple[int, bool, bytes]]:
    """`data` cut into fragments of `size` octets."""
    return [(at, at + size < len(data), data[at : at + size]) for at in range(0, len(data), size)]


def feed(store: FragmentStore, fragments: list[tuple[int, bool, bytes]], key: tuple[object, ...] = KEY, now: int = 0) -> list[Verdict]:
    return [store.add(key, key[0], offset, more, data, now, "context")[0] for offset, more, data in fragments]


@given(st.binary(min_size=1, max_size=4000), st.integers(1, 40), st.randoms(use_true_random=False), st.booleans())
def test_fragments_in_any_order_with_duplicates_give_the_datagram(data: bytes, eighths: int, shuffle: random.Random, twice: bool) -> None:
    fragments = pieces(data, 8 * eighths) * (2 if twice else 1)
    shuffle.shuffle(fragments)
    store = FragmentStore()
    for at, (offset, more, part) in enumerate(fragments):
        verdict, partial = store.add(KEY, "a", offset, more, part, at)
        if verdict is Verdict.COMPLETE:
            assert partial is not None
            assert join(partial) == data
            assert (len(store), store.memory) == (0, 0)
            return
        assert verdict in (Verdict.WAITING, Verdict.DUPLICATE)
    raise AssertionError("the datagram never became complete")


def test_a_fragment_within_what_is_there_is_a_duplicate_whatever_its_cut() -> None:
    store = FragmentStore()
    assert feed(store, [(0, True, bytes(16)), (16, True, bytes(16)), (8, True, bytes(16))]) == [
        Verdict.WAITING, Verdict.WAITING, Verdict.DUPLICATE,
    ]


@pytest.mark.parametrize("late", [
    (8, True, bytes(16)),        # begins inside, reaches beyond
    (40, True, bytes(16)),       # begins before, ends inside
    (40, True, bytes(64)),       # around
    (24, False, bytes(4)),       # an end before what is there
])
def test_an_overlap_condemns_the_datagram(late: tuple[int, bool, bytes]) -> None:
    store = FragmentStore()
    feed(store, [(0, True, bytes(16)), (48, True, bytes(16))])
    assert feed(store, [late]) == [Verdict.OVERLAP]
    assert (len(store), store.memory) == (0, 0)


@pytest.mark.parametrize("late", [(8, False, bytes(9)), (16, True, bytes(8)), (0, False, bytes(8))])
def test_a_second_end_condemns_the_datagram(late: tuple[int, bool, bytes]) -> None:
    store = FragmentStore()
    feed(store, [(8, False, bytes(8))])
    assert feed(store, [late]) == [Verdict.OVERLAP]
    assert len(store) == 0


@pytest.mark.parametrize("wrong", [(0, True, bytes(7)), (65528, False, bytes(8)), (0, True, b""), (8, False, b"")])
def test_impossible_fragments_leave_nothing_behind(wrong: tuple[int, bool, bytes]) -> None:
    store = FragmentStore()
    assert feed(store, [wrong]) == [Verdict.MALFORMED]
    assert len(store) == 0


def test_what_waits_too_long_is_given_up_and_told() -> None:
    store = FragmentStore()
    feed(store, [(0, True, bytes(8))], now=5)
    feed(store, [(8, False, bytes(8))], key=("a", "b", 17, 2), now=6)
    assert store.deadline == 5 + IPV4_LIFETIME
    store.timeout(4 + IPV4_LIFETIME)
    assert store.take_given_up() == []
    store.timeout(6 + IPV4_LIFETIME)
    assert [(verdict, partial.key[3], partial.first) for verdict, partial in store.take_given_up()] == [
        (Verdict.EXPIRED, 1, "context"), (Verdict.EXPIRED, 2, None),
    ]
    assert store.deadline is None
    assert store.memory == 0


def test_a_flood_from_one_source_is_bounded_and_leaves_room_for_others() -> None:
    store = FragmentStore()
    verdicts = [feed(store, [(0, True, bytes(8))], key=("mallory", "b", 17, number))[0] for number in range(5000)]
    assert len(store) == store.source_limit
    assert verdicts.count(Verdict.LIMIT) == 5000 - store.source_limit
    assert feed(store, pieces(bytes(64), 16))[-1] is Verdict.COMPLETE


def test_a_flood_from_many_sources_drops_the_oldest() -> None:
    store = FragmentStore(memory_limit=64 << 10)
    for number in range(5000):
        feed(store, [(0, True, bytes(1024))], key=(number, "b", 17, 1))
        assert store.memory <= 64 << 10
    assert len(store) == (64 << 10) // (1024 + OVERHEAD)
    assert [verdict for verdict, _ in store.take_given_up()] == [Verdict.LIMIT] * (5000 - len(store))
    assert feed(store, [(1024, False, b"!")], key=(4999, "b", 17, 1)) == [Verdict.COMPLETE]


def test_the_datagram_that_grows_is_the_last_to_go() -> None:
    store = FragmentStore(memory_limit=10 * (1024 + OVERHEAD))
    for number in range(10):
        feed(store, [(0, True, bytes(1024))], key=(number, "b", 17, 1))
    feed(store, [(1024, True, bytes(1024))], key=(0, "b", 17, 1), now=SECOND)
    assert feed(store, [(2048, False, b"end")], key=(0, "b", 17, 1)) == [Verdict.COMPLETE]
    assert feed(store, [(1024, False, b"end")], key=(1, "b", 17, 1)) == [Verdict.WAITING]  # it went, and begins anew


def test_one_datagram_larger_than_all_memory_goes_itself() -> None:
    store = FragmentStore(memory_limit=2048)
    feed(store, [(8 * at, True, bytes(8)) for at in range(100)])
    assert store.memory <= 2048
