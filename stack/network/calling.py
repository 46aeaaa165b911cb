"""A call that runs the network: who makes it, under which rules it runs, and what an exception must leave as it was."""

from __future__ import annotations

import gc
from _thread import get_ident
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from stack.base.errors import StackError
from stack.network import place
from stack.network.baton import Strand, current_strand

if TYPE_CHECKING:
    from stack.network.programs import Programs


# While a network runs, the garbage collector looks at new objects less often: ten thousand connections are a million
# objects, and going through them again and again took half of all time.
YOUNG, MIDDLE = 5_000, 50


class Calling:
    """`with Calling(programs) as strand:` the calling thread runs the network. Calls nest, in turns of loops.

    `limit`: not beyond this instant. `stepping`: every turn goes back to the calling thread. `patient`: it waits without
    a time-out, and idle programs get many more chances before that is a deadlock.
    """

    __slots__ = ("before", "collecting", "kept", "mark", "programs", "rules")

    def __init__(
        self, programs: Programs, limit: int | None = None, stepping: bool = False, patient: bool = False
    ) -> None:
        self.programs = programs
        self.rules = limit, stepping, patient

    def __enter__(self) -> Strand:
        programs = self.programs
        if programs.closed:
            raise StackError("the network is closed")
        strand = current_strand()
        if strand is not None and strand.programs is programs:
            raise StackError("a program cannot run the network that it is in: it waits, and the network runs")
        caller = programs.caller
        self.kept: Callable[[], object] | None = None
        self.collecting: tuple[int, int, int] | None = None
        if programs.depth == 0:
            caller.ident = get_ident()
            self.mark = place.mark()
            self.kept = programs.keep()
            programs.resume()
            self._collect_less()
        elif caller.ident != get_ident():
            raise StackError(
                "another thread is running this network; a thread that is started on a host is a program of it, "
                "and can run at the same time"
            )
        programs.depth += 1
        self.before = programs.limit, programs.stepping, programs.patient
        programs.limit, programs.stepping, programs.patient = self.rules
        return caller

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        programs = self.programs
        programs.limit, programs.stepping, programs.patient = self.before
        programs.depth -= 1
        if self.collecting is not None:
            gc.set_threshold(*self.collecting)
        if kind is not None and self.kept is not None:       # Ctrl-C may have come between any two lines inside
            programs.depth = 0
            place.restore(self.mark)
            self.kept()

    def _collect_less(self) -> None:
        young, middle, old = gc.get_threshold()
        if 0 < young < YOUNG:                                # 0: it is off
            self.collecting = young, middle, old
            gc.set_threshold(YOUNG, max(middle, MIDDLE), old)
