"""asyncio on a host: `asyncio.run` and new loops are the host's, also where another loop is running (in Jupyter)."""

from __future__ import annotations

import asyncio
import threading
from asyncio import events
from typing import Any

from stack.base.errors import StackError
from stack.network.place import Place, current_node
from stack.socket.loop import HostLoop, bring_back, put_away
from stack.socket.switch import Switch


class NoHostLoop(StackError, RuntimeError):
    """Code on a host wants the running loop, but the one that runs it is outside. A RuntimeError, as without a loop."""


class _Set(threading.local):
    loop: Any = None


_set = _Set()


def new_event_loop(node: Place) -> HostLoop:
    """A loop for `asyncio.run`, or to be run by hand."""
    return HostLoop(node)


def get_running_loop(node: Place) -> asyncio.AbstractEventLoop:
    """The running loop, if it is a host's: what is outside cannot wait for what happens on the host."""
    running = events._get_running_loop()
    if running is None:
        raise RuntimeError("no running event loop")
    if isinstance(running, HostLoop) or hasattr(getattr(running, "_selector", None), "_node"):
        return running
    raise NoHostLoop(
        f"no running event loop on {node.name}: the one that runs this block is outside. "
        f"Use asyncio.run(...) in the block, or an `async def` program of the host"
    )


def get_event_loop(node: Place) -> asyncio.AbstractEventLoop:
    """The running loop, if it is a host's; else the one that was set in this thread, or a new one."""
    running = events._get_running_loop()
    if isinstance(running, HostLoop):
        return running
    if _set.loop is None or _set.loop.is_closed() or _set.loop.node is not node:
        _set.loop = HostLoop(node)
    loop: asyncio.AbstractEventLoop = _set.loop
    return loop


def set_event_loop(node: Place, loop: Any) -> None:
    _set.loop = loop


def install(switch: Switch) -> None:
    switch.function("asyncio.events", "new_event_loop", new_event_loop)
    switch.function("asyncio.events", "get_event_loop", get_event_loop)
    switch.function("asyncio.events", "set_event_loop", set_event_loop)
    switch.function("asyncio.events", "get_running_loop", get_running_loop)
    run = switch.original("asyncio.runners", "run")

    def run_on_host(node: Place, *arguments: Any, **named: Any) -> Any:
        outer = put_away()
        try:
            return run(*arguments, **named)
        finally:
            bring_back(outer)

    switch.function("asyncio.runners", "run", run_on_host)

    def runner_run(self: asyncio.Runner, *arguments: Any, **named: Any) -> Any:
        if current_node() is None:
            return original(self, *arguments, **named)
        outer = put_away()
        try:
            return original(self, *arguments, **named)
        finally:
            bring_back(outer)

    original = switch.attribute(asyncio.Runner, "run", runner_run)
