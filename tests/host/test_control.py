"""ICMP, neighbour discovery, groups and extension headers: what a host says, and when it is silent."""

from __future__ import annotations

import errno

import pytest

from stack.base.address import MAC, IPv4Address, IPv6Address, ip_address
from stack.base.event import DropReason
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.host.host import HostEngine
from stack.ip.formats.extensions import DestinationOptions, HopByHop, Routing
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.igmp import IGMP
from stack.ip.formats.ipv6_options import IPv6Options, UnknownIPv6Option
from stack.ip.formats.mld import MulticastListenerQuery, MulticastListenerReport
from stack.ip.formats.nd import Redirect, RouterAdvertisement, RouterSolicitation
from stack.ip.formats.nd_options import NDOptions, SourceLinkLayer, TargetLinkLayer
from stack.udp.formats.udp import UDP
from tests.host.headers import ARP, Ethernet, IPv4, IPv6, NeighborAdvertisement, NeighborSolicitation, PrefixInformation
from tests.host.wire import SECOND, World, pair

A, B = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
A6, B6 = IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2")
EVIL = MAC("02:66:66:66:66:66")


def told(world: World, a: HostEngine, b: HostEngine, *headers: Header, data: bytes = b"", to: MAC | str | None = None) -> None:
    """Send b a frame from a, and wait a second."""
    packet = Packet(Ethernet(to or b.interfaces[1].mac, a.interfaces[1].mac), *headers, payload=data)
    a.send_raw(a.interfaces[1], packet)
    world.run(until=world.now + SECOND)


def errors(world: World, host: HostEngine) -> list[tuple[int, int, int]]:
    """Type, code and pointer of the ICMPv6 errors that a host sent."""
    found = [packet[ICMPv6] for packet in world.seen(ICMPv6, host)]
    return [(one.type, one.code, one.pointer) for one in found if one.type < 128]


# ICMP

@pytest.mark.parametrize(("message", "reason"), [
    (ICMP(3, 3), DropReason.MALFORMED), (ICMP(8, checksum=7), DropReason.BAD_CHECKSUM), (ICMP(13), DropReason.UNKNOWN_PROTOCOL),
    (ICMP.echo(9, 9, reply=True), DropReason.NO_SOCKET),
])  # fmt: skip
def test_icmp_messages_of_no_use(message: ICMP, reason: DropReason) -> None:
    world, a, b = pair()
    told(world, a, b, IPv4(source=A, destination=B), message)
    assert b.drops == {reason: 1}


def test_an_icmp_message_that_is_cut() -> None:
    world, a, b = pair()
    told(world, a, b, IPv4(source=A, destination=B, protocol=1), data=b"\x08\0\0")
    told(world, a, b, IPv6(source=A6, destination=B6, next_header=58), data=b"\x80\0\0")
    assert b.drops == {DropReason.MALFORMED: 2}


@pytest.mark.parametrize("quoted", [
    IPv4(source=B, destination=A, protocol=6) / b"\0\1\0\2", IPv4(source="10.0.0.77", destination=A, protocol=6) / bytes(8),
    IPv4(source=B, destination=A, protocol=6) / bytes(8),
])  # fmt: skip
def test_errors_about_what_was_never_sent(quoted: Packet) -> None:
    world, a, b = pair()
    told(world, a, b, IPv4(source=A, destination=B), ICMP(3, 1), data=bytes(quoted))
    assert sum(b.drops.values()) == 1


@pytest.mark.parametrize(("message", "number"), [
    (ICMP(3, 2), errno.ENOPROTOOPT), (ICMP(3, 13), errno.EHOSTUNREACH), (ICMP(12, 0), errno.EPROTO), (ICMP(3, 99), None),
    (ICMP(3, 0), None), (ICMP(11, 0), None),
])  # fmt: skip
def test_hard_errors_reach_a_connected_socket_and_soft_ones_do_not(message: ICMP, number: int | None) -> None:
    world, a, b = pair()
    client = a.udp.open(4)
    client.connect(B, 7)
    quoted = bytes(Packet(IPv4(source=A, destination=B), UDP(client.port, 7), payload=b"x", linktype=228))
    told(world, b, a, IPv4(source=B, destination=A), message, data=quoted)
    assert client.take_error() == number


