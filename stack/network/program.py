"""A program: one function that runs on a host, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stack.network.place import Place
from stack.network.waiting import Source

if TYPE_CHECKING:
    from stack.network.programs import Programs


class ProgramExit(BaseException):
    """Raised in a program that is being ended, from whatever it waits in. Not an `Exception`: `except Exception` lets it by."""


class Program(Source):
    """A function running on a host: in a thread of its own, or as a task of the host's loop."""

    __slots__ = ("done", "exception", "name", "node", "programs", "surfaced", "value")

    def __init__(self, programs: Programs, node: Place, name: str) -> None:
        super().__init__()
        self.programs = programs
        self.node = node
        self.name = name
        self.done = False
        #: What the function raised, if it did. `SystemExit` and `ProgramExit` too.
        self.exception: BaseException | None = None
        self.value: Any = None
        #: Has what it raised been raised in the call that runs the network?
        self.surfaced = False

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the program has ended (the network runs); False if `timeout` virtual seconds pass first."""
        if not self.done:
            self.programs.prepare()
        now = self.node.scheduler.now
        deadline = None if timeout is None else now + max(round(timeout * 1_000_000_000), 0)
        while not self.done:
            if not self.programs.wait([self], deadline, self.node, "join") and not self.done:
                return False
        return True

    def result(self) -> Any:
        """What the function returned, or raise what it raised. Runs the network until the program has ended."""
        self.join()
        if self.exception is not None:
            self.surfaced = True
            raise self.exception
        return self.value

    def finish(self, value: Any, exception: BaseException | None) -> None:
        """The function has returned or raised. What nobody waits for surfaces from the call that runs the network."""
        if self.done:
            return
        self.done = True
        self.value = value
        self.exception = exception
        quiet = exception is None or isinstance(exception, (ProgramExit, SystemExit))
        if not quiet and not self.waiters:
            self.programs.failed(self)
        self.programs.gone(self)
        self.wake()

    def surface(self) -> None:
        """Raise what the program raised, in the call that runs the network, once."""
        if self.exception is not None and not self.surfaced:
            self.surfaced = True
            self.exception.add_note(f"(raised by program {self.name!r} on host {self.node.name!r})")
            raise self.exception

    def describe(self) -> str:
        return f"program {self.name} on {self.node.name}"

    def __repr__(self) -> str:
        state = "running" if not self.done else "returned" if self.exception is None else f"raised {self.exception!r}"
        return f"<Program {self.name} on {self.node.name}: {state}>"
