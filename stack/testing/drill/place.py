"""Where in a script something stands."""

from __future__ import annotations

from dataclasses import dataclass

from stack.base.errors import StackError


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("<script>", 0, 0)


class ScriptError(StackError, ValueError):
    """A script is not in the language, or asks for what cannot be done: `place` says where, `reason` what was expected."""

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(place, reason)
        self.place = place
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"