def test_a_router_that_does_not_say_its_mtu() -> None:
    world, a, b = pair()
    client = a.udp.open(4)
    client.connect(B, 7)
    quoted = bytes(Packet(IPv4(source=A, destination=B), UDP(client.port, 7), payload=bytes(1400), linktype=228))
    told(world, b, a, IPv4(source=B, destination=A), ICMP.fragmentation_needed(0), data=quoted[:28])
    assert a.path_mtu.get(B, 1500, world.now) == 1006


@pytest.mark.parametrize(("message", "number"), [
    (ICMPv6(1, 4), errno.ECONNREFUSED), (ICMPv6(1, 1), errno.EACCES), (ICMPv6(4, 1), errno.EPROTO), (ICMPv6(3, 0), None), (ICMPv6(1, 9), None),
])  # fmt: skip
@pytest.mark.parametrize("fragment", [False, True])
def test_errors_in_ipv6(message: ICMPv6, number: int | None, fragment: bool) -> None:
    from stack.ip.formats.extensions import Fragment

    world, a, b = pair()
    client = a.udp.open(6)
    client.connect(B6, 7)
    extension = (Fragment(next_header=17, more_fragments=True),) if fragment else ()
    quoted = bytes(Packet(IPv6(source=A6, destination=B6), *extension, UDP(client.port, 7), payload=b"x", linktype=229))
    told(world, b, a, IPv6(source=B6, destination=A6), message, data=quoted)
    assert client.take_error() == number
    told(world, b, a, IPv6(source=B6, destination=A6), message, data=quoted[:30])
    assert a.drops == {DropReason.MALFORMED: 1}
    later = bytes(Packet(IPv6(source=A6, destination=B6), Fragment(next_header=17, fragment_offset=9), payload=bytes(16), linktype=229))
    told(world, b, a, IPv6(source=B6, destination=A6), message, data=later)
    assert a.drops == {DropReason.MALFORMED: 2}


@pytest.mark.parametrize("yours", ["10.0.0.2", "2001:db8::2"])
def test_a_host_may_keep_silent_and_never_answers_a_broadcast(yours: str) -> None:
    world, a, b = pair(answer_echo=False)
    echo = a.icmp.open(ip_address(yours))
    echo.send(ip_address(yours), 1, world.now)
    world.run()
    assert (echo.receive(), echo.readable) == (None, False)
    assert b.drops == {DropReason.NOT_ACCEPTABLE: 1}


def test_an_echo_to_all_is_not_answered() -> None:
    world, a, b = pair()
    told(world, a, b, IPv4(source=A, destination="10.0.0.255"), ICMP.echo(1, 1), to="ff:ff:ff:ff:ff:ff")
    told(world, a, b, IPv6(source=A6, destination="ff02::1"), ICMPv6.echo(1, 1), to="33:33:00:00:00:01")
    assert b.drops == {DropReason.NOT_ACCEPTABLE: 2}
    assert world.seen(ICMP, b) == []


def test_an_unknown_protocol_is_unreachable() -> None:
    world, a, b = pair()
    told(world, a, b, IPv4(source=A, destination=B, protocol=200), data=b"?")
    told(world, a, b, IPv6(source=A6, destination=B6, next_header=200), data=b"?")
    told(world, a, b, IPv6(source=A6, destination=B6, next_header=59), data=b"")
    assert b.drops == {DropReason.UNKNOWN_PROTOCOL: 3}
    assert [(packet[ICMP].type, packet[ICMP].code) for packet in world.seen(ICMP, b)] == [(3, 2)]
    assert errors(world, b) == [(4, 1, 6)]


