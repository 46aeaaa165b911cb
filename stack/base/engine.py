"""The contract of whatever has state: no clock, no threads, no randomness of its own."""

from __future__ import annotations

from typing import Any, Protocol


class Engine(Protocol):
    """Takes items and times, gives output and events; only the network drives it.

    `deadline` is the virtual time in nanoseconds at which `timeout` is wanted, or None. It may be early: an engine
    that is woken before anything is due says its next deadline and does nothing else.
    """

    @property
    def deadline(self) -> int | None: ...

    def receive(self, item: Any, now: int) -> None:
        """Take `item` from below, at `now`."""

    def timeout(self, now: int) -> None:
        """Do what is due at `now`."""

    def take_output(self) -> list[Any]:
        """What goes below, in order; the engine forgets it."""

    def take_events(self) -> list[Any]:
        """What is told above, in order; the engine forgets it."""
