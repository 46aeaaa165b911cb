"""Plots of a TCP connection: its sequence numbers over time, its throughput, its window. They need matplotlib."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Any

from stack.capture.analysis import Finding
from stack.tcp.formats.tcp import FIN, SYN
from stack.view.record import Record
from stack.view.segments import Conversation, Segment, conversation

AGAIN = Finding.RETRANSMISSION | Finding.FAST_RETRANSMISSION | Finding.SPURIOUS_RETRANSMISSION
BLUE, GREEN, ORANGE, RED, GREY, VIOLET = "#2f6fbd", "#1a7f37", "#d9730d", "#cf222e", "#6a737d", "#8250df"


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot: shows itself in a notebook; `save` writes PNG, SVG or PDF; `figure` and `axes` are matplotlib's."""

    figure: Any
    axes: Any

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture in the format that the file's name asks for."""
        self.figure.savefig(path, dpi=144)

    def _repr_png_(self) -> bytes:
        data = io.BytesIO()
        self.figure.savefig(data, format="png", dpi=110)
        return data.getvalue()


def time_sequence(records: Iterable[Record], *, stream: int | None = None, forward: bool | None = None) -> Picture:
    """Sequence numbers over time, as tcptrace draws them: segments, retransmissions, acknowledgments, window, SACK.

    `stream`: which connection (the one with the most octets); `forward`: from the opening side, or back (the busier).
    """
    found = conversation(records, stream)
    forward = found.busier() if forward is None else forward
    axes = _axes(f"{found.side(forward)} → {found.side(not forward)}", "sequence number (octets)")
    there = [one for one in found.segments if one.forward == forward]
    back = [one for one in found.segments if one.forward != forward and one.acknowledgment is not None]
    for segments, colour, name in (
        ([one for one in there if one.length and not one.findings & AGAIN], BLUE, "segment"),
        ([one for one in there if one.length and one.findings & AGAIN], RED, "retransmission"),
    ):
        if segments:
            low = [one.sequence for one in segments]
            high = [one.sequence + one.length for one in segments]
            axes.vlines(_times(segments), low, high, color=colour, linewidth=2.2, label=name, zorder=3)
            if colour == RED:  # few and short: they are to be seen in a long transfer, too
                axes.plot(_times(segments), low, "o", color=RED, markersize=4, zorder=5)
    marks = [one for one in there if one.flags & (SYN | FIN)]
    axes.plot(_times(marks), [one.sequence for one in marks], "D", color=VIOLET, markersize=4, label="SYN, FIN", zorder=4)
    acknowledged = [one.acknowledgment or 0 for one in back]
    axes.step(_times(back), acknowledged, where="post", color=GREEN, linewidth=1.2, label="acknowledged")
    limit = [(one.acknowledgment or 0) + one.window for one in back]
    highest = max([one.sequence + one.length for one in there], default=0)
    if limit and highest:
        axes.set_ylim(-0.03 * highest, 1.25 * highest)
        axes.step(_times(back), limit, where="post", color=GREY, linewidth=0.8, linestyle="--", label="window's end")
    sacked = [(one.time / 1e9, block) for one in back for block in one.sacks]
    if sacked:
        low, high = [block[0] for _, block in sacked], [block[1] for _, block in sacked]
        axes.vlines([time for time, _ in sacked], low, high, color=ORANGE, linewidth=1.2, label="SACK", zorder=2)
    return _finished(axes)


def throughput(records: Iterable[Record], *, stream: int | None = None, every: float | None = None) -> Picture:
    """Bits of text a second over time, each direction; `every`: seconds that a point stands for."""
    found = conversation(records, stream)
    axes = _axes(f"{found.opener} – {found.other}", "throughput (Mbit/s)")
    start, end = found.segments[0].time / 1e9, found.segments[-1].time / 1e9
    width = every or max((end - start) / 60, 1e-6)
    count = int((end - start) / width) + 1
    for forward, colour in ((True, BLUE), (False, ORANGE)):
        sums = [0] * count
        for one in found.segments:
            if one.forward == forward and not one.findings & AGAIN:
                sums[min(int((one.time / 1e9 - start) / width), count - 1)] += 8 * one.length
        if any(sums):
            edges = [start + place * width for place in range(count + 1)]
            axes.stairs([bits / width / 1e6 for bits in sums], edges, color=colour, linewidth=1.6, label=_label(found, forward))
    return _finished(axes)


def window(records: Iterable[Record], *, stream: int | None = None, forward: bool | None = None) -> Picture:
    """Octets in flight over time, and the window that the receiver offers."""
    found = conversation(records, stream)
    forward = found.busier() if forward is None else forward
    axes = _axes(_label(found, forward), "octets")
    sent = acknowledged = 0
    flight: list[tuple[float, int]] = []
    for one in found.segments:
        if one.forward == forward:
            sent = max(sent, one.sequence + one.length)
        elif one.acknowledgment is not None:
            acknowledged = max(acknowledged, one.acknowledgment)
        flight.append((one.time / 1e9, max(sent - acknowledged, 0)))
    most = max(octets for _, octets in flight)
    axes.step(*zip(*flight, strict=True), where="post", color=BLUE, linewidth=1.4, label="in flight")
    offers = [one for one in found.segments if one.forward != forward and one.acknowledgment is not None]
    axes.step(_times(offers), [one.window for one in offers], where="post", color=GREY, linestyle="--", label="offered window")
    if most and max([one.window for one in offers], default=0) > 5 * most:
        axes.set_ylim(-0.05 * most, 5 * most)  # a wide window would hide what is in flight
    again = [one for one in found.segments if one.forward == forward and one.findings & AGAIN]
    if again:
        foot = axes.get_xaxis_transform()
        axes.plot(_times(again), [0.02] * len(again), "|", color=RED, markersize=9, label="retransmission", transform=foot)
    return _finished(axes)


def _label(found: Conversation, forward: bool) -> str:
    return f"{found.side(forward)} → {found.side(not forward)}"


def _times(segments: Iterable[Segment]) -> list[float]:
    return [one.time / 1e9 for one in segments]


def _axes(title: str, what: str) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.6, 4.4), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=11, color=GREY)
    axes.set_xlabel("time (s)")
    axes.set_ylabel(what)
    axes.grid(True, color="#e6e8eb", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.ticklabel_format(axis="y", style="plain", useOffset=False)
    return axes


def _finished(axes: Any) -> Picture:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9)
    return Picture(axes.figure, axes)
