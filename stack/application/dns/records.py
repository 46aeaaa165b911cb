"""The data of resource records, by type (RFC 1035 section 3.3, RFC 3596, RFC 2782, RFC 4034, RFC 8659, RFC 9460)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Self, TypeVar

from construct import Bytes, GreedyBytes, Int8ub, Int16ub, Int32ub, this

from stack.application.dns.edns import EDNSOptions, ServiceParameters
from stack.application.dns.names import Compressor, Name, NameFormat, expand
from stack.base.address import IPv4Address, IPv6Address
from stack.base.errors import WireError
from stack.codec.fields import AddressField, Made, Run, Sealed, Value, wire
from stack.codec.header import Header, header
from stack.codec.options import OptionsField

_D = TypeVar("_D", bound=type[Header])
KINDS: dict[int, type[RecordData]] = {}  # type of record → what its data are
TYPES: dict[int, str] = {
    13: "HINFO", 17: "RP", 18: "AFSDB", 24: "SIG", 25: "KEY", 29: "LOC", 32: "NB", 35: "NAPTR", 36: "KX", 37: "CERT",
    44: "SSHFP", 45: "IPSECKEY", 49: "DHCID", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA", 59: "CDS",
    60: "CDNSKEY", 61: "OPENPGPKEY", 99: "SPF", 249: "TKEY", 250: "TSIG", 251: "IXFR", 252: "AXFR", 255: "ANY",
    256: "URI",
}  # fmt: skip
ALGORITHMS = {5: "RSA/SHA-1", 8: "RSA/SHA-256", 10: "RSA/SHA-512", 13: "ECDSA P-256", 14: "ECDSA P-384", 15: "Ed25519", 16: "Ed448"}


class RecordData(Header):
    """The data of a resource record. `number` is its type, `compressed` whether its names may be (RFC 3597 section 4)."""

    __slots__ = ()
    number: ClassVar[int]
    compressed: ClassVar[bool] = False

    def __str__(self) -> str:
        return " ".join(self.fields[name].show(getattr(self, name)) for name in self.__match_args__)

    def write(self, at: int, names: Compressor) -> bytes:
        """The octets of the data when they stand at octet `at` of a message."""
        octets = bytes(self)
        place, built = 0, b""
        for field, value in self.items():
            if isinstance(value, Name):
                built += names.write(value, at + len(built), self.compressed)
                place += len(value)
            elif field.bits is None:
                break
            else:
                built += octets[place : place + field.bits // 8]
                place += field.bits // 8
        return built + octets[place:]

    @classmethod
    def read(cls, message: bytes, at: int, end: int) -> Self:
        """The data in octets `at` to `end` of a message; raises `WireError`."""
        octets = b""
        for field in cls.fields.values():
            if isinstance(field.format, Value) and field.format.kind is Name:
                name, at = expand(message[:end], at)
                octets += name
            elif field.bits is None:
                break
            else:
                octets += message[at : min(at + field.bits // 8, end)]
                at += field.bits // 8
        octets += message[at:end]
        data, stop = cls.decode(octets, 0, len(octets))
        if stop != len(octets) or at > end:
            raise WireError(cls.__name__, at, "octets after the data")
        found: Self = data
        return found


def record_type(number: int, name: str = "", *, compressed: bool = False) -> Callable[[_D], _D]:
    """Mark what the data of records of this type are."""

    def mark(kind: Any) -> Any:
        kind.number, kind.compressed = number, compressed
        KINDS[number] = kind
        TYPES[number] = name or kind.__name__
        return kind

    return mark


class Strings(bytes):
    """Character strings one after the other, each after its length. Made from octets or from strings."""

    __slots__ = ()

    def __new__(cls, value: bytes | Iterable[str | bytes] = b"") -> Self:
        if not isinstance(value, bytes | bytearray | memoryview):
            raw = [one.encode() if isinstance(one, str) else bytes(one) for one in ([value] if isinstance(value, str) else value)]
            if any(len(one) > 255 for one in raw):
                raise ValueError("a string of more than 255 octets")
            value = b"".join([bytes((len(one),)) + one for one in raw])
        return bytes.__new__(cls, value)

    def strings(self) -> tuple[bytes, ...]:
        """The strings; the last one may be cut."""
        found, at = [], 0
        while at < len(self):
            found.append(self[at + 1 : at + 1 + self[at]])
            at += 1 + self[at]
        return tuple(found)

    def __str__(self) -> str:
        return " ".join('"' + one.decode("ascii", "backslashreplace") + '"' for one in self.strings())


class Types(bytes):
    """Which types exist, as NSEC tells it (RFC 4034 section 4.1.2). Made from octets or from numbers."""

    __slots__ = ()

    def __new__(cls, value: bytes | Iterable[int] = b"") -> Self:
        if not isinstance(value, bytes | bytearray | memoryview):
            windows: dict[int, bytearray] = {}
            for number in sorted(value):
                bits = windows.setdefault(number >> 8, bytearray())
                bits.extend(bytes((number & 0xFF) // 8 + 1 - len(bits)))
                bits[-1] |= 0x80 >> (number & 7)
            value = b"".join([bytes((window, len(bits))) + bits for window, bits in windows.items()])
        return bytes.__new__(cls, value)

    def types(self) -> Iterator[int]:
        """The numbers of the types, as far as the octets are well formed."""
        at = 0
        while at + 2 <= len(self):
            window, size = self[at], self[at + 1]
            for place, octet in enumerate(self[at + 2 : at + 2 + size]):
                yield from (window << 8 | place << 3 | bit for bit in range(8) if octet & 0x80 >> bit)
            at += 2 + size

    def __str__(self) -> str:
        return " ".join(TYPES.get(number, f"TYPE{number}") for number in self.types())


@record_type(1)
@header
class A(RecordData):
    """Host address, RFC 1035 section 3.4.1."""

    address: AddressField[IPv4Address] = wire(Value(IPv4Address, Bytes(4)))


@record_type(2, compressed=True)
@header
class NS(RecordData):
    """Authoritative name server, RFC 1035 section 3.3.11."""

    server: Made[Name, str | bytes] = wire(Value(Name, NameFormat()))


@record_type(5, compressed=True)
@header
class CNAME(RecordData):
    """Canonical name of an alias, RFC 1035 section 3.3.1."""

    canonical: Made[Name, str | bytes] = wire(Value(Name, NameFormat()))


@record_type(6, compressed=True)
@header
class SOA(RecordData):
    """Start of a zone of authority, RFC 1035 section 3.3.13. Times in seconds."""

    server: Made[Name, str | bytes] = wire(Value(Name, NameFormat()), doc="MNAME")
    mailbox: Made[Name, str | bytes] = wire(Value(Name, NameFormat()), doc="RNAME")
    serial: int = wire(Int32ub, default=1)
    refresh: int = wire(Int32ub, default=7200)
    retry: int = wire(Int32ub, default=3600)
    expire: int = wire(Int32ub, default=1209600)
    minimum: int = wire(Int32ub, default=3600, doc="for how long the absence of a name may be remembered, RFC 2308")


@record_type(12, compressed=True)
@header
class PTR(RecordData):
    """Pointer to another name, RFC 1035 section 3.3.12."""

    target: Made[Name, str | bytes] = wire(Value(Name, NameFormat()))


@record_type(15, compressed=True)
@header
class MX(RecordData):
    """Mail exchange, RFC 1035 section 3.3.9."""

    preference: int = wire(Int16ub)
    exchange: Made[Name, str | bytes] = wire(Value(Name, NameFormat()))


@record_type(16)
@header
class TXT(RecordData):
    """Text strings, RFC 1035 section 3.3.14."""

    strings: Made[Strings, Iterable[str | bytes] | bytes] = wire(Value(Strings, GreedyBytes), default=Strings([b""]))


@record_type(28)
@header
class AAAA(RecordData):
    """IPv6 host address, RFC 3596."""

    address: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)))


@record_type(33)
@header
class SRV(RecordData):
    """Location of a service, RFC 2782."""

    priority: int = wire(Int16ub)
    weight: int = wire(Int16ub)
    port: int = wire(Int16ub)
    target: Made[Name, str | bytes] = wire(Value(Name, NameFormat()))


@record_type(39)
@header
class DNAME(RecordData):
    """Redirection of a subtree of names, RFC 6672."""

    target: Made[Name, str | bytes] = wire(Value(Name, NameFormat()))


@record_type(41)
@header
class OPT(RecordData):
    """The options of EDNS, RFC 6891 section 6.1; the rest of it is in the record's class and time to live."""

    options: OptionsField[EDNSOptions] = wire(Value(EDNSOptions, GreedyBytes), default=EDNSOptions())


