"""A trace: the packets of a capture in order, whether they were emulated a moment ago or lie in a file."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, overload

from stack.capture.error import CaptureError
from stack.capture.frame import Frame, Interface
from stack.codec.packet import Packet

if TYPE_CHECKING:
    from stack.capture.context import Context, View
    from stack.capture.flows import Flow


class Source(Protocol):
    """Where a trace's packets are. It may grow; its length is that of what there is now."""

    damage: CaptureError | None

    def __len__(self) -> int: ...
    def frame(self, index: int) -> Frame: ...
    @property
    def interfaces(self) -> Sequence[Interface]: ...
    @property
    def names(self) -> dict[str, list[str]]: ...
    @property
    def secrets(self) -> list[bytes]: ...


class Record:
    """One captured packet.

    `number` counts from 1 in the whole capture; `time` is in ns; `length` is what was on the wire, `captured_length`
    what the capture holds of it; `interface` names where; `comment` says why the packet is there, if anybody told.
    """

    __slots__ = ("_packet", "comment", "data", "frame", "length", "number", "time")

    def __init__(self, number: int, frame: Frame) -> None:
        self.number = number
        self.frame = frame
        self.time, self.data, self.length, _, self.comment = frame
        self._packet: Packet | None = None

    @property
    def interface(self) -> str:
        """Where it was captured."""
        return self.frame.interface.name

    @property
    def linktype(self) -> int:
        """What the frame begins with, as a LINKTYPE_ number."""
        return self.frame.interface.linktype

    @property
    def captured_length(self) -> int:
        """Octets that the capture holds."""
        return len(self.data)

    @property
    def packet(self) -> Packet:
        """The packet of these octets, its `cause` the comment."""
        if self._packet is None:
            self._packet = Packet.parse(self.data, self.linktype, cause=self.comment)
        return self._packet

    def __repr__(self) -> str:
        return f"<Record {self.number} at {self.time} ns on {self.interface or '?'}: {self.captured_length} octets>"


class Trace(Sequence[Record]):
    """Records, in order. Slices, filters and flows of a trace are traces, whose records keep their numbers.

    Iterating over a whole trace of a damaged file ends in the `CaptureError` after the last good record. What is made
    from it (slices, filters, fields, flows) is about the good records; `damage` has the error, or None.
    """

    def __init__(self, source: Source, chosen: Sequence[int] | None = None, parent: Trace | None = None) -> None:
        self._source = source
        self._chosen = chosen
        self._context: Context | None = None if parent is None else parent._shared()

    @classmethod
    def read(cls, path: str | Any) -> Self:
        """The trace in a pcap or pcapng file, compressed by gzip or not; raises `CaptureError` if it is neither."""
        from stack.capture.reader import CaptureFile

        return cls(CaptureFile(str(path)))

    @property
    def damage(self) -> CaptureError | None:
        """Why and where the file cannot be read further."""
        len(self._source)
        return self._source.damage

    @property
    def interfaces(self) -> list[Interface]:
        """The interfaces of the capture."""
        return list(self._source.interfaces)

    @property
    def names(self) -> dict[str, list[str]]:
        """Address in text → names that the capture knows for it."""
        return self._source.names

    @property
    def secrets(self) -> list[bytes]:
        """TLS key logs that the capture holds."""
        return self._source.secrets

    def __len__(self) -> int:
        return len(self._source) if self._chosen is None else len(self._chosen)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Record | Self:
        places = self.places
        if isinstance(index, slice):
            return self._derive(places[index])
        return self._record(places[index])

    def __iter__(self) -> Iterator[Record]:
        if self._chosen is not None:
            for place in self._chosen:
                yield self._record(place)
            return
        place = 0
        while place < len(self._source):  # the source may grow while we look
            for known in range(place, len(self._source)):
                yield self._record(known)
            place = known + 1
        if self._source.damage is not None:
            raise self._source.damage

    @property
    def places(self) -> Sequence[int]:
        """Where these records are in the whole capture, from 0."""
        return range(len(self)) if self._chosen is None else self._chosen

    def at(self, places: Sequence[int]) -> Self:
        """The records at these places of the whole capture."""
        return self._derive(array("L", places))

    def views(self) -> Iterator[View]:
        """Each record with what the others of the capture say about it."""
        context = self._shared()
        for place in self.places:
            yield context.view(place)

    def _record(self, place: int) -> Record:
        return Record(place + 1, self._source.frame(place))

    def _derive(self, chosen: Sequence[int]) -> Self:
        return type(self)(self._source, chosen, self)

    def _shared(self) -> Context:
        """What filters know about the whole capture; shared by all traces of it."""
        if self._context is None:
            from stack.capture.context import Context

            self._context = Context(self._source)
        return self._context

    def filter(self, expression: str) -> Self:
        """The records for which a display filter of Wireshark's holds; raises `FilterError` where it is not understood."""
        from stack.capture.filter import compile_filter

        holds = compile_filter(expression)
        return self.at([view.place for view in self.views() if holds(view)])

    def fields(self, *names: str) -> list[tuple[str, ...]]:
        """A row per record of what `tshark -T fields -e NAME …` prints: several values joined by commas, none empty."""
        from stack.capture.fields import find_field

        wanted = [find_field(name) for name in names]
        return [tuple(field.text(view) for field in wanted) for view in self.views()]

    def values(self, name: str) -> list[Any]:
        """A field's first value in each record, None where there is none: numbers to plot, addresses to count."""
        from stack.capture.fields import find_field

        field = find_field(name)
        return [next(iter(field.read(view)), None) for view in self.views()]

    def flows(self) -> list[Flow]:
        """The TCP and UDP conversations, in order of their first packet."""
        from stack.capture.flows import find_flows

        return find_flows(self)

    def save(self, path: str | Any, *, names: dict[str, list[str]] | None = None) -> None:
        """Write the records to a file; `.pcap`, `.pcapng`, and either with `.gz`, choose the format."""
        from stack.capture.writer import open_writer, write_records

        writer = open_writer(str(path))
        try:
            write_records(writer, self, self.names if names is None else names)
        finally:
            writer.close()

    def __repr__(self) -> str:
        count = len(self)
        return f"<Trace of {count} packet{'' if count == 1 else 's'}>"
