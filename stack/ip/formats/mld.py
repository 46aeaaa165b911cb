"""Multicast listener discovery (RFC 2710, RFC 3810): what follows the ICMPv6 header, whose `rest` has the delay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from construct import BitsInteger, Bytes, Flag, GreedyBytes, Int8ub, Int16ub, this

from stack.base.address import IPv6Address
from stack.codec.fields import AddressField, Made, Run, Sealed, Value, wire
from stack.codec.header import Header, header
from stack.codec.options import Option, Options, OptionsField, option
from stack.codec.registry import carried
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.nd_options import Addresses

QUERY, REPORT, DONE, REPORT_V2 = 130, 131, 132, 143
RECORD_TYPES = {
    1: "is include", 2: "is exclude", 3: "change to include", 4: "change to exclude", 5: "allow new sources",
    6: "block old sources",
}  # fmt: skip


@carried(ICMPv6, type=QUERY)
@header
class MulticastListenerQuery(Header):
    """Multicast listener query, RFC 2710 section 3: `::` asks for all groups."""

    group: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)), default=IPv6Address.UNSPECIFIED)

    def carries(self) -> type[Header] | None:
        return MulticastQuerySources


@header
class MulticastQuerySources(Header):
    """What version 2 puts after the group of a query, RFC 3810 section 5.1."""

    reserved: int = wire(BitsInteger(4), default=0, kw_only=True)
    suppress: bool = wire(Flag, default=False, doc="routers do not restart their timers (S)")
    robustness: int = wire(BitsInteger(3), default=2, doc="QRV")
    interval_code: int = wire(Int8ub, default=125, doc="QQIC, in seconds where below 128")
    count: int = wire(Int16ub, default=Sealed, kw_only=True)
    sources: Made[Addresses, Iterable[IPv6Address | str] | bytes] = wire(Value(Addresses, Run(this.count * 16)), default=Addresses())

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(len(self.sources) // 16 if self.count is Sealed else self.count)


@carried(ICMPv6, type=DONE)
@carried(ICMPv6, type=REPORT)
@header
class MulticastListenerReport(Header):
    """Multicast listener report (version 1) or done, RFC 2710 section 3."""

    group: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)))


class GroupRecords(Options):
    """The records of a version 2 report: octets that iterate as records. The ICMPv6 `rest` holds their number."""

    __slots__ = ()

    @classmethod
    def pad(cls, octets: bytes) -> bytes:
        return octets

    def measure(self, at: int) -> tuple[int, int]:
        if at + 20 > len(self):
            return 0, 0
        return self[at], 20 + 4 * self[at + 1] + 16 * (self[at + 2] << 8 | self[at + 3])

    def records(self) -> Iterator[GroupRecord]:
        """The whole records."""
        return (one for one in self if isinstance(one, GroupRecord))


@option(GroupRecords)
@header
class GroupRecord(Option):
    """Multicast address record, RFC 3810 section 5.2.4. `auxiliary_length` counts 32-bit words."""

    label = "group"
    type: int = wire(Int8ub, names=RECORD_TYPES)
    auxiliary_length: int = wire(Int8ub, default=Sealed, kw_only=True)
    count: int = wire(Int16ub, default=Sealed, kw_only=True)
    group: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)))
    sources: Made[Addresses, Iterable[IPv6Address | str] | bytes] = wire(Value(Addresses, Run(this.count * 16)), default=Addresses())
    auxiliary: bytes = wire(Run(this.auxiliary_length * 4), default=b"", kw_only=True)

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(
            len(self.auxiliary) // 4 if self.auxiliary_length is Sealed else self.auxiliary_length,
            len(self.sources) // 16 if self.count is Sealed else self.count,
        )


@carried(ICMPv6, type=REPORT_V2)
@header
class MulticastListenerReportV2(Header):
    """Version 2 multicast listener report, RFC 3810 section 5.2."""

    records: OptionsField[GroupRecords] = wire(Value(GroupRecords, GreedyBytes), default=GroupRecords())
