"""Link-layer headers that captures put in place of the network's: BSD null and loop, Linux cooked (tcpdump.org)."""

from __future__ import annotations

from construct import Bytes, Int8ub, Int16ub, Int32ub, Int32ul

from stack.codec.fields import Sealed, wire
from stack.codec.header import Header, HeaderType, header
from stack.codec.registry import LinkType, begins, choose_beginning, numbered_like
from stack.link.formats.ethernet import ETHER_TYPES, LLC, Ethernet

FAMILIES = {2: "IPv4", 10: "IPv6", 23: "IPv6", 24: "IPv6", 28: "IPv6", 30: "IPv6"}
PACKET_TYPES = {0: "to us", 1: "broadcast", 2: "multicast", 3: "to others", 4: "from us"}
HARDWARE_TYPES = {1: "Ethernet", 512: "PPP", 768: "IP tunnel", 772: "loopback", 776: "6in4", 778: "GRE", 65534: "none"}
COOKED_LLC = 4  # what stands in the type field for 802.2 LLC
COOKED_TYPES = ETHER_TYPES | {1: "802.3", COOKED_LLC: "802.2"}


@header
class Null(Header):
    """BSD loopback encapsulation as a little-endian machine writes it: the address family of what follows."""

    family: int = wire(Int32ul, default=Sealed, names=FAMILIES)


@begins(LinkType.LOOP)
@numbered_like(Null)
@header
class Loopback(Header):
    """OpenBSD loopback encapsulation, and BSD's as a big-endian machine writes it."""

    family: int = wire(Int32ub, default=Sealed, names=FAMILIES)


@choose_beginning(LinkType.NULL)
def null(data: bytes) -> HeaderType | None:
    """The byte order is the writer's: families are small numbers, so the zeros tell it."""
    return Loopback if data[:2] == b"\0\0" else Null


@begins(LinkType.LINUX_SLL)
@numbered_like(Ethernet)
@header
class LinuxCooked(Header):
    """Linux cooked header, version 1: what a packet socket tells of a frame from any interface."""

    packet_type: int = wire(Int16ub, default=0, names=PACKET_TYPES)
    hardware_type: int = wire(Int16ub, default=1, names=HARDWARE_TYPES)
    address_length: int = wire(Int16ub, default=6)
    address: bytes = wire(Bytes(8), default=bytes(8), doc="the sender's, filled up with zeros")
    type: int = wire(Int16ub, default=Sealed, names=COOKED_TYPES, hexadecimal=True)

    def carries(self) -> HeaderType | None:
        return LLC if self.type == COOKED_LLC else self.carried[0][1].get(self.type)


@begins(LinkType.LINUX_SLL2)
@numbered_like(Ethernet)
@header
class LinuxCookedV2(Header):
    """Linux cooked header, version 2: with the interface's number."""

    type: int = wire(Int16ub, default=Sealed, names=COOKED_TYPES, hexadecimal=True)
    reserved: int = wire(Int16ub, default=0)
    interface: int = wire(Int32ub, default=0, doc="interface index")
    hardware_type: int = wire(Int16ub, default=1, names=HARDWARE_TYPES)
    packet_type: int = wire(Int8ub, default=0, names=PACKET_TYPES)
    address_length: int = wire(Int8ub, default=6)
    address: bytes = wire(Bytes(8), default=bytes(8), doc="the sender's, filled up with zeros")

    def carries(self) -> HeaderType | None:
        return LLC if self.type == COOKED_LLC else self.carried[0][1].get(self.type)
