"""A watchdog in real time, for a program that has the baton and does nothing: it waits for a lock that another one holds.

It says where all threads are, and passes the baton on. The program queues for its next turn when it waits next; until
then it runs beside others once it has its lock, so that such a run may differ from the next one.
"""

from __future__ import annotations

import sys
import threading
import time
import traceback
import weakref
from typing import TYPE_CHECKING

from stack.network.place import inside

if TYPE_CHECKING:
    from stack.network.baton import Strand
    from stack.network.programs import Programs

#: Real seconds without progress after which the watchdog acts; 0 switches it off.
patience = 5.0

RUNNING = "R"
Progress = tuple[int, int, int, int, str]

_watched: weakref.WeakSet[Programs] = weakref.WeakSet()
_seen: weakref.WeakKeyDictionary[Programs, tuple[float, Progress]] = weakref.WeakKeyDictionary()
_told: weakref.WeakSet[Programs] = weakref.WeakSet()         # those of which all stacks were shown
_sleep, _clock = time.sleep, time.monotonic                  # of the process, whatever a host makes of them
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


def look(programs: Programs) -> None:
    """See whether the program that has the baton got on since the last look; report and rescue, if it is high time."""
    holder = programs.holder
    if holder.program is None:
        _seen.pop(programs, None)
        return
    progress = _progress(programs, holder)
    since, before = _seen.get(programs, (0.0, None))
    if progress != before or progress[-1].startswith(RUNNING):
        _seen[programs] = _clock(), progress
    elif _clock() - since >= patience:
        text = report(programs, holder, brief=programs in _told)
        _told.add(programs)
        rescued = rescue(programs, holder, progress)
        if rescued or holder.reported != holder.turns:
            holder.reported = holder.turns
            sys.stderr.write(text + ("\nThe baton is passed on; this run may differ from the next.\n" if rescued else ""))
            sys.stderr.flush()


def rescue(programs: Programs, holder: Strand, before: Progress) -> bool:
    """Take the baton from a program that is stuck, if that is certain and still so, and give it to the calling thread."""
    frame = sys._current_frames().get(holder.ident)
    while frame is not None:
        if frame.f_code.co_name in ("trace_dispatch", "interaction"):  # in a debugger: whoever sits there is no lock
            return False
        frame = frame.f_back
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        if not before[-1] or _progress(programs, holder) != before:
            return False
        # From here no other thread runs: nothing below lets go of the interpreter.
        if programs.holder is not holder or (programs.scheduler.order, holder.turns) != (before[0], before[3]):
            return False
        programs.astray.append(holder)
        programs.holder = programs.caller
        programs.caller.lock.release()
        return True
    finally:
        sys.setswitchinterval(interval)


def returned(programs: Programs) -> bool:
    """Nothing is left to happen, but some have lost the baton: did one come back within a second, or end?"""
    before = len(programs.astray)
    for _ in range(1000):
        if programs.ready or len(programs.astray) < before:
            return True
        _sleep(0.001)
    return False


def report(programs: Programs, holder: Strand, brief: bool = False) -> str:
    """What the watchdog says: who holds everything up, and the stack of each thread; `brief`: of that one."""
    program = holder.program
    lines = [
        f"packetstack: program {program.name if program else '?'} on {program.node.name if program else '?'} has had its "
        f"turn for {patience:g} real seconds and does nothing: does it wait for a lock that another program holds?\n"
    ]
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        if brief and ident != holder.ident:
            continue
        mark = " (has its turn)" if ident == holder.ident else ""
        lines.append(f"\nThread {names.get(ident, ident)}{mark}:\n")
        lines.extend(traceback.format_stack(frame))
    return "".join(lines)


def _progress(programs: Programs, holder: Strand) -> Progress:
    return programs.scheduler.order, programs.wakes, holder.ident, holder.turns, _processor_time(holder.thread)


def _processor_time(thread: threading.Thread | None) -> str:
    """Whether the thread is running ("R", also when others have the processor) and how much it has, in clock ticks.

    Where the system does not tell, it is "": then a thread seems to do nothing, but nothing is certain.
    """
    try:
        with open(f"/proc/self/task/{thread.native_id if thread else 0}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return " ".join((fields[0], *fields[11:13]))


def _run() -> None:
    while True:
        _sleep(min(patience / 4, 1.0) if patience else 1.0)
        for programs in list(_watched):
            if programs.closed:
                _watched.discard(programs)
            elif patience:
                look(programs)
            del programs