@record_type(43)
@header
class DS(RecordData):
    """Delegation signer, RFC 4034 section 5."""

    key_tag: int = wire(Int16ub)
    algorithm: int = wire(Int8ub, names=ALGORITHMS)
    digest_type: int = wire(Int8ub, names={1: "SHA-1", 2: "SHA-256", 4: "SHA-384"})
    digest: bytes = wire(GreedyBytes)


@record_type(46)
@header
class RRSIG(RecordData):
    """Signature over a set of records, RFC 4034 section 3. Times in seconds since 1970."""

    type_covered: int = wire(Int16ub, names=TYPES)
    algorithm: int = wire(Int8ub, names=ALGORITHMS)
    labels: int = wire(Int8ub)
    original_time_to_live: int = wire(Int32ub)
    expiration: int = wire(Int32ub)
    inception: int = wire(Int32ub)
    key_tag: int = wire(Int16ub)
    signer: Made[Name, str | bytes] = wire(Value(Name, NameFormat()))
    signature: bytes = wire(GreedyBytes)


@record_type(47)
@header
class NSEC(RecordData):
    """Next name of a zone and the types of this one, RFC 4034 section 4."""

    next: Made[Name, str | bytes] = wire(Value(Name, NameFormat()))
    types: Made[Types, Iterable[int] | bytes] = wire(Value(Types, GreedyBytes), default=Types())


