"""The end of a network's programs: each is woken from its wait by `ProgramExit`; what does not end is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.network.baton import CALLED, QUEUED, REFUSALS, Strand, regain
from stack.network.program import ProgramExit

if TYPE_CHECKING:
    from stack.network.programs import Programs

PATIENCE = 2.0  # real seconds that a program may take to end


def refuse(strand: Strand) -> None:
    """A program that is being ended wants to wait: it may not. One that will not hear of it sleeps for ever.

    One that only lost the baton gets it back here, and may wait.
    """
    programs = strand.programs
    if strand is not programs.holder and not strand.abandoned:
        strand.rejoin()
        if not strand.ending:
            return
    if strand is programs.holder and strand.refusals >= REFUSALS:
        strand.abandoned = True
        programs.holder = programs.caller
        programs.caller.lock.release()
        strand.lock.acquire()
    strand.refusals += 1
    raise ProgramExit


def end(programs: Programs, me: Strand) -> list[str]:
    """End loops, then programs in the order of their start. Returns what is still there."""
    survivors: list[str] = []
    for node, resident in programs.residents():
        survivors.extend(f"{line} on {node.name}" for line in resident.end())
    while programs.live:
        program, strand = next(iter(programs.live.items()))
        if strand is not None:
            end_strand(me, strand)
        if not program.done:
            if strand is not None:
                survivors.append(f"program {program.name} on {program.node.name}")
            program.finish(None, ProgramExit())
    programs.ready.clear()
    return survivors


def end_strand(me: Strand, strand: Strand) -> None:
    """Pass a program the baton, for the last time."""
    programs, program = me.programs, strand.program
    strand.ending = True
    if not strand.waits:                                     # it lost the baton, and is stuck to this day
        strand.abandoned = True
        return
    wait = strand.waits[-1]
    if wait.state == QUEUED:
        programs.ready.remove(wait)
    wait.state = CALLED
    if program is not None and strand.thread is None:        # it never ran, and need not
        program.finish(None, ProgramExit())
        return
    programs.holder = strand
    turns = strand.turns
    try:
        strand.resume()
        if me.lock.acquire(timeout=PATIENCE):
            return
    except BaseException:
        regain(me, strand, turns)
        raise
    regain(me, strand, turns)
