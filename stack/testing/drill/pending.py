"""A system call on its way: begun, perhaps waiting, and in the end compared with what the script says."""

from __future__ import annotations

import errno

from stack.network.waiting import Source
from stack.testing.drill.arguments import integer
from stack.testing.drill.expression_printer import show_expression
from stack.testing.drill.expressions import Anything
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.process import Process
from stack.testing.drill.script import ScriptError, Syscall


class Pending:
    """One call. `step()` lets it go on; `sources` and `deadline` are what it waits for."""

    def __init__(self, process: Process, syscall: Syscall) -> None:
        self.syscall = syscall
        self.sources: list[Source] = []
        self.deadline: int | None = None
        self.result: int | None = None
        self.errno = 0
        self.mismatch: Mismatch | None = None
        #: When the event before it was (ns since the script began).
        self.begins = 0
        #: When the script says that it returns (ns since it began), if it says so.
        self.ends: int | None = None
        self._call = process.start(syscall)

    def step(self) -> bool:
        """Go on until it waits again (False) or has ended (True)."""
        try:
            waits = next(self._call)
        except StopIteration as end:
            self.result = int(end.value)
            return True
        except OSError as trouble:
            self.result, self.errno = -1, trouble.errno or 0
            return True
        except Mismatch as mismatch:
            self.mismatch = mismatch
            return True
        self.sources, self.deadline = waits.sources, waits.deadline
        return False

    def compare(self) -> None:
        """Raise `Mismatch` unless the result, and errno, are those of the script."""
        if self.mismatch is not None:
            raise self.mismatch
        syscall = self.syscall
        if isinstance(syscall.result, Anything):
            return
        wanted = integer(syscall.result)
        if wanted is None:
            raise ScriptError(syscall.place, f"the result {show_expression(syscall.result)} is no number")
        expected = errno_of(syscall)
        # An errno without "-1" cannot be; a "-1" without an errno leaves it open.
        if wanted == self.result and (wanted != -1 or expected is None or expected == self.errno):
            return
        said = show_expression(syscall.result) + (f" {syscall.errno}" if syscall.errno else "")
        actual = str(self.result) + (f" {errno.errorcode.get(self.errno, self.errno)}" if self.errno else "")
        raise Mismatch(f"{syscall.name}() gives another result", said, actual, syscall.place)


def errno_of(syscall: Syscall) -> int | None:
    """The number of the errno that the script expects, or None."""
    if syscall.errno is None:
        return None
    found = getattr(errno, syscall.errno, None)
    if not isinstance(found, int):
        raise ScriptError(syscall.place, f"there is no errno {syscall.errno}")
    return found
