"""`selectors` over the sockets of a host: every selector class of the library, made on a host, is one of these."""

from __future__ import annotations

import errno
import os
import selectors
from typing import Any

from stack.network.node import Node
from stack.network.place import current_node
from stack.socket.description import ERR, HUP, IN, OUT, Description
from stack.socket.select import description_of, is_open, waited

_Impl: Any = selectors._BaseSelectorImpl


class HostSelector(_Impl):  # type: ignore[misc]
    """What takes the place of the library's ways to ask the operating system. Mixed into each of its classes."""

    def __init__(self) -> None:
        _Impl.__init__(self)
        node: Any = current_node()
        self._node: Node = node
        self._files: dict[int, Description] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """As `BaseSelector.register`; only sockets of this host."""
        number = self._fileobj_lookup(fileobj)
        found = self._files.get(number) or description_of(self._node, fileobj)
        if found is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        key: selectors.SelectorKey = _Impl.register(self, fileobj, events, data)
        self._files[number] = found
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """As `BaseSelector.unregister`."""
        key: selectors.SelectorKey = _Impl.unregister(self, fileobj)
        del self._files[key.fd]
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """As `BaseSelector.modify`."""
        key: selectors.SelectorKey = selectors.BaseSelector.modify(self, fileobj, events, data)
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As `BaseSelector.select`."""
        def ready() -> list[tuple[selectors.SelectorKey, int]]:
            found = []
            for key in self._fd_to_key.values():
                description = self._files[key.fd]
                if not is_open(key.fd, description):
                    continue
                has = description.events
                events = key.events & (
                    (selectors.EVENT_READ if has & (IN | HUP | ERR) else 0)
                    | (selectors.EVENT_WRITE if has & (OUT | HUP | ERR) else 0)
                )
                if events:
                    found.append((key, events))
            return found

        sources = [description for number, description in self._files.items() if is_open(number, description)]
        result: list[tuple[selectors.SelectorKey, int]] = waited(self._node, sources, timeout, ready, "select")
        return result

    def close(self) -> None:
        """Forget everything."""
        _Impl.close(self)
        self._files.clear()

    def fileno(self) -> int:
        """A host's selector has no number."""
        raise OSError(errno.ENOSYS, "a selector of an emulated host has no file number")


_made: dict[type, type] = {}


def on_host(kind: type) -> type:
    """The class that stands in for a selector class when it is made on a host: a subclass of it."""
    made = _made.get(kind)
    if made is None:
        if issubclass(kind, HostSelector):
            return kind
        bases: tuple[type, ...] = (HostSelector, kind)
        if kind.__module__ != "selectors":  # a program's own class goes before what it is made of
            library = next(base for base in kind.__mro__ if base.__module__ == "selectors")
            bases = (kind, on_host(library))
        made = _made[kind] = type(kind.__name__, bases, {"__module__": kind.__module__, "__qualname__": kind.__qualname__})
    return made


def library_classes() -> list[type]:
    """The selector classes that this platform's library has."""
    names = ("SelectSelector", "PollSelector", "EpollSelector", "DevpollSelector", "KqueueSelector")
    return [getattr(selectors, name) for name in names if hasattr(selectors, name)]
