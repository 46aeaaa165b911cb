"""UDP on a host: which endpoint a datagram is for (RFC 768, RFC 1122 section 4.1, RFC 8200 section 8.1)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.base.errors import WireError
from stack.base.event import DropReason
from stack.codec.checksum import ones_sum
from stack.codec.packet import Packet
from stack.host.addresses import Cast
from stack.host.udp_endpoint import Datagram, ErrorReport, UdpEndpoint
from stack.host.zone import zoned
from stack.udp.formats.udp import UDP
from stack.udp.ports import PortSpace

if TYPE_CHECKING:
    from stack.host.host import HostEngine
    from stack.link.interface import Interface

PROTOCOL = 17


class UdpLayer:
    """All UDP endpoints of a host, by port."""

    def __init__(self, host: HostEngine) -> None:
        self.host = host
        self.ports = PortSpace(host.randomness.at(host.name, "udp ports"), host.settings.ephemeral_ports)
        self.endpoints: dict[int, list[UdpEndpoint]] = {}

    def open(self, family: int = 4) -> UdpEndpoint:
        """A new endpoint, for IPv4 (4 or AF_INET) or for IPv6 and both (6 or AF_INET6)."""
        if family in (6, socket.AF_INET6):
            return UdpEndpoint(self, 6)
        if family in (4, socket.AF_INET):
            return UdpEndpoint(self, 4)
        raise ValueError(f"family is {family}; expected 4 or 6")

    def receive(self, ip: Any, data: bytes, at: int, end: int, interface: Interface, packet: Packet) -> None:
        """Take octets `at` to `end` of `data`: a UDP datagram that IP delivers."""
        try:
            udp, text = UDP.decode(data, at, end)
        except WireError:
            self.host.drop(DropReason.MALFORMED, packet)
            return
        last = at + udp.length
        if udp.length < 8 or last > end:
            self.host.drop(DropReason.MALFORMED, packet)
        elif not _verified(ip, udp, data[at:last]):
            self.host.drop(DropReason.BAD_CHECKSUM, packet)
        else:
            self.take(ip, udp, data[text:last], interface, packet)

    def take(self, ip: Any, udp: UDP, payload: bytes, interface: Interface, packet: Packet) -> None:
        """Give a sound datagram to the endpoints it is for."""
        group = self.host.addresses.cast(ip.destination) is not Cast.LOCAL
        found = self._all(ip, udp) if group else self._best(ip, udp)
        if not found:
            self.host.drop(DropReason.NO_SOCKET, packet)
            if not group:
                self.host.port_unreachable(ip, interface, packet)
            return
        hops = ip.time_to_live if len(ip.source) == IPv4Address.length else ip.hop_limit
        source = zoned(self.host, ip.source, interface)
        for endpoint in found:
            datagram = Datagram(
                payload, (endpoint.shown(source), udp.source), endpoint.shown(ip.destination), interface, hops,
                ip.dscp << 2 | ip.ecn, self.host.now,
            )  # fmt: skip
            if not endpoint.queue(datagram):
                self.host.drop(DropReason.QUEUE_OVERFLOW, packet)

    def _all(self, ip: Any, udp: UDP) -> list[UdpEndpoint]:
        """Every endpoint that a broadcast or multicast datagram is for."""
        return [
            each
            for each in self.endpoints.get(udp.destination, ())
            if each.match(ip.destination, ip.source, udp.source) >= 0
        ]

    def _best(self, ip: Any, udp: UDP) -> list[UdpEndpoint]:
        """The endpoint bound and connected most closely; among equals that share the port, one by the addresses."""
        best: list[UdpEndpoint] = []
        most = 0
        for each in self.endpoints.get(udp.destination, ()):
            match = each.match(ip.destination, ip.source, udp.source)
            if match > most or (match == most and not best):
                best, most = [each], match
            elif match == most:
                best.append(each)
        if len(best) < 2:
            return best
        if all(each.reuse_port for each in best):
            return [best[(int(ip.source) * 31 + udp.source) % 0xFFF1 % len(best)]]
        return [best[-1]]

    def error(self, local: tuple[IPAddress, int], remote: tuple[IPAddress, int], report: ErrorReport) -> None:
        """An ICMP error about a datagram that went from `local` to `remote`."""
        for each in list(self.endpoints.get(local[1], ())):
            if each.match(local[0], remote[0], remote[1]) >= 0:
                each.refused(remote, report)


def _verified(ip: Any, udp: UDP, segment: bytes) -> bool:
    """The checksum is right; or there is none, which IPv4 allows and IPv6 does not."""
    if udp.checksum == 0:
        return isinstance(ip.source, IPv4Address)
    return (ones_sum(ip.source + ip.destination) + PROTOCOL + len(segment) + ones_sum(segment)) % 0xFFFF == 0


def unmapped(address: IPAddress) -> IPAddress:
    """The address as it is on the wire: a mapped one (RFC 4291 section 2.5.5.2) means IPv4."""
    return (address.mapped or address) if isinstance(address, IPv6Address) else address
