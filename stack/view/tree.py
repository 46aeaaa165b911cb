"""A packet as a tree: layers, their fields, what the fields mean, and which bits of the frame they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from stack.application.dns.messages import DNS
from stack.codec.fields import Field
from stack.codec.header import Header
from stack.codec.packet import Packet


@dataclass(slots=True)
class Node:
    """A layer or a field. `start` and `bits` count bits from the beginning of the frame; `bits` None: not known."""

    name: str
    value: str = ""
    start: int = 0
    bits: int | None = None
    doc: str = ""
    children: list[Node] = field(default_factory=list)

    @property
    def first(self) -> int:
        """The first octet that it touches."""
        return self.start // 8

    @property
    def last(self) -> int:
        """The last octet that it touches (before `first` where it has none)."""
        return (self.start + (self.bits or 0) - 1) // 8

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in wire order."""
        yield self
        for child in self.children:
            yield from child.walk()


def tree(packet: Packet) -> list[Node]:
    """The layers of a packet, each with its fields. Sealed fields are shown as they are on the wire."""
    parsed = Packet.parse(bytes(packet), packet.linktype)
    nodes, place = [], 0
    for header in parsed.headers:
        size = 8 * len(header)
        nodes.append(Node(type(header).__name__, _title(header), place, size, children=list(fields(header, place))))
        place += size
    for name, octets in (("Payload", parsed.payload), ("Trailer", parsed.trailer)):
        if octets:
            nodes.append(Node(name, f"{len(octets)} octets", place, 8 * len(octets)))
            place += 8 * len(octets)
    return nodes


def _title(header: Header) -> str:
    """The first sentence of the header type's docstring."""
    return (type(header).__doc__ or "").strip().partition("\n")[0].partition(". ")[0].rstrip(".")


def _shown(one: Field, value: Any) -> str:
    if isinstance(value, bytes) and type(value).__str__ is bytes.__str__:
        return value.hex(" ") or "(none)"
    return one.show(value)


def fields(header: Header, place: int) -> Iterator[Node]:
    """The fields of a header whose first bit is at `place`. One field may take what the others leave."""
    items = list(header.items())
    widths = [_width(one.bits, value) for one, value in items]
    if widths.count(None) == 1:
        rest = 8 * len(header) - sum(width for width in widths if width is not None)
        widths[widths.index(None)] = max(rest, 0)
    known = True
    for (one, value), width in zip(items, widths, strict=True):
        known = known and width is not None
        node = Node(one.name, _shown(one, value), place, width if known else None, one.doc)
        if node.bits != 0:
            if isinstance(header, DNS) and one.name == "sections":
                node.children.extend(_sections(header))
            node.children.extend(_parts(value, place))
            yield node
        place += width or 0


def _width(bits: int | None, value: Any) -> int | None:
    """The bits that a value takes: those declared, or those of its octets."""
    if bits is not None:
        return bits
    return 8 * len(value) if isinstance(value, bytes) else None


def _sections(message: DNS) -> Iterator[Node]:
    """The questions and records of a DNS message. Names are compressed, so that their octets may lie elsewhere."""
    sections = message.read()
    for name, records in (
        ("question", sections.questions), ("answer", sections.answers),
        ("authority", sections.authorities), ("additional", sections.additionals),
    ):  # fmt: skip
        for one in records:
            yield Node(name, str(one))


def _parts(value: Any, place: int) -> Iterator[Node]:
    """The headers within a field's value: options, chunks, records."""
    if not isinstance(value, Iterable) or isinstance(value, str) or type(value) is bytes:
        return
    for part in value:
        if isinstance(part, Header):
            size = 8 * len(part)
            yield Node(type(part).__name__, str(part), place, size, children=list(fields(part, place)))
            place += size
