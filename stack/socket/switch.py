"""The switch between the emulated and the real: inside a host, functions of the standard library mean the host's.

Each part of the room (the clock, threads, entropy, sockets, …) has an `install(switch)`, which says what it replaces:

    switch.function("time", "monotonic", monotonic)          # monotonic(node, …) is called when on a host
    switch.replace("socket", "socket", DispatchingSocket)    # any other object: it asks current_node() itself

Installed once, when the first network is made. Outside every host the originals are called, also while networks exist.
Names that other modules had bound before (`from time import monotonic`) are replaced in them, too.
"""

from __future__ import annotations

import _thread
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from stack.network.place import current_node

#: The modules of this room that replace something, in the order of installation.
PARTS = ("clock", "entropy", "machine", "threads", "loop_switch", "modules", "system_calls")


class Dispatching:
    """Stands in for a function of the library: the host's when on a host, the original otherwise.

    An object, not a function: as the original built-in, it does not become a method when a class holds it.
    """

    __slots__ = ("__dict__", "__wrapped__", "_emulated")

    def __init__(self, original: Callable[..., Any], emulated: Callable[..., Any], home: str, name: str) -> None:
        self.__wrapped__ = original
        self._emulated = emulated
        self.__name__ = self.__qualname__ = name
        self.__module__ = home
        self.__doc__ = original.__doc__

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        node = current_node()
        if node is None:
            return self.__wrapped__(*arguments, **named)
        return self._emulated(node, *arguments, **named)

    def __reduce__(self) -> str:
        return self.__name__

    # What takes the place of a class is still good for `isinstance` and in annotations.

    def __instancecheck__(self, instance: object) -> bool:
        kind: Any = self.__wrapped__
        return isinstance(instance, kind)

    def __or__(self, other: Any) -> Any:
        kind: Any = self.__wrapped__
        return kind | other

    def __ror__(self, other: Any) -> Any:
        kind: Any = self.__wrapped__
        return other | kind

    def __repr__(self) -> str:
        return f"<{self.__module__}.{self.__name__}, the host's when on a host>"


class Switch:
    """What has been replaced, and by what."""

    def __init__(self) -> None:
        self._originals: dict[tuple[str, str], Any] = {}
        self._swept: dict[int, tuple[Any, Any]] = {}         # id of an original → (it, what replaces it)
        self._undo: list[tuple[Any, str, Any]] = []
        self.installed = False
        self._installing = _thread.RLock()                   # two threads may make their first network at the same time

    def function(self, module: str, name: str, emulated: Callable[..., Any]) -> None:
        """When on a host, `module.name(…)` means `emulated(node, …)`."""
        original = self.original(module, name)
        self.replace(module, name, Dispatching(original, emulated, module, name))

    def replace(self, module: str, name: str, replacement: Any, sweep: bool = True) -> None:
        """Put `replacement` in the place of `module.name`; `sweep`: also where it was bound by `from … import`."""
        original = self.original(module, name)
        self._put(import_module(module), name, original, replacement)
        if sweep:
            self._swept[id(original)] = (original, replacement)

    def attribute(self, owner: type, name: str, replacement: Any) -> Any:
        """Put `replacement` in the place of a method of a class of the library, its own or inherited; returns the original."""
        original = owner.__dict__[name] if name in owner.__dict__ else getattr(owner, name)
        self._put(owner, name, original, replacement)
        return original

    def original(self, module: str, name: str) -> Any:
        """The library's own `module.name`, installed or not."""
        key = (module, name)
        if key not in self._originals:
            self._originals[key] = getattr(import_module(module), name)
        return self._originals[key]

    def install(self) -> None:
        """Replace everything, once."""
        with self._installing:
            if self.installed:
                return
            for part in PARTS:
                import_module(f"{__package__}.{part}").install(self)
            self._sweep()
            self.installed = True

    def uninstall(self) -> None:
        """Put the originals back (for tests of the switch itself)."""
        for owner, name, original in reversed(self._undo):
            setattr(owner, name, original)
        self._undo.clear()
        self._swept.clear()
        self.installed = False

    def _put(self, owner: Any, name: str, original: Any, replacement: Any) -> None:
        self._undo.append((owner, name, original))
        setattr(owner, name, replacement)

    def _sweep(self) -> None:
        """Replace what other modules had bound before; this package's own keep the originals on purpose."""
        for module in list(sys.modules.values()):
            names = getattr(module, "__dict__", None)
            if type(names) is not dict or names.get("__name__", "").partition(".")[0] in ("stack", "_thread"):
                continue
            for name, value in list(names.items()):
                found = self._swept.get(id(value))
                if found is not None and found[0] is value:
                    self._put(module, name, value, found[1])


#: The one switch of the process.
switch = Switch()
install = switch.install
uninstall = switch.uninstall
original = switch.original
