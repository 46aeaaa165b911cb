"""A packet is its headers and its bytes, two views of one thing."""

from __future__ import annotations

import pickle

import pytest

from stack.application.dns.messages import DNS, Question
from stack.application.dns.names import Name
from stack.base.address import MAC, IPv4Address
from stack.base.errors import WireError
from stack.codec.fields import Sealed
from stack.codec.packet import Packet
from stack.codec.registry import LinkType
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.link.formats.ethernet import LLC, SNAP, Ethernet
from stack.tcp.formats.options import MSS
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP

A, B = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
SYN = Ethernet(MAC("02:00:00:00:00:02"), MAC("02:00:00:00:00:01")) / IPv4(source=A, destination=B) / TCP(4000, 80, 7, syn=True, options=[MSS(1460)])
FRAME = bytes.fromhex(
    "020000000002 020000000001 0800"
    "4500002c 00000000 400666ca 0a000001 0a000002"
    "0fa00050 00000007 00000000 6002ffff 742d0000 020405b4"
)  # fmt: skip


def test_headers_become_bytes_with_lengths_checksums_and_numbers() -> None:
    assert bytes(SYN) == FRAME
    assert len(SYN) == len(FRAME)
    assert bytes(SYN) is bytes(SYN)  # made once


def test_bytes_become_headers() -> None:
    packet = Packet.parse(FRAME)
    assert [type(one) for one in packet.headers] == [Ethernet, IPv4, TCP]
    assert packet[TCP].syn
    assert packet[TCP].options.mss == 1460
    assert packet[IPv4].total_length == 44
    assert (packet.payload, packet.trailer) == (b"", b"")
    assert packet == SYN
    assert packet.rebuild() == FRAME


def test_looking_at_one_header_is_like_looking_at_all() -> None:
    one, all_of_it = Packet.parse(FRAME), Packet.parse(FRAME)
    assert all_of_it.headers[2] == one[TCP] is one[TCP]
    assert one[IPv4] == all_of_it[IPv4]
    assert one.get(UDP) is None
    assert UDP not in Packet.parse(FRAME)
    assert TCP in one
    with pytest.raises(KeyError, match=r"no UDP in this packet \(Ethernet / IPv4 / TCP\)"):
        one[UDP]
    with pytest.raises(KeyError, match="no headers"):
        Packet.parse(b"")[UDP]


def test_a_slash_puts_one_after_another() -> None:
    packet = Ethernet() / IPv4() / UDP(1, 2) / b"data"
    assert packet.payload == b"data"
    assert bytes(packet) == bytes(Packet(Ethernet(), IPv4(), UDP(1, 2), payload=b"data"))
    assert (Packet(Ethernet()) / (IPv4() / UDP(1, 2) / b"data")) == packet
    with pytest.raises(TypeError, match="after a payload"):
        packet / b"more"
    with pytest.raises(TypeError, match="after a payload"):
        packet / UDP()
    with pytest.raises(TypeError):
        packet / 5
    with pytest.raises(TypeError, match="5 is not a header"):
        Packet(5)  # type: ignore[arg-type]


def test_wrong_on_purpose_stays_wrong() -> None:
    packet = Ethernet(type=0x9999) / IPv4(checksum=1, total_length=99, header_length=5, protocol=200) / UDP(1, 2, 3, 4)
    assert bytes(packet)[12:14].hex() == "9999"
    parsed = Packet.parse(bytes(packet)[14:], LinkType.IPV4)
    assert parsed[IPv4].checksum == 1
    assert (parsed[IPv4].total_length, parsed[IPv4].protocol) == (99, 200)
    assert parsed.payload == bytes.fromhex("0001000200030004")
    assert bytes(Packet.parse(bytes(Ethernet() / IPv4() / UDP(1, 2, checksum=0)))[UDP])[6:] == b"\0\0"


def test_padding_is_trailer() -> None:
    frame = bytes(Ethernet() / IPv4() / UDP(1, 2) / b"ab") + bytes(16)
    packet = Packet.parse(frame)
    assert (packet.payload, packet.trailer) == (b"ab", bytes(16))
    assert packet.rebuild() == frame
    assert (Packet(Ethernet(), IPv4(), trailer=b"tail") / UDP(1, 2)).trailer == b"tail"


def test_what_no_header_can_hold_stays_as_bytes() -> None:
    cut = Packet.parse(FRAME[:40])
    assert [type(one) for one in cut.headers] == [Ethernet, IPv4]
    assert cut.payload == FRAME[34:40]
    assert TCP not in cut
    damaged = FRAME[:14] + b"\x41" + FRAME[15:]  # a header length below 5
    assert [type(one) for one in Packet.parse(damaged).headers] == [Ethernet]
    for frame in (FRAME[:40], damaged, b"", b"\0", FRAME[:13], FRAME[:14]):
        assert Packet.parse(frame).rebuild() == frame
        assert bytes(Packet.parse(frame)) == frame


