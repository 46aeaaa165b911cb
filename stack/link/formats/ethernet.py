"""Ethernet II frames (IEEE 802.3 clause 3)."""

from __future__ import annotations

from construct import Bytes, Int16ub

from stack.base.address import MAC
from stack.codec.fields import Sealed, Value, wire
from stack.codec.header import Header, header
from stack.codec.registry import LinkType, begins

ETHER_TYPES = {
    0x0800: "IPv4",
    0x0806: "ARP",
    0x8100: "802.1Q",
    0x86DD: "IPv6",
    0x88A8: "802.1ad",
}


@begins(LinkType.ETHERNET)
@header
class Ethernet(Header):
    """Ethernet II header. The frame check sequence is not part of a frame here, as in captures."""

    destination: MAC = wire(Value(MAC, Bytes(6)), default=MAC.BROADCAST)
    source: MAC = wire(Value(MAC, Bytes(6)), default=MAC(0))
    type: int = wire(Int16ub, default=Sealed, names=ETHER_TYPES)
