"""What a network has turns for besides programs in threads: the asyncio loop of a host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from stack.network.program import Program


class Resident(Protocol):
    """The asyncio loop of a host, as the network sees it. The scheduler drives it for its timers."""

    strand: None

    def turn(self) -> None:
        """Run what is ready, once. It takes itself from the head of `Programs.ready`, where it put itself."""

    def start(self, program: Program, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        """Run a coroutine function; `program.finish` says how it ended."""

    def account(self) -> list[str]:
        """A line for each task: what it is, and where it waits."""

    def end(self) -> list[str]:
        """End everything; a line for each task that would not."""
