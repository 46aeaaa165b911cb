"""What the octets of a header mean beyond its fields: the typed readings of `rest`, rows of options, shown as text."""

from __future__ import annotations

import pytest

from stack.base.address import MAC, IPv4Address, IPv6Address
from stack.base.errors import WireError
from stack.codec.checksum import ones_sum
from stack.codec.packet import Packet
from stack.codec.registry import LinkType
from stack.ip.formats.extensions import AH, DestinationOptions, Fragment, HopByHop, Routing
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.igmp import IGMP, GroupReport, IPv4GroupRecord, IPv4GroupRecords
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.ip.formats.ipv6_options import HomeAddress, IPv6Options, JumboPayload, PadN, TunnelLimit, UnknownIPv6Option
from stack.ip.formats.mld import GroupRecord, GroupRecords, MulticastListenerReportV2
from stack.ip.formats.nd import NeighborAdvertisement, RouterAdvertisement
from stack.ip.formats.nd_options import Addresses, NDOptions, PrefixInformation, SourceLinkLayer, TargetLinkLayer
from stack.ip.formats.options import (
    InternetTimestamp,
    IPv4Options,
    LooseSourceRoute,
    NoIPv4Operation,
    RecordRoute,
    Route,
    RouterAlert,
)
from stack.link.formats.capture_types import LinuxCooked, Null
from stack.link.formats.ethernet import LLC, Ethernet
from stack.link.formats.vlan import VLAN
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP

ONE, TWO, THREE = IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2"), IPv6Address("2001:db8::3")
MAC_1 = MAC("02:00:00:00:00:01")


def test_icmp() -> None:
    assert (ICMP.echo(7, 9).identifier, ICMP.echo(7, 9, reply=True).sequence, ICMP.echo(1, 2).type) == (7, 9, 8)
    assert ICMP.fragmentation_needed(1400).mtu == 1400
    assert ICMP(12, rest=b"\x14\0\0\0").pointer == 20
    assert ICMP(5, rest=IPv4Address("10.0.0.1")).gateway == IPv4Address("10.0.0.1")
    assert bytes(ICMP(0)) == b"\0\0\xff\xff\0\0\0\0"


def test_what_an_icmp_error_quotes_may_have_extensions_after_it() -> None:
    quoted = (bytes(IPv4(total_length=28) / UDP(1, 2))).ljust(128, b"\0")
    packet = Packet.parse(bytes(IPv4() / ICMP(11, rest=b"\0\x20\0\0") / (quoted + b"extension")), LinkType.IPV4)
    assert packet[UDP].destination == 2
    assert packet.after(ICMP) == quoted
    assert packet.trailer.endswith(b"extension")
    six = Packet.parse(bytes(IPv6() / ICMPv6(3, rest=b"\x08\0\0\0") / (bytes(64) + b"extension")), LinkType.IPV6)
    assert six.after(ICMPv6) == bytes(64)


def test_icmpv6() -> None:
    assert (ICMPv6.echo(7, 9).identifier, ICMPv6.echo(7, 9, reply=True).sequence) == (7, 9)
    assert ICMPv6.packet_too_big(1280).mtu == 1280
    assert ICMPv6(4, rest=b"\0\0\0\6").pointer == 6
    neighbor = ICMPv6.neighbor(router=True, override=True)
    assert (neighbor.is_router, neighbor.solicited, neighbor.override) == (True, False, True)
    router = ICMPv6.router(64, 1800, other=True)
    assert (router.hop_limit, router.lifetime, router.managed, router.other) == (64, 1800, False, True)


def test_neighbor_discovery_options() -> None:
    options = NDOptions([SourceLinkLayer(MAC_1), PrefixInformation(prefix=ONE)])
    assert (options.source, options.target) == (MAC_1, None)
    assert NDOptions([TargetLinkLayer(MAC_1)]).target == MAC_1
    packet = Packet.parse(bytes(IPv6() / ICMPv6.router(64, 9) / RouterAdvertisement(options=options)), LinkType.IPV6)
    assert packet[RouterAdvertisement].options.get(PrefixInformation) == PrefixInformation(prefix=ONE, length=4)
    endless = b"\1\0" + bytes(6)  # a length of 0 would never end
    assert list(NDOptions(endless)) == [endless]  # type: ignore[comparison-overlap]
    assert list(NDOptions(b"\1")) == [b"\1"]  # type: ignore[comparison-overlap]
    assert "target" in str(NeighborAdvertisement(ONE))
    assert str(Addresses([ONE, "::2"])) == "2001:db8::1 ::2"


def test_listeners_and_groups() -> None:
    six = GroupRecords([GroupRecord(4, ONE, Addresses([TWO]), auxiliary=b"more"), GroupRecord(3, THREE)])
    assert [one.group for one in six.records()] == [ONE, THREE]
    assert [one.sources.addresses() for one in MulticastListenerReportV2(six).records.records()] == [(TWO,), ()]
    assert list(GroupRecords(bytes(six)[:-1]).records()) == [next(six.records())]
    four = IPv4GroupRecords([IPv4GroupRecord(4, IPv4Address("224.0.0.9"), Route(["10.0.0.1"]))])
    packet = Packet.parse(bytes(IPv4() / IGMP(0x22, group=IPv4Address(1)) / GroupReport(four)), LinkType.IPV4)
    assert [str(one.sources) for one in packet[GroupReport].records.records()] == ["10.0.0.1"]
    assert list(IPv4GroupRecords(b"\1\0")) == [b"\1\0"]  # type: ignore[comparison-overlap]
    assert IGMP(0x16).carries() is None


