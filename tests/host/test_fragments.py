"""Datagrams larger than a link: cut, put together, in both IP versions, whatever the order."""

from __future__ import annotations

import errno
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.base.address import IPv4Address, IPv6Address, ip_address
from stack.base.event import DropReason
from stack.codec.packet import Packet
from stack.host.host import HostEngine
from stack.ip.formats.extensions import Fragment
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.fragment import fragment_ipv4, fragment_ipv6
from tests.host.headers import Ethernet, IPv4, IPv6
from tests.host.wire import SECOND, World, pair

VERSIONS = pytest.mark.parametrize("yours", ["10.0.0.2", "2001:db8::2"])


def send_large(size: int, yours: str) -> tuple[World, HostEngine, HostEngine, list[Packet], bytes]:
    """A UDP datagram of `size` octets on its way to port 7 of b: the frames that a sends."""
    world, a, b = pair()
    control = a.icmp if ":" not in yours else a.icmpv6
    control.open().send(ip_address(yours), 1, 0)  # so that addresses are known
    world.run()
    world.log.clear()
    data = bytes(number & 0xFF for number in range(size))
    world.filter = lambda sender, packet: []
    client = a.udp.open(6)
    shown = IPv6Address(yours) if ":" in yours else IPv6Address("::ffff:" + yours)
    client.send(data, world.now, (shown, 7))
    world.run()
    world.filter = lambda sender, packet: [packet]
    return world, a, b, [packet for _, _, packet in world.log], data


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["10.0.0.2", "2001:db8::2"]), st.integers(1473, 65507), st.randoms(use_true_random=False))
def test_fragments_in_any_order_arrive_as_one(yours: str, size: int, shuffle: random.Random) -> None:
    world, _, b, frames, data = send_large(size, yours)
    server = b.udp.open(6)
    server.bind(None, 7)
    frames *= 2
    shuffle.shuffle(frames)
    for frame in frames:
        assert len(frame) <= 1514
        b.receive((b.interfaces[1], frame), world.now)
    datagram = server.receive()
    assert datagram is not None
    assert datagram.data == data
    assert set(b.drops) <= {DropReason.FRAGMENT_OVERLAP}  # duplicates


@VERSIONS
def test_a_missing_fragment_is_told_of_if_the_first_is_there(yours: str) -> None:
    world, _, b, frames, _ = send_large(3000, yours)
    for frame in frames[:-1]:
        b.receive((b.interfaces[1], frame), world.now)
    world.log.clear()
    world.run()
    six = ":" in yours
    if six:
        told = [(packet[ICMPv6].type, packet[ICMPv6].code) for packet in world.seen(ICMPv6, b)]
    else:
        told = [(packet[ICMP].type, packet[ICMP].code) for packet in world.seen(ICMP, b)]
    assert ((3, 1) if six else (11, 1)) in told
    assert b.drops == {DropReason.FRAGMENT_TIMEOUT: len(frames) - 1}
    assert world.now >= (60 if six else 30) * SECOND


@VERSIONS
def test_without_the_first_fragment_nobody_is_told(yours: str) -> None:
    world, _, b, frames, _ = send_large(3000, yours)
    b.receive((b.interfaces[1], frames[1]), world.now)
    world.log.clear()
    world.run()
    assert [packet for packet in world.seen(ICMP) + world.seen(ICMPv6) if packet.get(ICMP) or packet[ICMPv6].type < 128] == []
    assert b.drops == {DropReason.FRAGMENT_TIMEOUT: 1}


def test_an_overlap_ends_the_datagram() -> None:
    world, a, b, _, _ = send_large(100, "10.0.0.2")
    for offset, more, size in ((0, True, 64), (4, True, 64), (16, False, 8)):
        header = IPv4(source="10.0.0.1", destination="10.0.0.2", protocol=17, identification=7, more_fragments=more, fragment_offset=offset)
        a.send_raw(a.interfaces[1], Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / header / bytes(size))
    world.run(until=world.now + SECOND)
    assert b.drops == {DropReason.FRAGMENT_OVERLAP: 2}
    assert len(b.ipv4.fragments) == 1


