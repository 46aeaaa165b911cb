"""A ladder as SVG: time runs downwards, arrows slant by the time that packets need, lost ones break off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from stack.base.quantity import show_time
from stack.view.ladder import EVERYONE, Arrow, Ladder, pauses
from stack.view.record import seconds
from stack.view.theme import MONO, SANS, css

ROW = 30  # least distance of two packets that leave the same host
STEP = 15  # least distance of two instants
TURN = 19  # least distance of what a host hears and what it says next
HEAD = 66  # room for names and addresses
MARGIN = 96  # room for times on either side
NOTE = 11  # size of small print

STYLE = f"""
.packetstack .paper {{ fill: var(--paper); stroke: var(--edge); }}
.packetstack text {{ font-family: {SANS}; font-size: 13px; fill: var(--ink); }}
.packetstack text.host {{ font-size: 15px; font-weight: 600; text-anchor: middle; }}
.packetstack text.small {{ font-size: {NOTE}px; fill: var(--soft); }}
.packetstack text.time {{ font-family: {MONO}; font-size: {NOTE}px; fill: var(--soft); }}
.packetstack .life {{ stroke: var(--line); stroke-width: 2; }}
.packetstack .quiet {{ stroke: var(--line); stroke-width: 2; stroke-dasharray: 2 5; }}
.packetstack .box {{ fill: var(--band); stroke: var(--edge); }}
.packetstack .way {{ stroke: var(--k); stroke-width: 1.6; fill: none; }}
.packetstack .lost .way {{ stroke-dasharray: 6 4; }}
.packetstack .tip {{ fill: var(--k); }}
.packetstack .cross {{ stroke: var(--k-reset); stroke-width: 2.4; stroke-linecap: round; }}
.packetstack .say {{ fill: var(--k); paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }}
.packetstack text.why {{ font-size: {NOTE}px; font-style: italic; fill: var(--soft); paint-order: stroke; stroke: var(--paper); stroke-width: 3px; }}
.packetstack g.k:hover .way {{ stroke-width: 3; }}
"""


@dataclass(slots=True)
class Layout:
    """Where everything stands: the height of each arrow's two ends, and of the silences between."""

    ends: list[tuple[float, float]] = field(default_factory=list)
    silences: list[tuple[float, int]] = field(default_factory=list)
    height: float = 0


def heights(ladder: Ladder) -> Layout:
    """Put all instants in order and keep what stands close apart: a picture's time is even in order, not in length."""
    arrows = ladder.arrows
    quiet = pauses([arrow.begins for arrow in arrows])
    layout = Layout(ends=[(0, 0)] * len(arrows))
    y, flat = float(HEAD + 14), 0.0
    before: int | None = None
    said: dict[str, float] = {}  # the lowest tail so far, at each host
    heard: dict[str, float] = {}  # the lowest tip so far, at each host
    for time, tip, place in instants(arrows):
        arrow = arrows[place]
        if before is not None and time > before:
            y += STEP
        if not tip and place in quiet:
            layout.silences.append((y + 24, quiet[place]))
            y += 54
        here = audience(ladder, arrow) if tip else [arrow.source]
        for host in here:
            y = max(y, heard.get(host, 0.0) + TURN, said.get(host, 0.0) + (TURN if tip else ROW))
        if tip:
            heard.update(dict.fromkeys(here, y))
            layout.ends[place] = (layout.ends[place][0], y)
        else:
            y = y if arrow.slanted else max(y, flat + ROW)  # level arrows lie one below the other
            below = NOTE if arrow.note or arrow.lost else 0
            flat = flat if arrow.slanted else y + below / 2
            said[arrow.source] = y + below
            layout.ends[place] = (y, y)
        before = time
    layout.height = y + 44
    for place, arrow in enumerate(arrows):
        if not arrow.slanted and arrow.lost:
            layout.ends[place] = (layout.ends[place][0], layout.ends[place][0] + fall(ladder, layout, place))
    return layout


def audience(ladder: Ladder, arrow: Arrow) -> list[str]:
    """The hosts whom an arrow reaches."""
    if arrow.destination != EVERYONE:
        return [arrow.destination]
    return [column.name for column in ladder.columns if column.name != arrow.source]