def test_a_duplicate_reply_and_one_that_comes_too_late() -> None:
    world, a, b = pair()
    echo = a.icmp.open()
    echo.send(B, 7, world.now, b"x")
    woken: list[int] = []
    echo.notify = lambda: woken.append(world.now)
    world.run()
    for sequence in (7, 8):
        told(world, b, a, IPv4(source=B, destination=A), ICMP.echo(echo.identifier, sequence, reply=True), data=b"x")
    first, second = echo.receive(), echo.receive()
    assert first is not None
    assert second is not None
    assert (first.duplicate, second.duplicate, echo.receive()) == (False, True, None)
    assert len(woken) == 2
    echo.close()
    with pytest.raises(OSError):
        echo.send(IPv4Address("192.0.2.1"), 1, world.now)


# ARP

@pytest.mark.parametrize(("arp", "reason"), [
    (ARP(hardware_type=6), DropReason.MALFORMED), (ARP(operation=9), DropReason.MALFORMED),
    (ARP(sender_protocol=B, target_protocol=B), DropReason.BAD_ADDRESS), (ARP(sender_hardware=MAC.BROADCAST, sender_protocol=A), DropReason.BAD_ADDRESS),
    (ARP(sender_protocol=A, target_protocol="10.0.0.9"), DropReason.NOT_FOR_US),
])  # fmt: skip
def test_arp_of_no_use(arp: ARP, reason: DropReason) -> None:
    world, a, b = pair()
    told(world, a, b, arp)
    assert b.drops == {reason: 1}
    assert world.seen(ARP, b) == []


def test_an_arp_probe_is_answered_and_teaches_nothing() -> None:
    world, a, b = pair()
    told(world, a, b, ARP(sender_hardware=a.interfaces[1].mac, target_protocol=B), to="ff:ff:ff:ff:ff:ff")
    assert world.seen(ARP, b)[0][ARP].operation == 2
    assert len(b.attachments[b.interfaces[1]].neighbours4) == 0


def test_a_gratuitous_arp_moves_a_known_address() -> None:
    world, a, b = pair()
    a.icmp.open().send(B, 1, world.now)
    world.run()
    b.interfaces[1].mac = EVIL
    b.attachments[b.interfaces[1]].arp.mac = EVIL
    b.attachments[b.interfaces[1]].arp.announce(B)
    world.run()
    neighbour = a.attachments[a.interfaces[1]].neighbours4.get(B)
    assert neighbour is not None
    assert neighbour.mac == EVIL
    assert a.drops == {}


# Neighbour discovery

def nd(body: Header, kind: int, hop_limit: int = 255, source: IPv6Address | str = A6, destination: IPv6Address | str = B6, code: int = 0) -> tuple[Header, ...]:
    return IPv6(source=source, destination=destination, hop_limit=hop_limit), ICMPv6(kind, code), body


@pytest.mark.parametrize(("headers", "reason"), [
    (nd(NeighborSolicitation(B6), 135, hop_limit=64), DropReason.MALFORMED), (nd(NeighborSolicitation(B6), 135, code=1), DropReason.MALFORMED),
    (nd(NeighborSolicitation("ff02::1"), 135), DropReason.MALFORMED), (nd(NeighborSolicitation("2001:db8::9"), 135), DropReason.NOT_FOR_US),
    (nd(NeighborSolicitation(B6, NDOptions(b"\1\0\0\0\0\0\0\0")), 135), DropReason.MALFORMED),
    (nd(NeighborSolicitation(B6, NDOptions([SourceLinkLayer(EVIL)])), 135, source="::", destination="ff02::1"), DropReason.MALFORMED),
    (nd(NeighborSolicitation(B6, NDOptions([SourceLinkLayer(MAC.BROADCAST)])), 135), DropReason.BAD_ADDRESS),
    (nd(NeighborAdvertisement("ff02::1"), 136), DropReason.MALFORMED), (nd(NeighborAdvertisement(A6), 136), DropReason.NOT_ACCEPTABLE),
    (nd(RouterAdvertisement(), 134), DropReason.MALFORMED), (nd(RouterSolicitation(), 133), DropReason.NOT_ACCEPTABLE),
    (nd(Redirect(A6, A6), 137), DropReason.NOT_ACCEPTABLE),
])  # fmt: skip
def test_discovery_of_no_use(headers: tuple[Header, ...], reason: DropReason) -> None:
    world, a, b = pair()
    told(world, a, b, *headers)
    assert b.drops == {reason: 1}


