"""Diagrams of formats are those of the RFCs."""

import xml.etree.ElementTree as ET

import pytest

from stack.codec.header import Header
from stack.ip.formats.ipv4 import IPv4
from stack.link.formats.arp import ARP
from stack.link.formats.ethernet import Ethernet
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP
from stack.view import diagram, diagram_svg


def test_ipv4_looks_as_in_rfc_791() -> None:
    assert diagram.text(IPv4).splitlines() == """\
 0                   1                   2                   3
 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|version| header|    dscp   |ecn|          total length         |
|       | length|           |   |                               |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|         identification        |R|D|M|     fragment offset     |
|                               |F|F|F|                         |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|  time to live |    protocol   |            checksum           |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                             source                            |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                          destination                          |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/                            options                            /
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+""".splitlines()


def test_a_field_that_crosses_rows_has_no_wall_within() -> None:
    assert diagram.text(Ethernet).splitlines()[3:] == """\
|                          destination                          |
+                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|                               |             source            |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+                               +
|                                                               |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
|              type             |
+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+""".splitlines()


@pytest.mark.parametrize("kind", [Ethernet, ARP, IPv4, UDP, TCP], ids=lambda kind: str(kind.__name__))
def test_every_bit_is_drawn_once(kind: type[Header]) -> None:
    cells = [cell for row in diagram.rows(kind) for cell in row if not cell.open]
    assert sum(cell.bits for cell in cells) == 8 * kind.size
    for row in diagram.rows(kind):
        assert [cell.start for cell in row[1:]] == [cell.start + cell.bits for cell in row[:-1]]


def test_the_picture_names_every_field() -> None:
    root = ET.fromstring(diagram_svg.draw(TCP))
    titles = [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}title")]
    assert {title.split(":")[0] for title in titles} == set(TCP.fields)
    assert "sequence: 32 bits" in titles
    assert "options: variable length" in titles
