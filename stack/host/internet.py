"""What IPv4 and IPv6 have in common on a host: checks of what arrives, delivery upwards, sending (RFC 1122 section 3)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from stack.base.address import IPAddress
from stack.base.event import DropReason
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.host.addresses import Cast
from stack.host.attachment import Outgoing
from stack.host.way import Way
from stack.ip.neighbour import Neighbour
from stack.ip.reassembly import FragmentStore, Partial, Verdict, combined_ecn

if TYPE_CHECKING:
    from stack.host.host import HostEngine
    from stack.link.interface import Interface

_DROPS = {
    Verdict.DUPLICATE: DropReason.FRAGMENT_OVERLAP,
    Verdict.OVERLAP: DropReason.FRAGMENT_OVERLAP,
    Verdict.MALFORMED: DropReason.MALFORMED,
    Verdict.LIMIT: DropReason.FRAGMENT_LIMIT,
    Verdict.EXPIRED: DropReason.FRAGMENT_TIMEOUT,
}


class TimedStore(FragmentStore):
    """A fragment store among the timers of a host; `expire(partial)` is called for each datagram given up."""

    __slots__ = ("_expire", "scheduled", "scheduled_idle")

    def __init__(self, expire: Any, lifetime: int, memory_limit: int, source_limit: int) -> None:
        super().__init__(lifetime, memory_limit, source_limit)
        self._expire = expire
        self.scheduled: int | None = None
        self.scheduled_idle = False

    def timeout(self, now: int) -> None:
        """Give up what waited too long, and say so."""
        super().timeout(now)
        self._expire()


class Internet:
    """The part that does not depend on the IP version; `IPv4Layer` and `IPv6Layer` are the rest."""

    lifetime: int
    overhead: int  # octets of the IP header that `send` makes
    largest: int  # octets that may follow it

    def __init__(self, host: HostEngine) -> None:
        self.host = host
        self.fragments = TimedStore(
            self.account_fragments, self.lifetime, host.settings.fragment_memory, host.settings.fragments_per_source
        )

    # Sending

    def send(
        self,
        way: Way,
        protocol: int,
        headers: tuple[Header, ...],
        payload: bytes,
        *,
        hop_limit: int | None = None,
        traffic_class: int = 0,
        dont_fragment: bool = False,
        flow_label: int = 0,
        cause: str | None = None,
        loop: bool = True,
        numbered: bool = True,
    ) -> tuple[int, Neighbour | None]:
        """Send one datagram; 0 or an errno, and the neighbour if it left at once.

        Not `numbered`: its identification is 0, as Linux has it where no socket counts and nothing may be fragmented
        (RFC 6864 section 4.1); IPv6 has none.
        """
        if hop_limit is None:
            settings = self.host.settings
            hop_limit = settings.multicast_time_to_live if way.cast is Cast.MULTICAST else settings.time_to_live
        size = len(payload)
        for one in headers:
            size += len(one)
        whole = size + self.overhead <= way.mtu
        if size > self.largest or (dont_fragment and not whole):
            return errno.EMSGSIZE, None
        header = self.header(way, protocol, hop_limit, traffic_class, dont_fragment, flow_label, numbered)
        if whole:
            item = Outgoing((header, *headers), payload, cause)
            return 0, way.attachment.transmit(way.next_hop, way.cast, item, self.host.now, loop)
        for octets in self.split(header, Packet.of((header, *headers), payload).rebuild(), way.mtu):
            way.attachment.transmit(way.next_hop, way.cast, Outgoing((), octets, cause), self.host.now, loop)
        return 0, None

    def header(
        self, way: Way, protocol: int, hop_limit: int, traffic_class: int, dont_fragment: bool, flow_label: int, numbered: bool
    ) -> Header:
        """The IP header of a datagram of ours."""
        raise NotImplementedError

    def split(self, header: Any, octets: bytes, mtu: int) -> list[bytes]:
        """A datagram's fragments."""
        raise NotImplementedError

    # Receiving

    def deliver(
        self, ip: Any, protocol: int, data: bytes, at: int, end: int, interface: Interface, packet: Packet, number_at: int = 0
    ) -> None:
        """Give octets `at` to `end` of `data` to the protocol they are for, whose number is in octet `number_at`."""
        host = self.host
        if protocol == 6:
            host.tcp.receive(ip, data, at, end, interface, packet)
        elif protocol == 17:
            host.udp.receive(ip, data, at, end, interface, packet)
        else:
            self.deliver_control(ip, protocol, data, at, end, interface, packet, number_at)

    def deliver_control(
        self, ip: Any, protocol: int, data: bytes, at: int, end: int, interface: Interface, packet: Packet, number_at: int
    ) -> None:
        """ICMP, IGMP, and what is unknown."""
        raise NotImplementedError

    def reassemble(
        self, ip: Any, key: tuple[Any, ...], offset: int, more: bool, data: bytes, interface: Interface, packet: Packet
    ) -> Partial | None:
        """Take a fragment; the whole datagram when it was the last one missing."""
        now = self.host.now
        context = (ip, interface, packet)
        verdict, whole = self.fragments.add(key, ip.source, offset, more, data, now, context, ip.ecn)
        self.host.timers.arm(self.fragments)
        self.account_fragments()
        if whole is not None:
            if combined_ecn(whole) is not None:
                return whole
            self.host.drop(DropReason.MALFORMED, packet)
            return None
        if verdict is not Verdict.WAITING:
            self.host.drop(_DROPS[verdict], packet)
        return None

    def account_fragments(self) -> None:
        """Count what the store gave up, and tell the sender of what it waited for in vain (RFC 792, RFC 4443 3.3)."""
        for verdict, partial in self.fragments.take_given_up():
            packet = partial.first[2] if partial.first else None
            for _ in partial.pieces:
                self.host.drop(_DROPS[verdict], packet)
            if verdict is Verdict.EXPIRED and partial.first is not None:
                self.reassembly_expired(*partial.first)

    def reassembly_expired(self, ip: Any, interface: Interface, packet: Packet) -> None:
        """The ICMP error for a datagram that never became whole, whose first fragment is here."""
        raise NotImplementedError

    def local(self, destination: IPAddress, interface: Interface) -> bool:
        """Is a datagram that came in on `interface` for us?"""
        cast = self.host.addresses.cast(destination)
        if cast is Cast.MULTICAST:
            return self.host.addresses.listens(destination, interface)
        return cast is not Cast.OTHER
