"""From header to header: `decode`, `extent` and `carries` of header types written as one function.

Two are derived for each type: `step`, from one header to the next, and `walk`, which reads all headers of octets that
begin with the type, with the steps of what usually follows written into it instead of called. They are written when the
first such header is read, because only then is it known which fields say what follows.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from typing import Any

from stack.base.errors import WireError
from stack.codec.layout import expression

# octets, offset, end → the header, what follows it: its offset, where it ends, its type or None; raises `WireError`
Step = Callable[[bytes, int, int], tuple[Any, int, int, Any]]
# octets → their headers, where what follows the last one begins and ends; never raises
Walk = Callable[[bytes], tuple[tuple[Any, ...], int, int]]
_DEPTH = 3  # headers of a walk whose steps are written into it


def unlink(cls: Any) -> None:
    """Let the functions of a type be written (anew) when they are called next."""

    def step(data: bytes, at: int, end: int) -> tuple[Any, int, int, Any]:
        lines, scope = _step_of(cls, "")
        _write(cls, "step", ["def step(_data, _offset, _end):", *lines, "return self, _at, _end, _kind"], scope)
        result: tuple[Any, int, int, Any] = cls.step(data, at, end)
        return result

    def walk(data: bytes) -> tuple[tuple[Any, ...], int, int]:
        _write(cls, "walk", *_walk_of(cls))
        result: tuple[tuple[Any, ...], int, int] = cls.walk(data)
        return result

    if cls.derives_step:
        cls.step = staticmethod(step)
    cls.walk = staticmethod(walk)


def relink(root: Any) -> None:
    """Forget what was derived for all types below `root`: there is a new field that says what follows."""
    for below in root.__subclasses__():
        if "walk" in below.__dict__:
            unlink(below)
        relink(below)


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


def _step_of(cls: Any, mark: str) -> tuple[list[str], dict[str, Any]]:
    """Statements from `_offset` to `self`, `_at`, `_end` and `_kind`, and the names they use, which end in `mark`."""
    if not cls.derives_step:
        return [f"self, _at, _end, _kind = _step{mark}(_data, _offset, _end)"], {f"_step{mark}": cls.step}
    decode = cls.derived.split(" return self, _at\n")[0].split("\n")[1:-1]
    names = cls.decode.__globals__
    used = [name for name in dict.fromkeys(re.findall(r"(?<![\w.])_\w+", "\n".join(decode))) if name in names]
    lines = [re.sub(r"(?<![\w.])_\w+", lambda m: m[0] + mark if m[0] in used else m[0], line[1:]) for line in decode]
    scope = {name + mark: names[name] for name in used}
    lines.append("_kind = None")
    if cls.reach is not None:
        lines += [f"_stop = _at + {of_self(cls, cls.reach)}", "if _at <= _stop < _end: _end = _stop"]
    elif cls.has_extent:
        lines += ["_stop = _at + self.extent(_end - _at)", "if _at <= _stop < _end: _end = _stop"]
    following = "self.carries()"
    if cls.inherits_carries:
        scope |= {f"_kinds_{name}{mark}": kinds for name, kinds in cls.carried}
        following = " or ".join(f"_kinds_{name}{mark}.get(self.{name})" for name, _ in cls.carried)
        if following and cls.opaque is not None:
            following = f"None if {of_self(cls, cls.opaque)} else {following}"
    if following:
        lines.append(f"if _at < _end: _kind = {following}")
    return lines, scope


def _walk_of(cls: Any) -> tuple[list[str], dict[str, Any]]:
    """The function `walk` of a type, and the names it uses."""
    scope: dict[str, Any] = {"WireError": WireError}
    lines = ["def walk(_data):", "_headers = ()", "_offset, _end = 0, len(_data)", "try:"]

    def write(kind: Any, path: tuple[Any, ...]) -> None:
        mark = f"_{len(scope)}"
        depth = len(path)
        indent = " " * (depth + 1)
        body, names = _step_of(kind, mark)
        scope.update(names)
        before = "".join(f"_header{place}, " for place in range(depth))
        body += [f"_header{depth} = self", f"_headers = ({before}self,)", "_offset = _at"]
        lines.extend(indent + line for line in body)
        tables = [table for _, table in kind.carried] if depth + 1 < _DEPTH else []
        usual = {one: None for table in tables for one in table.values() if one.usual and one not in (*path, kind)}
        for number, one in enumerate(usual):
            scope[f"_type{len(scope)}"] = one
            lines.append(f"{indent}{'elif' if number else 'if'} _kind is _type{len(scope) - 1}:")
            write(one, (*path, kind))

    write(cls, ())
    lines += [" while _kind is not None:", "  self, _at, _end, _kind = _kind.step(_data, _offset, _end)"]
    lines += ["  _headers += (self,)", "  _offset = _at", "except WireError:", " pass", "return _headers, _offset, _end"]
    return lines, scope


def _write(cls: Any, name: str, lines: list[str], scope: dict[str, Any]) -> None:
    """Compile a function and put it on its type."""
    text = "\n ".join(lines) + "\n"
    place = f"<derived {name} of {cls.__module__}.{cls.__qualname__}>"
    exec(compile(text, place, "exec"), scope)
    linecache.cache[place] = (len(text), None, text.splitlines(True), place)
    setattr(cls, name, staticmethod(scope[name]))
