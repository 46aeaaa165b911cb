"""From one header to the next: `decode`, `extent` and `carries` of a header type written as one function.

It is written when the first such header is read, because only then is it known which fields say what follows.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from typing import Any

from stack.codec.layout import expression

# octets, offset, end → the header, what follows it: its offset, where it ends, its type or None; raises `WireError`
Step = Callable[[bytes, int, int], tuple[Any, int, int, Any]]


def unlinked(cls: Any) -> Any:
    """The `step` of a type that has not been read yet: it writes the real one."""

    def step(data: bytes, at: int, end: int) -> tuple[Any, int, int, Any]:
        link(cls)
        result: tuple[Any, int, int, Any] = cls.step(data, at, end)
        return result

    return staticmethod(step)


def relink(root: Any, carried: list[Any]) -> None:
    """Forget the derived step of `root`, and of all types below it, that say by these tables what follows."""
    if root.__dict__.get("carried") is carried and root.inherits_carries:
        root.step = unlinked(root)
    for below in root.__subclasses__():
        relink(below, carried)


def of_self(cls: Any, declared: Any) -> str:
    """Python source of a construct expression over the fields of `self`."""
    text = expression(declared, list(cls.fields))
    if text is None:
        raise TypeError(f"{cls.__name__}: {declared!r} is no expression of its fields")
    return re.sub(r"[A-Za-z_]\w*", r"self.\g<0>", text)


def method(cls: Any, name: str, declared: Any) -> Any:
    """The method that says what a construct expression over the fields of `cls` does; its arguments matter nothing."""
    written: Any = eval(f"lambda self, *_: {of_self(cls, declared)}")
    written.__name__, written.__qualname__ = name, f"{cls.__qualname__}.{name}"
    return written


def link(cls: Any) -> None:
    """Write the step of a header type."""
    decode = cls.derived.split(" return self, _at\n")[0]
    lines = [decode.replace("def decode(", "def step(") + " _kind = None"]
    if cls.reach is not None:
        lines += [f" _stop = _at + {of_self(cls, cls.reach)}", " if _at <= _stop < _end: _end = _stop"]
    elif cls.has_extent:
        lines += [" _stop = _at + self.extent(_end - _at)", " if _at <= _stop < _end: _end = _stop"]
    scope = dict(cls.decode.__globals__)
    following = "self.carries()"
    if cls.inherits_carries:
        tables = [(f"_kinds_{name}", name, kinds) for name, kinds in cls.carried]
        scope |= {key: kinds for key, _, kinds in tables}
        following = " or ".join(f"{key}.get(self.{name})" for key, name, _ in tables)
        if cls.opaque is not None:
            lines.append(f" if {of_self(cls, cls.opaque)}: return self, _at, _end, None")
    if following:
        lines.append(f" if _at < _end: _kind = {following}")
    lines += [" return self, _at, _end, _kind", ""]
    text = "\n".join(lines)
    place = f"<derived step of {cls.__module__}.{cls.__qualname__}>"
    exec(compile(text, place, "exec"), scope)
    linecache.cache[place] = (len(text), None, text.splitlines(True), place)
    cls.step = staticmethod(scope["step"])
