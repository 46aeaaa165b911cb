"""Replay: the frames of a capture as a plan of (time, packet), to be sent into a link at their recorded times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from stack.capture.trace import Trace
from stack.codec.packet import Packet

Rewrite = Callable[[Packet], Packet | None]


def plan(
    source: Trace | str | Path,
    *,
    start: int = 0,
    speed: float = 1.0,
    only: str | None = None,
    rewrite: Rewrite | None = None,
) -> Iterator[tuple[int, Packet]]:
    """(when to send, packet) for the packets of a capture, in order, the first at `start` (ns).

    `speed` 2 halves the gaps between them, `only` is a display filter, `rewrite` gives the packet to send in place of
    one, or None to leave it out. Times never go backwards: a capture whose clock was set back sends at once. A damaged
    file gives its good packets, then its `CaptureError`.
    """
    if not speed > 0:
        raise ValueError(f"speed {speed!r} is not above 0")
    trace = source if isinstance(source, Trace) else Trace.read(source)
    numerator, denominator = float(speed).as_integer_ratio()  # exact, so that times are the same everywhere
    first: int | None = None
    latest = start
    for record in trace if only is None else trace.filter(only):
        packet = record.packet if rewrite is None else rewrite(record.packet)
        if packet is None:
            continue
        first = record.time if first is None else first
        latest = max(latest, start + (record.time - first) * denominator // numerator)
        yield latest, packet
    if only is not None and trace.damage is not None:
        raise trace.damage
