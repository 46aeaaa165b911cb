"""A packet list as text: one line a packet, coloured in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from stack.capture.trace import Trace
from stack.view.following import origin
from stack.view.record import Record, seconds
from stack.view.summary import Summary, summaries
from stack.view.theme import style

if TYPE_CHECKING:
    from rich.text import Text

LEAST = (5, 12, 15, 15, 8, 6)  # the widths of the columns, which grow as wider values come
SHOWN = 1000  # packets that `table` shows of a long trace: its first and last ones


def lines(records: Iterable[Record], causes: bool = False) -> Iterator[str]:
    """A line for each record as it comes: number, seconds since the capture's first, from, to, protocol, length, info.

    `causes` puts behind each line why the packet is there, where the trace knows.
    """
    for _, text in pieces(records, causes):
        yield "".join(part for part, _ in text)


def coloured(records: Iterable[Record], causes: bool = False) -> Iterator[Text]:
    """The same lines in colours, for a `rich` console."""
    from rich.text import Text

    for _, text in pieces(records, causes):
        yield Text.assemble(*text, no_wrap=True, overflow="ellipsis", end="")


def pieces(records: Iterable[Record], causes: bool = False) -> Iterator[tuple[Summary, list[tuple[str, str]]]]:
    """Each line as its columns: (text, style) pairs."""
    widths = list(LEAST)
    first = origin(records) if isinstance(records, Trace) else None
    for record, summary in summaries(records):
        first = record.time if first is None else first
        cells = (
            str(record.number), seconds(record.time - first), summary.source, summary.destination,
            summary.protocol, str(summary.length),
        )  # fmt: skip
        widths = [max(width, len(cell)) for width, cell in zip(widths, cells, strict=True)]
        number, time, source, destination, protocol, length = (
            cell.rjust(width) if place in (0, 1, 5) else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        text = [
            (f"{number} {time} ", "bright_black"),
            (f"{source} → {destination} {protocol} {length} {summary.info}", style(summary.kind)),
        ]
        if causes and record.comment:
            why = "; ".join(line.removeprefix("fault: ") for line in record.comment.split("\n"))
            text.append((f"  ({why})", "italic bright_black"))
        yield summary, text


def table(records: Sequence[Record], causes: bool = False, shown: int = SHOWN) -> str:
    """All lines; of a long trace the first and the last ones."""
    if len(records) <= shown:
        return "\n".join(lines(records, causes))
    head, tail = shown // 2, shown - shown // 2
    texts = list(lines(records[:head], causes))
    texts.append(f"… {len(records) - shown} packets …")
    texts += lines(records[len(records) - tail :], causes)
    return "\n".join(texts)
