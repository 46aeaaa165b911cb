"""A packet list: one line a packet, as Wireshark says it."""

import io

from rich.console import Console

from stack.application.dns.messages import DNS, Question, Record
from stack.application.dns.names import Name
from stack.application.dns.records import A
from stack.base.address import MAC, IPv4Address, IPv6Address
from stack.codec.packet import Packet
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.ip.formats.nd import NeighborAdvertisement, NeighborSolicitation
from stack.ip.formats.nd_options import NDOptions, SourceLinkLayer, TargetLinkLayer
from stack.link.formats.arp import ARP
from stack.link.formats.ethernet import Ethernet
from stack.udp.formats.udp import UDP
from stack.view.summary import line_of
from stack.view.text import coloured, lines, table
from tests.view.builders import CLIENT, MACS, SERVER, frame, handshake, lossy, records

ALICE, BOB = MAC(MACS[CLIENT]), MAC(MACS[SERVER])
A6, B6 = IPv6Address("fd00::1"), IPv6Address("fd00::2")


def infos(*packets: Packet) -> list[str]:
    return [f"{line.protocol}: {line.info}" for line in map(line_of, packets)]


def test_a_connection_is_told_in_relative_numbers() -> None:
    assert list(lines(records(handshake()))) == [
        "    1     0.000000 10.0.0.1        → 10.0.0.2        TCP          74 49152 → 80 [SYN] Seq=0 Win=64240 Len=0 MSS=1460 SACK_PERM TSval=1 TSecr=0 WS=128",
        "    2     0.001000 10.0.0.2        → 10.0.0.1        TCP          74 80 → 49152 [SYN, ACK] Seq=0 Ack=1 Win=65160 Len=0 MSS=1460 SACK_PERM TSval=1 TSecr=0 WS=128",
        "    3     0.002000 10.0.0.1        → 10.0.0.2        TCP          54 49152 → 80 [ACK] Seq=1 Ack=1 Win=64256 Len=0",
    ]


def test_loss_is_told_with_its_cause() -> None:
    told = [line.partition("→ 10.0.0")[2].partition(" TCP ")[2].strip() for line in lines(records(lossy()), causes=True)]
    assert told[4] == "1054 80 → 49152 [ACK] Seq=1 Ack=19 Win=64256 Len=1000  (lost on the link)"
    assert told[8] == "66 [TCP Dup ACK 3#1] 49152 → 80 [ACK] Seq=19 Ack=1 Win=64256 Len=0 SLE=1001 SRE=2001"
    assert told[11] == "1054 [TCP Retransmission] 80 → 49152 [ACK] Seq=1 Ack=19 Win=64256 Len=1000  (fast retransmit)"


def test_each_interface_has_its_own_conversation() -> None:
    """A segment that passes two links is no retransmission, and numbers are those of the whole list."""
    twice = [one for packet in handshake() for one in (packet, packet)]
    seen = records(twice)
    for place, record in enumerate(seen):
        object.__setattr__(record, "interface", f"link {place % 2}")
    assert not any("TCP Retransmission" in line or "Dup" in line for line in lines(seen))


def test_neighbours_are_asked_and_answer() -> None:
    request = ARP(sender_hardware=ALICE, sender_protocol=IPv4Address(CLIENT), target_protocol=IPv4Address(SERVER))
    reply = ARP(
        operation=2, sender_hardware=BOB, sender_protocol=IPv4Address(SERVER),
        target_hardware=ALICE, target_protocol=IPv4Address(CLIENT),
    )  # fmt: skip
    probe = request.replace(sender_protocol=IPv4Address("0.0.0.0"))
    announcement = request.replace(target_protocol=IPv4Address(CLIENT))
    ask = ICMPv6() / NeighborSolicitation(B6, NDOptions([SourceLinkLayer(ALICE)]))
    tell = ICMPv6.neighbor(solicited=True, override=True) / NeighborAdvertisement(B6, NDOptions([TargetLinkLayer(BOB)]))
    assert infos(
        *(Ethernet(source=ALICE) / one for one in (request, reply, probe, announcement)),
        *(Ethernet(source=ALICE) / IPv6(source=A6, destination=B6) / one for one in (ask, tell)),
    ) == [
        "ARP: Who has 10.0.0.2? Tell 10.0.0.1",
        "ARP: 10.0.0.2 is at 02:00:00:00:00:02",
        "ARP: Who has 10.0.0.2? (ARP Probe)",
        "ARP: ARP Announcement for 10.0.0.1",
        "ICMPv6: Neighbor Solicitation for fd00::2 from 02:00:00:00:00:01",
        "ICMPv6: Neighbor Advertisement fd00::2 (sol, ovr) is at 02:00:00:00:00:02",
    ]
    assert line_of(Ethernet(source=ALICE) / request)[:2] == ("02:00:00:00:00:01", "Broadcast")