def test_the_ping_of_death() -> None:
    world, a, b, _, _ = send_large(100, "10.0.0.2")
    for offset, more, size in [(at // 8, True, 1480) for at in range(0, 65120, 1480)] + [(65120 // 8, False, 410)]:
        header = IPv4(source="10.0.0.1", destination="10.0.0.2", protocol=1, identification=7, more_fragments=more, fragment_offset=offset)
        a.send_raw(a.interfaces[1], Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / header / bytes(size))
    world.run(until=world.now + SECOND)
    assert b.drops == {DropReason.MALFORMED: 1}


@pytest.mark.parametrize(("offset", "more", "size", "pointer"), [(0, True, 15, 4), (8190, False, 64, 42)])
def test_impossible_ipv6_fragments_are_parameter_problems(offset: int, more: bool, size: int, pointer: int) -> None:
    world, a, b, _, _ = send_large(100, "2001:db8::2")
    world.log.clear()
    frame = (
        Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / IPv6(source="2001:db8::1", destination="2001:db8::2")
        / Fragment(next_header=17, fragment_offset=offset, more_fragments=more, identification=9) / bytes(size)
    )  # fmt: skip
    a.send_raw(a.interfaces[1], frame)
    world.run()
    problem = world.seen(ICMPv6, b)[0][ICMPv6]
    assert (problem.type, problem.code, problem.pointer) == (4, 0, pointer)
    assert b.drops == {DropReason.MALFORMED: 1}


def test_a_whole_datagram_in_one_fragment_is_taken_at_once() -> None:
    """RFC 6946: an atomic fragment is processed by itself."""
    world, a, b, _, _ = send_large(100, "2001:db8::2")
    echo = ICMPv6.echo(1, 1)
    frame = (
        Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / IPv6(source="2001:db8::1", destination="2001:db8::2")
        / Fragment(identification=9) / echo / b"hello"
    )  # fmt: skip
    a.send_raw(a.interfaces[1], frame)
    world.run()
    assert world.seen(ICMPv6, b)[-1][ICMPv6].type == 129
    assert b.drops == {}


@VERSIONS
def test_a_ping_larger_than_the_mtu_and_one_that_must_not_be_cut(yours: str) -> None:
    world, a, _ = pair()
    echo = (a.icmp if ":" not in yours else a.icmpv6).open(ip_address(yours))
    echo.send(ip_address(yours), 1, world.now, bytes(5000))
    world.run()
    result = echo.receive()
    assert result is not None
    assert result.reply is not None
    assert result.reply.data == bytes(5000)
    with pytest.raises(OSError) as caught:
        echo.send(ip_address(yours), 2, world.now, bytes(5000), dont_fragment=True)
    assert caught.value.errno == errno.EMSGSIZE


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=5000), st.integers(68, 1500), st.integers(0, 3))
def test_ipv4_fragments_are_datagrams_that_scapy_reassembles(data: bytes, mtu: int, options: int) -> None:
    from scapy.layers.inet import IP

    header = IPv4(source=IPv4Address("10.0.0.1"), destination=IPv4Address("10.0.0.2"), protocol=253, identification=7, options=b"\x94\4\0\0\7\3\4\1"[: 4 * options if options < 3 else 8])
    datagram = Packet(header, payload=data, linktype=228)
    fragments = fragment_ipv4(bytes(datagram), mtu)
    joined = b""
    for place, fragment in enumerate(fragments):
        packet = IP(fragment)
        assert len(fragment) <= mtu
        assert (packet.id, packet.len, packet.frag * 8) == (7, len(fragment), len(joined))
        assert bool(packet.flags.MF) == (place < len(fragments) - 1)
        checksum, packet.chksum = packet.chksum, None
        assert IP(bytes(packet)).chksum == checksum
        joined += bytes(packet.payload)
    assert joined == data


def test_a_fragment_is_cut_again_where_it_stands() -> None:
    header = IPv4(source="10.0.0.1", destination="10.0.0.2", protocol=17, more_fragments=True, fragment_offset=100)
    cut = [Packet.parse(each, 228)[IPv4] for each in fragment_ipv4(bytes(Packet(header, payload=bytes(1000), linktype=228)), 520)]
    assert [(each.fragment_offset, each.more_fragments) for each in cut] == [(100, True), (162, True), (224, True)]


def test_an_mtu_without_room_is_a_mistake() -> None:
    datagram = bytes(Packet(IPv4(source="10.0.0.1", destination="10.0.0.2", protocol=17), payload=bytes(100), linktype=228))
    with pytest.raises(ValueError, match="mtu is 24"):
        fragment_ipv4(datagram, 24)
    with pytest.raises(ValueError, match="mtu is 50"):
        fragment_ipv6(bytes(140), 40, 6, 1, 50)


def test_options_that_are_damaged_are_not_copied_further() -> None:
    header = IPv4(source="10.0.0.1", destination="10.0.0.2", protocol=17, options=b"\1\x83\7\4\1\2\3\4\x83\xff\0\0")
    fragments = fragment_ipv4(bytes(Packet(header, payload=bytes(100), linktype=228)), 96)
    assert fragments[1][20:28] == b"\x83\7\4\1\2\3\4\0"
