"""A ladder in characters: lifelines, arrows with their segments, broken arrows for what was lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stack.base.quantity import show_time
from stack.view.ladder import Arrow, Ladder, pauses
from stack.view.record import seconds

GUTTER = 14  # characters for the times on the left
LEAST, MOST = 22, 76  # characters between two lifelines


def draw(ladder: Ladder, width: int = 100) -> str:
    """The whole diagram. Times stand at the side of the host whose they are, where both are known."""
    if not ladder.columns:
        return "(no packets)"
    places = lifelines(ladder, width)
    lines = [*head(ladder, places)]
    quiet = pauses([arrow.begins for arrow in ladder.arrows])
    for number, arrow in enumerate(ladder.arrows):
        if number in quiet:
            lines.append(silence(places, quiet[number]))
        lines.append(row(ladder, places, arrow))
    if ladder.left_out:
        lines.append(f"({ladder.left_out} more packets)")
    return "\n".join(lines)


def lifelines(ladder: Ladder, width: int) -> list[int]:
    """Where the lifelines stand: as far apart as the labels between them ask for, within the width."""
    count = len(ladder.columns)
    need = LEAST
    for arrow in ladder.arrows:
        source, destination = ladder.place(arrow)
        spans = abs(source - destination) if destination is not None else 1
        least = len(arrow.label) + 9
        need = max(need, -(-(least * 4 // 3 if arrow.lost else least) // max(spans, 1)))
    right = GUTTER if any(arrow.slanted for arrow in ladder.arrows) and count == 2 else 0
    room = (width - GUTTER - right - 2) // max(count - 1, 1)
    step = max(min(need, room, MOST), LEAST)
    return [GUTTER + place * step for place in range(count)]


def head(ladder: Ladder, places: Sequence[int]) -> Iterator[str]:
    """The names of the hosts, and under them their addresses."""
    depth = max(len(column.addresses) for column in ladder.columns)
    for level in range(-1, depth):
        texts = [
            column.name if level < 0 else column.addresses[level] if level < len(column.addresses) else ""
            for column in ladder.columns
        ]
        line = ""
        for place, text in zip(places, texts, strict=True):
            start = max(place - len(text) // 2, len(line) + (1 if line else 0))
            line = line.ljust(start) + text
        yield line.rstrip()


def silence(places: Sequence[int], pause: int) -> str:
    line = [" "] * (places[-1] + 1)
    for place in places:
        line[place] = "┊"
    text = f"{show_time(pause)} later"
    middle = (places[0] + places[-1] - len(text)) // 2 if len(places) > 1 else places[0] + 3
    line[middle : middle + len(text)] = text
    return "".join(line)


def row(ladder: Ladder, places: Sequence[int], arrow: Arrow) -> str:
    """One packet: time, arrow, and why."""
    line = [" "] * (places[-1] + 1)
    for place in places:
        line[place] = "│"
    source, destination = ladder.place(arrow)
    if destination is None:
        to_all(line, places, source, arrow)
    elif destination == source:
        put(line, places[source] + 1, f"↺ {arrow.label}")
    else:
        across(line, places, places[source], places[destination], arrow)
    left, right = times(ladder, arrow)
    text = f"{left:>{GUTTER - 2}}" + "".join(line)[GUTTER - 2 :] + (f" {right}" if right else "")
    note = "; ".join(filter(None, ["lost" if arrow.lost else "", arrow.note or ""]))
    return f"{text}   {note}".rstrip() if note else text.rstrip()


def times(ladder: Ladder, arrow: Arrow) -> tuple[str, str]:
    """What stands on the left and on the right: each host's own time, where there are two hosts and both are known."""
    if len(ladder.columns) != 2 or (arrow.sent is None and arrow.arrived is None):
        return seconds(arrow.begins - ladder.origin), ""
    ends = ["" if at is None else seconds(at - ladder.origin) for at in (arrow.sent, arrow.arrived)]
    return (ends[0], ends[1]) if ladder.place(arrow)[0] == 0 else (ends[1], ends[0])


def across(line: list[str], places: Sequence[int], start: int, end: int, arrow: Arrow) -> None:
    """An arrow over the lifelines between; a lost one breaks off at three quarters of its way."""
    step = 1 if end > start else -1
    length = abs(end - start)
    reach = length * 3 // 4 if arrow.lost else length - 1
    for offset in range(1, reach):
        place = start + step * offset
        line[place] = "┼" if place in places else "─"
    line[start + step * reach] = "╳" if arrow.lost else "►" if step > 0 else "◄"
    room = reach - 5
    label = arrow.label if len(arrow.label) <= room else arrow.label[: room - 1] + "…"
    put(line, start + 3 if step > 0 else start - 4 - len(label), f" {label} ")


def to_all(line: list[str], places: Sequence[int], source: int, arrow: Arrow) -> None:
    """An arrow to every other lifeline: a broadcast. A lost one does not get there."""
    for place in range(places[0] + 1, places[-1]):
        if place not in places:
            line[place] = "─"
    for number, place in enumerate(places):
        if number > source:
            line[place - 1] = "╳" if arrow.lost else "►"
        elif number < source:
            line[place + 1] = "╳" if arrow.lost else "◄"
    if len(places) == 1:
        put(line, places[0] + 1, f"── {arrow.label} ──►")
        return
    start, end = (source, source + 1) if source + 1 < len(places) else (source - 1, source)
    room = places[end] - places[start] - 6
    text = arrow.label if len(arrow.label) <= room else arrow.label[: room - 1] + "…"
    put(line, places[start] + 3 if start == source else places[end] - 4 - len(text), f" {text} ")


def put(line: list[str], place: int, text: str) -> None:
    """Write over the line, which grows where the text is longer."""
    line[place : place + len(text)] = text
