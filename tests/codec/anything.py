"""Every header type there is, and values, octets and whole headers of any kind for property tests."""

from __future__ import annotations

from typing import Any

import construct as c
from hypothesis import settings
from hypothesis import strategies as st

from stack.application.dns.names import Name
from stack.codec.fields import Field, Value, bare, fixed_bytes, integer_limits
from stack.codec.header import Header
from stack.codec.registry import load_formats

few = settings(max_examples=25, deadline=None, derandomize=True, database=None)


def header_types() -> list[type[Header]]:
    """All types that `@header` made in the package, by name; types made by tests are left out."""
    load_formats()
    found: list[type[Header]] = []

    def walk(kind: type[Header]) -> None:
        for below in kind.__subclasses__():
            if "derived" in vars(below) and below.__module__.startswith("stack."):
                found.append(below)
            walk(below)

    walk(Header)
    return sorted(found, key=lambda kind: (kind.__module__, kind.__name__))


labels = st.binary(min_size=1, max_size=12)
names = st.lists(labels, max_size=4).map(lambda parts: Name(b"".join(bytes((len(p),)) + p for p in parts) + b"\0"))


def value(field: Field) -> st.SearchStrategy[Any]:
    """Values that fit a field's format, whatever other fields say."""
    inner = bare(field.format)
    if inner is c.Flag:
        return st.booleans()
    limits = integer_limits(inner)
    if limits is not None:
        return st.integers(*limits)
    if isinstance(inner, Value) and inner.kind is Name:
        return names
    size = fixed_bytes(inner)
    octets = st.binary(max_size=48) if size is None else st.binary(min_size=size, max_size=size)
    return octets.map(inner.kind) if isinstance(inner, Value) else octets


def values(kind: type[Header]) -> st.SearchStrategy[dict[str, Any]]:
    """A value for each field of a header type."""
    return st.fixed_dictionaries({name: value(field) for name, field in kind.fields.items()})


@st.composite
def octets(draw: st.DrawFn, kind: type[Header]) -> bytes:
    """Any octets, or those of a header of this type with something after it, or cut, or with one octet changed."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=90))
    data = kind(**draw(values(kind))).pack() + draw(st.binary(max_size=6))
    change = draw(st.sampled_from(("none", "cut", "change")))
    if change == "cut":
        return data[: draw(st.integers(0, len(data)))]
    if change == "change" and data:
        place = draw(st.integers(0, min(len(data), 20) - 1))
        return data[:place] + draw(st.binary(min_size=1, max_size=1)) + data[place + 1 :]
    return data
