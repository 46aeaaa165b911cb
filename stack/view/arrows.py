"""From a trace to a ladder: who the hosts are, what arrived, what was lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from stack.base.address import MAC
from stack.base.event import DropReason
from stack.capture.recorder import faults_of
from stack.capture.trace import Trace
from stack.codec.packet import Packet
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.link.formats.arp import ARP
from stack.link.formats.ethernet import Ethernet
from stack.view.following import origin
from stack.view.ladder import EVERYONE, Arrow, Column, Ladder
from stack.view.record import Record
from stack.view.summary import Summary, summaries

MOST = 200  # arrows that a ladder draws, unless it is told otherwise

# What a link says of a frame that it does not deliver.
ENDS = frozenset(
    reason.value
    for reason in (
        DropReason.LOSS, DropReason.QUEUE_FULL, DropReason.QUEUE_EARLY, DropReason.LINK_DOWN, DropReason.PARTITION, DropReason.SCRIPTED,
        DropReason.CORRUPT_FRAME, DropReason.TOO_BIG, DropReason.NO_PORT,
    )
)  # fmt: skip


def ladder(
    records: Iterable[Record],
    *,
    hosts: Sequence[str] = (),
    names: Mapping[str, Sequence[str]] | None = None,
    most: int = MOST,
) -> Ladder:
    """The time-sequence diagram of a trace.

    `hosts`: the order of the columns from the left; others follow in the order of names, then as they come. `names`:
    address → names, beside those that the trace knows. `most`: how many arrows are drawn. Times count from the capture's first.
    A packet that was captured at several interfaces is one arrow; between two times, where the last one is of the host
    that it is for.
    """
    known = {**getattr(records, "names", {}), **(names or {})}
    people = People({address: list(given) for address, given in known.items() if given})
    arrows: list[Arrow] = []
    sightings = Sightings()
    first = origin(records) if isinstance(records, Trace) else None
    left_out = end = 0
    for record, summary in summaries(records):
        end = record.time
        first = record.time if first is None else first
        again = sightings.again(record)
        if again is not None:
            if again < len(arrows):
                arrows[again] = arrived(arrows[again], record)
            continue
        if len(arrows) >= most:
            left_out += 1
            continue
        arrows.append(arrow(record, summary, people))
        if not arrows[-1].lost:
            sightings.first(record, len(arrows) - 1)
    if any(one.slanted for one in arrows):  # then what did not arrive was seen where it was sent
        missing = sightings.unanswered(arrows, end)
        for place, one in enumerate(arrows):
            if one.lost or place in missing:
                arrows[place] = replace(one, sent=one.time, lost=True)
    columns = people.columns(hosts, arrows)
    return Ladder(columns, tuple(arrows), first or 0, left_out)


def arrow(record: Record, summary: Summary, people: People) -> Arrow:
    """The arrow of a record, seen once as yet."""
    source, destination = people.ends(record.packet, summary)
    note, lost = fate(record)
    if note is not None and note.lower() in summary.short.lower():
        note = None  # it says no more than the arrow does
    return Arrow(
        record.number, record.time, source, destination, summary.short, summary.kind, lost=lost, note=note or found(summary.info),
        detail=f"{summary.source} → {summary.destination} {summary.protocol} {summary.info}",
    )  # fmt: skip


def arrived(first: Arrow, record: Record) -> Arrow:
    """The arrow of a packet that was seen again, elsewhere: on its way, at its end, or lost on a later link."""
    note, lost = fate(record)
    if lost:
        return replace(first, lost=True, note=note)
    if first.destination in (_host(record.interface), EVERYONE) and first.source != _host(record.interface):
        return replace(first, sent=first.begins, arrived=record.time)
    return first


def found(line: str) -> str | None:
    """What the conversation tells of a segment, where the trace has no cause: `Dup ACK 3#1`."""
    return ", ".join(re.findall(r"\[TCP ([^\]]+)\] ", line)) or None


def fate(record: Record) -> tuple[str | None, bool]:
    """(why the packet is there and what befell it, whether it went no further), of a record's comment."""
    faults = list(faults_of(record.comment))
    causes = [line for line in (record.comment or "").split("\n") if line and not line.startswith("fault: ")]
    lost = any(fault in ENDS for fault in faults)
    told = causes + [fault for fault in faults if fault != DropReason.LOSS.value]
    return "; ".join(told) or None, lost


