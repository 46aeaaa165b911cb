"""What is known of each packet of a capture from those around it: conversations, and the time since others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.capture.conversations import Conversations, Tcp
from stack.capture.dissect import Dissection
from stack.capture.trace import Record

if TYPE_CHECKING:
    from stack.capture.trace import Source


class View:
    """One packet of a capture, with what the others say about it. What costs something is found out when asked for."""

    __slots__ = ("_context", "_dissection", "place", "record")

    def __init__(self, context: Context, place: int, record: Record) -> None:
        self._context = context
        self.place = place
        self.record = record
        self._dissection: Dissection | None = None

    @property
    def dissection(self) -> Dissection:
        """The packet's headers."""
        if self._dissection is None:
            self._dissection = Dissection(self.record.packet, self.record.length)
        return self._dissection

    @property
    def tcp(self) -> Tcp | None:
        """What its conversation says of a TCP segment."""
        return self._context.conversations(self.place).tcp(self.place)

    @property
    def ack_time(self) -> int | None:
        """Nanoseconds since the segment that this one acknowledges, if there is one."""
        about = self.tcp
        return self.record.time - self._context.time(about.acks_frame - 1) if about and about.acks_frame else None

    @property
    def udp_stream(self) -> int | None:
        """The number of its UDP stream."""
        return self._context.conversations(self.place).udp(self.place)

    @property
    def time_relative(self) -> int:
        """Nanoseconds since the first packet."""
        return self.record.time - self._context.time(0)

    @property
    def time_delta(self) -> int:
        """Nanoseconds since the packet before."""
        return self.record.time - self._context.time(self.place - 1) if self.place else 0


class Context:
    """What filters and flows know about a capture; kept by the trace and by all that is made from it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._conversations = Conversations()
        self._last: View | None = None

    def view(self, place: int) -> View:
        """The packet at this place, from 0."""
        last = self._last
        if last is None or last.place != place:
            self._last = last = View(self, place, Record(place + 1, self._source.frame(place)))
        return last

    def time(self, place: int) -> int:
        """When the packet at this place was captured."""
        return self._source.frame(place).time

    def conversations(self, place: int) -> Conversations:
        """The conversations, followed as far as this place."""
        known = self._conversations
        while known.taken <= place:
            view = self.view(known.taken)
            known.take(view.record.time, view.dissection)
        return known