def test_an_unknown_link_type_is_all_payload() -> None:
    packet = Packet.parse(b"abc", 147)
    assert (packet.headers, packet.payload) == ((), b"abc")
    assert str(packet) == "Payload: 3 octets"
    assert repr(Packet()) == "Packet()"


def test_a_made_packet_shows_the_layers_that_its_bytes_show() -> None:
    """A program that puts a DNS message into a datagram as bytes makes a packet with DNS in it."""
    message = bytes(DNS.message(7, [Question(Name("example.com"))]))
    made = Packet.of((Ethernet(type=0x0800), IPv4(protocol=17), UDP(9999, 53)), message)
    parsed = Packet.parse(bytes(made))
    assert made[DNS].questions == parsed[DNS].questions == (Question(Name("example.com")),)
    assert [type(one) for one in made.headers] == [type(one) for one in parsed.headers]
    assert made.payload == parsed.payload == b""
    assert made.after(UDP) == parsed.after(UDP) == message
    assert made.rebuild() == bytes(parsed)
    assert UDP in Packet.of(made.headers[:3], b"junk")


def test_what_follows_a_header() -> None:
    quoted = IPv4(source=B, destination=A) / UDP(5, 6) / b"12345678"
    for packet in (
        Ethernet() / IPv4() / ICMP(3, 3) / quoted,
        Packet.parse(bytes(Ethernet() / IPv4() / ICMP(3, 3) / quoted) + b"padding"),
        Packet.of((Ethernet(type=0x800), IPv4(protocol=1), ICMP(3, 3)), bytes(quoted)),
    ):
        assert packet.after(ICMP) == bytes(quoted)
        assert packet[UDP].destination == 6
        assert packet.after(ICMP) == bytes(quoted)
        assert packet.after(UDP) == b"12345678"
        assert packet[IPv4].source == IPv4Address.UNSPECIFIED  # the first one
    with pytest.raises(KeyError, match="no TCP"):
        Packet.parse(FRAME[:20]).after(TCP)


def test_replacing_a_header() -> None:
    packet = Packet.parse(FRAME, cause="opening")
    changed = packet.replace(packet[IPv4].replace(time_to_live=3, checksum=Sealed))
    assert changed[IPv4].time_to_live == 3
    assert changed.cause == "opening"
    assert bytes(changed)[24:26] == bytes.fromhex("a3ca")
    assert bytes(packet) == FRAME
    assert packet.replace(payload=b"x", cause="other").cause == "other"
    with pytest.raises(KeyError, match="no UDP"):
        packet.replace(UDP())


def test_a_packet_is_a_value() -> None:
    packet = Packet.parse(FRAME, cause="why")
    again = pickle.loads(pickle.dumps(packet))
    assert again == packet
    assert again.cause == "why"
    assert {packet: 1}[SYN] == 1
    assert packet != FRAME
    assert bool(Packet())


def test_shown_for_programs_and_for_people() -> None:
    packet = Ethernet() / UDP(1, 2) / b"ab"
    assert repr(packet) == "Ethernet() / UDP(source=1, destination=2) / b'ab'"
    assert str(Packet.parse(FRAME + b"pad")).splitlines()[-1] == "Trailer: 3 octets"


def test_a_number_that_nothing_says() -> None:
    with pytest.raises(WireError, match=r"Ethernet\.type: Sealed"):
        bytes(Ethernet() / UDP())


def test_lengths_of_802_3_frames() -> None:
    packet = Ethernet() / LLC() / SNAP() / IPv4() / UDP(1, 2) / b"ab"
    assert bytes(packet)[12:14] == (8 + 20 + 8 + 2).to_bytes(2, "big")
    assert Packet.parse(bytes(packet) + bytes(8)).trailer == bytes(8)
    assert Packet.parse(bytes(packet) + bytes(8))[UDP].destination == 2


def test_six_in_four_and_the_other_way() -> None:
    packet = Ethernet() / IPv4() / IPv6() / IPv4() / IPv4() / IPv6() / IPv6() / UDP(1, 2)
    parsed = Packet.parse(bytes(packet))
    assert [type(one) for one in parsed.headers] == [Ethernet, IPv4, IPv6, IPv4, IPv4, IPv6, IPv6, UDP]
    assert UDP in Packet.parse(bytes(packet))


@pytest.mark.parametrize(
    ("linktype", "first"), [(LinkType.RAW, IPv4), (LinkType.RAW_OLD, IPv4), (LinkType.RAW_BSD, IPv4), (LinkType.IPV4, IPv4)]
)
def test_frames_that_are_datagrams(linktype: int, first: type) -> None:
    assert [type(one) for one in Packet.parse(FRAME[14:], linktype).headers] == [first, TCP]
    six = bytes(IPv6() / UDP())
    assert [type(one) for one in Packet.parse(six, LinkType.RAW).headers] == [IPv6, UDP]
    assert Packet.parse(b"", LinkType.RAW).headers == ()
    assert Packet.parse(b"\x55", LinkType.RAW).payload == b"\x55"
