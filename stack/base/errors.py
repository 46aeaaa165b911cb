"""Errors of the public face that are not `OSError`s."""

from __future__ import annotations


class StackError(Exception):
    """Something about the network itself is wrong, not about a peer or a socket."""


class WireError(StackError, ValueError):
    """Bytes are not a well-formed header, or a header's values do not fit its format.

    `field` names the field, `reason` says what was expected, `offset` is the octet where the malformed header begins;
    None where it was a caller's value that does not fit.
    """

    def __init__(self, field: str, offset: int | None, reason: str) -> None:
        super().__init__(field, offset, reason)
        self.field = field
        self.offset = offset
        self.reason = reason

    def __str__(self) -> str:
        place = "" if self.offset is None else f" (header at octet {self.offset})"
        return f"{self.field}{place}: {self.reason}"


class QuantityError(StackError, ValueError):
    """A text does not say a quantity of the kind that was expected."""


class AddressError(StackError, ValueError):
    """A value is not an address of the kind that was expected."""
