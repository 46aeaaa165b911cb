"""Packets and packet lists as HTML that stands alone: no scripts, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from stack.base.quantity import show_time
from stack.codec.packet import Packet
from stack.view.detail import characters
from stack.view.following import origin
from stack.view.record import Record, seconds
from stack.view.summary import line_of, summaries
from stack.view.theme import MONO, SANS, css
from stack.view.tree import Node, tree

ROWS = 300  # packets in a list
OPENED = 50  # of these, how many can be opened to see their fields and octets
OCTETS = 320  # of a packet in a list
FIELDS = 120  # fields of a packet that light up under the pointer, with their octets


@cache
def templates() -> Any:
    """The Jinja environment; everything that is put into a page is escaped."""
    from jinja2 import Environment, PackageLoader

    return Environment(loader=PackageLoader("stack.view"), autoescape=True, trim_blocks=False)


@cache
def style() -> Any:
    """The style sheet of packets and lists."""
    from markupsafe import Markup

    text = templates().get_template("style.css.j2").render(
        theme=Markup(css()), sans=Markup(SANS), mono=Markup(MONO), most=FIELDS
    )
    return Markup(text)


def packet(one: Packet) -> str:
    """A packet: its layers and fields beside its octets. What the pointer rests on lights up on both sides."""
    page: str = templates().get_template("one.html.j2").render(style=style(), summary=line_of(one), view=opened(one))
    return page


def table(records: Sequence[Record], rows: int = ROWS, openable: int = OPENED) -> str:
    """A packet list; each of the first `openable` packets opens into its layers and octets."""
    first = origin(records)
    shown = []
    for place, (record, summary) in enumerate(summaries(records[:rows])):
        shown.append({
            "number": record.number, "time": seconds(record.time - first), "s": summary, "comment": (record.comment or "").replace("\n", "; "),
            "view": opened(record.packet, OCTETS) if place < openable else None,
        })  # fmt: skip
    total = len(records)
    span = show_time(records[-1].time - records[0].time) if total > 1 else ""
    page: str = templates().get_template("list.html.j2").render(
        style=style(), rows=shown, total=total, left_out=total - len(shown), span=span
    )
    return page


def opened(one: Packet, most: int | None = None) -> dict[str, Any]:
    """What the template draws of a packet: layers with fields, rows of octets; each knows which fields it is part of.

    With `most` octets, for a list, only the innermost layer stands open.
    """
    data = bytes(one)
    shown = data if most is None else data[:most]
    marks: list[list[str]] = [[] for _ in shown]
    layers: list[dict[str, Any]] = []
    names = iter(range(FIELDS))
    for layer in tree(one):
        layers.append({
            "title": f"{layer.name}, {layer.value}" if layer.name not in layer.value else layer.value,
            "marks": _mark(layer, names, marks),
            "fields": [
                {"name": f.name, "value": f.value, "doc": f.doc, "depth": depth, "marks": _mark(f, names, marks)}
                for f, depth in _below(layer, 0)
            ],
        })  # fmt: skip
    innermost = max((place for place, layer in enumerate(layers) if layer["fields"]), default=0)
    for place, drawn in enumerate(layers):
        drawn["open"] = bool(drawn["fields"]) and (most is None or place == innermost)
    return {"layers": layers, "rows": list(_rows(shown, marks)), "cut": len(data) - len(shown)}


def _below(node: Node, depth: int) -> Iterator[tuple[Node, int]]:
    for child in node.children:
        yield child, depth
        yield from _below(child, depth + 1)


def _mark(node: Node, names: Iterator[int], marks: list[list[str]]) -> str:
    """A class name for a node, put on its octets too."""
    number = next(names, None)
    if number is None or node.bits is None:
        return ""
    for octet in range(node.first, min(node.last + 1, len(marks))):
        marks[octet].append(f"f{number}")
    return f"f{number}"


def _rows(data: bytes, marks: list[list[str]]) -> Iterator[dict[str, Any]]:
    """Rows of sixteen octets, in runs that are part of the same fields: hexadecimal and characters of each run."""
    for offset in range(0, len(data), 16):
        row = data[offset : offset + 16]
        runs = []
        for same, group in groupby(range(len(row)), key=lambda place: " ".join(marks[offset + place])):
            places = list(group)
            octets = [f"{row[place]:02x}{'  ' if place == 7 else ' '}" for place in places]
            words = row[places[0] : places[-1] + 1]
            last = octets[-1]
            runs.append({
                "marks": same, "hex": "".join(octets).rstrip(), "gap": last[2:], "characters": characters(words),
            })  # fmt: skip
        width = 3 * len(row) + (len(row) >= 8)
        yield {"offset": f"{offset:04x}", "runs": runs, "pad": " " * (49 - width)}