def fall(ladder: Ladder, layout: Layout, lost: int) -> float:
    """How steep a lost packet's arrow is: as the nearest one of the same way that arrived."""
    way = (ladder.arrows[lost].source, ladder.arrows[lost].destination)
    for place in sorted(range(len(ladder.arrows)), key=lambda place: abs(place - lost)):
        arrow = ladder.arrows[place]
        if arrow.slanted and (arrow.source, arrow.destination) == way:
            return layout.ends[place][1] - layout.ends[place][0]
    return STEP


def instants(arrows: Sequence[Arrow]) -> list[tuple[int, bool, int]]:
    """(time, whether it is an arrival, the arrow's place), in order: what is heard comes before what is said upon it."""
    keys = []
    for place, arrow in enumerate(arrows):
        keys.append((arrow.begins, 1, place, False))
        if arrow.slanted and arrow.arrived is not None:
            keys.append((arrow.arrived, 0 if arrow.arrived > arrow.begins else 1, place, True))
    return [(time, tip, place) for time, _, place, tip in sorted(keys)]


def draw(ladder: Ladder, width: int = 900) -> str:
    """The whole picture as one `<svg>` element, with its own style."""
    width = max(width, 2 * MARGIN + 190 * max(len(ladder.columns) - 1, 1))
    layout = heights(ladder)
    places = [
        MARGIN + (width - 2 * MARGIN) * place / (len(ladder.columns) - 1) if len(ladder.columns) > 1 else width / 2
        for place in range(len(ladder.columns))
    ]
    height = layout.height + (24 if ladder.left_out else 0)
    parts = [
        f'<svg class="packetstack ladder" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
        f'width="{width}" style="max-width: 100%; height: auto" role="img" aria-label="time-sequence diagram">',
        f"<style>{css()}{STYLE}</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1:.0f}" rx="8"/>',
        *_hosts(ladder, layout, places),
    ]
    pairs = list(zip(ladder.arrows, layout.ends, strict=True))
    parts.extend(_arrow(ladder, arrow, ends, places) for arrow, ends in pairs)
    parts.extend(_words(ladder, arrow, ends, places) for arrow, ends in pairs)  # over all lines
    if ladder.left_out:
        text = f"{ladder.left_out} more packets"
        parts.append(f'<text class="small" x="{width / 2}" y="{height - 12:.0f}" text-anchor="middle">{text}</text>')
    parts.append("</svg>")
    return "\n".join(parts)


def _hosts(ladder: Ladder, layout: Layout, places: list[float]) -> list[str]:
    parts = []
    for column, x in zip(ladder.columns, places, strict=True):
        half = max(4.3 * len(column.name) + 18, 3.2 * max([len(a) for a in column.addresses], default=0) + 14, 44)
        parts.append(f'<line class="life" x1="{x:.1f}" y1="54" x2="{x:.1f}" y2="{layout.height - 12:.0f}"/>')
        parts.append(f'<rect class="box" x="{x - half:.1f}" y="10" width="{2 * half:.1f}" height="44" rx="6"/>')
        line = 29 if column.addresses else 37
        parts.append(f'<text class="host" x="{x:.1f}" y="{line}">{escape(column.name)}</text>')
        if column.addresses:
            more = f" +{len(column.addresses) - 1}" if len(column.addresses) > 1 else ""
            title = f"<title>{escape(chr(10).join(column.addresses))}</title>"
            address = escape(column.addresses[0]) + more
            parts.append(f'<text class="small" x="{x:.1f}" y="46" text-anchor="middle">{address}{title}</text>')
    for y, pause in layout.silences:
        for x in places:
            parts.append(f'<line x1="{x:.1f}" y1="{y - 8:.1f}" x2="{x:.1f}" y2="{y + 12:.1f}" stroke="var(--paper)" stroke-width="4"/>')
            parts.append(f'<line class="quiet" x1="{x:.1f}" y1="{y - 7:.1f}" x2="{x:.1f}" y2="{y + 12:.1f}"/>')
        middle = (places[0] + places[-1]) / 2
        parts.append(f'<text class="small" x="{middle:.1f}" y="{y + 6:.1f}" text-anchor="middle">{show_time(pause)} later</text>')
    return parts


def _group(ladder: Ladder, arrow: Arrow, content: list[str]) -> str:
    """What belongs to one packet: its colour, and all that is known of it under the pointer."""
    head = f"{arrow.number}  {seconds(arrow.begins - ladder.origin, 9)}"
    title = escape("\n".join(filter(None, [head, arrow.detail, arrow.note])))
    lost = " lost" if arrow.lost else ""
    return f'<g class="k k-{arrow.kind}{lost}"><title>{title}</title>{"".join(content)}</g>'


