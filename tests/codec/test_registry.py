"""Who is carried in whom: a header says it where it is declared, and no list is kept."""

from __future__ import annotations

import pytest
from construct import Int8ub

from stack.codec.fields import Sealed, wire
from stack.codec.header import Header, header
from stack.codec.packet import Packet
from stack.codec.registry import begins, carried, choose_beginning, numbered_like
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.link.formats.ethernet import Ethernet
from stack.link.formats.vlan import VLAN
from stack.udp.formats.udp import UDP


@header
class Outer(Header):
    """Says what follows."""

    number: int = wire(Int8ub, default=Sealed)


@numbered_like(Outer)
@header
class Other(Header):
    """Says it by the same numbers."""

    number: int = wire(Int8ub, default=Sealed)


@carried(Other, number=6)
@carried(Outer, number=5)
@header
class Inner(Header):
    """Follows."""

    value: int = wire(Int8ub, default=0)


def test_the_number_follows_from_what_is_carried() -> None:
    assert bytes(Outer() / Inner(9)) == b"\5\t"
    assert bytes(Other() / Inner(9)) == b"\6\t"
    assert bytes(Outer(77) / Inner(9)) == b"\x4d\t"


def test_what_follows_is_found_by_the_number() -> None:
    assert Outer(5).carries() is Outer(6).carries() is Other(5).carries() is Inner
    assert Outer(4).carries() is None
    assert Inner().carries() is None


def test_frames_begin_as_their_link_type_says() -> None:
    begins(9001)(Outer)
    choose_beginning(9002)(lambda data: Other if data == b"\5!" else None)
    assert Packet.parse(b"\5!", 9001).headers == (Outer(5), Inner(33))
    assert Packet.parse(b"\5!", 9002).headers == (Other(5), Inner(33))
    assert Packet.parse(b"\4!", 9002).payload == b"\4!"


def test_a_field_that_is_not_there() -> None:
    with pytest.raises(TypeError, match="Outer has no field 'kind' to say that Inner follows"):
        carried(Outer, kind=1)(Inner)


def test_numbers_of_known_carriers() -> None:
    assert [one[:2].hex() for one in (bytes(Ethernet() / IPv4())[12:], bytes(VLAN() / IPv6())[2:])] == ["0800", "86dd"]
    assert bytes(IPv4() / UDP())[9] == bytes(IPv6() / UDP())[6] == 17
    assert bytes(IPv4())[9] == 255
    assert bytes(IPv6())[6] == 59
