"""The Address Resolution Protocol on one interface: who asks, who answers, what is learnt (RFC 826, RFC 1122 2.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stack.base.address import MAC, IPAddress, IPv4Address
from stack.base.event import DropReason
from stack.codec.packet import Packet
from stack.ip.neighbour import NeighbourCache
from stack.ip.route import choose_source
from stack.link.formats.arp import ARP, REPLY, REQUEST
from stack.link.formats.ethernet import Ethernet

ETHER_TYPE = 0x0806
_ETHERNET = 1
_IPV4 = 0x0800


class AddressResolution:
    """Speaks ARP for the addresses that `addresses()` names, with `cache` as its memory; `emit(packet)` sends."""

    def __init__(
        self, mac: MAC, addresses: Callable[[], Sequence[IPv4Address]], cache: NeighbourCache, emit: Callable[[Packet], None]
    ) -> None:
        self.mac = mac
        self._addresses = addresses
        self._cache = cache
        self._emit = emit

    def solicit(self, address: IPAddress, mac: MAC | None, now: int) -> None:
        """Ask who has `address`: everyone, or the one who had it last (RFC 1122 section 2.3.2.1 (2), unicast poll)."""
        target = IPv4Address(address)
        source = choose_source(self._addresses(), target) or IPv4Address.UNSPECIFIED
        cause = f"who has {address}?" if mac is None else f"is {address} still there?"
        self._send(mac or MAC.BROADCAST, REQUEST, IPv4Address(source), MAC(0), target, cause)

    def announce(self, address: IPv4Address) -> None:
        """Tell everyone where `address` is: a gratuitous request (RFC 5227 section 2.3)."""
        self._send(MAC.BROADCAST, REQUEST, address, MAC(0), address, f"gratuitous: {address} is here")

    def receive(self, arp: ARP, now: int) -> DropReason | None:
        """Take an ARP packet; says why it was of no use."""
        if (arp.hardware_type, arp.protocol_type, arp.hardware_length, arp.protocol_length) != (_ETHERNET, _IPV4, 6, 4):
            return DropReason.MALFORMED
        if arp.operation not in (REQUEST, REPLY):
            return DropReason.MALFORMED
        own = self._addresses()
        sender = arp.sender_protocol
        if arp.sender_hardware.is_group or sender.is_multicast or sender[0] in (127, 255) or sender in own:
            return DropReason.BAD_ADDRESS
        for_us = arp.target_protocol in own
        if sender != IPv4Address.UNSPECIFIED:  # a probe (RFC 5227) says nothing of its sender
            answer = arp.operation == REPLY and for_us
            self._cache.heard(sender, arp.sender_hardware, now, answer=answer, create=for_us and arp.operation == REQUEST)
        if not for_us:
            return None if sender == arp.target_protocol else DropReason.NOT_FOR_US
        if arp.operation == REQUEST:
            cause = f"answer to {sender}: {arp.target_protocol} is here"
            self._send(arp.sender_hardware, REPLY, arp.target_protocol, arp.sender_hardware, sender, cause)
        return None

    def _send(self, to: MAC, operation: int, source: IPv4Address, target_mac: MAC, target: IPv4Address, cause: str) -> None:
        message = ARP(
            operation=operation, sender_hardware=self.mac, sender_protocol=source, target_hardware=target_mac, target_protocol=target
        )
        self._emit(Packet.of((Ethernet(to, self.mac, ETHER_TYPE), message), b"", cause))
