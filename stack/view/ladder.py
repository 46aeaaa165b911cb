"""A ladder: hosts as columns, time downwards, one arrow for each packet. The values; text and SVG draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

EVERYONE = "*"


@dataclass(frozen=True, slots=True)
class Arrow:
    """A packet between two columns. `sent` and `arrived` are known where it was seen at both ends; nanoseconds."""

    number: int
    time: int
    source: str
    destination: str  # a column's name, or EVERYONE
    label: str
    kind: str = "other"
    sent: int | None = None
    arrived: int | None = None
    lost: bool = False
    note: str | None = None
    detail: str = ""

    @property
    def begins(self) -> int:
        return self.time if self.sent is None else self.sent

    @property
    def slanted(self) -> bool:
        """Whether both ends of the way are known."""
        return self.sent is not None and self.arrived is not None


@dataclass(frozen=True, slots=True)
class Column:
    """A host, with the addresses that it was seen under."""

    name: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ladder:
    """A time-sequence diagram. `print` it, or leave it as a notebook cell's value."""

    columns: Sequence[Column]
    arrows: Sequence[Arrow]
    origin: int = 0
    left_out: int = 0  # packets of the trace that are not drawn
    names: dict[str, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.names.update({column.name: place for place, column in enumerate(self.columns)})

    def place(self, arrow: Arrow) -> tuple[int, int | None]:
        """The columns that an arrow leaves and reaches; None reaches everyone."""
        return self.names[arrow.source], self.names.get(arrow.destination)

    def hears(self, arrow: Arrow) -> int | None:
        """The one column that an arrow reaches: of two hosts the other one, also where it was meant for everyone."""
        source, destination = self.place(arrow)
        return 1 - source if destination is None and len(self.columns) == 2 else destination

    def text(self, width: int = 100) -> str:
        """The diagram in characters, at most `width` wide before notes."""
        from stack.view.ladder_text import draw

        return draw(self, width)

    def svg(self, width: int = 900) -> str:
        """The diagram as a picture that stands alone, for light and dark pages."""
        from stack.view.ladder_svg import draw

        return draw(self, width)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.svg()


def pauses(times: Sequence[int]) -> dict[int, int]:
    """Where nothing happens for long: place of the arrow after it → its nanoseconds.

    Long is at least 100 ms, and four times what is usual between packets here.
    """
    steps = [later - earlier for earlier, later in pairwise(times)]
    usual = sorted(step for step in steps if step > 0)
    if not usual:
        return {}
    limit = max(100_000_000, 4 * usual[len(usual) // 2])
    return {place: step for place, step in enumerate(steps, 1) if step >= limit}