def test_ipv4_options() -> None:
    route = Route(["10.0.0.1", "10.0.0.2"])
    options = IPv4Options([RecordRoute(route), NoIPv4Operation(), RouterAlert(), LooseSourceRoute(route)])
    assert options.copied() == IPv4Options([RouterAlert(), LooseSourceRoute(route)])
    assert options.final() == IPv4Address("10.0.0.2")
    assert IPv4Options([LooseSourceRoute(route, pointer=12)]).final() is IPv4Options([RouterAlert()]).final() is None
    assert str(IPv4Options([RecordRoute(route)])) == "record route 10.0.0.1 10.0.0.2, end"
    stamps = b"\0\0\0\1\0\0\0\2"
    assert InternetTimestamp(stamps).entries() == ((None, 1), (None, 2))
    assert InternetTimestamp(stamps, flag=1).entries() == ((IPv4Address(1), 2),)
    assert list(IPv4Options(b"\x07")) == [b"\x07"]  # type: ignore[comparison-overlap]


def test_ipv6_options() -> None:
    assert [len(IPv6Options([TunnelLimit(4), PadN(bytes(extra))])) for extra in range(3)] == [6, 6, 14]
    assert IPv6Options([UnknownIPv6Option(0x3E, data=b"abc")])[-1] == 0  # Pad1
    assert bytes(HopByHop()) == bytes.fromhex("3b00 0104 00000000")
    assert list(IPv6Options(b"\5")) == [b"\5"]  # type: ignore[comparison-overlap]
    with pytest.raises(WireError, match="multiple of 8"):
        bytes(HopByHop(IPv6Options(b"\0")))


def test_a_jumbogram_has_its_length_in_an_option() -> None:
    jumbo = bytes(IPv6(payload_length=0) / HopByHop(IPv6Options([JumboPayload(70000)])) / UDP(1, 2) / b"data")
    packet = Packet.parse(jumbo, LinkType.IPV6)
    assert packet[UDP].destination == 2
    assert [type(one) for one in Packet.parse(jumbo, LinkType.IPV6).headers] == [IPv6, HopByHop, UDP]


def right(packet: Packet, source: bytes, destination: bytes) -> bool:
    """Whether the TCP checksum is that of these addresses."""
    segment = bytes(packet)[-20:]
    return ones_sum(source + destination + len(segment).to_bytes(4, "big") + b"\0\0\0\6" + segment) == 0


def test_checksums_count_the_final_destination() -> None:
    ip = IPv6(source=ONE, destination=TWO)
    assert right(ip / HopByHop() / Fragment() / AH() / TCP(), ONE, TWO)
    assert right(ip / Routing(0, 1, bytes(4) + THREE) / TCP(), ONE, THREE)
    assert right(ip / Routing(0, 0, bytes(4) + THREE) / TCP(), ONE, TWO)
    assert right(ip / Routing(4, 1, b"\1\0\0\0" + THREE + ONE) / DestinationOptions() / TCP(), ONE, THREE)
    assert right(ip / Routing(3, 1, bytes(4) + THREE) / TCP(), ONE, TWO)
    assert right(ip / DestinationOptions(IPv6Options([PadN(bytes(2)), HomeAddress(THREE)])) / TCP(), THREE, TWO)
    for headless in (Routing(0, 1, bytes(4) + THREE) / TCP(), DestinationOptions() / TCP(), UDP() / TCP()):
        assert ones_sum(bytes(headless)[-20:]) == 0  # no addresses to count


def test_udp_never_says_that_it_has_no_checksum() -> None:
    # Source port, two lengths of 8 and the protocol number 17 sum to 0xffff, so the checksum would be 0.
    packet = IPv4() / UDP(0xFFFF - 8 - 8 - 17, 0)
    assert bytes(packet)[-2:] == b"\xff\xff"


def test_first_fragments_show_what_they_carry_and_later_ones_do_not() -> None:
    for ip in (IPv4(protocol=17, fragment_offset=0, more_fragments=True), IPv6() / Fragment(0, True, next_header=17)):
        assert UDP in Packet.parse(bytes(ip / UDP(1, 2)), LinkType.RAW)
    for ip in (IPv4(protocol=17, fragment_offset=5), IPv6() / Fragment(5, True, next_header=17)):
        assert UDP not in Packet.parse(bytes(ip / UDP(1, 2)), LinkType.RAW)


def test_link_headers() -> None:
    tagged = Ethernet(type=0x88A8) / VLAN(identifier=5) / VLAN(identifier=6) / IPv4() / UDP(1, 2)
    assert [bytes(tagged)[at : at + 2].hex() for at in (12, 16, 20)] == ["88a8", "8100", "0800"]
    llc = Ethernet() / VLAN() / LLC(destination=0x42, source=0x42) / b"bridges"
    assert Packet.parse(bytes(llc) + bytes(9))[VLAN].type == 10
    assert Packet.parse(bytes(llc) + bytes(9)).payload == b"bridges"
    assert bytes(LLC(6, control=1, numbers=b"\5")).hex() == "06aa0105"
    assert Packet.parse(bytes(14)).trailer == b""
    assert Packet.parse(bytes(14) + b"x").trailer == b"x"
    assert UDP not in Packet.parse(bytes(14) + b"x")
    for order in ("little", "big"):
        frame = (2).to_bytes(4, order) + bytes(IPv4() / UDP(1, 2))
        assert Packet.parse(frame, LinkType.NULL)[UDP].destination == 2
    assert bytes(Null() / IPv6())[:4] == b"\x18\0\0\0"
    assert type(LinuxCooked(type=4).carries()) is type(LLC)
    assert "type IPv4 (0x0800)" in str(Ethernet(type=0x800))