@dataclass(slots=True)
class People:
    """Who is who: addresses to the names of columns."""

    names: dict[str, list[str]]
    seen: dict[str, list[str]] = field(default_factory=dict)  # column → addresses
    machines: dict[str, str] = field(default_factory=dict)  # MAC → column

    def ends(self, packet: Packet, summary: Summary) -> tuple[str, str]:
        """The columns that a packet leaves and reaches. ARP speaks for its protocol addresses."""
        arp, frame = packet.get(ARP), packet.get(Ethernet)
        machine = str(frame.source) if frame is not None else ""
        if arp is not None:
            source, destination = str(arp.sender_protocol), str(arp.target_protocol)
        else:
            source, destination = summary.source, summary.destination
        if source in ("0.0.0.0", "::", ""):
            sender = self.machines.get(machine) or self.column(machine or "?")
        else:
            sender = self.column(source)
            self.machines.setdefault(machine, sender)
        if (frame is not None and frame.destination[0] & 1) or to_many(destination):
            return sender, EVERYONE
        return sender, self.column(destination or "?")

    def column(self, address: str) -> str:
        """The column of an address: its host's name, or the address."""
        names = self.names.get(address)
        name = names[0].split(".")[0] if names else address
        addresses = self.seen.setdefault(name, [])
        if name != address and address not in addresses:
            addresses.append(address)
        return name

    def columns(self, hosts: Sequence[str], arrows: Sequence[Arrow]) -> tuple[Column, ...]:
        """The columns that are drawn: those wished for; those that arrows need, by the order of names, then as they come."""
        needed = dict.fromkeys(end for one in arrows for end in (one.source, one.destination) if end != EVERYONE)
        named = [self.names[address][0].split(".")[0] for address in self.names]
        order = dict.fromkeys([*hosts, *(name for name in named if name in needed), *needed])
        return tuple(Column(name, tuple(self.seen.get(name, ()))) for name in order)


def to_many(address: str) -> bool:
    """Whether an address is a group's, or everybody's."""
    if address in ("255.255.255.255", "Broadcast", str(MAC.BROADCAST)):
        return True
    if ":" in address:
        return address.startswith("ff")
    first = address.split(".")[0]
    return first.isdigit() and 224 <= int(first) <= 239


@dataclass(slots=True)
class Sighting:
    """A packet that was seen: the place of its arrow, when, and where."""

    place: int
    time: int
    interfaces: list[str]


@dataclass(slots=True)
class Sightings:
    """Packets that were seen, to know them again at another interface. The way changes time to live and checksum."""

    waiting: dict[bytes, list[Sighting]] = field(default_factory=dict)
    usual: int | None = None  # how long a packet was under way last

    def again(self, record: Record) -> int | None:
        """The place of the arrow whose packet this is, seen before at other interfaces only.

        Of several packets with the same octets it is the one that would have been under way as long as others are.
        """
        known = self.waiting.get(identity(record.packet), ())
        fitting = [one for one in known if record.interface not in one.interfaces]
        if not fitting:
            return None
        usual = self.usual
        if usual is None or len(fitting) == 1:
            found = fitting[-1]
            self.usual = record.time - found.time
        else:
            found = min(fitting, key=lambda one: abs(record.time - one.time - usual))
        found.interfaces.append(record.interface)
        return found.place

    def first(self, record: Record, place: int) -> None:
        """A packet was seen for the first time."""
        sighting = Sighting(place, record.time, [record.interface])
        self.waiting.setdefault(identity(record.packet), []).append(sighting)

    def unanswered(self, arrows: list[Arrow], end: int) -> set[int]:
        """Arrows that were seen where they began, and not where they should have arrived, which was watched too."""
        watched = {_host(name) for known in self.waiting.values() for one in known for name in one.interfaces}
        found = set()
        for one in (one for known in self.waiting.values() for one in known if len(one.interfaces) == 1):
            arrow = arrows[one.place]
            here, late = arrow.source == _host(one.interfaces[0]), one.time + 2 * (self.usual or 0) < end
            there = arrow.destination in watched if arrow.destination != EVERYONE else len(watched) > 1
            if here and late and there and arrow.destination != arrow.source:
                found.add(one.place)
        return found


def _host(interface: str) -> str:
    """The host whose interface it is, by the name that captures give it: `client`, or `client eth1`."""
    return interface.split(" ")[0]


def identity(packet: Packet) -> bytes:
    """What of a packet stays the same on its way from host to host."""
    data = bytes(packet)
    place = 0
    for header in packet.headers:
        if isinstance(header, IPv4):
            return data[place : place + 8] + data[place + 9 : place + 10] + data[place + 12 :]
        if isinstance(header, IPv6):
            return data[place : place + 7] + data[place + 8 :]
        place += len(header)
    return data
