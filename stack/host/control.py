"""What ICMP and ICMPv6 have in common on a host: whether an error may be sent, and whom an error that came concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stack.base.address import IPAddress, IPv4Address
from stack.base.event import DropReason
from stack.codec.packet import Packet
from stack.host.addresses import Cast
from stack.host.echo import EchoEndpoint, EchoReply
from stack.host.rate_limit import RateLimit
from stack.host.udp_endpoint import ErrorReport
from stack.host.way import Way, find_way
from stack.link.formats.ethernet import Ethernet

if TYPE_CHECKING:
    from stack.host.host import HostEngine
    from stack.link.interface import Interface

TCP_PROTOCOL = 6
UDP_PROTOCOL = 17


class Control:
    """The part that does not depend on the IP version; `IcmpLayer` and `Icmpv6Layer` are the rest."""

    def __init__(self, host: HostEngine) -> None:
        self.host = host
        settings = host.settings
        self.limit = RateLimit(settings.icmp_per_second, settings.icmp_burst, settings.icmp_peer_interval)
        self._stream = host.randomness.at(host.name, "echo")
        self.echoes: dict[int, EchoEndpoint] = {}

    # Echo

    def open(self, destination: IPAddress | None = None) -> EchoEndpoint:
        """A new endpoint for echo requests, with an identifier of its own; for `destination`'s IP version, if one is given."""
        if destination is not None:
            layer = self.host.icmp if len(destination) == IPv4Address.length else self.host.icmpv6
            return layer.open()
        number = self._stream.getrandbits(16)
        while number in self.echoes:
            number = (number + 1) & 0xFFFF
        endpoint = self.echoes[number] = EchoEndpoint(self, number)
        return endpoint

    def request(
        self, way: Way, identifier: int, sequence: int, data: bytes, hop_limit: int | None, dont_fragment: bool
    ) -> int:
        """Send an echo request; 0 or an errno."""
        raise NotImplementedError

    def answered(self, ip: Any, identifier: int, sequence: int, data: bytes, hop_limit: int, packet: Packet) -> None:
        """An echo reply has come."""
        endpoint = self.echoes.get(identifier)
        if endpoint is None:
            self.host.drop(DropReason.NO_SOCKET, packet)
        else:
            endpoint.take(EchoReply(ip.source, sequence, data, hop_limit, self.host.now))

    # Errors that we send

    def may_tell(self, ip: Any, interface: Interface, packet: Packet, limited: bool, to_group: bool = False) -> bool:
        """What RFC 1122 section 3.2.2, RFC 1812 4.3.2.7 and RFC 4443 2.4 (e) have in common; then the rate limits."""
        addresses = self.host.addresses
        if not to_group:
            if addresses.cast(ip.destination) in (Cast.BROADCAST, Cast.MULTICAST) or packet[Ethernet].destination.is_group:
                return False
        source = ip.source
        if not any(source) or addresses.cast(source) in (Cast.BROADCAST, Cast.MULTICAST):
            return False
        return not limited or interface.loopback or self.limit.allow(source, self.host.now)

    def way_back(self, ip: Any) -> Way | None:
        """The way to the sender of `ip`, from the address it was sent to if that is ours (RFC 1122 section 3.2.2)."""
        local = self.host.addresses.cast(ip.destination) is Cast.LOCAL
        way = find_way(self.host, ip.source, ip.destination if local else None)
        return way if isinstance(way, Way) else None

    # Errors that come

    def concern(
        self, protocol: int, local: IPAddress, remote: IPAddress, transport: bytes, report: ErrorReport, packet: Packet | None
    ) -> None:
        """Tell whoever sent the datagram that an error quotes: its addresses, and the first octets after its IP header."""
        host = self.host
        if len(transport) < 8 or host.addresses.cast(local) is not Cast.LOCAL:
            self.dropped(DropReason.MALFORMED if len(transport) < 8 else DropReason.BAD_ADDRESS, packet)
            return
        # What TCP sent, it knows: a message about something else is not believed (RFC 5927 section 4).
        if report.mtu and protocol != TCP_PROTOCOL and host.path_mtu.learn(remote, report.mtu, host.now):
            host.routes.changed()
        source, destination = int.from_bytes(transport[:2], "big"), int.from_bytes(transport[2:4], "big")
        if protocol == TCP_PROTOCOL:
            sequence = int.from_bytes(transport[4:8], "big")
            if not host.tcp.error((local, source), (remote, destination), sequence, report):
                self.dropped(DropReason.NO_SOCKET, packet)
        elif protocol == UDP_PROTOCOL:
            host.udp.error((local, source), (remote, destination), report._replace(payload=transport[8:]))
        else:
            self.concern_echo(protocol, transport, remote, report)

    def concern_echo(self, protocol: int, transport: bytes, remote: IPAddress, report: ErrorReport) -> None:
        """An error about an echo request of ours."""
        endpoint = self.echoes.get(int.from_bytes(transport[4:6], "big"))
        if endpoint is not None:
            endpoint.failed(int.from_bytes(transport[6:8], "big"), report._replace(remote=(remote, 0)))

    def dropped(self, reason: DropReason, packet: Packet | None) -> None:
        """Count the frame that brought an error, if one did."""
        if packet is not None:
            self.host.drop(reason, packet)
