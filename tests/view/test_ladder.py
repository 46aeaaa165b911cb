"""A ladder: who says what to whom, what arrives, and what does not."""

import xml.etree.ElementTree as ET

from stack.base.address import MAC, IPv4Address
from stack.link.formats.arp import ARP
from stack.link.formats.ethernet import Ethernet
from stack.view.arrows import ladder
from stack.view.ladder import Arrow, Column, Ladder
from tests.view.builders import CLIENT, MACS, MS, NAMES, SERVER, Seen, handshake, lossy, records, segment


def drawn(text: str) -> list[str]:
    """The lines of an expected diagram."""
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def test_a_connection_with_a_loss() -> None:
    assert str(ladder(records(lossy()), names=NAMES)).splitlines() == drawn("""
           client                                                           server
          10.0.0.1                                                         10.0.0.2
    0.000000  │── SYN Seq=0 Win=64240 MSS=1460 SACK_PERM WS=128 ──────────────►│
    0.020000  │◄─── SYN, ACK Seq=0 Ack=1 Win=65160 MSS=1460 SACK_PERM WS=128 ──│
    0.040000  │── ACK Seq=1 Ack=1 Win=64256 ──────────────────────────────────►│
    0.040000  │── GET / HTTP/1.1  Seq=1 Len=18 ───────────────────────────────►│
    0.060000  │                ╳──────── ACK Seq=1 Ack=19 Win=64256 Len=1000 ──│   lost
    0.061000  │◄───────────────────── ACK Seq=1001 Ack=19 Win=64256 Len=1000 ──│
    0.062000  │◄───────────────────── ACK Seq=2001 Ack=19 Win=64256 Len=1000 ──│
    0.063000  │◄───────────────────── ACK Seq=3001 Ack=19 Win=64256 Len=1000 ──│
    0.081000  │── ACK Seq=19 Ack=1 Win=64256 SLE=1001 SRE=2001 ───────────────►│   Dup ACK 3#1
    0.082000  │── ACK Seq=19 Ack=1 Win=64256 SLE=1001 SRE=3001 ───────────────►│   Dup ACK 3#2
    0.083000  │── ACK Seq=19 Ack=1 Win=64256 SLE=1001 SRE=4001 ───────────────►│   Dup ACK 3#3
    0.103000  │◄──────────────────────── ACK Seq=1 Ack=19 Win=64256 Len=1000 ──│   fast retransmit
    0.123000  │── ACK Seq=19 Ack=4001 Win=64256 ──────────────────────────────►│
              ┊                           1 s later                            ┊
    1.123000  │◄───────────────────────── FIN, ACK Seq=4001 Ack=19 Win=64256 ──│
    1.143000  │── RST, ACK Seq=19 Ack=4002 Win=64256 ─────────────────────────►│
""")


def at_both_ends() -> list[Seen]:
    """The handshake, seen where each packet leaves and 20 ms later where it arrives; the first SYN is lost."""
    syn, syn_ack, ack = handshake()
    sightings = [
        (0, syn, "client"), (1000, syn, "client"), (1020, syn, "server"),
        (1020, syn_ack, "server"), (1040, syn_ack, "client"), (1040, ack, "client"), (1060, ack, "server"),
    ]  # fmt: skip
    return [
        Seen(place, time * MS, packet, interface, "fault: lost on the link" if place == 1 else None)
        for place, (time, packet, interface) in enumerate(sightings, 1)
    ]


def test_what_is_seen_at_both_ends_is_one_arrow_between_two_times() -> None:
    assert str(ladder(at_both_ends(), names=NAMES)).splitlines() == drawn("""
           client                                                                server
          10.0.0.1                                                              10.0.0.2
    0.000000  │── SYN Seq=0 Win=64240 MSS=1460 SACK_PERM WS=128 ──╳                 │   lost
              ┊                             1 s later                               ┊
    1.000000  │── SYN Seq=0 Win=64240 MSS=1460 SACK_PERM WS=128 ───────────────────►│ 1.020000   Retransmission
    1.040000  │◄──────── SYN, ACK Seq=0 Ack=1 Win=65160 MSS=1460 SACK_PERM WS=128 ──│ 1.020000
    1.040000  │── ACK Seq=1 Ack=1 Win=64256 ───────────────────────────────────────►│ 1.060000
""")


def test_the_order_of_columns_can_be_chosen_and_a_broadcast_reaches_all() -> None:
    ask = ARP(
        sender_hardware=MAC(MACS[CLIENT]), sender_protocol=IPv4Address(CLIENT), target_protocol=IPv4Address("10.0.0.3")
    )
    packets = [handshake()[0], Ethernet(source=MAC(MACS[CLIENT])) / ask]
    assert ladder(records(packets), hosts=["server", "client"], names=NAMES).text(70).splitlines() == drawn("""
           server                                                client
          10.0.0.2                                              10.0.0.1
    0.000000  │◄─── SYN Seq=0 Win=64240 MSS=1460 SACK_PERM WS=128 ──│
    0.001000  │◄───────────────── Who has 10.0.0.3? Tell 10.0.0.1 ──│
""")


