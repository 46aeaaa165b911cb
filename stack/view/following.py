"""The records of a trace with what their conversations tell, each capture interface by itself.

A segment that passes two interfaces of a capture is seen twice and sent once. Wireshark, which does not look at
interfaces here, calls the second sight a retransmission; a capture of several links would be full of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from stack.capture.conversations import Conversations, Tcp
from stack.capture.dissect import Dissection
from stack.capture.trace import Trace
from stack.codec.packet import Packet
from stack.view.record import Record


class Followed(NamedTuple):
    """A record; its headers; what the conversation tells; how a number in the conversation becomes a record's."""

    record: Record
    dissection: Dissection
    tcp: Tcp | None
    number_of: Callable[[int], int]


class _Followers:
    """Conversations of each interface, and the numbers of the records that they have taken."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Conversations, list[int]]] = {}

    def take(self, record: Record, dissection: Dissection) -> Followed:
        conversations, numbers = self._known.setdefault(record.interface, (Conversations(), [0]))
        conversations.take(record.time, dissection)
        numbers.append(record.number)
        return Followed(record, dissection, conversations.tcp(conversations.taken - 1), numbers.__getitem__)


def follow(records: Iterable[Record]) -> Iterator[Followed]:
    """Each record with what the capture before it tells: of a trace the whole capture, else these records."""
    if not isinstance(records, Trace):
        followers = _Followers()
        for record in records:
            yield followers.take(record, dissect(record.packet, getattr(record, "length", None)))
    elif len(records.interfaces) < 2:
        for view in records.views():
            yield Followed(view.record, view.dissection, view.tcp, int)
    else:
        yield from _several(records)


def _several(trace: Trace) -> Iterator[Followed]:
    """Follow a whole capture of several interfaces, and give those of its records that are in the trace."""
    places = trace.places
    wanted = frozenset(places)
    followers = _Followers()
    kept: dict[int, Followed] = {}
    in_order = all(a < b for a, b in pairwise(places))
    for view in trace.at(range(max(places, default=-1) + 1)).views():
        followed = followers.take(view.record, view.dissection)
        if in_order and view.place in wanted:
            yield followed
        elif view.place in wanted:
            kept[view.place] = followed
    if not in_order:
        for place in places:
            yield kept[place]


def dissect(packet: Packet, length: int | None = None) -> Dissection:
    """A packet's headers as they are on the wire, nothing left Sealed; `length`: octets of which it has the first."""
    data = bytes(packet)
    return Dissection(Packet.parse(data, packet.linktype, cause=packet.cause), length or len(data))


def origin(records: Iterable[Record]) -> int:
    """The time from which a list counts: that of the capture's first packet, also where only a part is shown."""
    if isinstance(records, Trace):
        return next((view.record.time - view.time_relative for view in records.views()), 0)
    return next((record.time for record in records), 0)
