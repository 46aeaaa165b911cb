"""DNS messages, with dnspython as the oracle: names, records, compression, EDNS, damage."""

from __future__ import annotations

import random

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from stack.application.dns.edns import (
    ClientSubnet,
    Cookie,
    EDNSOption,
    EDNSOptions,
    ServiceParameter,
    ServiceParameters,
)
from stack.application.dns.messages import DNS, EDNS, DNSOverTCP, Question, Record
from stack.application.dns.names import Compressor, Name, expand
from stack.application.dns.records import (
    AAAA,
    CAA,
    CNAME,
    DNAME,
    DNSKEY,
    DS,
    HTTPS,
    KINDS,
    MX,
    NS,
    NSEC,
    OPT,
    PTR,
    RRSIG,
    SOA,
    SRV,
    SVCB,
    TXT,
    TYPES,
    A,
    RecordData,
    Strings,
    Types,
)  # fmt: skip
from stack.base.address import IPv4Address, IPv6Address
from stack.base.errors import WireError
from stack.codec.packet import Packet
from stack.ip.formats.ipv4 import IPv4
from stack.link.formats.ethernet import Ethernet
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP

WWW = Name("www.example.com")
# Each type of record: our value, and what dnspython reads the same from.
RECORDS: list[tuple[RecordData, str]] = [
    (A(IPv4Address("192.0.2.1")), "192.0.2.1"),
    (AAAA(IPv6Address("2001:db8::1")), "2001:db8::1"),
    (NS(Name("ns1.example.com")), "ns1.example.com."),
    (CNAME(Name("a.b.example.com")), "a.b.example.com."),
    (DNAME(Name("other.example.")), "other.example."),
    (PTR(Name("host.example.com")), "host.example.com."),
    (MX(10, Name("mail.example.com")), "10 mail.example.com."),
    (SOA(Name("ns1.example.com"), Name("root\\.admin.example.com"), 7, 1, 2, 3, 4), "ns1.example.com. root\\.admin.example.com. 7 1 2 3 4"),
    (TXT(Strings(["v=spf1 -all", "two"])), '"v=spf1 -all" "two"'),
    (SRV(1, 2, 443, Name("srv.example.com")), "1 2 443 srv.example.com."),
    (DS(12345, 13, 2, bytes(range(32))), "12345 13 2 " + bytes(range(32)).hex()),
    (DNSKEY(257, 3, 13, b"key!"), "257 3 13 a2V5IQ=="),
    (RRSIG(1, 13, 3, 3600, 1700000000, 1600000000, 99, Name("example.com"), b"sig!"), "A 13 3 3600 1700000000 1600000000 99 example.com. c2lnIQ=="),
    (NSEC(Name("b.example.com"), Types([1, 2, 16, 28, 46, 257])), "b.example.com. A NS TXT AAAA RRSIG CAA"),
    (CAA(0, b"issue", b"ca.example"), '0 issue "ca.example"'),
    (SVCB(1, Name("svc.example"), ServiceParameters([ServiceParameter(3, b"\x20\xfb")])), "1 svc.example. port=8443"),
    (HTTPS(1, Name("."), ServiceParameters([ServiceParameter(1, b"\2h2")])), '1 . alpn="h2"'),
]  # fmt: skip


def theirs(question: Name, records: list[tuple[RecordData, str]], number: int = 7) -> dns.message.Message:
    """A response with these records, made by dnspython."""
    message = dns.message.make_response(dns.message.make_query(str(question) + ".", "A", id=number))
    for data, text in records:
        message.answer.append(dns.rrset.from_text(str(question) + ".", 300, "IN", dns.rdatatype.to_text(data.number), text))  # type: ignore[arg-type]
    return message


@pytest.mark.parametrize(("data", "text"), RECORDS, ids=lambda one: type(one).__name__ if isinstance(one, RecordData) else "")
def test_every_type_is_read_and_written_as_dnspython_does(data: RecordData, text: str) -> None:
    wire = theirs(WWW, [(data, text)]).to_wire()
    read = DNS.parse(wire).read()
    (record,) = read.answers
    assert type(record.data) is type(data)
    assert all(getattr(record.data, name) == getattr(data, name) for name in data.__match_args__)
    assert (record.name, record.time_to_live, record.type, read.rest) == (WWW, 300, data.number, b"")
    ours = DNS.message(7, [Question(WWW)], [Record(WWW, data, 300)], response=True, recursion_desired=True)
    assert dns.message.from_wire(bytes(ours)) == theirs(WWW, [(data, text)])
    assert str(record).startswith(f"www.example.com 300 IN {type(data).__name__} ")


