"""Internet Group Management Protocol, versions 1 to 3 (RFC 1112, RFC 2236, RFC 3376)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from construct import BitsInteger, Bytes, Flag, GreedyBytes, Int8ub, Int16ub, this

from stack.base.address import IPv4Address
from stack.codec.checksum import internet_checksum
from stack.codec.fields import AddressField, Made, Run, Sealed, Value, wire
from stack.codec.header import Header, HeaderType, header
from stack.codec.options import Option, Options, OptionsField, option
from stack.codec.registry import carried
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.mld import RECORD_TYPES
from stack.ip.formats.options import Route

PROTOCOL = 2
QUERY, REPORT_V1, REPORT_V2, LEAVE, REPORT_V3 = 0x11, 0x12, 0x16, 0x17, 0x22
TYPES = {
    QUERY: "membership query", REPORT_V1: "version 1 membership report", 0x13: "DVMRP", 0x14: "PIM version 1",
    REPORT_V2: "version 2 membership report", LEAVE: "leave group", REPORT_V3: "version 3 membership report",
}  # fmt: skip


@carried(IPv4, protocol=PROTOCOL)
@header
class IGMP(Header):
    """IGMP message of 8 octets, RFC 2236 section 2; version 3 goes on after it, and its report has no group here."""

    type: int = wire(Int8ub, default=QUERY, names=TYPES, hexadecimal=True)
    response_time: int = wire(Int8ub, default=0, doc="greatest, in tenths of a second; version 3 has a float above 127")
    checksum: int = wire(Int16ub, default=Sealed, hexadecimal=True)
    group: AddressField[IPv4Address] = wire(
        Value(IPv4Address, Bytes(4)), default=IPv4Address.UNSPECIFIED, doc="in a version 3 report the number of records"
    )

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        if self.checksum is not Sealed:
            return self.pack()
        head = self.pack(0)
        return head[:2] + internet_checksum(head + body).to_bytes(2, "big") + head[4:]

    def carries(self) -> HeaderType | None:
        if self.type == QUERY:
            return GroupQuerySources
        return GroupReport if self.type == REPORT_V3 else None


@header
class GroupQuerySources(Header):
    """What version 3 puts after the group of a query, RFC 3376 section 4.1."""

    reserved: int = wire(BitsInteger(4), default=0, kw_only=True)
    suppress: bool = wire(Flag, default=False, doc="routers do not restart their timers (S)")
    robustness: int = wire(BitsInteger(3), default=2, doc="QRV")
    interval_code: int = wire(Int8ub, default=125, doc="QQIC, in seconds where below 128")
    count: int = wire(Int16ub, default=Sealed, kw_only=True)
    sources: Made[Route, Iterable[IPv4Address | str] | bytes] = wire(Value(Route, Run(this.count * 4)), default=Route())

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(len(self.sources) // 4 if self.count is Sealed else self.count)


class IPv4GroupRecords(Options):
    """The records of a version 3 report: octets that iterate as records."""

    __slots__ = ()

    @classmethod
    def pad(cls, octets: bytes) -> bytes:
        return octets

    def measure(self, at: int) -> tuple[int, int]:
        if at + 8 > len(self):
            return 0, 0
        return self[at], 8 + 4 * (self[at + 1] + (self[at + 2] << 8 | self[at + 3]))

    def records(self) -> Iterator[IPv4GroupRecord]:
        """The whole records."""
        return (one for one in self if isinstance(one, IPv4GroupRecord))


@option(IPv4GroupRecords)
@header
class IPv4GroupRecord(Option):
    """Group record, RFC 3376 section 4.2.4. `auxiliary_length` counts 32-bit words."""

    label = "group"
    type: int = wire(Int8ub, names=RECORD_TYPES)
    auxiliary_length: int = wire(Int8ub, default=Sealed, kw_only=True)
    count: int = wire(Int16ub, default=Sealed, kw_only=True)
    group: AddressField[IPv4Address] = wire(Value(IPv4Address, Bytes(4)))
    sources: Made[Route, Iterable[IPv4Address | str] | bytes] = wire(Value(Route, Run(this.count * 4)), default=Route())
    auxiliary: bytes = wire(Run(this.auxiliary_length * 4), default=b"", kw_only=True)

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(
            len(self.auxiliary) // 4 if self.auxiliary_length is Sealed else self.auxiliary_length,
            len(self.sources) // 4 if self.count is Sealed else self.count,
        )


@header
class GroupReport(Header):
    """The records of a version 3 membership report, RFC 3376 section 4.2."""

    records: OptionsField[IPv4GroupRecords] = wire(Value(IPv4GroupRecords, GreedyBytes), default=IPv4GroupRecords())
