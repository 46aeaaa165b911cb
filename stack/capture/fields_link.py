"""Fields of the link layer: Ethernet, VLAN tags, ARP."""

from __future__ import annotations

from stack.capture.fields import Field, Kind, either, presence, table

ETHERNET_II = 0x0600  # smaller numbers are lengths (IEEE 802.3 clause 3.2.6)
IPV4 = 0x0800

_ETHERNET = table("eth", "Ethernet", [
    ("dst", Kind.MAC, lambda h: h.destination),
    ("src", Kind.MAC, lambda h: h.source),
    ("type", Kind.INTEGER, lambda h: h.type if h.type >= ETHERNET_II else None, 4),
    ("len", Kind.INTEGER, lambda h: h.type if h.type < ETHERNET_II else None),
    ("dst.ig", Kind.BOOLEAN, lambda h: h.destination[0] & 1),
    ("src.ig", Kind.BOOLEAN, lambda h: h.source[0] & 1),
    ("dst.lg", Kind.BOOLEAN, lambda h: h.destination[0] >> 1 & 1),
    ("src.lg", Kind.BOOLEAN, lambda h: h.source[0] >> 1 & 1),
])  # fmt: skip

_VLAN = table("vlan", "VLAN", [
    ("id", Kind.INTEGER, lambda h: h.identifier),
    ("priority", Kind.INTEGER, lambda h: h.priority),
    ("dei", Kind.BOOLEAN, lambda h: h.drop_eligible),
    ("etype", Kind.INTEGER, lambda h: h.type if h.type >= ETHERNET_II else None, 4),
])  # fmt: skip

_ARP = table("arp", "ARP", [
    ("hw.type", Kind.INTEGER, lambda h: h.hardware_type),
    ("proto.type", Kind.INTEGER, lambda h: h.protocol_type, 4),
    ("hw.size", Kind.INTEGER, lambda h: h.hardware_length),
    ("proto.size", Kind.INTEGER, lambda h: h.protocol_length),
    ("opcode", Kind.INTEGER, lambda h: h.operation),
    ("src.hw_mac", Kind.MAC, lambda h: h.sender_hardware),
    ("src.proto_ipv4", Kind.IPV4, lambda h: h.sender_protocol),
    ("dst.hw_mac", Kind.MAC, lambda h: h.target_hardware),
    ("dst.proto_ipv4", Kind.IPV4, lambda h: h.target_protocol),
    ("isgratuitous", Kind.BOOLEAN, lambda h: True if h.sender_protocol == h.target_protocol else None),
])  # fmt: skip

FIELDS: list[Field] = [
    presence("eth", "Ethernet"), *_ETHERNET, either("eth.addr", _ETHERNET[0], _ETHERNET[1]),
    presence("vlan", "VLAN"), *_VLAN,
    presence("llc", "LLC"),
    presence("sll", "LinuxCooked", "LinuxCookedV2"),
    presence("null", "Null", "Loopback"),
    presence("arp", "ARP"), *_ARP,
]  # fmt: skip
