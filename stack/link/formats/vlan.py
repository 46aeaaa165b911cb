"""VLAN tags (IEEE 802.1Q clause 9.6), stacked ones too (IEEE 802.1ad)."""

from __future__ import annotations

from construct import BitsInteger, Flag, Int16ub

from stack.codec.fields import Sealed, wire
from stack.codec.header import Header, HeaderType, header
from stack.codec.registry import carried, numbered_like
from stack.link.formats.ethernet import ETHER_TYPES, MOST_LENGTH, Ethernet, follows, sealed_type


@carried(Ethernet, type=0x9100)
@carried(Ethernet, type=0x88A8)
@carried(Ethernet, type=0x8100)
@numbered_like(Ethernet)
@header
class VLAN(Header):
    """VLAN tag. Put behind a header whose type is Sealed it is 802.1Q; for another say so: `Ethernet(type=0x88A8)`."""

    priority: int = wire(BitsInteger(3), default=0, doc="priority code point")
    drop_eligible: bool = wire(Flag, default=False, doc="may be dropped first")
    identifier: int = wire(BitsInteger(12), default=0, doc="VLAN identifier")
    type: int = wire(Int16ub, default=Sealed, names=ETHER_TYPES, hexadecimal=True)

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(sealed_type(self.type, body, headers, index))

    def extent(self, available: int) -> int:
        return self.type if self.type <= MOST_LENGTH else available

    def carries(self) -> HeaderType | None:
        return follows(self.type, self.carried[0][1])
