"""A learning switch: transparent bridging as IEEE 802.1D-2004 clause 7 has it (filtering database, ageing, flooding)."""

from __future__ import annotations

from stack.base.address import MAC
from stack.base.event import Drop, DropReason
from stack.base.quantity import nanoseconds
from stack.codec.packet import Packet
from stack.link.formats.ethernet import Ethernet
from stack.link.interface import Interface

TABLE_LIMIT = 8192  # addresses: what common switches hold; a flood of sources cannot make it grow
AGEING = "300 s"  # 802.1D table 7-5
# 802.1D table 7-10: groups that bridges keep to themselves (BPDUs, pause frames, LLDP, …).
_RESERVED = b"\x01\x80\xc2\x00\x00"


class Switch:
    """Ports are interfaces without addresses. Frames go where their destination was last seen, or everywhere.

    It looks at MAC addresses alone, VLAN tags or not. Ports in `blocked` are outside of the spanning tree: nothing comes in
    or goes out there. `table_full` counts frames whose source could not be learned.
    """

    def __init__(self, name: str, ageing: str | float | int = AGEING, limit: int = TABLE_LIMIT) -> None:
        self.name = name
        self.ageing = nanoseconds(ageing)
        self.limit = limit
        self.interfaces: list[Interface] = []
        self.blocked: list[Interface] = []
        self.deadline: int | None = None  # ageing is looked at when it matters
        self.drops: dict[DropReason, int] = {}
        self.table_full = 0
        self._table: dict[bytes, tuple[Interface, int]] = {}  # the one heard longest ago is first
        self.output: list[tuple[Interface, Packet]] = []
        self.events: list[Drop] = []

    def port(self, mac: MAC | None = None) -> Interface:
        """One more port."""
        made = Interface(f"port{len(self.interfaces) + 1}", mac, owner=self.name)
        self.interfaces.append(made)
        return made

    def receive(self, item: tuple[Interface, Packet], now: int) -> None:
        """A frame has come in at a port."""
        port, packet = item
        ethernet = packet.get(Ethernet)
        destination: bytes
        source: bytes
        if ethernet is not None:
            destination, source = ethernet.destination, ethernet.source
        else:  # not of a type that we know, or cut
            data = bytes(packet)
            destination, source = data[:6], data[6:12]
        if len(source) < 6 or source[0] & 1:  # a group sends nothing
            self._drop(packet, DropReason.MALFORMED, now)
        elif port in self.blocked or (destination[:5] == _RESERVED and destination[5] < 16):
            self._drop(packet, DropReason.NO_PORT, now)
        else:
            self._learn(source, port, now)
            self._forward(destination, port, packet, now)

    def _learn(self, source: bytes, port: Interface, now: int) -> None:
        table = self._table
        if table.pop(source, None) is None and len(table) >= self.limit:
            oldest = next(iter(table), b"")
            if not table or table[oldest][1] + self.ageing > now:
                self.table_full += 1
                return
            del table[oldest]
        table[source] = (port, now)

    def _forward(self, destination: bytes, port: Interface, packet: Packet, now: int) -> None:
        known = None if destination[0] & 1 else self._table.get(destination)
        if known is None or known[1] + self.ageing <= now:
            blocked = self.blocked
            self.output += [
                (other, packet) for other in self.interfaces
                if other is not port and other.wire is not None and other not in blocked
            ]  # fmt: skip
        elif known[0] is port:
            self._drop(packet, DropReason.NO_PORT, now)
        else:
            self.output.append((known[0], packet))

    def _drop(self, packet: Packet, reason: DropReason, now: int) -> None:
        self.drops[reason] = self.drops.get(reason, 0) + 1
        self.events.append(Drop(now, self.name, reason, packet))

    def block(self, ports: list[Interface]) -> None:
        """The spanning tree has changed: what was learned counts no longer."""
        if ports != self.blocked:
            self.blocked = ports
        self._table.clear()

    def lookup(self, mac: MAC | str, now: int) -> Interface | None:
        """The port behind which an address was last heard, unless that is too long ago."""
        known = self._table.get(MAC(mac))
        return None if known is None or known[1] + self.ageing <= now else known[0]

    def __len__(self) -> int:
        """Addresses in the table."""
        return len(self._table)

    def timeout(self, now: int) -> None:
        """Nothing is ever due."""

    def take_output(self) -> list[tuple[Interface, Packet]]:
        """Frames and the ports that they leave by."""
        output, self.output = self.output, []
        return output

    def take_events(self) -> list[Drop]:
        """The drops since the last time."""
        events, self.events = self.events, []
        return events

    def __repr__(self) -> str:
        return f"<Switch {self.name}, {len(self.interfaces)} ports, {len(self)} addresses>"
