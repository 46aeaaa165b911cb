"""Packets of every format, made here and by scapy from the same values: the same bytes, and the same reading."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import scapy.layers.l2 as l2

from stack.codec.fields import Sealed
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.codec.registry import LinkType
from tests.formats.generated import FRAMED, Draw, Pair, cooked, framed, packet_of, snap

ROUNDS = 40
each_format = pytest.mark.parametrize("make", FRAMED, ids=lambda make: make.__name__)


def pairs(make: Callable[[Draw], Pair]) -> list[tuple[Packet, object]]:
    draws = [Draw(f"{make.__name__} {number}") for number in range(ROUNDS)]
    return [(packet_of(ours), theirs) for ours, theirs in (framed(draw, make(draw)) for draw in draws)]


def sealed_again(packet: Packet) -> bytes:
    """The packet with everything that can be computed computed again."""
    headers = [one.replace(**dict.fromkeys(computed(one), Sealed)) for one in packet.headers]
    return Packet(*headers, payload=packet.payload, trailer=packet.trailer).rebuild()


def computed(header: Header) -> list[str]:
    """Lengths and checksums; not the numbers of what follows, which may not be known."""
    return [name for name, field in header.fields.items() if field.sealable and ("length" in name or name in ("checksum", "data_offset", "count"))]


@each_format
def test_the_bytes_are_scapys(make: Callable[[Draw], Pair]) -> None:
    for ours, theirs in pairs(make):
        assert bytes(ours).hex() == bytes(theirs).hex(), repr(ours)  # type: ignore[call-overload]


@each_format
def test_what_scapy_builds_is_read_and_sealed_the_same(make: Callable[[Draw], Pair]) -> None:
    for ours, theirs in pairs(make):
        data = bytes(theirs)  # type: ignore[call-overload]
        parsed = Packet.parse(data)
        assert [type(one) for one in parsed.headers][: len(ours.headers)] == [type(one) for one in ours.headers]
        for mine, read in zip(ours.headers, parsed.headers, strict=False):
            said = {name: value for name in mine.fields if (value := getattr(mine, name)) is not Sealed}
            assert {name: getattr(read, name) for name in said} == said
        assert parsed.rebuild() == data
        assert sealed_again(parsed) == data


@each_format
def test_scapy_reads_ours_to_the_same_depth(make: Callable[[Draw], Pair]) -> None:
    for ours, theirs in pairs(make):
        read = l2.Ether(bytes(ours))
        assert read.layers() == l2.Ether(bytes(theirs)).layers()  # type: ignore[call-overload]


def test_snap_frames() -> None:
    for number in range(ROUNDS):
        ours, theirs = snap(Draw(number))
        assert bytes(ours) == bytes(theirs)
        assert sealed_again(Packet.parse(bytes(ours))) == bytes(ours)


def test_captured_link_types() -> None:
    types = {"LinuxCooked": LinkType.LINUX_SLL, "LinuxCookedV2": LinkType.LINUX_SLL2, "Null": LinkType.NULL}
    for number in range(ROUNDS):
        ours, theirs = cooked(Draw(number))
        data = bytes(ours)
        assert data == bytes(theirs)
        name = type(ours.headers[0]).__name__
        parsed = Packet.parse(data, types[name])
        assert parsed.headers == Packet.parse(bytes(theirs), types[name]).headers
        assert [type(one).__name__ for one in parsed.headers] == [name, "IPv4", "UDP"]
        assert parsed.rebuild() == data
