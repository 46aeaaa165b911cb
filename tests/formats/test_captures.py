"""Every frame of the shared captures: rebuilt to the octet, and read as far as tshark reads it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stack.application.dns.messages import DNSOverTCP
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.tcp.formats.tcp import TCP
from tests.formats.shared_captures import dissections, each_capture, frames, needs_captures

NAMES = {
    "eth": "Ethernet", "vlan": "VLAN", "llc": "LLC", "arp": "ARP", "ip": "IPv4", "ipv6": "IPv6",
    "ipv6.hopopts": "HopByHop", "ipv6.dstopts": "DestinationOptions", "ipv6.routing": "Routing",
    "ipv6.fraghdr": "Fragment", "ah": "AH", "icmp": "ICMP", "icmpv6": "ICMPv6", "igmp": "IGMP", "tcp": "TCP",
    "udp": "UDP", "dns": "DNS", "mdns": "DNS", "llmnr": "DNS", "null": "Null", "sll": "LinuxCooked",
    "sll2": "LinuxCookedV2",
}  # fmt: skip
PASSED_OVER = {"ethertype", "raw"}  # what tshark counts as a protocol of its own
UNNAMED = {"SNAP", "DNSOverTCP"}  # what it does not count


@needs_captures
@each_capture
def test_every_frame_is_rebuilt(path: Path) -> None:
    for frame in frames(path):
        packet = Packet.parse(frame.data, frame.interface.linktype)
        assert packet.rebuild() == frame.data
        assert packet.payload + packet.trailer == frame.data[sum(map(len, packet.headers)) :]


@needs_captures
@each_capture
def test_every_cut_frame_is_rebuilt(path: Path) -> None:
    """Whatever octet it ends at."""
    for frame in frames(path)[:40]:
        for end in range(0, min(len(frame.data), 90), 3):
            data = frame.data[:end]
            assert Packet.parse(data, frame.interface.linktype).rebuild() == data


@needs_captures
@each_capture
def test_one_header_is_what_it_is_among_all(path: Path) -> None:
    for frame in frames(path)[:200]:
        for header in {type(one): one for one in reversed(Packet.parse(frame.data, frame.interface.linktype).headers)}.values():
            alone = Packet.parse(frame.data, frame.interface.linktype)
            assert alone[type(header)] == header
            assert alone.after(type(header)) == Packet.parse(frame.data, frame.interface.linktype).after(type(header))


def listed(protocols: list[str]) -> list[str]:
    """The layers that tshark found, up to the first that is no format here."""
    found: list[str] = []
    for one in protocols:
        if one in PASSED_OVER:
            continue
        if one not in NAMES:
            break
        if not (one == "igmp" and found[-1] == "IGMP"):  # tshark names version 3 twice
            found.append(NAMES[one])
    return found


def layers(headers: tuple[Header, ...]) -> list[str]:
    """Our layers, named as tshark's."""
    names = ["Null" if type(one).__name__ == "Loopback" else type(one).__name__ for one in headers]
    return [name for name in names if name not in UNNAMED]


@needs_captures
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@each_capture
def test_layers_reach_as_far_as_tsharks(path: Path) -> None:
    for number, (frame, dissection) in enumerate(zip(frames(path), dissections(path), strict=False), 1):
        expected = listed(dissection.protocols)
        if not dissection.whole:
            continue
        packet = Packet.parse(frame.data, frame.interface.linktype)
        if expected[-2:] == ["TCP", "DNS"] and DNSOverTCP not in packet:
            expected.pop()
            assert is_part_of_a_message(packet.after(TCP)), number
        assert layers(packet.headers)[: len(expected)] == expected, f"frame {number}: {dissection.protocols}"


def is_part_of_a_message(text: bytes) -> bool:
    """A segment with the beginning or a later part of a DNS message: to read it takes the stream."""
    return len(text) < 2 or not 12 <= int.from_bytes(text[:2], "big") <= len(text) - 2