def test_all_types_have_a_row() -> None:
    assert {type(data) for data, _ in RECORDS} | {OPT} == set(KINDS.values())
    assert all(TYPES[kind.number] == kind.__name__ == dns.rdatatype.to_text(kind.number) for kind in KINDS.values())  # type: ignore[arg-type]


def test_a_message_of_everything_is_compressed_as_well_as_dnspythons() -> None:
    answers = [Record(WWW, data, 300) for data, _ in RECORDS]
    ours = bytes(DNS.message(7, [Question(WWW)], answers, response=True, recursion_desired=True))
    wire = theirs(WWW, RECORDS).to_wire()
    assert len(ours) <= len(wire)
    assert dns.message.from_wire(ours) == dns.message.from_wire(wire)
    assert DNS.parse(ours).read().answers == DNS.parse(wire).read().answers


def test_header_bits() -> None:
    message = dns.message.make_query("example.com", "MX", want_dnssec=True, payload=1400, id=0xBEEF)
    message.flags |= dns.flags.CD
    read = DNS.parse(message.to_wire())
    assert (read.identification, read.recursion_desired, read.checking_disabled, read.response) == (0xBEEF, True, True, False)
    assert read.questions == (Question(Name("example.com"), 15),)
    assert str(read.questions[0]) == "example.com IN MX"
    assert read.edns == EDNS(1400, True)
    assert read.authorities == ()
    response = DNS(1, True, authoritative=True, truncated=True, recursion_available=True, rcode=3)
    parsed = dns.message.from_wire(bytes(response))
    assert parsed.rcode() == dns.rcode.NXDOMAIN
    assert parsed.flags & 0xFFF0 == dns.flags.QR | dns.flags.AA | dns.flags.TC | dns.flags.RA


def test_edns_options() -> None:
    options = EDNSOptions([Cookie(b"12345678"), ClientSubnet(1, 24, 0, b"\xc0\0\2"), EDNSOption(12, data=b"\0\0")])
    ours = DNS.message(questions=[Question(WWW)], additionals=[EDNS(1232, True, options, 1).record()])
    parsed = dns.message.from_wire(bytes(ours))
    assert (parsed.payload, parsed.ednsflags >> 24) == (1232, 1)
    assert [(one.otype, one.to_wire()) for one in parsed.options] == [(10, b"12345678"), (8, b"\0\1\x18\0\xc0\0\2"), (12, b"\0\0")]
    assert DNS.parse(bytes(ours)).edns == EDNS(1232, True, options, 1)
    assert list(EDNSOptions(b"\0\x0a\0\x08123")) == [b"\0\x0a\0\x08123"]  # type: ignore[comparison-overlap]
    assert list(EDNSOptions(b"\0\x0a\0")) == [b"\0\x0a\0"]  # type: ignore[comparison-overlap]
    assert DNS().edns is None


@pytest.mark.parametrize("text", ["example.com", ".", "a\\.b.example", "\\000\\255.x", "bücher.example", "x" * 63 + ".y", "a\\(b"])
def test_names_in_text(text: str) -> None:
    oracle = dns.name.from_text(text)
    assert Name(text) == oracle.to_wire()
    assert str(Name(text)) == oracle.to_text(omit_final_dot=True)
    assert Name(str(Name(text))) == Name(text) == Name(bytes(Name(text)))
    assert Name("example.com.") == Name("example.com")


@pytest.mark.parametrize("text", ["a..b", "x" * 64, ".a", "\\256.a", ".".join(["x" * 63] * 4) + ".y"])
def test_no_names(text: str) -> None:
    with pytest.raises(ValueError):
        Name(text)
    with pytest.raises(dns.exception.DNSException):
        dns.name.from_text(text)


def test_names_as_values() -> None:
    assert Name("WWW.Example.com").lower() == WWW
    assert WWW.labels() == (b"www", b"example", b"com")
    assert (WWW.parent(), Name(".").parent()) == (Name("example.com"), None)
    assert repr(WWW) == "Name('www.example.com')"
    with pytest.raises(ValueError, match="octets after"):
        Name(b"\1a\0b")
    with pytest.raises(ValueError, match="at most 255"):
        Name(bytes(300))