def test_many_hosts_and_arrows_across() -> None:
    shown = Ladder(
        [Column("a"), Column("router"), Column("b")],
        [
            Arrow(1, 0, "a", "b", "Echo request id=1 seq=1"),
            Arrow(2, 20 * MS, "router", "a", "Time exceeded"),
            Arrow(3, 30 * MS, "router", "*", "Who has b?"),
            Arrow(4, 31 * MS, "b", "a", "Echo reply id=1", lost=True, note="queue full"),
            Arrow(5, 32 * MS, "b", "b", "SYN"),
        ],
    )
    assert str(shown).splitlines() == drawn("""
              a                  router                   b
    0.000000  │── Echo request id=1 seq=1 ───────────────►│
    0.020000  │◄─── Time exceeded ──│                     │
    0.030000  │◄────────────────────│── Who has b? ──────►│
    0.031000  │          ╳──────────┼── Echo reply id=1 ──│   lost; queue full
    0.032000  │                     │                     │↺ SYN
""")


def test_a_lost_broadcast_reaches_nobody() -> None:
    shown = Ladder([Column("a"), Column("b"), Column("c")], [Arrow(1, 0, "a", "*", "Who has b?", lost=True)])
    assert str(shown).splitlines() == drawn("""
              a                        b                        c
    0.000000  │── Who has b? ─────────╳│───────────────────────╳│   lost
""")


def test_a_packet_that_passes_several_links_is_one_arrow() -> None:
    """A capture of all links sees it on each of them; on the second one the second is lost."""
    syn, _, ack = handshake()
    seen = [
        Seen(1, 0, syn, "client–router"), Seen(2, 5 * MS, syn, "router–server"),
        Seen(3, 9 * MS, ack, "client–router"), Seen(4, 14 * MS, ack, "router–server", "fault: queue full"),
    ]  # fmt: skip
    assert ladder(seen, names=NAMES).text().splitlines()[2:] == drawn("""
    0.000000  │── SYN Seq=0 Win=64240 MSS=1460 SACK_PERM WS=128 ───►│
    0.009000  │── ACK Seq=1 Ack=1 Win=64256 ──────────╳             │   lost; queue full
""")


def test_long_traces_are_cut_and_say_so() -> None:
    assert str(ladder(records(handshake() * 5), most=4)).splitlines()[-1] == "(11 more packets)"


def test_nothing_is_a_ladder_too() -> None:
    assert str(ladder([])) == "(no packets)"


def test_the_picture_is_well_formed_and_complete() -> None:
    picture = ladder(at_both_ends(), names=NAMES)
    root = ET.fromstring(picture.svg())
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"client", "server", "10.0.0.1", "10.0.0.2", "lost", "1 s later"} <= set(texts)
    assert "1.020000" in texts, "the time of arrival, at the side of who got it"
    assert picture._repr_html_() == picture.svg()


def test_what_packets_say_cannot_break_the_picture() -> None:
    evil = Arrow(1, 0, "<a>", "b&", "</svg><script>alert(1)</script>", note='"<', detail="<>")
    root = ET.fromstring(Ladder([Column("<a>", ("<",)), Column("b&")], [evil]).svg())
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


def test_times_go_downwards() -> None:
    """An arrow never ends above where it begins, and a host's packets leave in order."""
    from stack.view.ladder_svg import heights

    shown = ladder(records(lossy()), names=NAMES)
    ends = heights(shown).ends
    assert all(tail <= tip for tail, tip in ends)
    for host in ("client", "server"):
        tails = [end[0] for end, arrow in zip(ends, shown.arrows, strict=True) if arrow.source == host]
        assert tails == sorted(tails)


def test_names_are_taken_from_the_server_side_too() -> None:
    shown = ladder(records([segment(SERVER, b"hello", sequence=1, ack=True)]), names=NAMES, hosts=["client"])
    assert [column.name for column in shown.columns] == ["client", "server"]


def test_what_everyone_hears_is_heard_before_it_is_answered() -> None:
    from stack.view.ladder import EVERYONE
    from stack.view.ladder_svg import TURN, heights

    asked = Arrow(1, 0, "a", EVERYONE, "who?", sent=0, arrived=20 * MS)
    answered = Arrow(2, 20 * MS, "b", "a", "me", sent=20 * MS, arrived=40 * MS)
    ends = heights(Ladder([Column("a"), Column("b")], [asked, answered])).ends
    assert ends[1][0] >= ends[0][1] + TURN
