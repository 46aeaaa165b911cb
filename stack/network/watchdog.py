"""A watchdog in real time: says where all threads are when a program has the baton and nothing moves."""

from __future__ import annotations

import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.network.place import inside

if TYPE_CHECKING:
    from stack.network.baton import Strand
    from stack.network.programs import Programs

#: Real seconds without progress after which the stacks are shown; 0 switches the watchdog off.
patience = 10.0

_watched: weakref.WeakSet[Programs] = weakref.WeakSet()
_sleep = time.sleep
_lock = threading.Lock()
_thread: threading.Thread | None = None


def watch(programs: Programs) -> None:
    """Watch a network that has programs in threads, until it is closed."""
    global _thread
    if programs in _watched:
        return
    with _lock:
        _watched.add(programs)
        if _thread is None:
            _thread = threading.Thread(target=_run, name="watchdog of emulated networks", daemon=True)
            with inside(None):
                _thread.start()


def stuck(programs: Programs, wait: Callable[[float], object] = _sleep) -> Strand | None:
    """The program that has the baton, if within `patience` neither the network moves nor the program computes."""
    holder = programs.holder
    if holder.program is None:
        return None
    before = _progress(programs, holder)
    wait(patience)
    return holder if programs.holder is holder and _progress(programs, holder) == before else None


def report(programs: Programs, holder: Strand) -> str:
    """What the watchdog says: who holds everything up, and the stack of each thread."""
    program = holder.program
    lines = [
        f"packetstack: program {program.name if program else '?'} on {program.node.name if program else '?'} has had its "
        f"turn for {patience:g} real seconds and does nothing: does it wait for a lock that another program holds?\n"
    ]
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        mark = " (has its turn)" if ident == holder.ident else ""
        lines.append(f"\nThread {names.get(ident, ident)}{mark}:\n")
        lines.extend(traceback.format_stack(frame))
    return "".join(lines)


def _progress(programs: Programs, holder: Strand) -> tuple[object, ...]:
    return programs.scheduler.order, programs.wakes, holder.turns, _processor_time(holder.thread)


def _processor_time(thread: threading.Thread | None) -> str:
    """What the thread has computed so far, in clock ticks; where the system does not tell, a thread seems to do nothing."""
    try:
        with open(f"/proc/self/task/{thread.native_id if thread else 0}/stat", encoding="ascii") as file:
            return " ".join(file.read().rpartition(")")[2].split()[11:13])
    except OSError:
        return ""


def _run() -> None:
    reported: list[str] = []
    while True:
        _sleep(1.0)
        if patience <= 0:
            continue
        for programs in list(_watched):
            if programs.closed:
                _watched.discard(programs)
                continue
            holder = stuck(programs)
            if holder is not None and repr(holder) not in reported:
                reported.append(repr(holder))
                sys.stderr.write(report(programs, holder))
                sys.stderr.flush()
            del programs, holder
