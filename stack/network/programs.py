"""Who runs: the calling thread, the programs in their threads, the loops of hosts, and the network itself.

One strand has the baton. A strand that waits runs the network until something is ready: its own wait, and it goes on
without any switch; another strand's, and it passes the baton there. What is not a program's business goes back to the
calling thread first: turns of asyncio loops, errors, the end of what was asked for.
"""

from __future__ import annotations

import itertools
import weakref
from _thread import get_ident
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any

from stack.base.errors import StackError
from stack.base.randomness import Randomness, Stream
from stack.network.baton import CALLED, QUEUED, WAITING, Strand, Wait, cross, current_strand
from stack.network.calling import Calling
from stack.network.deadlock import Deadlock, account
from stack.network.ending import end, refuse
from stack.network.place import Place
from stack.network.program import Program, ProgramExit
from stack.network.resident import Resident
from stack.network.scheduler import Scheduler
from stack.network.waiting import Source
from stack.network.watchdog import returned, watch

SPIN = 100  # looks at the world without a wait, after which the network gets its next event
GRABS = 10_000  # locks taken and given back without a wait, after which it does, too
# ns: but the clock moves this far at most, or an eighth of what was spun away already, which may be as much as that
SPIN_STEP, SPIN_LIMIT = 1_000_000, 10_000_000


_numbers = itertools.count()
_opened: weakref.WeakSet[Programs] = weakref.WeakSet()


def opened() -> list[Programs]:
    """The networks that are not closed, the oldest first."""
    return sorted((programs for programs in _opened if not programs.closed), key=lambda programs: programs.number)


def name_of(function: Callable[..., Any]) -> str:
    """What a program is called that runs `function`."""
    return str(getattr(function, "__name__", "program"))


