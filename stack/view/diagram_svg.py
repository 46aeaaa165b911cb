"""Diagrams of header formats as SVG, for light and dark pages."""

from __future__ import annotations

from html import escape

from stack.codec.header import Header
from stack.view.diagram import WIDTH, Cell, initials, rows
from stack.view.theme import MONO, SANS, css

SIDE, TOP, HIGH = 20, 34, 36
LETTER = 7.0  # the width of a letter, about

STYLE = f"""
.packetstack .paper {{ fill: var(--paper); stroke: var(--edge); }}
.packetstack .bit {{ font: 9.5px {MONO}; fill: var(--soft); text-anchor: middle; }}
.packetstack .cell {{ fill: var(--band); stroke: none; }}
.packetstack .wall {{ stroke: var(--line); stroke-width: 1.3; fill: none; stroke-linecap: square; }}
.packetstack .wall.open {{ stroke-dasharray: 5 5; }}
.packetstack .name {{ font: 12.5px {SANS}; fill: var(--ink); text-anchor: middle; dominant-baseline: central; }}
.packetstack .name.bits {{ font-size: 10.5px; letter-spacing: 0.5px; }}
.packetstack g:hover > .cell {{ fill: var(--mark); }}
"""


def draw(kind: type[Header], width: int = 760) -> str:
    """The diagram as one `<svg>` element, with its own style. A field's size and meaning show under the pointer."""
    table = rows(kind)
    unit = (width - 2 * SIDE) / WIDTH
    height = TOP + HIGH * len(table) + 14
    parts = [
        f'<svg class="packetstack diagram" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" style="max-width: 100%; height: auto" role="img" aria-label="format of {kind.__name__}">',
        f"<style>{css()}{STYLE}</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>',
    ]
    for bit in range(WIDTH):
        x = SIDE + (bit + 0.5) * unit
        parts.append(f'<text class="bit" x="{x:.1f}" y="{TOP - 10}">{bit}</text>')
    walls = []
    for number, row in enumerate(table):
        y = TOP + number * HIGH
        for cell in row:
            parts.append(_cell(kind, cell, y, unit))
            walls.append(_walls(cell, table[number - 1] if number else [], y, unit))
    return "\n".join([*parts, *walls, "</svg>"])


def _walls(cell: Cell, above: list[Cell], y: float, unit: float) -> str:
    """The lines around a cell; none where its field goes on from the row above."""
    start, end = cell.start, cell.start + cell.bits
    sides = "".join(f"M{SIDE + bit * unit:.1f} {y}v{HIGH}" for bit in (start, end))
    lids = [(start, end)]
    for upper in above:
        if not cell.first and upper.name == cell.name:
            lids = [(start, max(upper.start, start)), (min(upper.start + upper.bits, end), end)]
    top = "".join(f"M{SIDE + a * unit:.1f} {y}H{SIDE + b * unit:.1f}" for a, b in lids if b > a)
    if cell.last:
        sides += f"M{SIDE + start * unit:.1f} {y + HIGH}H{SIDE + end * unit:.1f}"
    return f'<path class="wall" d="{top}"/><path class="wall{" open" if cell.open else ""}" d="{sides}"/>'


def _cell(kind: type[Header], cell: Cell, y: float, unit: float) -> str:
    x, width = SIDE + cell.start * unit, cell.bits * unit
    bits = kind.fields[cell.name].bits
    size = "variable length" if bits is None else f"{bits} bit{'s' if bits > 1 else ''}"
    title = escape(f"{cell.name}: {size}" + (f"; {cell.doc}" if cell.doc else ""))
    box = f'<rect class="cell" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{HIGH}"/>'
    words = _words(cell, x + width / 2, y + HIGH / 2, width) if cell.first else ""
    return f"<g><title>{title}</title>{box}{words}</g>"


def _words(cell: Cell, x: float, y: float, width: float) -> str:
    """A field's name on one line, on two, or, for single bits, on end."""
    name = cell.name.replace("_", " ")
    if cell.bits == 1:
        short = escape(name.upper() if len(name) <= 4 else initials(name))
        return f'<text class="name bits" x="{x:.1f}" y="{y:.1f}" transform="rotate(-90 {x:.1f} {y:.1f})">{short}</text>'
    lines = [name] if len(name) * LETTER <= width else name.split()
    texts = []
    for number, line in enumerate(lines):
        fitting = line if len(line) * LETTER <= width + 4 else line[: max(int(width / LETTER) - 1, 1)] + "."
        at = y + (number - (len(lines) - 1) / 2) * 14
        texts.append(f'<text class="name" x="{x:.1f}" y="{at:.1f}">{escape(fitting)}</text>')
    return "".join(texts)
