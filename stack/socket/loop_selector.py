"""The selector of a host's loop: which descriptors are ready, at a cost that grows with the ready ones only."""

from __future__ import annotations

import selectors
from collections.abc import Callable
from typing import Any, Protocol

from stack.network.baton import current_strand
from stack.network.place import Place
from stack.network.waiting import Source, wait

LAST_LOOKS = 100  # turns that a loop gets when its program is being ended


class Descriptor(Protocol):
    """What a descriptor of a host stands for, as a selector sees it."""

    @property
    def readable(self) -> bool: ...

    @property
    def writable(self) -> bool: ...


class _Registered:
    """Watches one descriptor for a selector."""

    __slots__ = ("key", "selector", "source")

    def __init__(self, selector: LoopSelector, key: selectors.SelectorKey, source: Any) -> None:
        self.selector = selector
        self.key = key
        self.source = source

    def woken(self, source: Source) -> None:
        self.selector.note(self)

    def ready(self) -> int:
        """The events that are wanted and there."""
        wanted: int = self.key.events
        found = 0
        if wanted & selectors.EVENT_READ and self.source.readable:
            found = selectors.EVENT_READ
        if wanted & selectors.EVENT_WRITE and self.source.writable:
            found |= selectors.EVENT_WRITE
        return found


class LoopSelector(selectors._BaseSelectorImpl, Source):
    """Level-triggered, as the system's: a descriptor stays noted for as long as it is found ready.

    `on_end()` is called when the program that runs the loop is being ended, and should have no more to wait for.
    With `on_wake`, the loop is resident: `select` never waits, and `on_wake()` says that a turn is wanted.
    """

    def __init__(self, node: Place, on_end: Callable[[], None], on_wake: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.waiters = None
        self.node = node
        self._on_wake = on_wake
        self._on_end = on_end
        self._prodded = False
        self._last_looks = LAST_LOOKS
        self._registered: dict[int, _Registered] = {}
        #: Those whose readiness may have changed, in the order of their waking.
        self.noted: dict[int, _Registered] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        source = self.node.descriptors.get(key.fd)           # type: ignore[attr-defined]
        if source is None:
            super().unregister(fileobj)
            raise ValueError(f"{fileobj!r} is not a descriptor of host {self.node.name}")
        registered = self._registered[key.fd] = _Registered(self, key, source)
        source.watch(registered)
        self.note(registered)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = super().unregister(fileobj)
        registered = self._registered.pop(key.fd)
        registered.source.unwatch(registered)
        self.noted.pop(key.fd, None)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self.unregister(fileobj)
        return self.register(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = self._collect()
        if self._on_wake is not None or found or self._prodded or (timeout is not None and timeout <= 0):
            self._prodded = False
            return found
        strand = current_strand()
        if strand is not None and strand.ending and self._last_looks:
            self._last_looks -= 1                            # the loop is cancelling its tasks: let it
            self._on_end()
            return found
        deadline = None
        if timeout is not None:
            deadline = self.node.scheduler.now + round(timeout * 1e9)
        while not found and not self._prodded and wait([self], deadline, self.node, "select"):
            found = self._collect()
        self._prodded = False
        return found

    def close(self) -> None:
        for registered in self._registered.values():
            registered.source.unwatch(registered)
        self._registered.clear()
        self.noted.clear()
        super().close()

    def note(self, registered: _Registered) -> None:
        """The readiness of a descriptor may have changed."""
        self.noted[registered.key.fd] = registered
        if self._on_wake is not None:
            self._on_wake()
        else:
            self.wake()

    def prod(self) -> None:
        """End the present `select`, or the next one, with or without anything found."""
        self._prodded = True
        self.wake()

    def describe(self) -> str:
        descriptions = [registered.source.describe() for registered in list(self._registered.values())[:3]]
        return ", ".join(descriptions) or "nothing"

    def _collect(self) -> list[tuple[selectors.SelectorKey, int]]:
        found = []
        for fd, registered in list(self.noted.items()):
            ready = registered.ready()
            if ready:
                found.append((registered.key, ready))
            else:
                del self.noted[fd]
        return found
