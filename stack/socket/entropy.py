"""Randomness of a host: `random`, `os.urandom`, `secrets`, `uuid4` draw from the host's seeded stream."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

from stack.network.place import Place, current_node
from stack.network.waiting import programs_of
from stack.socket.switch import Switch

SEED_BITS = 256


def urandom(node: Place, size: int, /) -> bytes:
    if size < 0:
        raise ValueError("negative argument not allowed")
    drawn: bytes = programs_of(node).stream(node).bytes(size)
    return drawn


def getrandom(node: Place, size: int, flags: int = 0) -> bytes:
    return urandom(node, size)


def install(switch: Switch) -> None:
    # `secrets`, `uuid.uuid4` and `random.SystemRandom` are all made of os.urandom.
    switch.function("os", "urandom", urandom)
    if hasattr(os, "getrandom"):
        switch.function("os", "getrandom", getrandom)
    # The functions of the module are methods of one hidden generator; each host has its own.
    for name, value in list(vars(random).items()):
        if isinstance(getattr(value, "__self__", None), random.Random):
            switch.function("random", name, _drawing(name))

    def seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        """A generator that is made on a host without a seed is seeded by the host's stream."""
        node = current_node() if a is None else None
        if node is not None:
            a = programs_of(node).stream(node).getrandbits(SEED_BITS)
        original(self, a, version)

    original = switch.attribute(random.Random, "seed", seed)


def _drawing(name: str) -> Callable[..., Any]:
    def draw(node: Place, *arguments: Any, **named: Any) -> Any:
        return getattr(programs_of(node).generator(node), name)(*arguments, **named)

    return draw