class Programs:
    """The programs of one network, and the calls that run it."""

    def __init__(
        self,
        scheduler: Scheduler,
        randomness: Randomness | None = None,
        loops: Callable[[Place], Resident] | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.randomness = randomness or Randomness(0)
        self.loops = loops
        #: What has a turn next, first come first served: waits that were woken, loops.
        self.ready: deque[Any] = deque()
        #: Counts the waits that a source woke.
        self.wakes = 0
        #: Counts what happened, apart from housekeeping and idle programs' time-outs.
        self.activity = 0
        self.live: dict[Program, Strand | None] = {}
        self.caller = Strand(self)
        self.holder = self.caller
        #: The calling thread wants the baton back at the next opportunity.
        self.recalled = False
        #: Those that the watchdog took the baton from, and that have not come back.
        self.astray: list[Strand] = []
        # The rules of the present call, see Calling.
        self.limit: int | None = None
        self.stepping = self.patient = False
        self.depth = 0
        self.polls = self.grabs = 0
        self.closed = False
        #: Called when the network is run; what it returns puts back, after an exception, what others keep of the thread.
        self.keep: Callable[[], Callable[[], object]] = lambda: lambda: None
        #: Called when the network is run after a rest: a clock that follows the real one goes on from where it stood.
        self.resume: Callable[[], object] = lambda: None
        #: Called before the network is run from outside: what was built since is made ready (addresses, routes, names).
        self.prepare: Callable[[], object] = lambda: None
        self._failures: deque[Program | BaseException] = deque()
        self._residents: dict[Place, Resident] = {}
        self._generators: dict[Place, Random] = {}
        scheduler.programs = self
        self.number = next(_numbers)
        _opened.add(self)

    # Starting

    def start(self, node: Place, function: Callable[..., Any], *arguments: Any, name: str | None = None) -> Program:
        """Run `function(*arguments)` on `node` in a thread of its own, from when the network runs next."""
        program, strand = self.adopt(node, name or name_of(function))
        strand.body = partial(function, *arguments)
        return program

    def start_async(self, node: Place, function: Callable[..., Any], *arguments: Any, name: str | None = None) -> Program:
        """Run the coroutine `function(*arguments)` on the loop of `node`, from when the network runs next."""
        self._check_open()
        program = Program(self, node, name or name_of(function))
        self.live[program] = None
        self.resident(node).start(program, function, arguments)
        return program

    def adopt(self, node: Place, name: str) -> tuple[Program, Strand]:
        """A program whose thread is yet to run `Strand.main`, and its strand; its first turn is in the queue."""
        self._check_open()
        program = Program(self, node, name)
        strand = Strand(self, program)
        self.live[program] = strand
        strand.begin()
        watch(self)
        return program, strand

    def resident(self, node: Place) -> Resident:
        """The loop of a host, made when first asked for."""
        loop = self._residents.get(node)
        if loop is None:
            if self.loops is None:
                raise StackError("this network has no asyncio loops")
            loop = self._residents[node] = self.loops(node)
        return loop

    def residents(self) -> list[tuple[Place, Resident]]:
        """The loops there are, in the order of their making."""
        return list(self._residents.items())

    def stream(self, node: Place) -> Stream:
        """What `random`, `os.urandom` and the like draw from on a host."""
        return self.randomness.at(node.name, "programs")

    def generator(self, node: Place) -> Random:
        """The generator behind the functions of `random` on a host."""
        generator = self._generators.get(node)
        if generator is None:
            generator = self._generators[node] = Random(self.stream(node).getrandbits(256))
        return generator

    # Running

    def run(self, until: int | None = None) -> None:
        """Run until the network is quiescent, or until the instant `until` in nanoseconds."""
        self.prepare()
        with Calling(self, limit=until) as strand:
            self._drive(strand, None)
            if until is not None and until > self.scheduler.now:
                self.scheduler.now = until

    def run_until(self, condition: Callable[[], object], doing: str = "run_until") -> None:
        """Run until `condition()` is true, asked after each event. Raises `Deadlock` if nothing is left before that."""
        self.prepare()
        with Calling(self, stepping=True, patient=True) as strand:
            self._surface()
            while not condition():
                if not self._turn(strand):
                    raise Deadlock(account(self, [f"the calling thread: {doing}"]))
                self._surface()

    def step(self) -> bool:
        """Run one event, or one turn of a program or of a loop; False if nothing is left at all."""
        self.prepare()
        with Calling(self, stepping=True) as strand:
            self._surface()
            moved = self._turn(strand, quiescent=False)
            self._surface()
            return moved

    def wait(self, sources: Sequence[Source], deadline: int | None, node: Place | None, doing: str = "") -> bool:
        """See `stack.network.waiting.wait`."""
        if deadline is None or deadline > self.scheduler.now:
            self.polls = self.grabs = 0
        else:
            self.polled(node)                                # `sleep(0)` and the like: a look, and no wait
        strand = current_strand()
        if strand is not None and strand.programs is self:
            if strand.ending or strand is not self.holder:
                refuse(strand)
            return self._wait(strand, sources, deadline, node, doing)
        with Calling(self, patient=deadline is None) as strand:
            return self._wait(strand, sources, deadline, node, doing)

    @property
    def can_be_run(self) -> bool:
        """By the calling thread: it is not closed, and no other thread is running it."""
        return not self.closed and (self.depth == 0 or self.caller.ident == get_ident())

    def close(self) -> None:
        """End every program and every loop. Raises `StackError` naming what would not end. Closing twice is allowed."""
        if self.closed:
            return
        with Calling(self, stepping=True) as strand:
            try:
                survivors = end(self, strand)
            finally:
                self.closed = True
        if survivors:
            raise StackError(f"still running after the network was closed: {', '.join(survivors)}")
        self._surface()

    def polled(self, node: Place | None = None) -> None:
        """See `stack.network.waiting.polled`."""
        self.polls += 1
        if self.polls > SPIN:
            self.spin(node)

    def grabbed(self, strand: Strand) -> None:
        """A program had a lock and let go of it. Who does nothing else looks, with `queue.empty()` perhaps, and does not wait."""
        self.grabs += 1
        if self.grabs > GRABS:
            self.grabs = 0
            if strand is current_strand() and strand is self.holder and not strand.waits and not strand.ending:
                self.spin(None if strand.program is None else strand.program.node)

    def spin(self, node: Place | None = None) -> None:
        """Someone looks at the world again and again without waiting: let the next event happen, if it is near."""
        strand = current_strand()
        if strand is None or strand.programs is not self:
            strand = self.caller
        if strand.empty == 0:
            strand.spun = 0
        self.polls = 0
        scheduler = self.scheduler
        now = scheduler.now
        deadline = now + min(max(SPIN_STEP, strand.spun // 8), SPIN_LIMIT)
        following = scheduler.next_time()
        if following is not None and following < deadline:
            deadline = following
        spun = strand.spun
        self.wait((), deadline, node, "polling")
        strand.spun = spun + scheduler.now - now

    @property
    def undisturbed(self) -> bool:
        """Nobody else has a turn now, and the calling thread need not be told anything between two turns of the same."""
        return not (self.ready or self.stepping or self.recalled or self._failures)

    def failed(self, program: Program | BaseException) -> None:
        """A program raised, and nobody waits for it: the call that runs the network will."""
        self._failures.append(program)

    def gone(self, program: Program) -> None:
        """A program has ended."""
        self.wakes += 1
        self.activity += 1
        self.live.pop(program, None)

    # Inside

    def _check_open(self) -> None:
        if self.closed:
            raise StackError("the network is closed")

    def _wait(
        self, strand: Strand, sources: Sequence[Source], deadline: int | None, node: Place | None, doing: str
    ) -> bool:
        scheduler = self.scheduler
        if not strand.timed_out or strand.mark != scheduler.order + self.wakes:
            strand.empty = strand.spun = 0
        else:
            if not strand.empty:
                strand.since = scheduler.now
            strand.empty += 1
        wait = strand.resting.pop() if strand.resting else Wait(self, strand)
        wait.state = WAITING
        wait.node, wait.sources, wait.doing = node, sources, doing
        for source in sources:
            source.watch(wait)
        if deadline is not None:
            wait.deadline = deadline
            scheduler.poke(wait)
        strand.waits.append(wait)
        strand.looked = self.activity
        try:
            self._drive(strand, wait)
        finally:
            strand.waits.remove(wait)
            for source in sources:
                source.unwatch(wait)
            wait.deadline = None
            wait.sources = ()
            strand.timed_out, wait.timed_out = wait.timed_out, False
            if wait.state == QUEUED:
                self.ready.remove(wait)
            strand.resting.append(wait)
        if strand.ending or strand.abandoned:
            raise ProgramExit
        if not strand.timed_out:
            return True
        strand.mark = scheduler.order + self.wakes
        return False

    def _drive(self, strand: Strand, wait: Wait | None) -> None:
        """Run the network until `wait` has its turn; with no wait, until it is quiescent or the limit is reached."""
        ready, scheduler, caller = self.ready, self.scheduler, self.caller
        calling = strand is caller
        while wait is None or wait.state != CALLED:
            if calling:
                if self._failures:
                    self._surface()
            elif self.stepping or self.recalled or self._failures:
                cross(strand, caller)
                continue
            if ready:
                turn = ready[0]
                to = turn.strand
                if to is strand:
                    turn.state = CALLED
                    ready.popleft()
                elif to is not None:
                    cross(strand, to)
                elif calling:
                    turn.turn()
                else:
                    cross(strand, caller)
                continue
            thing = scheduler.peek()
            limit = self.limit
            idle = getattr(thing, "housekeeping", False)
            if (
                thing is None
                or (idle and limit is None and not scheduler.busy())
                or (limit is not None and (scheduler.next_time() or 0) > limit)
            ):
                if not calling:
                    cross(strand, caller)
                elif self.astray and returned(self):
                    pass
                elif wait is None:
                    return
                else:
                    raise Deadlock(account(self))
                continue
            if not idle:
                self.activity += 1
            if calling:
                scheduler.fire(thing)
            else:
                try:
                    scheduler.fire(thing)
                except ProgramExit:
                    raise
                except BaseException as error:               # not the program's fault: the calling thread's to hear
                    self.failed(error)

    def _turn(self, strand: Strand, quiescent: bool = True) -> bool:
        """One event, or one turn of a program or a loop; False if the network is quiescent, or nothing is left."""
        if self.ready:
            turn = self.ready[0]
            if turn.strand is None:
                turn.turn()
            elif turn.strand is strand:
                turn.state = CALLED
                self.ready.popleft()
            else:
                cross(strand, turn.strand)
            return True
        thing = self.scheduler.peek()
        idle = getattr(thing, "housekeeping", False)
        if thing is None or (quiescent and idle and not self.scheduler.busy()):
            return False
        if not idle:
            self.activity += 1
        self.scheduler.fire(thing)
        return True

    def _surface(self) -> None:
        while self._failures:
            failure = self._failures.popleft()
            if isinstance(failure, BaseException):
                raise failure
            failure.surface()
