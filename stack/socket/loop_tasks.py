"""The tasks of a loop in the order of their making, and where each of them waits."""

from __future__ import annotations

import asyncio
import os
import re
from typing import Any


def tasks_of(loop: asyncio.AbstractEventLoop) -> list[asyncio.Task[Any]]:
    """The tasks that are not done. asyncio keeps them in a set: their names, or else their numbers, give the order."""
    return sorted(asyncio.all_tasks(loop), key=_order)


def line_of(task: asyncio.Task[Any]) -> str:
    """One line of an account: "task web: in StreamReader.read (streams.py, line 713)"."""
    name = getattr(task.get_coro(), "__qualname__", "?")
    coroutine: Any = task.get_coro()
    frame = None
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or frame
        name = getattr(coroutine, "__qualname__", name)
        coroutine = getattr(coroutine, "cr_await", None)
        if not hasattr(coroutine, "cr_frame"):
            break
    where = f" ({os.path.basename(frame.f_code.co_filename)}, line {frame.f_lineno})" if frame is not None else ""
    return f"task {task.get_name()}: in {name}{where}"


def _order(task: asyncio.Task[Any]) -> tuple[int, str]:
    name = task.get_name()
    number = re.fullmatch(r"Task-(\d+)", name)
    return (int(number[1]), "") if number else (0, name)