@record_type(48)
@header
class DNSKEY(RecordData):
    """Public key of a zone, RFC 4034 section 2."""

    flags_word: int = wire(Int16ub, default=256, names={256: "zone key", 257: "key signing key"})
    protocol: int = wire(Int8ub, default=3)
    algorithm: int = wire(Int8ub, default=13, names=ALGORITHMS)
    key: bytes = wire(GreedyBytes, default=b"")


@record_type(64)
@header
class SVCB(RecordData):
    """Service binding, RFC 9460. Priority 0 is an alias."""

    priority: int = wire(Int16ub)
    target: Made[Name, str | bytes] = wire(Value(Name, NameFormat()))
    parameters: OptionsField[ServiceParameters] = wire(Value(ServiceParameters, GreedyBytes), default=ServiceParameters())


@record_type(65)
@header
class HTTPS(RecordData):
    """Service binding of a web server, RFC 9460 section 9."""

    priority: int = wire(Int16ub)
    target: Made[Name, str | bytes] = wire(Value(Name, NameFormat()))
    parameters: OptionsField[ServiceParameters] = wire(Value(ServiceParameters, GreedyBytes), default=ServiceParameters())


@record_type(257)
@header
class CAA(RecordData):
    """Certification authority authorization, RFC 8659: `CAA(0, b"issue", b"ca.example")`."""

    flags_octet: int = wire(Int8ub, names={0: "none", 128: "critical"})
    tag_length: int = wire(Int8ub, default=Sealed, kw_only=True)
    tag: bytes = wire(Run(this.tag_length))
    value: bytes = wire(GreedyBytes, default=b"")

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(len(self.tag) if self.tag_length is Sealed else self.tag_length)
