"""Deadlock: something waits without a time-out, and nothing is left that could happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.errors import StackError
from stack.base.quantity import show_time
from stack.network.baton import POLLS

if TYPE_CHECKING:
    from stack.network.baton import Wait
    from stack.network.programs import Programs

SHOWN = 20  # lines of an account


class Deadlock(StackError):
    """Nothing is left that could end a wait without a time-out. The text says who waits for what."""


def account(programs: Programs, first: list[str] | None = None) -> str:
    """Who waits for what, one line each: the calling thread, then the programs in the order of their start, then loops."""
    lines = list(first or ())
    for wait in programs.caller.waits:
        lines.append(f"{name_of(wait)}, the calling thread: {said(wait)}")
    for program, strand in programs.live.items():
        if strand is not None:
            again = f" (for the {strand.empty:,}th time since {show_time(strand.since)})" if strand.empty >= POLLS else ""
            lines.extend(f"{program.node.name}, program {program.name}: {said(wait)}{again}" for wait in strand.waits)
    for node, resident in programs.residents():
        lines.extend(f"{node.name}, {line}" for line in resident.account())
    if len(lines) > SHOWN:
        lines[SHOWN:] = [f"and {len(lines) - SHOWN} more"]
    when = show_time(programs.scheduler.now)
    return "\n  ".join([f"nothing is left that could happen, at {when}, and these wait:", *lines])


def name_of(wait: Wait) -> str:
    return "nowhere" if wait.node is None else wait.node.name


def said(wait: Wait) -> str:
    """What a wait waits for: "recv on 10.0.0.1:49152 ↔ 10.0.0.2:80, until 2 s"."""
    sources = [source.describe() for source in wait.sources[:3]]
    if len(wait.sources) > 3:
        sources.append("…")
    doing = wait.doing or ("wait" if sources else "sleep")
    text = f"{doing} on {', '.join(sources)}" if sources else doing
    return text if wait.deadline is None else f"{text}, until {show_time(wait.deadline)}"
