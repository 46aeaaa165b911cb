"""A partition: groups of nodes between which no frame passes, whatever links and switches lie between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from stack.base.errors import StackError
from stack.base.event import DropReason
from stack.codec.packet import Packet
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.link.direction import Direction
from stack.link.faults import Removable, Rule
from stack.link.formats.ethernet import Ethernet
from stack.link.interface import Interface
from stack.link.link import Link

if TYPE_CHECKING:
    from stack.network.wiring import Wiring


class Partition(Removable):
    """In force until `remove()`, or until the end of its `with` block. Nodes in no group are cut off from nobody.

    A frame crosses if it goes from a node of one group to a node of another, or comes to a node of one group and was made
    by one of another: switches and routers in no group pass frames on, and the last link drops them. Who made a frame is told by
    its IP source address, or else by its MAC address.
    """

    def __init__(self, wiring: Wiring, groups: Iterable[Iterable[Any]]) -> None:
        super().__init__()
        self._wiring = wiring
        self._rules: list[Rule] = []
        self._owners: dict[bytes, str] = {}  # address → name
        self._group: dict[str, int] = {}
        known = {end.owner: True for link in wiring.links.values() for end in link.ends} | dict.fromkeys(wiring.nodes, True)
        for number, group in enumerate(groups):
            if isinstance(group, str):
                raise StackError(f"{group!r} is not a group; expected a list of nodes")
            for member in group:
                name = member if isinstance(member, str) else member.name
                if name not in known:
                    raise StackError(f"no node {name!r} in this network")
                if self._group.setdefault(name, number) != number:
                    raise StackError(f"{name!r} is in two groups")
        if len(set(self._group.values())) < 2:
            raise StackError("a partition has two groups or more: net.partition([a, b], [c])")
        wiring.partitions.append(self)
        for link in wiring.links.values():
            self.cover(link)

    def __repr__(self) -> str:
        groups: dict[int, list[str]] = {}
        for name, number in self._group.items():
            groups.setdefault(number, []).append(name)
        return f"<Partition {' | '.join(', '.join(names) for names in groups.values())}{'' if self in self._wiring.partitions else ', healed'}>"

    def cover(self, link: Link) -> None:
        """Hold on this link too."""
        a, b = link.ends
        for direction, sender, receiver in zip(link.directions, (a, b), (b, a), strict=True):
            self._cover(direction, sender, receiver)

    def _cover(self, direction: Direction, sender: Interface, receiver: Interface) -> None:
        there = self._group.get(receiver.owner)
        if there is None:
            return
        if self._group.get(sender.owner, there) != there:
            crosses: Callable[[Packet], bool] = lambda packet: True
        else:
            crosses = lambda packet: self._group.get(self.maker(packet), there) != there
        self._rules.append(direction.enforce(Rule(crosses, reason=DropReason.PARTITION)))

    def maker(self, packet: Packet) -> str:
        """The name of the node that made a packet, as far as its addresses tell; else nothing."""
        ip = packet.get(IPv4) or packet.get(IPv6)
        ethernet = packet.get(Ethernet)
        for address in (ip and ip.source, ethernet and ethernet.source):
            if address and (name := self._owner(address)):
                return name
        return ""

    def _owner(self, address: bytes) -> str:
        if address not in self._owners:
            for link in self._wiring.links.values():
                for end in link.ends:
                    self._owners[end.mac] = end.owner
                    self._owners.update((own, end.owner) for own, _ in end.addresses)
        return self._owners.get(address, "")

    def remove(self) -> None:
        """Heal the network; a second time does nothing."""
        if self in self._wiring.partitions:
            self._wiring.partitions.remove(self)
        rules, self._rules = self._rules, []
        for rule in rules:
            rule.remove()
