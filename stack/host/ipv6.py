"""IPv6 on a host: receiving, sending, forwarding (RFC 8200, RFC 4291 section 2, RFC 8504)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stack.base.address import IPv6Address
from stack.base.errors import WireError
from stack.base.event import DropReason
from stack.codec.fields import Sealed
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.host.addresses import Cast
from stack.host.attachment import Outgoing
from stack.host.internet import Internet
from stack.host.mss_clamp import clamp_header, clamp_octets
from stack.host.way import Way, find_way
from stack.ip.chain import Chain, walk
from stack.ip.formats.ipv6 import NO_NEXT_HEADER, IPv6
from stack.ip.fragment import fragment_ipv6
from stack.ip.reassembly import IPV6_LIFETIME, combined_ecn, join
from stack.link.formats.ethernet import Ethernet

if TYPE_CHECKING:
    from stack.host.host import HostEngine
    from stack.link.interface import Interface

LINK = 14  # octets of an Ethernet header
_FIXED = 40  # octets of an IPv6 header
_NUMBER = 6  # the octet of the next header
_LENGTH = 4  # the octet of the payload length


class IPv6Layer(Internet):
    """The IPv6 of one host."""

    lifetime = IPV6_LIFETIME
    overhead = _FIXED
    largest = 65535

    def __init__(self, host: HostEngine) -> None:
        super().__init__(host)
        self._stream = host.randomness.at(host.name, "identification v6")
        self._identification = self._stream.getrandbits(32)

    # Sending

    def header(
        self, way: Way, protocol: int, hop_limit: int, traffic_class: int, dont_fragment: bool, flow_label: int, numbered: bool
    ) -> Header:
        """The header of a datagram of ours."""
        made: Header = IPv6.of(
            6, traffic_class >> 2, traffic_class & 3, flow_label, Sealed, protocol, hop_limit, way.source, way.destination
        )
        return made

    def split(self, header: Any, octets: bytes, mtu: int) -> list[bytes]:
        """A datagram's fragments."""
        self._identification = (self._identification + 1) & 0xFFFFFFFF
        return fragment_ipv6(octets, _FIXED, _NUMBER, self._identification, mtu)

    # Receiving

    def receive(self, interface: Interface, packet: Packet, data: bytes) -> None:
        """Take a frame with an IPv6 datagram, as octets."""
        host = self.host
        try:
            ip, at = IPv6.decode(data, LINK, len(data))
        except WireError:
            host.drop(DropReason.MALFORMED, packet)
            return
        end = at + ip.payload_length
        if ip.version != 6 or end > len(data):
            host.drop(DropReason.MALFORMED, packet)
        elif ip.next_header == 6 and host.tcp.receive_known(ip, data, at, end, packet):
            pass  # for one of our connections
        elif not self.acceptable(ip, interface):
            host.drop(DropReason.BAD_ADDRESS, packet)
        elif self.local(ip.destination, interface):
            self._local(ip, data, end, interface, packet)
        else:
            self._pass_on(ip, interface, packet, data[LINK:end])

    def acceptable(self, ip: Any, interface: Interface) -> bool:
        """Addresses that may stand in a datagram from this interface (RFC 4291 sections 2.5.2, 2.5.3 and 2.7)."""
        source: IPv6Address = ip.source
        if source.is_multicast or ip.destination == IPv6Address.UNSPECIFIED or source.is_mapped or ip.destination.is_mapped:
            return False
        if interface.loopback:
            return True
        if source.is_loopback or ip.destination.is_loopback:
            return False
        cast = self.host.addresses.cast
        return cast(source) is Cast.OTHER or cast(ip.destination) is not Cast.LOCAL

    def _local(self, ip: Any, data: bytes, end: int, interface: Interface, packet: Packet) -> None:
        """Follow the extension headers to what the datagram carries."""
        try:
            chain = walk(data, LINK + _FIXED, end, ip.next_header, LINK + _NUMBER)
        except WireError:
            self.host.drop(DropReason.MALFORMED, packet)
            return
        if chain.problem is not None:
            self.host.drop(DropReason.UNKNOWN_OPTION, packet)
            code, octet = chain.problem
            if code is not None:
                self.host.icmpv6.parameter_problem(ip, interface, packet, code, octet - LINK, chain.tell_groups)
        elif chain.fragment is not None:
            self._fragment(ip, chain, data, end, interface, packet)
        else:
            self.deliver(ip, chain.protocol, data, chain.at, end, interface, packet, chain.number_at)

    def _fragment(self, ip: Any, chain: Chain, data: bytes, end: int, interface: Interface, packet: Packet) -> None:
        """RFC 8200 section 4.5."""
        fragment = chain.fragment
        assert fragment is not None
        piece = data[chain.at + 8 : end]
        offset = 8 * fragment.fragment_offset
        if fragment.more_fragments and len(piece) % 8:
            self.host.drop(DropReason.MALFORMED, packet)
            self.host.icmpv6.parameter_problem(ip, interface, packet, 0, _LENGTH)
            return
        if offset + len(piece) > 65535:
            self.host.drop(DropReason.MALFORMED, packet)
            self.host.icmpv6.parameter_problem(ip, interface, packet, 0, chain.at - LINK + 2)
            return
        key = (ip.source, ip.destination, fragment.identification)
        whole = self.reassemble(ip, key, offset, fragment.more_fragments, piece, interface, packet)
        if whole is None:
            return
        first, first_interface, first_packet = whole.first
        octets = bytes(first_packet)
        again = walk(octets, LINK + _FIXED, len(octets), first.next_header, LINK + _NUMBER)
        assert again.fragment is not None
        joined = join(whole)
        length = again.at - LINK - _FIXED + len(joined)
        if length > 65535:
            self.host.drop(DropReason.MALFORMED, packet)
            return
        head = bytearray(octets[: again.at])
        head[again.number_at] = again.fragment.next_header
        head[LINK + _LENGTH : LINK + _LENGTH + 2] = length.to_bytes(2, "big")
        head[LINK + 1] = head[LINK + 1] & ~0x30 | (combined_ecn(whole) or 0) << 4
        made = bytes(head) + joined
        ip, _ = IPv6.decode(made, LINK, len(made))
        self._local(ip, made, len(made), first_interface, Packet.parse(made))

    def deliver_control(
        self, ip: Any, protocol: int, data: bytes, at: int, end: int, interface: Interface, packet: Packet, number_at: int = 0
    ) -> None:
        """ICMPv6, and what is unknown (RFC 8200 section 4)."""
        if protocol == 58:
            self.host.icmpv6.receive(ip, data, at, end, interface, packet)
        else:
            self.host.drop(DropReason.UNKNOWN_PROTOCOL, packet)
            if protocol != NO_NEXT_HEADER:
                self.host.icmpv6.parameter_problem(ip, interface, packet, 1, number_at - LINK)

    def reassembly_expired(self, ip: Any, interface: Interface, packet: Packet) -> None:
        """Time exceeded, code 1."""
        self.host.icmpv6.time_exceeded(ip, interface, packet, code=1)

    # Forwarding

    def _pass_on(self, ip: Any, interface: Interface, packet: Packet, datagram: bytes) -> None:
        """Forward octets: hop limit one less."""
        way = self._next_way(ip, interface, packet, len(datagram))
        if way is not None:
            octets = b"%b%c%b" % (datagram[:7], datagram[7] - 1, datagram[8:])
            if self.host.settings.mss_clamp and ip.next_header == 6:
                octets = clamp_octets(octets, _FIXED, min(way.mtu, interface.mtu), self.overhead)
            way.attachment.transmit(way.next_hop, way.cast, Outgoing((), octets, packet.cause, packet), self.host.now)

    def pass_on_headers(self, ip: Any, upper: Header, interface: Interface, packet: Packet) -> None:
        """Forward a datagram that travels as headers: complete, without extension headers."""
        payload = packet.after(type(upper))
        way = self._next_way(ip, interface, packet, _FIXED + len(upper) + len(payload))
        if way is not None:
            if self.host.settings.mss_clamp:
                upper = clamp_header(upper, min(way.mtu, interface.mtu), self.overhead)
            header = IPv6.of(
                6, ip.dscp, ip.ecn, ip.flow_label, Sealed, ip.next_header, ip.hop_limit - 1, ip.source, ip.destination
            )
            item = Outgoing((header, upper), payload, packet.cause, packet)
            way.attachment.transmit(way.next_hop, way.cast, item, self.host.now)

    def _next_way(self, ip: Any, interface: Interface, packet: Packet, size: int) -> Way | None:
        """Where a datagram that is not for us goes on, if it does."""
        host = self.host
        source, destination = ip.source, ip.destination
        if not host.settings.forwarding or packet[Ethernet].destination.is_group or destination.is_multicast:
            host.drop(DropReason.NOT_FOR_US, packet)
        elif source.is_link_local or destination.is_link_local or not any(source):
            host.drop(DropReason.NOT_FOR_US, packet)  # RFC 4291 section 2.5.6: never beyond its link
        elif ip.hop_limit <= 1:
            host.drop(DropReason.TTL_EXPIRED, packet)
            host.icmpv6.time_exceeded(ip, interface, packet)
        elif not isinstance(way := find_way(host, destination, source), Way):
            host.drop(DropReason.NO_ROUTE, packet)
            host.icmpv6.unreachable(ip, interface, packet, code=0)
        elif size > (mtu := way.attachment.interface.mtu):
            host.drop(DropReason.FRAGMENTATION_NEEDED, packet)
            host.icmpv6.packet_too_big(ip, interface, packet, mtu)
        else:
            return way
        return None
