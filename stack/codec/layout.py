"""The fields of a header put in order: runs of bits gathered into words, and the construct `Struct` of them all."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import construct as c

from stack.codec.fields import Field, bare, bit_width


@dataclass
class Bits:
    """A run of fields that are counted in bits, together whole octets. `flags`: the flags kept as one integer."""

    fields: list[Field]
    flags: list[Field] = field(default_factory=list)

    @property
    def width(self) -> int:
        return sum(bit_width(f.format) or 0 for f in self.fields)


Item = Field | Bits


def gather(fields: list[Field]) -> list[Item]:
    """The fields of a header with runs of bits put together; the longest run of flags becomes `flags`."""
    items: list[Item] = []
    for one in fields:
        if bit_width(one.format) is None:
            items.append(one)
        elif items and isinstance(items[-1], Bits):
            items[-1].fields.append(one)
        else:
            items.append(Bits([one]))
    runs: list[tuple[Bits, list[Field]]] = []
    for item in items:
        if isinstance(item, Bits):
            if item.width % 8:
                raise TypeError(f"bits from {item.fields[0].name} on: {item.width} bits are not whole octets")
            previous = None
            for one in item.fields:
                if bare(one.format) is not c.Flag:
                    previous = None
                elif previous is None:
                    previous = [one]
                    runs.append((item, previous))
                else:
                    previous.append(one)
    longest = max(runs, key=lambda run: len(run[1]), default=None)
    if longest is not None and len(longest[1]) > 1:
        longest[0].flags = longest[1]
    return items


def expression(length: Any, known: list[str]) -> str | None:
    """Python source of a length given as a construct expression over fields parsed before, or None."""
    if isinstance(length, int):
        return str(length)
    if not isinstance(length, c.ExprMixin):
        return None
    text = re.sub(r"this\['(\w+)'\]", r"\1", repr(length))
    names = set(re.findall(r"[A-Za-z_]\w*", text))
    if "flags" in names or not names <= set(known) or not re.fullmatch(r"[\w\s()+*/%&|<>-]+", text):
        return None
    return text


def declare(items: list[Item]) -> Any:
    """The construct `Struct`: runs of bits as a `BitStruct` each, their names hoisted beside the others."""
    subcons = []
    for number, item in enumerate(items):
        if isinstance(item, Field):
            subcons.append(item.name / item.format)
            continue
        names = [one.name for one in item.fields]
        word = f"_bits{number}"
        bits = c.BitStruct(*(one.name / one.format for one in item.fields))
        subcons.append(word / c.Rebuild(bits, lambda this, names=names: {name: this[name] for name in names}))
        subcons += [name / c.Computed(c.this[word][name]) for name in names]
    return c.Struct(*subcons)
