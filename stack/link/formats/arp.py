"""Address Resolution Protocol (RFC 826) for Ethernet and IPv4."""

from __future__ import annotations

from construct import Bytes, Int8ub, Int16ub

from stack.base.address import MAC, IPv4Address
from stack.codec.fields import AddressField, Value, wire
from stack.codec.header import Header, header
from stack.codec.registry import carried
from stack.link.formats.ethernet import ETHER_TYPES, Ethernet

REQUEST = 1
REPLY = 2


@carried(Ethernet, type=0x0806)
@header
class ARP(Header):
    """ARP packet with hardware addresses of 6 octets and protocol addresses of 4."""

    hardware_type: int = wire(Int16ub, default=1, names={1: "Ethernet"})
    protocol_type: int = wire(Int16ub, default=0x0800, names=ETHER_TYPES, hexadecimal=True)
    hardware_length: int = wire(Int8ub, default=6)
    protocol_length: int = wire(Int8ub, default=4)
    operation: int = wire(Int16ub, default=REQUEST, names={1: "request", 2: "reply", 3: "reverse request", 4: "reverse reply"})
    sender_hardware: AddressField[MAC] = wire(Value(MAC, Bytes(6)), default=MAC(0))
    sender_protocol: AddressField[IPv4Address] = wire(Value(IPv4Address, Bytes(4)), default=IPv4Address.UNSPECIFIED)
    target_hardware: AddressField[MAC] = wire(Value(MAC, Bytes(6)), default=MAC(0))
    target_protocol: AddressField[IPv4Address] = wire(Value(IPv4Address, Bytes(4)), default=IPv4Address.UNSPECIFIED)