def _targets(ladder: Ladder, arrow: Arrow, places: list[float]) -> list[float]:
    source, destination = ladder.place(arrow)
    if destination is not None:
        return [places[destination]]
    return [x for place, x in enumerate(places) if place != source] or [places[source]]


def _arrow(ladder: Ladder, arrow: Arrow, ends: tuple[float, float], places: list[float]) -> str:
    x0 = places[ladder.place(arrow)[0]]
    ways = [_way(x0, ends[0], x1, ends[1], arrow.lost) for x1 in _targets(ladder, arrow, places)]
    return _group(ladder, arrow, ways)


def _way(x0: float, y0: float, x1: float, y1: float, lost: bool) -> str:
    """The line, and the head or the cross at its end."""
    if x0 == x1:  # to itself
        return f'<path class="way" d="M{x0:.1f} {y0 - 6:.1f} c34 -2 34 14 4 12"/><path class="tip" d="M{x0 + 1:.1f} {y0 + 6:.1f} l9 -4 v8 z"/>'
    step = 1 if x1 > x0 else -1
    if lost:
        x1, y1 = x0 + 0.72 * (x1 - x0), y0 + 0.72 * (y1 - y0)
        cross = "".join(
            f'<line class="cross" x1="{x1 - 5:.1f}" y1="{y1 - 5 * way:.1f}" x2="{x1 + 5:.1f}" y2="{y1 + 5 * way:.1f}"/>'
            for way in (1, -1)
        )
        return f'<line class="way" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>{cross}'
    slope = (y1 - y0) / abs(x1 - x0)
    back = 10.0
    points = f"M{x1:.1f} {y1:.1f} l{-step * back:.1f} {-slope * back - 4.5:.1f} v9 z"
    x2, y2 = x1 - step * (back - 2), y1 - slope * (back - 2)
    return f'<line class="way" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/><path class="tip" d="{points}"/>'


def _words(ladder: Ladder, arrow: Arrow, ends: tuple[float, float], places: list[float]) -> str:
    """What is said, over the tail of its arrow and along it; why it is said, below; when, at the sides."""
    x0, y0 = places[ladder.place(arrow)[0]], ends[0]
    x1 = min(_targets(ladder, arrow, places), key=lambda x: abs(x - x0))
    step = 1 if x1 >= x0 else -1
    anchor = "start" if step > 0 else "end"
    slope = 0 if x0 == x1 else (ends[1] - y0) / abs(x1 - x0)
    x = x0 + step * (14 if x0 != x1 else 44)
    y = y0 + slope * 14
    turn = f' transform="rotate({_degrees(slope * step):.2f} {x:.1f} {y:.1f})"' if slope else ""
    words = [f'<text class="say" x="{x:.1f}" y="{y - 5:.1f}" text-anchor="{anchor}"{turn}>{escape(arrow.label)}</text>']
    why = "; ".join(filter(None, ["lost" if arrow.lost else "", arrow.note or ""]))
    if why:
        why = escape(why if len(why) <= 60 else why[:59] + "…")
        words.append(f'<text class="why" x="{x:.1f}" y="{y + 13:.1f}" text-anchor="{anchor}"{turn}>{why}</text>')
    return _group(ladder, arrow, words + _times(ladder, arrow, ends, places))


def _degrees(slope: float) -> float:
    """The angle of a slope, near enough for small ones (a picture, not a packet)."""
    return 57.2958 * (slope - slope**3 / 3 + slope**5 / 5)


def _times(ladder: Ladder, arrow: Arrow, ends: tuple[float, float], places: list[float]) -> list[str]:
    """The instants, each outside the lifeline whose it is, where that is an outer one; else on the left."""
    source, destination = ladder.place(arrow)[0], ladder.hears(arrow)
    marks = [(0 if arrow.sent is None else source, ends[0], arrow.begins)]
    if arrow.slanted and arrow.arrived is not None and destination is not None:
        marks.append((destination, ends[1], arrow.arrived))
    parts = []
    for place, y, time in marks:
        if 0 < place < len(places) - 1:
            continue
        x, anchor = (places[0] - 10, "end") if place == 0 else (places[-1] + 10, "start")
        text = seconds(time - ladder.origin)
        parts.append(f'<text class="time" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">{text}</text>')
    return parts