@pytest.mark.parametrize(
    ("octets", "at"),
    [
        ("c000", 0),  # to itself
        ("c002c000", 0),  # forward
        ("0161c000", 0),  # round and round: a label, and back to it
        ("0161", 0),  # no end
        ("c0", 0),  # half a pointer
        ("4000", 0),  # reserved label types
        ("8000", 0),
        ("0561", 0),  # a label cut
        ("", 0),
    ],
)
def test_damaged_names(octets: str, at: int) -> None:
    with pytest.raises(WireError):
        expand(bytes.fromhex(octets), at)


def test_pointers_cannot_blow_a_name_up() -> None:
    """Each name points to the one before: the first 255 octets are a name, the rest is damage."""
    data = b"\0" + b"".join(b"\1a" + (0xC000 | (max(0, at - 4) + (at > 0))).to_bytes(2, "big") for at in range(0, 4000, 4))
    lengths = []
    for at in range(1, len(data), 4):
        try:
            lengths.append(len(expand(data, at)[0]))
        except WireError:
            break
    assert max(lengths) == 255
    assert len(lengths) == 127


def test_a_name_far_into_a_message_is_not_pointed_to() -> None:
    names = Compressor()
    assert names.write(WWW, 0x4000) == WWW
    assert names.write(WWW, 0x5000) == WWW
    assert names.write(WWW, 100, compress=False) == WWW
    assert names.write(Name("mail.example.com"), 200) == b"\4mail" + b"\xc0\x68"
    assert names.write(WWW, 300, compress=False) == WWW


def test_records_of_unknown_types_and_damaged_data_stay_octets() -> None:
    ours = DNS.message(1, answers=[Record(WWW, b"\1\2", type=999), Record(WWW, b"\1\2\3", type=1), Record(WWW, b"\xc0\xff", type=2), Record(WWW, b"\1", type=15)])
    read = DNS.parse(bytes(ours)).read()
    assert [one.data for one in read.answers] == [b"\1\2", b"\1\2\3", b"\xc0\xff", b"\1"]
    assert str(read.answers[0]) == "www.example.com 3600 IN TYPE999 0102"
    assert bytes(DNS.message(1, answers=read.answers)) == bytes(ours)
    with pytest.raises(TypeError, match="give type="):
        Record(WWW, b"\1\2")


def test_damaged_messages_are_read_as_far_as_they_go_and_stay_whole() -> None:
    wire = theirs(WWW, RECORDS).to_wire()
    counts = set()
    for end in range(12, len(wire)):
        cut = DNS.parse(wire[:end])
        read = cut.read()
        counts.add(len(read.answers))
        assert bytes(cut) == wire[:end]
        assert wire[:end].endswith(read.rest)
    assert counts == set(range(len(RECORDS)))
    draw = random.Random(1)
    for _ in range(500):
        data = bytearray(wire)
        for _ in range(4):
            data[draw.randrange(len(data))] = draw.getrandbits(8)
        message = DNS.parse(bytes(data))
        assert len(message.read().rest) <= len(data)
        assert bytes(message) == bytes(data)


def test_over_udp_and_over_tcp() -> None:
    query = DNS.message(9, [Question(WWW)], recursion_desired=True)
    udp = Packet.parse(bytes(Ethernet() / IPv4() / UDP(5000, 53) / query))
    assert udp[DNS].questions == (Question(WWW),)
    stream = Ethernet() / IPv4() / TCP(5000, 53) / DNSOverTCP() / query
    tcp = Packet.parse(bytes(stream))
    assert (tcp[DNSOverTCP].length, tcp[DNS].identification) == (len(bytes(query)), 9)
    assert dns.message.from_wire(tcp.after(DNSOverTCP)) == dns.message.from_wire(bytes(query))
    cut = Packet.parse(bytes(Ethernet() / IPv4() / TCP(5000, 53) / bytes(stream)[54:-1]))
    assert DNSOverTCP not in cut
    assert cut.payload == bytes(stream)[54:-1]


def test_parts_of_records_shown() -> None:
    assert str(TXT(Strings("one"))) == '"one"'
    assert Strings([b"a", "b"]).strings() == (b"a", b"b")
    assert Strings(b"\5ab").strings() == (b"ab",)
    with pytest.raises(ValueError, match="more than 255"):
        Strings(["x" * 256])
    assert str(Types([1, 1234])) == "A TYPE1234"
    assert list(Types([1, 15, 16, 1234]).types()) == [1, 15, 16, 1234]
