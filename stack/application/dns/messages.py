"""DNS messages (RFC 1035 section 4, RFC 6891): over UDP, and over TCP with a length in front (RFC 7766)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, Self

from construct import BitsInteger, Flag, GreedyBytes, Int16ub

from stack.application.dns.edns import EDNSOptions
from stack.application.dns.names import Compressor, Name, expand
from stack.application.dns.records import KINDS, OPT, TYPES, RecordData
from stack.base.errors import WireError
from stack.codec.fields import Sealed, wire
from stack.codec.header import Header, header
from stack.codec.registry import carried
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP

PORT, MULTICAST_PORT, LLMNR_PORT = 53, 5353, 5355
INTERNET = 1
OPCODES = {0: "query", 1: "inverse query", 2: "status", 4: "notify", 5: "update"}
NO_ERROR, FORMAT_ERROR, SERVER_FAILURE, NAME_ERROR, NOT_IMPLEMENTED, REFUSED = range(6)
RCODES = {
    0: "no error", 1: "format error", 2: "server failure", 3: "no such name", 4: "not implemented", 5: "refused",
    6: "name exists", 7: "record set exists", 8: "no such record set", 9: "not authoritative", 10: "not in zone",
}  # fmt: skip
CLASSES = {1: "IN", 3: "CH", 4: "HS", 254: "NONE", 255: "ANY"}
NO_OPTIONS = EDNSOptions()
HEADER = 12  # octets of the header
_QUESTION = Struct(">HH")
_RECORD = Struct(">HHIH")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: records of a type (its number) of a name."""

    name: Name
    type: int = 1
    klass: int = INTERNET

    def __str__(self) -> str:
        return f"{self.name} {CLASSES.get(self.klass, self.klass)} {TYPES.get(self.type, f'TYPE{self.type}')}"


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record; `time_to_live` in seconds. `data` are octets where the type is not known or they are damaged."""

    name: Name
    data: RecordData | bytes
    time_to_live: int = 3600
    type: int = -1  # by its data
    klass: int = INTERNET

    def __post_init__(self) -> None:
        if self.type < 0:
            if not isinstance(self.data, RecordData):
                raise TypeError("data that are octets do not say their type; give type=")
            object.__setattr__(self, "type", self.data.number)

    def __str__(self) -> str:
        data = self.data.hex() if isinstance(self.data, bytes) else str(self.data)
        kind = TYPES.get(self.type, f"TYPE{self.type}")
        return f"{self.name} {self.time_to_live} {CLASSES.get(self.klass, self.klass)} {kind} {data}"


@dataclass(frozen=True, slots=True)
class EDNS:
    """What an OPT record tells of its sender (RFC 6891 section 6.1.3). `payload_size` in octets of UDP payload."""

    payload_size: int = 1232
    dnssec_ok: bool = False
    options: EDNSOptions = NO_OPTIONS
    extended_rcode: int = 0
    version: int = 0

    def record(self) -> Record:
        """The OPT record that says so."""
        word = self.extended_rcode << 24 | self.version << 16 | self.dnssec_ok << 15
        return Record(Name(), OPT(self.options), word, klass=self.payload_size)


@dataclass(frozen=True, slots=True)
class Sections:
    """What a message holds after its header. `rest` are the octets that could not be read as what was announced."""

    questions: tuple[Question, ...]
    answers: tuple[Record, ...]
    authorities: tuple[Record, ...]
    additionals: tuple[Record, ...]
    rest: bytes


@carried(UDP, source=LLMNR_PORT)
@carried(UDP, source=MULTICAST_PORT)
@carried(UDP, source=PORT)
@carried(UDP, destination=LLMNR_PORT)
@carried(UDP, destination=MULTICAST_PORT)
@carried(UDP, destination=PORT)
@header
class DNS(Header):
    """DNS message. Its sections stay the octets they are; `read()` reads them, `DNS.message(…)` makes them."""

    identification: int = wire(Int16ub, default=0, hexadecimal=True)
    response: bool = wire(Flag, default=False, doc="QR")
    opcode: int = wire(BitsInteger(4), default=0, names=OPCODES)
    authoritative: bool = wire(Flag, default=False, doc="AA: the server is an authority for the name")
    truncated: bool = wire(Flag, default=False, doc="TC: there was more than fits")
    recursion_desired: bool = wire(Flag, default=False, doc="RD")
    recursion_available: bool = wire(Flag, default=False, doc="RA")
    reserved: bool = wire(Flag, default=False, doc="Z")
    authentic_data: bool = wire(Flag, default=False, doc="AD: verified by the resolver (RFC 4035)")
    checking_disabled: bool = wire(Flag, default=False, doc="CD: not to be verified by the resolver (RFC 4035)")
    rcode: int = wire(BitsInteger(4), default=0, names=RCODES)
    question_count: int = wire(Int16ub, default=0)
    answer_count: int = wire(Int16ub, default=0)
    authority_count: int = wire(Int16ub, default=0)
    additional_count: int = wire(Int16ub, default=0)
    sections: bytes = wire(GreedyBytes, default=b"")

    @classmethod
    def message(
        cls,
        identification: int = 0,
        questions: Sequence[Question] = (),
        answers: Sequence[Record] = (),
        authorities: Sequence[Record] = (),
        additionals: Sequence[Record] = (),
        **fields: Any,
    ) -> Self:
        """A message with these sections, names compressed, counts set. `fields`: the others of the header."""
        names = Compressor()
        octets = b""
        for question in questions:
            octets += names.write(question.name, HEADER + len(octets)) + _QUESTION.pack(question.type, question.klass)
        for record in (*answers, *authorities, *additionals):
            octets += names.write(record.name, HEADER + len(octets))
            at = HEADER + len(octets) + _RECORD.size
            data = record.data if isinstance(record.data, bytes) else record.data.write(at, names)
            octets += _RECORD.pack(record.type, record.klass, record.time_to_live, len(data)) + data
        return cls(
            identification, **fields, question_count=len(questions), answer_count=len(answers),
            authority_count=len(authorities), additional_count=len(additionals), sections=octets,
        )  # fmt: skip

    def read(self) -> Sections:
        """The sections, as far as they can be read."""
        message = bytes(HEADER) + self.sections
        questions: list[Question] = []
        sections: list[list[Record]] = [[], [], []]
        at = HEADER
        try:
            for _ in range(self.question_count):
                name, place = expand(message, at)
                _room(message, place, _QUESTION.size)
                questions.append(Question(name, *_QUESTION.unpack_from(message, place)))
                at = place + _QUESTION.size
            for section, count in zip(sections, (self.answer_count, self.authority_count, self.additional_count), strict=True):
                for _ in range(count):
                    record, at = _record(message, at)
                    section.append(record)
        except WireError:
            pass
        answers, authorities, additionals = map(tuple, sections)
        return Sections(tuple(questions), answers, authorities, additionals, message[at:])

    @property
    def questions(self) -> tuple[Question, ...]:
        """What is asked."""
        return self.read().questions

    @property
    def answers(self) -> tuple[Record, ...]:
        """The records that answer the question."""
        return self.read().answers

    @property
    def authorities(self) -> tuple[Record, ...]:
        """Records that point to an authority."""
        return self.read().authorities

    @property
    def additionals(self) -> tuple[Record, ...]:
        """Records that may help; EDNS among them."""
        return self.read().additionals

    @property
    def edns(self) -> EDNS | None:
        """What the OPT record says, if there is one."""
        for one in self.additionals:
            if isinstance(one.data, OPT):
                word = one.time_to_live
                return EDNS(one.klass, bool(word & 0x8000), one.data.options, word >> 24, word >> 16 & 0xFF)
        return None


def _room(message: bytes, at: int, size: int) -> None:
    if at + size > len(message):
        raise WireError("DNS.sections", at, "truncated")


def _record(message: bytes, at: int) -> tuple[Record, int]:
    """The resource record at octet `at` of a message, and where it ends; raises `WireError`."""
    name, at = expand(message, at)
    _room(message, at, _RECORD.size)
    number, klass, time_to_live, size = _RECORD.unpack_from(message, at)
    at += _RECORD.size
    _room(message, at, size)
    kind = KINDS.get(number)
    data: RecordData | bytes = message[at : at + size]
    if kind is not None:
        try:
            data = kind.read(message, at, at + size)
        except WireError:
            pass
    return Record(name, data, time_to_live, number, klass), at + size


@carried(TCP, source=LLMNR_PORT)
@carried(TCP, source=MULTICAST_PORT)
@carried(TCP, source=PORT)
@carried(TCP, destination=LLMNR_PORT)
@carried(TCP, destination=MULTICAST_PORT)
@carried(TCP, destination=PORT)
@header
class DNSOverTCP(Header):
    """The length in front of a DNS message in a stream, RFC 7766 section 8; read where the segment has all of it."""

    length: int = wire(Int16ub, default=Sealed)

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(len(body) if self.length is Sealed else self.length)

    def extent(self, available: int) -> int:
        if not HEADER <= self.length <= available:
            raise WireError("DNSOverTCP.length", 0, f"{self.length} octets; {available} are there")
        return self.length

    def carries(self) -> type[Header] | None:
        return DNS
