"""A trace as users hold it: what `stack.capture` reads, with the views of `stack.view`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from stack.capture import trace
from stack.view.arrows import MOST
from stack.view.ladder import Ladder
from stack.view.plot import Picture


class Trace(trace.Trace):
    """Packets of a capture, from a file or an emulation: `print` it, `ladder()`, `filter(…)`, `flows()`, `save(…)`.

    `print(trace)` has a line for each packet, as Wireshark's list has it, coloured in a terminal. In a notebook a trace
    shows itself as a list whose packets open.
    """

    def ladder(self, *, hosts: Sequence[str] = (), most: int = MOST) -> Ladder:
        """The time-sequence diagram: text when printed, a drawing in a notebook. See `stack.view.arrows.ladder`."""
        from stack.view.arrows import ladder

        return ladder(self, hosts=hosts, most=most)

    def plot(self, what: str = "sequence", *, stream: int | None = None, **options: Any) -> Picture:
        """A graph of one TCP connection: "sequence" (numbers over time), "throughput" or "window". Needs matplotlib."""
        from stack.view import plot

        kinds: dict[str, Callable[..., Picture]] = {"sequence": plot.time_sequence, "throughput": plot.throughput, "window": plot.window}
        if what not in kinds:
            raise ValueError(f"{what!r} is not a plot; expected one of {', '.join(kinds)}")
        return kinds[what](self, stream=stream, **options)

    def text(self, causes: bool = False) -> str:
        """A line for each packet; `causes` adds why it is there, where the trace knows."""
        from stack.view.text import table

        return table(self, causes)

    def __str__(self) -> str:
        if not sys.stdout.isatty():
            return self.text()
        from rich.console import Console

        from stack.view.text import coloured

        console = Console()
        with console.capture() as captured:
            for line in coloured(self):
                console.print(line)
        return captured.get().rstrip("\n")

    def _repr_html_(self) -> str:
        from stack.view.html import table

        return table(self)
