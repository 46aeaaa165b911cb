"""What a script expected, and what came instead."""

from __future__ import annotations

from stack.testing.drill.place import NOWHERE, Place

LATE = 1_000_000  # ns: a quarter of the tolerance of times


class Mismatch(AssertionError):
    """The host did something else than the script says. `expected` and `actual` stand side by side in reports.

    `place`: the script's line; `time`: when, in nanoseconds since the script began; `late`: how late the script itself was
    until then, at worst, in nanoseconds.
    """

    def __init__(self, reason: str, expected: str = "", actual: str = "", place: Place = NOWHERE, time: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.expected = expected
        self.actual = actual
        self.place = place
        self.time = time
        self.late = 0

    def __str__(self) -> str:
        when = "" if self.time is None else f" at {seconds(self.time)}"
        text = f"{self.place}: {self.reason}{when}" if self.place is not NOWHERE else f"{self.reason}{when}"
        if self.expected:
            text += f"\n  expected: {self.expected}"
        if self.actual:
            text += f"\n    actual: {self.actual}"
        return text + busy(self.late, "\n  ")


def busy(late: int, before: str) -> str:
    """What is said of a run that was so late (ns) that it may have failed for that; nothing of others."""
    return f"{before}this machine was busy: the script itself was {late / 1e6:.1f} ms late" if late >= LATE else ""


def seconds(time: int) -> str:
    """A time as scripts write it: seconds, to the microsecond."""
    sign = "-" if time < 0 else ""
    whole, rest = divmod(abs(time) // 1000, 1_000_000)
    return f"{sign}{whole}.{rest:06}"