def test_discovery_messages_that_are_cut() -> None:
    world, a, b = pair()
    told(world, a, b, IPv6(source=A6, destination=B6, hop_limit=255), ICMPv6(135), data=b"short")
    assert b.drops == {DropReason.MALFORMED: 1}


def test_an_advertisement_for_a_group_of_links() -> None:
    world, a, b = pair()
    b.icmp.open(A6).send(A6, 1, world.now)
    world.run()
    told(world, a, b, *nd(NeighborAdvertisement(A6, NDOptions([TargetLinkLayer(MAC.BROADCAST)])), 136))
    assert b.drops == {DropReason.BAD_ADDRESS: 1}
    told(world, a, b, IPv6(source=A6, destination=B6, hop_limit=255), ICMPv6.neighbor(override=True), NeighborAdvertisement(A6, NDOptions([TargetLinkLayer(EVIL)])))
    neighbour = b.attachments[b.interfaces[1]].neighbours6.get(A6)
    assert neighbour is not None
    assert neighbour.mac == EVIL


def test_duplicate_address_detection_finds_the_other() -> None:
    world, a, b = pair()
    discovery = a.attachments[a.interfaces[1]].discovery
    taken: list[IPv6Address] = []
    discovery.taken = lambda address, now: taken.append(address)
    discovery.probe(B6)
    world.run()
    assert taken == [B6]
    discovery.probe(IPv6Address("2001:db8::77"))
    world.run()
    told(world, b, a, *nd(NeighborSolicitation("2001:db8::77"), 135, source="::", destination="ff02::1:ff00:77"), to="33:33:ff:00:00:77")
    assert taken == [B6]  # nobody listens to the group of an address that is not ours yet
    a.addresses.join(IPv6Address("ff02::1:ff00:77"), a.interfaces[1])
    told(world, b, a, *nd(NeighborSolicitation("2001:db8::77"), 135, source="::", destination="ff02::1:ff00:77"), to="33:33:ff:00:00:77")
    assert taken == [B6, IPv6Address("2001:db8::77")]


def test_a_router_advertises_and_a_host_hears_it() -> None:
    world = World()
    a, r = world.host("a", "2001:db8::1/64"), world.host("r", "2001:db8::fe/64", forwarding=True)
    world.cable((a, 0), (r, 0))
    heard: list[object] = []
    a.attachments[a.interfaces[1]].discovery.router_seen = lambda seen, now: heard.append((seen.lifetime, seen.prefixes[0].prefix))
    a.attachments[a.interfaces[1]].discovery.solicit_routers()
    router = r.attachments[r.interfaces[1]].discovery
    router.advertise_router([PrefixInformation(prefix="2001:db8::")])
    world.run()
    assert heard == [(1800, IPv6Address("2001:db8::"))]
    assert r.attachments[r.interfaces[1]].neighbours6.get(a.interfaces[1].addresses[0].address) is not None
    told(world, a, r, *nd(RouterAdvertisement(), 134, source="fe80::9", destination="ff02::1"), to="33:33:00:00:00:01")
    assert r.drops[DropReason.NOT_ACCEPTABLE] == 1


# Extension headers

@pytest.mark.parametrize(("extensions", "expected"), [
    ((HopByHop(),), []), ((HopByHop(), DestinationOptions()), []), ((DestinationOptions(), HopByHop()), [(4, 1, 40)]),
    ((Routing(segments_left=1),), [(4, 0, 42)]), ((Routing(segments_left=0),), []),
    ((DestinationOptions(IPv6Options([UnknownIPv6Option(0x1E)])),), []), ((DestinationOptions(IPv6Options([UnknownIPv6Option(0x5E)])),), None),
    ((DestinationOptions(IPv6Options([UnknownIPv6Option(0x9E)])),), [(4, 2, 42)]), ((DestinationOptions(IPv6Options([UnknownIPv6Option(0xDE)])),), [(4, 2, 42)]),
])  # fmt: skip
def test_extension_headers(extensions: tuple[Header, ...], expected: list[tuple[int, int, int]] | None) -> None:
    world, a, b = pair()
    told(world, a, b, IPv6(source=A6, destination=B6), *extensions, ICMPv6.echo(1, 1))
    answered = any(packet[ICMPv6].type == 129 for packet in world.seen(ICMPv6, b))
    assert answered == (expected == [])
    assert errors(world, b) == (expected or [])


