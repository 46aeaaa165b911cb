"""The format of a header as a drawing: characters when printed, SVG in a notebook."""

from __future__ import annotations

from dataclasses import dataclass

from stack.codec.header import Header


@dataclass(frozen=True, slots=True, repr=False)
class Diagram:
    """How a header lies on the wire, 32 bits a row, drawn from its declaration."""

    kind: type[Header]

    def text(self) -> str:
        """As RFC 791 section 3.1 draws it."""
        from stack.view.diagram import text

        return text(self.kind)

    def svg(self, width: int = 760) -> str:
        """A picture that stands alone, for light and dark pages."""
        from stack.view.diagram_svg import draw

        return draw(self.kind, width)

    def __repr__(self) -> str:
        return f"<Diagram of {self.kind.__name__}>"

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.svg()


def diagram(header: type[Header] | Header) -> Diagram:
    """The diagram of a header's format: `diagram(TCP)`."""
    kind = header if isinstance(header, type) else type(header)
    if not issubclass(kind, Header):
        raise TypeError(f"{header!r} is not a header; expected one like TCP or IPv4")
    return Diagram(kind)
