"""What an info line is made from, and the table of who makes it: header type → function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from stack.capture.conversations import Tcp
from stack.codec.header import Header


class Info(NamedTuple):
    """A protocol's name, the line, its kind (a colour of `theme`), and a shorter line for an arrow."""

    protocol: str
    line: str
    kind: str
    short: str = ""
    ends: tuple[str, str] | None = None  # source and destination, where they are not those of the layer below


@dataclass(frozen=True, slots=True)
class About:
    """A packet, seen from one of its headers."""

    headers: tuple[Header, ...]
    place: int  # of the header that speaks
    payload: bytes  # what follows the last header
    length: int  # octets that follow this header, by the lengths on the wire where they say it
    tcp: Tcp | None = None  # what the conversation tells
    number_of: Callable[[int], int] = int  # a number in the conversation → the record's

    @property
    def header(self) -> Any:
        return self.headers[self.place]

    def below(self, *kinds: type[Header]) -> Any:
        """The nearest enclosing header of these types, or None."""
        return next((one for one in reversed(self.headers[: self.place]) if isinstance(one, kinds)), None)


Speaker = Callable[[About], Info | None]
SPEAKERS: dict[type[Header], Speaker] = {}
_S = TypeVar("_S", bound=Speaker)


def speaks(*kinds: type[Header]) -> Callable[[_S], _S]:
    """Mark the function that makes the line of packets whose innermost known header is of these types.

    It may return None: then the header outside speaks.
    """

    def mark(speaker: _S) -> _S:
        for kind in kinds:
            SPEAKERS[kind] = speaker
        return speaker

    return mark
