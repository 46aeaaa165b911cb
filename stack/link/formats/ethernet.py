"""Ethernet II and IEEE 802.3 frames (IEEE 802.3 clause 3), LLC (IEEE 802.2) and SNAP (RFC 1042)."""

from __future__ import annotations

from construct import Bytes, Int8ub, Int16ub, Int24ub, this

from stack.base.address import MAC
from stack.codec.fields import AddressField, Run, Sealed, Value, wire
from stack.codec.header import Header, HeaderType, header
from stack.codec.registry import LinkType, begins, carried, numbered_like

LEAST_TYPE = 0x0600  # smaller numbers in the type field are lengths (clause 3.2.6)
MOST_LENGTH = 1500
ETHER_TYPES = {
    0x0800: "IPv4", 0x0806: "ARP", 0x0842: "Wake-on-LAN", 0x22F3: "TRILL", 0x6558: "transparent Ethernet",
    0x8035: "RARP", 0x809B: "AppleTalk", 0x8100: "802.1Q", 0x8137: "IPX", 0x86DD: "IPv6", 0x8808: "flow control",
    0x8809: "slow protocols", 0x8847: "MPLS", 0x8848: "MPLS multicast", 0x8863: "PPPoE discovery", 0x8864: "PPPoE session",
    0x888E: "EAPOL", 0x88A8: "802.1ad", 0x88CC: "LLDP", 0x88E5: "MACsec", 0x88F7: "PTP", 0x9000: "loopback",
    0x9100: "802.1 QinQ",
}  # fmt: skip
SERVICE_ACCESS_POINTS = {0x06: "IPv4", 0x42: "spanning tree", 0xAA: "SNAP", 0xE0: "IPX", 0xF0: "NetBIOS", 0xFE: "OSI"}


def follows(number: int, kinds: dict[int, HeaderType]) -> HeaderType | None:
    """The header type after a field that is an EtherType or, below 0x0600, the length of an LLC frame."""
    return kinds.get(number) if number >= LEAST_TYPE else LLC


@begins(LinkType.ETHERNET)
@header
class Ethernet(Header):
    """Ethernet header, IEEE 802.3. In 802.3 frames its type is a length. The frame check sequence is not part of a frame here."""

    recurs = True
    destination: AddressField[MAC] = wire(Value(MAC, Bytes(6)), default=MAC.BROADCAST)
    source: AddressField[MAC] = wire(Value(MAC, Bytes(6)), default=MAC(0))
    type: int = wire(Int16ub, default=Sealed, names=ETHER_TYPES, hexadecimal=True)

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(sealed_type(self.type, body, headers, index))

    def extent(self, available: int) -> int:
        return self.type if self.type <= MOST_LENGTH else available

    def carries(self) -> HeaderType | None:
        return _carried.get(self.type) if self.type >= LEAST_TYPE else LLC

    @staticmethod
    def step(data: bytes, at: int, end: int) -> tuple[Ethernet, int, int, HeaderType | None]:
        after = at + 14
        if after > end:
            Ethernet.decode(data, at, end)
        header: Ethernet = _known[data[at:after]]
        number = header.type
        if number <= MOST_LENGTH and after + number < end:
            end = after + number
        if after == end:
            return header, after, end, None
        return header, after, end, _carried.get(number) if number >= LEAST_TYPE else LLC

    @staticmethod
    def skip(data: bytes, at: int, end: int) -> tuple[HeaderType | None, int, int]:
        after = at + 14
        if after >= end:
            return None, at if after > end else after, end
        number = data[at + 12] << 8 | data[at + 13]
        if number >= LEAST_TYPE:
            return _carried.get(number), after, end
        if number <= MOST_LENGTH and after + number < end:
            end = after + number
        return LLC if after < end else None, after, end


_known = Ethernet.known
_carried: dict[int, HeaderType] = {}
Ethernet.carried.append(("type", _carried))


def sealed_type(number: int, body: bytes, headers: tuple[Header, ...], index: int) -> int:
    """What a type field says: its own number, or, still Sealed before LLC, the length of an 802.3 frame."""
    if number is Sealed and index + 1 < len(headers) and isinstance(headers[index + 1], LLC):
        return len(body)
    return number


@header
class LLC(Header):
    """Logical link control header, IEEE 802.2. A control field that is no unnumbered command has two octets."""

    destination: int = wire(Int8ub, default=Sealed, names=SERVICE_ACCESS_POINTS, hexadecimal=True, doc="DSAP")
    source: int = wire(Int8ub, default=0xAA, names=SERVICE_ACCESS_POINTS, hexadecimal=True, doc="SSAP")
    control: int = wire(Int8ub, default=3, names={3: "unnumbered information"}, hexadecimal=True)
    numbers: bytes = wire(Run(1 - (this.control & 3) // 3), default=b"", doc="the second octet of the control field")

    def carries(self) -> HeaderType | None:
        return self.carried[0][1].get(self.destination) if self.control == 3 else None


@carried(LLC, destination=0xAA)
@numbered_like(Ethernet)
@header
class SNAP(Header):
    """Subnetwork access protocol header, IEEE 802: organization 0 means that the type is an EtherType (RFC 1042)."""

    organization: int = wire(Int24ub, default=0, hexadecimal=True, doc="OUI")
    type: int = wire(Int16ub, default=Sealed, names=ETHER_TYPES, hexadecimal=True)

    def carries(self) -> HeaderType | None:
        return None if self.organization else self.carried[0][1].get(self.type)
