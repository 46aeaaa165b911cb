"""Diagrams of header formats in characters, from their declarations: 32 bits a row, as RFC 791 section 3.1 draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stack.codec.header import Header

WIDTH = 32  # bits in a row


@dataclass(frozen=True, slots=True)
class Cell:
    """A field's part of one row. `first` and `last`: whether the field begins and ends here; `bits` as drawn."""

    name: str
    start: int
    bits: int
    first: bool = True
    last: bool = True
    open: bool = False  # of variable length
    doc: str = ""


def rows(kind: type[Header]) -> list[list[Cell]]:
    """The fields of a header type, cut into rows of 32 bits. What has no fixed size gets a row of its own."""
    table: list[list[Cell]] = [[]]
    place = 0
    for name, one in kind.fields.items():
        if one.bits is None:
            table.append([Cell(name, 0, WIDTH, open=True, doc=one.doc)])
            table.append([])
            place = 0
            continue
        left = one.bits
        while left:
            part = min(left, WIDTH - place)
            cell = Cell(name, place, part, first=left == one.bits, last=left == part, doc=one.doc)
            table[-1].append(cell)
            left, place = left - part, place + part
            if place == WIDTH:
                table.append([])
                place = 0
    return [row for row in table if row]


def text(kind: type[Header]) -> str:
    """The diagram in characters, as RFCs draw it."""
    lines = [
        " " + "".join(f"{bit // 10 if bit % 10 == 0 else ' ':<2}" for bit in range(WIDTH)).rstrip(),
        " " + " ".join(str(bit % 10) for bit in range(WIDTH)),
    ]
    table = rows(kind)
    for above, row in zip([[], *table], table, strict=False):
        lines.append(_rule(above, row))
        lines += _texts(row)
    lines.append(_rule(table[-1], []))
    return "\n".join(lines)


def _rule(above: list[Cell], below: list[Cell]) -> str:
    """The line between two rows, open where a field goes on from the one to the next."""
    line = ["-"] * (2 * WIDTH + 1)
    line[0::2] = ["+"] * (WIDTH + 1)
    for cell in below:
        for upper in above:
            if not cell.first and upper.name == cell.name:
                start, end = max(cell.start, upper.start), min(cell.start + cell.bits, upper.start + upper.bits)
                line[2 * start + 1 : 2 * end] = " " * (2 * (end - start) - 1)
    length = 2 * max((cell.start + cell.bits for cell in (*above, *below)), default=WIDTH) + 1
    return "".join(line[:length])


def _texts(row: list[Cell]) -> Iterator[str]:
    """A row; names that are too long for narrow fields are written downwards."""
    words = [_fit(cell) for cell in row]
    for level in range(max(len(word) for word in words)):
        line = ""
        for cell, word in zip(row, words, strict=True):
            space = 2 * cell.bits - 1
            edge = "/" if cell.open else "|"
            start = (max(len(other) for other in words) - len(word)) // 2
            inner = word[level - start] if start <= level < start + len(word) else ""
            line += edge + inner.center(space)
        yield line + ("/" if row[-1].open else "|")


def _fit(cell: Cell) -> list[str]:
    space = 2 * cell.bits - 1
    if not cell.first:
        return [""]
    name = cell.name.replace("_", " ")
    if len(name) <= space:
        return [name]
    parts = name.split()
    if all(len(part) <= space for part in parts):
        return parts
    if space <= 3:
        return list(cell.name.replace("_", "")[:6].upper()) if len(name) <= 6 else list(initials(name))
    return [name[:space]]


def initials(name: str) -> str:
    """A name that is too long to stand on end: `dont fragment` → `DF`, `reserved` → `RES`."""
    parts = name.split()
    return "".join(part[0] for part in parts).upper() if len(parts) > 1 else name[:3].upper()
