"""The one door through which whatever waits, waits: `wait(sources, deadline, node)`.

A program (or the calling thread) that waits sleeps until a source wakes it or its deadline passes; meanwhile the network
runs. Being woken promises nothing: the caller checks its condition again, in a loop:

    while not self.readable:
        if not wait([self], deadline, self.node, "recv"):
            raise TimeoutError
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from stack.base.errors import StackError
from stack.network.place import Place

if TYPE_CHECKING:
    from stack.network.programs import Programs


class Watcher(Protocol):
    """Whatever a source tells that it changed: the wait of a program, the selector of a loop."""

    def woken(self, source: Source) -> None:
        """Called by `wake()`, in the order of `waiters`. It runs nothing: it takes a note for later."""


class Source:
    """Something that is waited for. It says `wake()` whenever what its waiters look at may have changed.

    A subclass with `__slots__` calls `Source.__init__`, or sets `waiters` to None itself.
    """

    __slots__ = ("waiters",)

    #: Who waits, in order of arrival. Made when someone does.
    waiters: list[Watcher] | None

    def __init__(self) -> None:
        self.waiters = None

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of each `wake()`, until `unwatch`."""
        if self.waiters is None:
            self.waiters = [watcher]
        else:
            self.waiters.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        waiters = self.waiters
        if waiters:
            try:
                waiters.remove(watcher)
            except ValueError:
                return
            if not waiters:
                self.waiters = None

    def wake(self) -> None:
        """Make runnable whoever waits for this."""
        if self.waiters:
            for watcher in self.waiters:
                watcher.woken(self)

    def describe(self) -> str:
        """What an account of who waits for what calls this: "10.0.0.2:80 ↔ 10.0.0.1:49152"."""
        return type(self).__name__.lower()


def wait(sources: Sequence[Source], deadline: int | None, node: Place, doing: str = "") -> bool:
    """Wait until one of `sources` wakes (True) or until virtual time `deadline` in nanoseconds (False).

    Without a deadline, and with nothing left that could wake it, the calling thread's wait raises `Deadlock`, which
    says who was `doing` what. A program that is being ended gets `ProgramExit` from here.
    """
    return (node.scheduler.programs or programs_of(node)).wait(sources, deadline, node, doing)


def polled(node: Place) -> None:
    """Count a look at the world that did not wait: a clock read, a non-blocking call that found nothing.

    After a hundred in a row, with no wait between, the network gets to run its next event.
    """
    programs_of(node).polled()


def programs_of(node: Place) -> Programs:
    """The programs of the network that a node is in."""
    programs = node.scheduler.programs
    if programs is None:
        raise StackError(f"{node.name} is in a network that runs no programs")
    return programs