def test_an_unknown_option_to_a_group_is_told_of_if_it_says_so() -> None:
    for kind, number in ((0x9E, 1), (0xDE, 0)):
        world, a, b = pair()
        option = DestinationOptions(IPv6Options([UnknownIPv6Option(kind)]))
        told(world, a, b, IPv6(source=A6, destination="ff02::1"), option, ICMPv6.echo(1, 1), to="33:33:00:00:00:01")
        assert len(errors(world, b)) == number


def test_extension_headers_that_are_cut() -> None:
    world, a, b = pair()
    told(world, a, b, IPv6(source=A6, destination=B6, next_header=60), data=b"\x3a\1\1\2\0\0\0\0")
    told(world, a, b, IPv6(source=A6, destination=B6, next_header=60), data=b"\x3a\0\x05\x20\0\0\0\0")
    assert b.drops == {DropReason.MALFORMED: 2}


# Groups

def test_membership_is_reported_asked_for_and_given_up() -> None:
    world, a, b = pair()
    group = IPv4Address("239.1.2.3")
    endpoint = a.udp.open(4)
    endpoint.join(group)
    world.run()
    told(world, b, a, IPv4(source=B, destination="224.0.0.1", time_to_live=1), IGMP(response_time=5), to="01:00:5e:00:00:01")
    told(world, b, a, IPv4(source=B, destination="224.0.0.1", time_to_live=1), IGMP(response_time=100), to="01:00:5e:00:00:01")
    told(world, b, a, IPv4(source=B, destination=group, time_to_live=1), IGMP(0x16, group=group), to="01:00:5e:01:02:03")
    world.run(until=world.now + 20 * SECOND)
    endpoint.close()
    world.run()
    sent = [(packet[IGMP].type, str(packet[IPv4].destination), packet[IPv4].time_to_live) for packet in world.seen(IGMP, a)]
    assert sent == [(0x16, "239.1.2.3", 1), (0x16, "239.1.2.3", 1), (0x17, "224.0.0.2", 1)]
    told(world, b, a, IPv4(source=B, destination="224.0.0.1", protocol=2), data=b"\x11", to="01:00:5e:00:00:01")
    told(world, b, a, IPv4(source=B, destination="224.0.0.1"), IGMP(checksum=1), to="01:00:5e:00:00:01")
    assert a.drops == {DropReason.MALFORMED: 1, DropReason.BAD_CHECKSUM: 1}


def test_membership_in_ipv6() -> None:
    world, a, b = pair()
    group = IPv6Address("ff05::1234")
    endpoint = a.udp.open(6)
    endpoint.join(group)
    other = a.udp.open(6)
    other.join(group)
    query = IPv6(source="fe80::9", destination="ff02::1", hop_limit=1), ICMPv6(130, rest=b"\1\0\0\0"), MulticastListenerQuery()
    told(world, b, a, *query, to="33:33:00:00:00:01")
    told(world, b, a, *query, to="33:33:00:00:00:01")
    told(world, b, a, IPv6(source="fe80::9", destination=group, hop_limit=1), ICMPv6(131), MulticastListenerReport(group), to="33:33:00:00:12:34")
    endpoint.close()
    other.close()
    world.run()
    sent = world.seen(MulticastListenerReport, a)
    assert [packet[ICMPv6].type for packet in sent] == [131, 131, 131, 132]
    assert all(HopByHop in packet and packet[IPv6].hop_limit == 1 for packet in sent)
    assert all(packet[MulticastListenerReport].group == group for packet in sent)
