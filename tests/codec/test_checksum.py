"""The Internet checksum: the remainder of one number is what adding 16-bit words gives (RFC 1071)."""

from __future__ import annotations

import random

import pytest

from stack.codec.checksum import internet_checksum, ones_sum


def by_words(data: bytes) -> int:
    """RFC 1071 section 4.1, word by word."""
    total = 0
    for at in range(0, len(data), 2):
        total += int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF - total


@pytest.mark.parametrize("size", [0, 1, 2, 3, 20, 359, 360, 361, 1459, 1460, 1500, 4001, 9000, 65535])
def test_it_is_what_adding_words_gives(size: int) -> None:
    for seed in range(5):
        data = random.Random(f"{size} {seed}").randbytes(size)
        assert internet_checksum(data) == by_words(data)


def test_the_example_of_the_rfc() -> None:
    assert internet_checksum(bytes.fromhex("0001 f203 f4f5 f6f7")) == 0xFFFF - 0xDDF2


def test_zeros_and_ones_are_told_apart() -> None:
    assert internet_checksum(bytes(8)) == 0xFFFF
    assert internet_checksum(b"\xff" * 8) == 0
    assert ones_sum(bytes(8)) == ones_sum(b"\xff" * 8) == 0


def test_a_right_checksum_sums_to_nothing() -> None:
    data = random.Random(1).randbytes(100)
    assert ones_sum(data + internet_checksum(data).to_bytes(2, "big")) == 0
