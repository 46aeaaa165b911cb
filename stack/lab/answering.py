"""What a probe, or a TUN, answers by itself: ARP requests (RFC 826) and neighbour solicitations (RFC 4861 section 7.2.4)."""

from __future__ import annotations

from typing import Protocol

from stack.base.address import MAC, IPAddress
from stack.codec.packet import Packet
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv6 import IPv6
from stack.ip.formats.nd import NeighborAdvertisement, NeighborSolicitation
from stack.ip.formats.nd_options import NDOptions, TargetLinkLayer
from stack.link.formats.arp import ARP, REPLY, REQUEST
from stack.link.formats.ethernet import Ethernet

_SOLICITED_OVERRIDE = bytes([0x60, 0, 0, 0])  # the S and O flags of an advertisement


class Answering(Protocol):
    """Who has a MAC address, and says which IP addresses are there."""

    @property
    def mac(self) -> MAC: ...

    def answers_for(self, address: IPAddress) -> bool: ...


def answer(probe: Answering, packet: Packet) -> Packet | None:
    """The frame that answers this one, or None where the probe's user must."""
    asked = packet.get(ARP)
    if asked is not None:
        if asked.operation != REQUEST or not probe.answers_for(asked.target_protocol):
            return None
        reply = ARP(
            operation=REPLY, sender_hardware=probe.mac, sender_protocol=asked.target_protocol,
            target_hardware=asked.sender_hardware, target_protocol=asked.sender_protocol,
        )  # fmt: skip
        return _bytes_only(Ethernet(destination=asked.sender_hardware, source=probe.mac) / reply)
    solicited = packet.get(NeighborSolicitation)
    if solicited is None or not probe.answers_for(solicited.target):
        return None
    advertisement = NeighborAdvertisement(target=solicited.target, options=NDOptions([TargetLinkLayer(probe.mac)]))
    ip = IPv6(hop_limit=255, source=solicited.target, destination=packet[IPv6].source)
    ethernet = Ethernet(destination=packet[Ethernet].source, source=probe.mac)
    return _bytes_only(ethernet / ip / ICMPv6(rest=_SOLICITED_OVERRIDE) / advertisement)


def _bytes_only(packet: Packet) -> Packet:
    return Packet.parse(bytes(packet), cause="answered by the probe")
