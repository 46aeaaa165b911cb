"""Membership of multicast groups, told to routers: IGMP version 2 and MLD version 1 (RFC 2236 section 3, RFC 2710 section 5).

All-nodes and solicited-node groups are listened to without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.base.errors import WireError
from stack.base.event import DropReason
from stack.codec.checksum import ones_sum
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.host.addresses import ALL_ROUTERS, Cast
from stack.host.attachment import Outgoing
from stack.host.way import Way, find_way
from stack.ip.formats import igmp, mld
from stack.ip.formats.extensions import HopByHop
from stack.ip.formats.icmpv6 import PROTOCOL as ICMPV6_PROTOCOL
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv6 import IPv6
from stack.ip.formats.ipv6_options import IPv6Options, IPv6RouterAlert

if TYPE_CHECKING:
    from stack.host.host import HostEngine
    from stack.link.interface import Interface

ALL_ROUTERS_V4 = IPv4Address("224.0.0.2")
MILLISECOND = 1_000_000


class Groups:
    """The memberships of one host: an engine whose deadline is the next report that a query asked for."""

    scheduled: int | None = None
    scheduled_idle = False
    housekeeping = True

    def __init__(self, host: HostEngine) -> None:
        self.host = host
        self._stream = host.randomness.at(host.name, "groups")
        self._due: dict[tuple[IPAddress, Interface], int] = {}

    @property
    def deadline(self) -> int | None:
        """When the next report is due."""
        return min(self._due.values(), default=None)

    def timeout(self, now: int) -> None:
        """Report what a query asked for."""
        for (group, interface), due in list(self._due.items()):
            if due <= now:
                del self._due[group, interface]
                self._report(group, interface, "answer to a query")

    def join(self, group: IPAddress, interface: Interface) -> None:
        """Listen to a group; the first who does tells the routers."""
        if self.host.addresses.join(group, interface):
            self._report(group, interface, f"joined {group}")

    def leave(self, group: IPAddress, interface: Interface) -> None:
        """Listen no longer; the last who does so tells the routers."""
        if not self.host.addresses.leave(group, interface):
            return
        self._due.pop((group, interface), None)
        if isinstance(group, IPv4Address):
            self._send_igmp(igmp.IGMP(igmp.LEAVE, group=group), ALL_ROUTERS_V4, interface, f"left {group}")
        else:
            self._send_mld(mld.DONE, group, ALL_ROUTERS, interface, f"left {group}")

    def receive(self, ip: Any, data: bytes, interface: Interface, packet: Packet) -> None:
        """Take an IGMP message."""
        try:
            message = igmp.IGMP.parse(data)
        except WireError:
            self.host.drop(DropReason.MALFORMED, packet)
            return
        if ones_sum(data):
            self.host.drop(DropReason.BAD_CHECKSUM, packet)
        elif message.type == igmp.QUERY:
            self.asked(message.group, (message.response_time or 100) * 100 * MILLISECOND, interface)
        else:
            self.heard(message.group, interface)

    def asked(self, group: IPAddress, within: int, interface: Interface) -> None:
        """A router asks who listens to `group`, or to any: report at a random time `within` ns (RFC 2236 section 3)."""
        for each in self.host.addresses.groups(interface):
            if type(each) is type(group) and (each == group or not any(group)):
                due = self.host.now + within * self._stream.getrandbits(16) // (1 << 16)
                self._due[each, interface] = min(due, self._due.get((each, interface), due))
        self.host.timers.arm(self)

    def heard(self, group: IPAddress, interface: Interface) -> None:
        """Another member reported the group: we need not."""
        self._due.pop((group, interface), None)

    def _report(self, group: IPAddress, interface: Interface, cause: str) -> None:
        if isinstance(group, IPv4Address):
            self._send_igmp(igmp.IGMP(igmp.REPORT_V2, group=group), group, interface, cause)
        else:
            self._send_mld(mld.REPORT, group, group, interface, cause)

    def _send_igmp(self, message: Header, to: IPv4Address, interface: Interface, cause: str) -> None:
        way = find_way(self.host, to, interface=interface)
        if isinstance(way, Way) and not interface.loopback:
            self.host.ipv4.send(way, igmp.PROTOCOL, (message,), b"", hop_limit=1, loop=False, cause=cause)

    def _send_mld(self, kind: int, group: IPv6Address, to: IPv6Address, interface: Interface, cause: str) -> None:
        way = find_way(self.host, to, interface=interface)
        if isinstance(way, Way) and not interface.loopback:
            headers = (
                IPv6(next_header=0, hop_limit=1, source=IPv6Address(way.source), destination=to),
                HopByHop(IPv6Options([IPv6RouterAlert()]), next_header=ICMPV6_PROTOCOL),
                ICMPv6(kind), mld.MulticastListenerReport(group),
            )  # fmt: skip
            way.attachment.transmit(to, Cast.MULTICAST, Outgoing(headers, b"", cause), self.host.now, False)
