"""A packet in full: layers, fields, bits, octets; as text and as HTML."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.application.dns.messages import DNS, Question
from stack.application.dns.names import Name
from stack.codec.packet import Packet
from stack.codec.registry import LinkType
from stack.udp.formats.udp import UDP
from stack.view import detail, html
from stack.view.tree import Node, tree
from tests.view.builders import frame, handshake, lossy, records, segment


def test_a_segment_lies_open() -> None:
    shown = detail.text(segment(text=b"hi", sequence=1000, syn=True)).splitlines()
    start = shown.index("TCP header (octets 34–53)")
    assert shown[start + 1 : start + 8] == [
        "    34  c0 00                   source                 49152",
        "    36  00 50                   destination            80",
        "    38  00 00 03 e8             sequence               1000",
        "    42  00 00 00 00             acknowledgment         0",
        "    46  0101 ....               data_offset            5",
        "    46  .... 000.               reserved               0",
        "    46  .... ...0               ae                     False",
    ]
    assert "    47  .... ..1.               syn                    True" in shown
    assert "Payload, 2 octets (octets 54–55)" in shown
    assert shown[-4] == "0000  02 00 00 00 00 02 02 00  00 00 00 01 08 00 45 00  ..............E."
    assert shown[-1].startswith("0030  01 f6 ")
    assert shown[-1].endswith("..hi")


def test_a_field_over_two_octets_shows_its_bits_in_both() -> None:
    assert "    20  ...0 0000 0000 0000     fragment_offset        0" in detail.text(frame()).splitlines()


def test_options_are_told_one_by_one() -> None:
    shown = detail.text(handshake()[0])
    assert re.search(r"54  02 04 05 b4  +MSS  +MSS 1460\n +54  02  +kind  +maximum segment size \(2\)", shown)


def test_a_dns_message_is_told_record_by_record() -> None:
    shown = detail.text(frame() / UDP(4000, 53) / DNS.message(1, [Question(Name("example.com"))]))
    assert re.search(r"    54  07 65 78 61 6d 70 6c …  sections", shown)
    assert re.search(r"question +example.com IN A", shown)


def node_bits(nodes: list[Node]) -> list[tuple[int, int]]:
    return [(node.start, node.start + node.bits) for node in nodes if node.bits]


@pytest.mark.parametrize("packet", [*handshake(), segment(text=b"x" * 9), frame() / UDP(1, 53) / DNS.message(1, [Question(Name("a.b"))])])
def test_layers_and_fields_cover_every_bit_once(packet: Packet) -> None:
    """Nothing of the frame is left out, nothing is told twice, and fields lie within their layer."""
    layers = tree(packet)
    place = 0
    for layer in layers:
        assert layer.start == place
        place += layer.bits or 0
        ends = layer.start
        for start, end in node_bits(layer.children):
            assert start == ends
            ends = end
        assert not layer.children or ends == place
    assert place == 8 * len(bytes(packet))


@given(st.binary(max_size=120), st.sampled_from([int(one) for one in LinkType]))
def test_any_octets_can_be_looked_at(data: bytes, linktype: int) -> None:
    packet = Packet.parse(data, linktype)
    assert detail.text(packet) is not None
    assert sum(node.bits or 0 for node in tree(packet)) == 8 * len(data)


class Checker(HTMLParser):
    """Counts elements, and that each that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in ("br", "meta"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_of_a_packet_is_whole() -> None:
    page = Checker(html.packet(segment(text=b"<script>&", sequence=7)))
    assert "script" not in page.seen, "what a packet says stays text"
    assert "10.0.0.1 → 10.0.0.2" in page.text
    assert "<script>&" in page.text.replace("\n", ""), "the octets as characters"


def test_a_fields_octets_light_up_with_it() -> None:
    """The field's row and its octets have one class in common, which no other octets have."""
    page = html.packet(segment(sequence=0x01020304))
    mark = re.search(r'<div class="field (f\d+)"[^>]*><span class="n">sequence</span>', page)
    assert mark is not None
    octets = re.findall(rf'<span class="[^"]*\b{mark[1]}\b[^"]*">([^<]*)</span>', page)
    assert octets[0].split() == ["01", "02", "03", "04"]


def test_a_page_of_a_list_opens_its_packets_and_says_what_it_leaves_out() -> None:
    page = html.table(records(lossy()), rows=10, openable=3)
    checker = Checker(page)
    assert "15 packets in 1.143 s; the first 10 are shown" in checker.text
    assert page.count('<summary class="row') == 3
    assert page.count('<div class="row k-') == 7
    assert "lost on the link" in checker.text
