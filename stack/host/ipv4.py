"""IPv4 on a host: receiving, sending, forwarding (RFC 791, RFC 1122 section 3.2.1, RFC 1812 sections 4.2 and 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stack.base.address import IPAddress, IPv4Address
from stack.base.errors import WireError
from stack.base.event import DropReason
from stack.codec.checksum import ones_sum
from stack.codec.fields import Sealed
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.host.addresses import Cast
from stack.host.attachment import Outgoing
from stack.host.internet import Internet
from stack.host.mss_clamp import clamp_header, clamp_octets
from stack.host.way import Way, find_way
from stack.ip.formats.ipv4 import IPv4, IPv4Options
from stack.ip.fragment import fragment_ipv4
from stack.ip.reassembly import IPV4_LIFETIME, combined_ecn, join
from stack.link.formats.ethernet import Ethernet

if TYPE_CHECKING:
    from stack.host.host import HostEngine
    from stack.link.interface import Interface

DONT_FRAGMENT = 2
_MORE_FRAGMENTS = 1
_COUNTERS = 4096
NO_OPTIONS = IPv4Options()
LINK = 14  # octets of an Ethernet header


class IPv4Layer(Internet):
    """The IPv4 of one host."""

    lifetime = IPV4_LIFETIME
    overhead = 20
    largest = 65515

    def __init__(self, host: HostEngine) -> None:
        super().__init__(host)
        self._stream = host.randomness.at(host.name, "identification")
        self._counters: dict[tuple[IPAddress, IPAddress, int], list[int]] = {}

    # Sending

    def counter(self, source: IPAddress, destination: IPAddress, protocol: int) -> list[int]:
        """The last identification used between two addresses for a protocol, to be counted up (RFC 6864 section 4.1)."""
        key = (source, destination, protocol)
        counter = self._counters.get(key)
        if counter is None:
            if len(self._counters) >= _COUNTERS:
                del self._counters[next(iter(self._counters))]
            counter = self._counters[key] = [self._stream.getrandbits(16)]
        return counter

    def header(
        self, way: Way, protocol: int, hop_limit: int, traffic_class: int, dont_fragment: bool, flow_label: int, numbered: bool
    ) -> Header:
        """The header of a datagram of ours."""
        number = 0
        if numbered:
            counter = self.counter(way.source, way.destination, protocol)
            counter[0] = number = (counter[0] + 1) & 0xFFFF
        made: Header = IPv4.of(
            4, Sealed, traffic_class >> 2, traffic_class & 3, Sealed, number, DONT_FRAGMENT if dont_fragment else 0, 0,
            hop_limit, protocol, Sealed, way.source, way.destination, NO_OPTIONS,
        )  # fmt: skip
        return made

    def split(self, header: Any, octets: bytes, mtu: int) -> list[bytes]:
        """A datagram's fragments."""
        return fragment_ipv4(octets, mtu)

    # Receiving

    def receive(self, interface: Interface, packet: Packet, data: bytes) -> None:
        """Take a frame with an IPv4 datagram, as octets."""
        host = self.host
        try:
            ip, at = IPv4.decode(data, LINK, len(data))
        except WireError:
            host.drop(DropReason.MALFORMED, packet)
            return
        end = LINK + ip.total_length
        if ip.version != 4 or not at <= end <= len(data):
            host.drop(DropReason.MALFORMED, packet)
        elif ones_sum(data[LINK:at]):
            host.drop(DropReason.BAD_CHECKSUM, packet)
        elif ip.protocol == 6 and not data[20] & 0x3F and not data[21] and host.tcp.receive_known(ip, data, at, end, packet):
            pass  # whole, and for one of our connections
        elif not self.acceptable(ip, interface):
            host.drop(DropReason.BAD_ADDRESS, packet)
        elif not self.local(ip.destination, interface):
            self._pass_on(ip, interface, packet, data[LINK:end])
        elif ip.fragment_offset or ip.flags & _MORE_FRAGMENTS:
            self._fragment(ip, data[at:end], interface, packet)
        else:
            self.deliver(ip, ip.protocol, data, at, end, interface, packet)

    def acceptable(self, ip: Any, interface: Interface) -> bool:
        """Addresses that may stand in a datagram from this interface (RFC 1122 section 3.2.1.3, RFC 1812 section 5.3.7)."""
        source: IPv4Address = ip.source
        if source.is_multicast or source[0] >= 240:
            return False
        if interface.loopback:
            return True
        if source.is_loopback or ip.destination.is_loopback or ip.destination == IPv4Address.UNSPECIFIED:
            return False
        if source[0] == 0:  # "this host", which does not know its address yet, may ask all hosts
            return bool(source == IPv4Address.UNSPECIFIED) and self.host.addresses.cast(ip.destination) in (Cast.BROADCAST, Cast.MULTICAST)
        cast = self.host.addresses.cast(source)
        return cast is Cast.OTHER or (cast is Cast.LOCAL and self.host.addresses.cast(ip.destination) is not Cast.LOCAL)

    def _fragment(self, ip: Any, data: bytes, interface: Interface, packet: Packet) -> None:
        """RFC 791 section 3.2: fragments are those of one datagram if source, destination, protocol and identification agree."""
        key = (ip.source, ip.destination, ip.protocol, ip.identification)
        more = bool(ip.flags & _MORE_FRAGMENTS)
        whole = self.reassemble(ip, key, 8 * ip.fragment_offset, more, data, interface, packet)
        if whole is None:
            return
        first, first_interface, first_packet = whole.first
        octets = join(whole)
        if len(first) + len(octets) > 65535:
            self.host.drop(DropReason.MALFORMED, packet)  # the ping of death
            return
        header = IPv4.of(
            4, Sealed, first.dscp, combined_ecn(whole), Sealed, first.identification, 0, 0, first.time_to_live, first.protocol, Sealed,
            first.source, first.destination, first.options,
        )  # fmt: skip
        data = bytes(first_packet)[:LINK] + Packet.of((header,), octets).rebuild()
        ip, at = IPv4.decode(data, LINK, len(data))
        self.deliver(ip, ip.protocol, data, at, len(data), first_interface, Packet.parse(data))

    def deliver_control(
        self, ip: Any, protocol: int, data: bytes, at: int, end: int, interface: Interface, packet: Packet, number_at: int = 0
    ) -> None:
        """ICMP, IGMP, and what is unknown (RFC 1122 section 3.2.2.1)."""
        if protocol == 1:
            self.host.icmp.receive(ip, data, at, end, interface, packet)
        elif protocol == 2:
            self.host.groups.receive(ip, data[at:end], interface, packet)
        else:
            self.host.drop(DropReason.UNKNOWN_PROTOCOL, packet)
            self.host.icmp.unreachable(ip, interface, packet, code=2)

    def reassembly_expired(self, ip: Any, interface: Interface, packet: Packet) -> None:
        """Time exceeded, code 1."""
        self.host.icmp.time_exceeded(ip, interface, packet, code=1)

    # Forwarding

    def _pass_on(self, ip: Any, interface: Interface, packet: Packet, datagram: bytes) -> None:
        """Forward octets: time to live one less, the checksum after it (RFC 1141)."""
        way = self.next_way(ip, interface, packet)
        if way is None:
            return
        checksum = (datagram[10] << 8 | datagram[11]) + 0x100
        checksum = (checksum & 0xFFFF) + (checksum >> 16)
        octets = b"%b%c%b%b%b" % (datagram[:8], datagram[8] - 1, datagram[9:10], checksum.to_bytes(2, "big"), datagram[12:])
        if self.host.settings.mss_clamp and ip.protocol == 6 and not ip.fragment_offset:
            octets = clamp_octets(octets, 4 * ip.header_length, min(way.mtu, interface.mtu), self.overhead)
        if len(octets) <= way.mtu:
            parts = [octets]
        elif ip.flags & DONT_FRAGMENT:
            self.too_big(ip, interface, packet, way.mtu)
            return
        else:
            parts = fragment_ipv4(octets, way.mtu)
        for part in parts:
            way.attachment.transmit(way.next_hop, way.cast, Outgoing((), part, packet.cause, packet), self.host.now)

    def pass_on_headers(self, ip: Any, upper: Header, interface: Interface, packet: Packet) -> None:
        """Forward a datagram that travels as headers: complete, whole, without options."""
        payload = packet.after(type(upper))
        size = 20 + len(upper) + len(payload)
        way = self.next_way(ip, interface, packet)
        if way is None:
            return
        if self.host.settings.mss_clamp:
            upper = clamp_header(upper, min(way.mtu, interface.mtu), self.overhead)
        if size > way.mtu and ip.flags & DONT_FRAGMENT:
            self.too_big(ip, interface, packet, way.mtu)
            return
        header = IPv4.of(
            4, Sealed, ip.dscp, ip.ecn, Sealed, ip.identification, ip.flags, 0, ip.time_to_live - 1, ip.protocol, Sealed,
            ip.source, ip.destination, NO_OPTIONS,
        )  # fmt: skip
        if size <= way.mtu:
            items = [Outgoing((header, upper), payload, packet.cause, packet)]
        else:
            octets = Packet.of((header, upper), payload).rebuild()
            items = [Outgoing((), part, packet.cause, packet) for part in fragment_ipv4(octets, way.mtu)]
        for item in items:
            way.attachment.transmit(way.next_hop, way.cast, item, self.host.now)

    def next_way(self, ip: Any, interface: Interface, packet: Packet) -> Way | None:
        """Where a datagram that is not for us goes on, if it does (RFC 1812 section 5.2)."""
        host = self.host
        to_one = not packet[Ethernet].destination.is_group and ip.destination[0] < 224
        if not host.settings.forwarding or not to_one or ip.source == IPv4Address.UNSPECIFIED:
            host.drop(DropReason.NOT_FOR_US, packet)
        elif ip.time_to_live <= 1:
            host.drop(DropReason.TTL_EXPIRED, packet)
            host.icmp.time_exceeded(ip, interface, packet)
        elif isinstance(way := find_way(host, ip.destination, ip.source), Way):
            return Way(way.attachment, way.destination, way.next_hop, way.cast, way.source, way.attachment.interface.mtu, 0)
        else:
            host.drop(DropReason.NO_ROUTE, packet)
            host.icmp.unreachable(ip, interface, packet, code=0)
        return None

    def too_big(self, ip: Any, interface: Interface, packet: Packet, mtu: int) -> None:
        """RFC 1191 section 4."""
        self.host.drop(DropReason.FRAGMENTATION_NEEDED, packet)
        self.host.icmp.fragmentation_needed(ip, interface, packet, mtu)
