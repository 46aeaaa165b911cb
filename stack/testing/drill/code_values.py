"""The values of `%{ … }%`: what they may be, how large, and the functions, modules and methods that code may call on them."""

from __future__ import annotations

import math
import operator
import re
import string
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

Value: TypeAlias = Any  # a number, a text, a boolean, None, or a list, tuple, range or dict of such; a function of the script

LARGEST = 2**128  # numbers and texts stay small: a script cannot make the runner busy for long
LONGEST = 10_000
_WIDE = re.compile(r"%[^a-zA-Z%]*(?:\*|[0-9]{4})")  # a format that would make a text of thousands of letters
_SPECIFICATION = re.compile(r"[^{}0-9]{0,3}[0-9]{0,3}(?:,|_)?(?:\.[0-9]{0,3})?[a-zA-Z%]?")


class Refused(Exception):
    """Nothing that code can do."""


def measure(value: Value, most: int = LONGEST) -> int:
    """How many values, letters of texts included, are in this one: each as often as it is met, so that what is in itself has no end.

    Raises `Refused` for more than `most`, and for numbers that are too large.
    """
    count = 0
    waiting = [value]
    while waiting:
        one = waiting.pop()
        count += 1
        if isinstance(one, str | range):
            count += len(one) if isinstance(one, str) else 0
        elif isinstance(one, list | tuple):
            waiting += one
        elif isinstance(one, dict):
            waiting += one
            waiting += one.values()
        elif isinstance(one, int) and abs(one) > LARGEST:
            raise Refused("the result is too large")
        if count + len(waiting) > most:
            raise Refused("the result is too large")
    return count


def length(value: Value, most: int) -> int:
    """How many values there are to go through, `most` at the most."""
    if isinstance(value, range):
        return min((value[-1] - value[0]) // value.step + 1, most) if value else 0
    return min(len(value), most) if isinstance(value, list | tuple | str | dict) else 1


# Functions


def contains(one: Value, many: Value) -> bool:
    """`in`"""
    if isinstance(many, range) and not isinstance(one, int):
        raise Refused("only whole numbers are in a range")
    return one in many


def formatted(value: Value, specification: str = "") -> str:
    """format(), and what follows ':' in an f-string."""
    if not _SPECIFICATION.fullmatch(specification):
        raise Refused(f"the format {specification[:40]!r} is not possible in code")
    return format(value, specification)


def _filled(text: str, *values: Value, **named: Value) -> str:
    """str.format(), whose fields are numbers and names."""
    for _, field, specification, _ in string.Formatter().parse(text):
        if field is not None and not re.fullmatch(r"\w*", field):
            raise Refused(f"the field {field[:40]!r} is not possible in code")
        if specification and not _SPECIFICATION.fullmatch(specification):
            raise Refused(f"the format {specification[:40]!r} is not possible in code")
    return text.format(*values, **named)


def percent(text: str, values: Value) -> str:
    """'%d' % value"""
    if _WIDE.search(text):
        raise Refused(f"the format {text[:40]!r} is not possible in code")
    return str(text % values)


def times(left: Value, right: Value) -> Value:
    """`*`, also of texts and lists"""
    for sequence, number in ((left, right), (right, left)):
        if isinstance(sequence, str | list | tuple) and isinstance(number, int) and len(sequence) * number > LONGEST:
            raise Refused("the result is too large")
    return operator.mul(left, right)


def power(left: Value, right: Value) -> Value:
    """`**`"""
    if isinstance(left, int) and isinstance(right, int) and (abs(left) > 1024 or abs(right) > 64):
        raise Refused("the result is too large")
    return operator.pow(left, right)


def _in_order(values: Iterable[Value], reverse: bool = False) -> list[Value]:
    return sorted(values, reverse=reverse)


def _kind(value: Value, kinds: Value) -> bool:
    """isinstance(), of kinds that have a name here"""
    named = kinds if isinstance(kinds, tuple) else (kinds,)
    return any(isinstance(value, _KINDS[FUNCTIONS_BY_VALUE[one]]) for one in named)


_KINDS: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "tuple": tuple, "dict": dict}
FUNCTIONS: dict[str, Callable[..., Value]] = {
    "min": min, "max": max, "abs": abs, "int": int, "float": float, "len": len, "bool": bool, "str": str, "repr": repr,
    "sum": sum, "any": any, "all": all, "round": round, "divmod": divmod, "range": range, "hex": hex, "bin": bin, "ord": ord, "chr": chr,
    "list": list, "tuple": tuple, "dict": dict, "sorted": _in_order, "reversed": lambda values: list(values)[::-1],
    "enumerate": lambda values, start=0: list(enumerate(values, start)), "zip": lambda *values: list(zip(*values, strict=False)),
    "format": formatted, "isinstance": _kind, "pow": power,
}  # fmt: skip
FUNCTIONS_BY_VALUE = {function: name for name, function in FUNCTIONS.items()}
# What can be called with something that has no end is given what has one.
MODULES: dict[str, dict[str, Value]] = {
    "math": {
        "floor": math.floor, "ceil": math.ceil, "sqrt": math.sqrt, "log": math.log, "log2": math.log2, "log10": math.log10,
        "fabs": math.fabs, "trunc": math.trunc, "isclose": math.isclose, "pi": math.pi, "inf": math.inf,
    },
    # They may be imported, as packetdrill's run in a process of Python's; there is nothing in them here
    "sys": {}, "os": {}, "re": {}, "time": {}, "socket": {}, "struct": {}, "errno": {}, "ctypes": {},
}  # fmt: skip
CALLED = frozenset(FUNCTIONS.values()) | {one for module in MODULES.values() for one in module.values() if callable(one)}


# Methods


def _replaced(text: str, old: str, new: str) -> str:
    if (text.count(old) + 1) * len(new) > LONGEST:
        raise Refused("the result is too large")
    return text.replace(old, new)


def _joined(text: str, values: Iterable[str]) -> str:
    held = list(values)
    if len(text) * len(held) > LONGEST:
        raise Refused("the result is too large")
    return text.join(held)


def _updated(one: dict[Value, Value], *more: dict[Value, Value]) -> None:
    for other in more:
        one.update(other)


def _sorted_in_place(one: list[Value], reverse: bool = False) -> None:
    one.sort(reverse=reverse)


METHODS: dict[type, dict[str, Callable[..., Value]]] = {
    str: {name: getattr(str, name) for name in (
        "split", "strip", "lstrip", "rstrip", "startswith", "endswith", "upper", "lower", "title", "find", "rfind", "index", "count",
        "isdigit", "isalpha", "splitlines", "partition", "rpartition",
    )} | {"replace": _replaced, "join": _joined, "format": _filled},
    list: {name: getattr(list, name) for name in ("append", "extend", "insert", "pop", "remove", "index", "count", "reverse", "copy", "clear")}
    | {"sort": _sorted_in_place},
    tuple: {"index": tuple.index, "count": tuple.count},
    dict: {name: getattr(dict, name) for name in ("get", "pop", "setdefault", "copy", "clear")} | {
        "keys": lambda one: list(one.keys()), "values": lambda one: list(one.values()), "items": lambda one: list(one.items()), "update": _updated,
    },
}  # fmt: skip
