"""What a script's check that failed says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stack.testing.drill.place import Place


class Mismatch(AssertionError):
    """The host did something else than the script says: `place` says where, `reason` what, `expected` and `actual` side by side."""

    def __init__(self, place: Place, reason: str, expected: str = "", actual: str = "") -> None:
        super().__init__(place, reason, expected, actual)
        self.place = place
        self.reason = reason
        self.expected = expected
        self.actual = actual

    def __str__(self) -> str:
        lines = [f"{self.place}: {self.reason}"]
        if self.expected or self.actual:
            lines += [f"    expected: {self.expected}", f"      actual: {self.actual}"]
        return "\n".join(lines)


class CodeMismatch(Mismatch):
    """An assertion in code that does not hold; `seen` are the values of its names."""

    def __init__(self, place: Place, test: str, message: str, seen: Mapping[str, Any]) -> None:
        actual = ", ".join(f"{name} = {value}" for name, value in seen.items())
        reason = "an assertion does not hold" + (f": {message}" if message else "")
        super().__init__(place, reason, test, actual)
        self.seen = dict(seen)
