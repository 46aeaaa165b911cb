"""The error of a capture that cannot be read further, or of a request that a capture cannot answer."""

from __future__ import annotations

from stack.base.errors import StackError


class CaptureError(StackError, ValueError):
    """A capture file is cut short, damaged, or not a capture file.

    `path` names the file, `offset` is the octet of the (uncompressed) file where the broken record or block begins.
    """

    def __init__(self, path: str, offset: int, reason: str) -> None:
        super().__init__(path, offset, reason)
        self.path = path
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}, octet {self.offset}: {self.reason}"


class FilterError(StackError, ValueError):
    """A display filter or field name is not understood; `position` is the column (from 0) where reading stopped."""

    def __init__(self, text: str, position: int, expected: str) -> None:
        super().__init__(text, position, expected)
        self.text = text
        self.position = position
        self.expected = expected

    def __str__(self) -> str:
        return f"column {self.position + 1}: {self.expected}\n  {self.text}\n  {' ' * self.position}^"
