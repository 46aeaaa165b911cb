"""Seeded randomness: one named stream per component, so that adding a component shifts nobody's draws."""

from __future__ import annotations

import hashlib
import random


class Stream:
    """Draws of one component. Built on `random()` and `getrandbits()` only: the others change between Pythons."""

    __slots__ = ("_source", "getrandbits", "random")

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)
        self.random = self._source.random
        self.getrandbits = self._source.getrandbits

    def chance(self, probability: float) -> bool:
        """True with this probability; nothing is drawn for 0."""
        return probability > 0 and self.random() < probability

    def below(self, bound: int) -> int:
        """An integer from 0 to `bound` - 1, each as likely as the others."""
        if bound <= 0:
            raise ValueError(f"bound is {bound}; expected at least 1")
        bits = bound.bit_length()
        while (value := self.getrandbits(bits)) >= bound:
            pass
        return value

    def bytes(self, count: int) -> bytes:
        """`count` octets."""
        return self.getrandbits(8 * count).to_bytes(count, "big") if count else b""


class Randomness:
    """The randomness of one network: `at("host a", "tcp")` is the stream of that name, the same for the same seed."""

    __slots__ = ("_streams", "seed")

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._streams: dict[tuple[str, ...], Stream] = {}

    def at(self, *names: str) -> Stream:
        """The stream of this name; asked for twice, it is the same stream, and goes on where it was."""
        stream = self._streams.get(names)
        if stream is None:
            text = "\0".join((str(self.seed), *names)).encode()
            stream = self._streams[names] = Stream(int.from_bytes(hashlib.sha256(text).digest(), "big"))
        return stream