def test_pings_and_errors_are_told() -> None:
    quoted = IPv4(source=IPv4Address(CLIENT), destination=IPv4Address(SERVER)) / UDP(5000, 9) / b"x"
    assert infos(
        frame() / ICMP.echo(7, 1) / b"data",
        frame(SERVER) / ICMP.echo(7, 1, reply=True) / b"data",
        frame(SERVER) / ICMP(3, 3) / quoted,
        frame(SERVER) / ICMP(11, 0) / quoted,
        Ethernet() / IPv6(source=A6, destination=B6) / ICMPv6.echo(7, 1),
        Ethernet() / IPv6(source=A6, destination=B6) / ICMPv6.packet_too_big(1280) / IPv6(),
    ) == [
        "ICMP: Echo (ping) request  id=0x0007, seq=1/256, ttl=64",
        "ICMP: Echo (ping) reply    id=0x0007, seq=1/256, ttl=64",
        "ICMP: Destination unreachable (Port unreachable)",
        "ICMP: Time-to-live exceeded (Time to live exceeded in transit)",
        "ICMPv6: Echo (ping) request id=0x0007, seq=1, hop limit=64",
        "ICMPv6: Packet Too Big",
    ]
    assert line_of(frame(SERVER) / ICMP(3, 3) / quoted).source == SERVER, "the quotation is not the packet"


def test_datagrams_fragments_and_names_are_told() -> None:
    first = IPv4(identification=0x1234, more_fragments=True, source=IPv4Address(CLIENT), destination=IPv4Address(SERVER))
    query = DNS.message(0x2A, [Question(Name("example.com"))], recursion_desired=True)
    answer = DNS.message(0x2A, [Question(Name("example.com"))], [Record(Name("example.com"), A(IPv4Address("192.0.2.1")))], response=True)
    missing = DNS.message(0x2B, [Question(Name("nowhere.example"), 28)], response=True, rcode=3)
    assert infos(
        frame() / UDP(5000, 6000) / b"hello",
        Ethernet() / first / UDP(5000, 6000) / bytes(1472),
        Ethernet() / first.replace(more_fragments=False, fragment_offset=185, protocol=17) / bytes(100),
        frame() / UDP(5353, 53) / query,
        frame(SERVER) / UDP(53, 5353) / answer,
        frame(SERVER) / UDP(53, 4000) / missing,
    ) == [
        "UDP: 5000 → 6000 Len=5",
        "IPv4: Fragmented IP protocol (proto=UDP 17, off=0, ID=1234)",
        "IPv4: Fragmented IP protocol (proto=UDP 17, off=1480, ID=1234)",
        "DNS: Standard query 0x002a A example.com",
        "DNS: Standard query response 0x002a A example.com A 192.0.2.1",
        "DNS: Standard query response 0x002b No such name AAAA nowhere.example",
    ]


def test_what_nobody_knows_is_still_told() -> None:
    assert infos(Packet.parse(b"")) == ["?: 0 octets"]
    assert infos(Packet.parse(b"\x01\x02")) == ["?: 2 octets"]
    assert infos(Packet.parse(bytes(12) + b"\x90\x00" + b"odd")) == ["0x9000: Ethernet II, 3 octets"]
    assert infos(Ethernet() / IPv4(protocol=47) / b"???") == ["IPv4: GRE (47)"]


def test_a_long_trace_shows_its_ends() -> None:
    shown = table(records(handshake() * 20), shown=4).splitlines()
    assert [line.split()[0] for line in shown] == ["1", "2", "…", "59", "60"]
    assert shown[2] == "… 56 packets …"


def test_a_terminal_gets_colours_and_a_file_does_not() -> None:
    for terminal, marked in ((True, True), (False, False)):
        out = io.StringIO()
        console = Console(file=out, force_terminal=terminal, width=200, color_system="standard" if terminal else None)
        for line in coloured(records(handshake())):
            console.print(line)
        assert ("\x1b[" in out.getvalue()) is marked
        assert "49152 → 80 [SYN]" in out.getvalue()
