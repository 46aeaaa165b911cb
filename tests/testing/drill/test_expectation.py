"""Injection and comparison: numbers of the script become the wire's and back, and every difference is seen."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.base.address import IPv4Address, IPv6Address
from stack.codec.packet import Packet as LivePacket
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.tcp.formats.tcp import TCP
from stack.testing.drill.conversation import MASK, Conversation
from stack.testing.drill.expectation import Expectation
from stack.testing.drill.injection import inject, segment_header
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.packet_parser import parse_packet
from stack.testing.drill.place import ScriptError
from stack.testing.drill.script import Direction, Packet, Segment
from stack.testing.drill.tcp_options import Nop, SackBlocks, Signature, TCPOption, Timestamp, octets_of
from stack.udp.formats.udp import UDP
from tests.testing.drill.strategies import segments

HOST, PEER = IPv4Address("192.168.0.1"), IPv4Address("192.0.2.1")
ISS, CLOCK = 4_000_000_000, 77_000
MS = 1_000_000


def conversation(**changes: object) -> Conversation:
    """A connection that has seen both SYNs: the host's initial number is ISS on the wire, the script's are 0."""
    made = Conversation(HOST, PEER, 8080, 40000, script_local=0, live_local=ISS, script_remote=0, live_remote=0)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def expected(text: str) -> Packet:
    """What a script expects."""
    return parse_packet(text, Direction.OUTBOUND)


def injected(text: str, to: Conversation) -> LivePacket:
    """What a script injects."""
    return inject(parse_packet(text, Direction.INBOUND), to)


def wire(segment: Segment, by: Conversation) -> LivePacket:
    """The packet of the wire that a script's segment expects: sequence numbers and the host's clock are the host's."""
    syn = bool(segment.flags & 2)

    def live(option: TCPOption) -> TCPOption:
        if isinstance(option, SackBlocks):
            return SackBlocks(tuple((left + by.remote_offset(syn) & MASK, right + by.remote_offset(syn) & MASK) for left, right in option.blocks))
        return Timestamp(option.value + CLOCK & MASK, option.echo) if isinstance(option, Timestamp) else option

    ack = (segment.ack or 0) + (by.remote_offset(syn) if segment.flags & 16 else 0) & MASK
    sequence = (segment.sequence or 0) + by.local_offset(syn) & MASK
    options = b"".join(octets_of(live(option)) for option in segment.options or ())
    header = segment_header(replace(segment, sequence=sequence, ack=ack, window=segment.window or 0), 8080, 40000, options)
    ip = IPv4(source=HOST, destination=PEER) if by.version == 4 else IPv6(source=by.local, destination=by.remote)
    return LivePacket(ip, header, payload=bytes(segment.length))


def meets(text: str, live: str, by: Conversation | None = None) -> bool:
    """Whether a live packet, said in the script's terms, is what is expected."""
    by = by or conversation()
    body = expected(live).body
    assert isinstance(body, Segment)
    return Expectation(expected(text), by).meet(wire(body, by))


# Mapping


def test_the_first_syn_says_the_script_s_numbers_and_the_answer_the_host_s() -> None:
    by = Conversation(HOST, PEER, 8080, 40000)
    syn = injected("S 999000:999040(40) win 32792 <mss 1460,nop,nop>".replace(",nop,nop", ""), by)
    assert (syn[TCP].sequence, syn[TCP].source, syn[TCP].destination, len(syn.after(TCP))) == (999000, 40000, 8080, 40)
    answer = TCP(source=8080, destination=40000, sequence=ISS, acknowledgment=999001, syn=True, ack=True)
    assert Expectation(expected("S. 1234:1234(0) ack 999001"), by).meet(LivePacket(IPv4(source=HOST, destination=PEER), answer))
    ack = injected(". 1:1(0) ack 1 win 100", by)
    assert (ack[TCP].sequence, ack[TCP].acknowledgment) == (999001, ISS + 1)
    assert meets("P. 1:101(100) ack 1", "P. 1:101(100) ack 1", by)


def test_a_connecting_host_s_peer_begins_with_its_syn() -> None:
    by = Conversation(HOST, PEER, None, 8080)
    syn = TCP(source=51234, destination=8080, sequence=ISS, syn=True)
    assert Expectation(expected("S 0:0(0)"), by).meet(LivePacket(IPv4(source=HOST, destination=PEER), syn))
    assert by.local_port == 51234
    assert injected(". 7:7(0) ack 1 win 1", by)[TCP].sequence == 7
    answer = injected("S. 123:123(0) ack 1 win 5840", by)
    assert (answer[TCP].sequence, answer[TCP].acknowledgment, answer[TCP].destination) == (123, ISS + 1, 51234)
    assert injected("P. 1:11(10) ack 1 win 257", by)[TCP].sequence == 124


def test_numbers_wrap_and_sack_blocks_are_mapped() -> None:
    by = conversation(live_local=2**32 - 5)
    ack = injected(". 1:1(0) ack 11 win 257 <sack 21:31 41:51,nop,nop>", by)[TCP]
    assert ack.acknowledgment == 6
    assert ack.options.sack == ((16, 26), (36, 46))


def test_echoes_are_what_the_host_sent_where_the_script_says_so() -> None:
    by = conversation()
    assert meets(". 1:1(0) ack 1 <nop,nop,TS val 100 ecr 7>", ". 1:1(0) ack 1 <nop,nop,TS val 100 ecr 7>", by)
    echo = injected(". 1:1(0) ack 1 win 1 <nop,nop,TS val 8 ecr 100>", by)[TCP].options.timestamps
    assert echo == (8, 100 + CLOCK)
    assert injected(". 1:1(0) ack 1 win 1 <nop,nop,TS val 8 ecr 150>", by)[TCP].options.timestamps == (8, 150)
    by.scaled_echo = True
    assert injected(". 1:1(0) ack 1 win 1 <nop,nop,TS val 8 ecr 150>", by)[TCP].options.timestamps == (8, 150 + CLOCK)


def test_the_host_s_clock_counts_where_ticks_have_a_length() -> None:
    first, later = ". 1:1(0) ack 1 <nop,nop,TS val 100 ecr 7>", ". 1:1(0) ack 1 <nop,nop,TS val 1104 ecr 7>"
    for tick, fits in ((0, True), (MS, False), (MS // 1000, True)):
        by = conversation()
        body = expected(later).body
        assert isinstance(body, Segment)
        assert meets(first, first, by)
        said = Expectation(expected(later.replace("1104", "1100")), by, tick=tick, tolerance=3 * MS)
        if fits:
            assert said.meet(wire(body, by))
        else:
            with pytest.raises(Mismatch, match="timestamp differs"):
                said.meet(wire(body, by))


# IP, UDP, ICMP


def test_what_is_said_of_ip_is_sent_and_compared() -> None:
    ip = injected("[ce] . 1:1(0) ack 1 win 1", conversation())[IPv4]
    assert (ip.ecn, ip.dscp, ip.time_to_live, ip.source, ip.destination) == (3, 0, 255, PEER, HOST)
    ip = injected("(tos 0x48, ttl 3) . 1:1(0) ack 1 win 1", conversation())[IPv4]
    assert (ip.ecn, ip.dscp, ip.time_to_live) == (0, 18, 3)
    segment = wire(Segment(16, 1, 1, 0, 1), conversation())
    marked = segment.replace(segment[IPv4].replace(ecn=2, dscp=4, time_to_live=64))
    for text, fits in {
        "[ect0]": True, "[ect01]": True, "[ect1]": False, "[noecn]": False, "[ce]": False, "(tos 0x12)": True, "(tos 0x10)": False,
        "(ttl 64)": True, "(ttl 63)": False, "": True,
    }.items():  # fmt: skip
        said = Expectation(expected(f"{text} . 1:1(0) ack 1"), conversation())
        if fits:
            assert said.meet(marked), text
        else:
            with pytest.raises(Mismatch, match=r"ECN|type of service|time to live"):
                said.meet(marked)


def test_the_version_of_ip_is_compared() -> None:
    by = conversation(local=IPv6Address("fd3d::1"), remote=IPv6Address("fd3d::2"))
    other = wire(Segment(16, 1, 1, 0, 1), conversation())
    with pytest.raises(Mismatch, match="IP version"):
        Expectation(expected(". 1:1(0) ack 1"), by).meet(other)
    assert meets("(flowlabel 0x0) . 1:1(0) ack 1", ". 1:1(0) ack 1", by)
    with pytest.raises(Mismatch, match="flow label"):
        meets("(flowlabel 0x1) . 1:1(0) ack 1", ". 1:1(0) ack 1", by)


def test_errors_quote_what_the_host_sent() -> None:
    message = injected("icmp unreachable frag_needed mtu 1200 [1:1461(1460)]", conversation())
    outer, icmp, inner, tcp = LivePacket.parse(bytes(message), linktype=228).headers
    assert isinstance(outer, IPv4)
    assert isinstance(icmp, ICMP)
    assert isinstance(inner, IPv4)
    assert isinstance(tcp, TCP)
    assert (icmp.type, icmp.code, icmp.mtu) == (3, 4, 1200)
    assert (inner.source, inner.destination, inner.total_length) == (HOST, PEER, 1500)
    assert (tcp.source, tcp.destination, tcp.sequence) == (8080, 40000, ISS + 1)


def test_for_ipv6_frag_needed_is_packet_too_big() -> None:
    by = conversation(local=IPv6Address("fd3d::1"), remote=IPv6Address("fd3d::2"), protocol="udp")
    icmp = injected("icmp unreachable frag_needed mtu 1300", by)
    assert (icmp[ICMPv6].type, icmp[ICMPv6].mtu, icmp[UDP].source) == (2, 1300, 8080)
    assert injected("icmp unreachable host_unreachable", by)[ICMPv6].code == 3


def test_datagrams() -> None:
    sent = injected("udp (1000)", conversation())
    assert (sent[UDP].source, sent[UDP].destination, len(sent.after(UDP))) == (40000, 8080, 1000)
    live = LivePacket(IPv4(source=HOST, destination=PEER), UDP(8080, 40000), payload=bytes(1000))
    assert Expectation(expected("udp (1000)"), conversation()).meet(live)
    with pytest.raises(Mismatch, match="length differs"):
        Expectation(expected("udp (999)"), conversation()).meet(live)
    with pytest.raises(Mismatch, match="protocol differs"):
        Expectation(expected(". 1:1(0)"), conversation()).meet(live)
    with pytest.raises(Mismatch, match="destination port"):
        Expectation(expected("udp (1000)"), conversation(remote_port=1)).meet(live)


def test_echoes_of_ping_are_compared() -> None:
    live = LivePacket(IPv4(source=HOST, destination=PEER), ICMP.echo(7, 1, reply=True))
    assert Expectation(expected("icmp echo_reply id 7"), conversation()).meet(live)
    for text in ("icmp echo_reply id 8", "icmp echo_request id 7", "icmp unreachable host_unknown"):
        with pytest.raises(Mismatch, match="differ"):
            Expectation(expected(text), conversation()).meet(live)
    with pytest.raises(ScriptError, match="unknown ICMP type"):
        Expectation(expected("icmp wibble"), conversation()).meet(live)


def test_signatures_are_made_and_verified_with_the_key() -> None:
    def signer(ip: object, header: TCP, text: bytes) -> bytes:
        return header.sequence.to_bytes(4, "big") * 4

    sent = inject(parse_packet("P. 1:5(4) ack 1 win 9 <md5 valid,nop,nop>", Direction.INBOUND), conversation(), signer)
    assert bytes(sent[TCP].options) == b"\x13\x12" + b"\0\0\0\1" * 4 + b"\1\1"
    valid = expected("P. 1:5(4) ack 1 <md5 valid,nop,nop>")
    for digest, fits in (((ISS + 1).to_bytes(4, "big") * 4, True), (bytes(16), False)):
        live = wire(Segment(24, 1, 5, 4, 1, options=(Signature(digest), Nop(), Nop())), conversation())
        said = Expectation(valid, conversation(), signer=signer)
        if fits:
            assert said.meet(live)
        else:
            with pytest.raises(Mismatch, match="signature differs"):
                said.meet(live)
        with pytest.raises(ScriptError, match="no key"):
            Expectation(valid, conversation()).meet(live)


@pytest.mark.parametrize("text", [
    "icmp unreachable wibble", "icmp wibble", "[ect01] . 1:1(0) win 1", "(flowlabel 0x1) . 1:1(0) win 1", "udplite (8, 8)",
    "ipv4 192.0.2.1 > 192.168.0.1: . 1:1(0) win 1", ". 1:1(0) win 1 /udp(1 > 2)", "S 0:0(0) win 1 <md5 valid,nop,nop>",
    "icmp unreachable frag_needed mtu 70000",
])  # fmt: skip
def test_what_cannot_be_sent_is_an_error_of_the_script(text: str) -> None:
    with pytest.raises(ScriptError):
        injected(text, conversation())


# Comparison


def unsigned(segment: Segment) -> Segment:
    """Without `md5 valid`, which needs a key."""
    if segment.options is None:
        return segment
    return replace(segment, options=tuple(Signature(bytes(16)) if one == Signature(True) else one for one in segment.options))


@settings(deadline=None, max_examples=200)
@given(segments(Direction.OUTBOUND))
def test_what_is_expected_is_met(segment: Segment) -> None:
    segment = unsigned(replace(segment, ports=None, udp_ports=None))
    by = conversation(script_local=segment.sequence or 0)
    live = wire(segment, by)
    assert Expectation(Packet(Direction.OUTBOUND, segment), by).meet(live)
    assert Expectation(Packet(Direction.OUTBOUND, segment), by).meet(LivePacket.parse(bytes(live), linktype=228))


@settings(deadline=None, max_examples=300)
@given(segments(Direction.OUTBOUND), st.data())
def test_one_change_of_an_expected_segment_is_seen(segment: Segment, data: st.DataObject) -> None:
    segment = unsigned(replace(segment, ports=None, udp_ports=None, sequence=segment.sequence or 0))
    segment = replace(segment, end=(segment.sequence or 0) + segment.length & MASK)
    by = conversation()
    live = wire(segment, by)
    field = data.draw(st.sampled_from(["flags", "sequence", "ack", "length", "window", "urgent", "options"]))
    value = getattr(segment, field)
    if field == "flags":
        value ^= 1 << data.draw(st.integers(0, 8))
    elif field == "options":
        value = (Nop(), *(value or ()), Nop(), Nop(), Nop())
    elif field == "window" and value is None:
        value = 1
    else:
        size = {"length": 2**16, "window": 2**16, "urgent": 2**16}.get(field, 2**32)
        value = ((value or 0) + data.draw(st.integers(1, size - 1))) % size
    changed = replace(segment, **{field: value})
    expectation = Expectation(Packet(Direction.OUTBOUND, changed), by)
    try:
        done = expectation.meet(live)
    except Mismatch as mismatch:
        said = {"flags": "flags", "sequence": "sequence number", "ack": "acknowledgment", "length": "length", "window": "window", "urgent": "urgent pointer", "options": "options"}  # fmt: skip
        # Of SYNs on both sides the numbers are taken; a flag may change what numbers mean.
        assert said[field] in str(mismatch) or field in ("flags", "length")  # noqa: PT017 - which of two outcomes it is
    else:
        assert not done, "a packet that differs was taken"
        assert field == "length"
        assert changed.length > segment.length


def test_a_large_segment_is_met_by_its_pieces() -> None:
    by = conversation()
    whole = Expectation(expected("FPW. 1:3921(3920) ack 1"), by)
    pieces = ["W. 1:1461(1460) ack 1", "P. 1461:2921(1460) ack 1", "FP. 2921:3921(1000) ack 1"]
    bodies = [expected(text).body for text in pieces]
    assert [whole.meet(wire(body, by)) for body in bodies if isinstance(body, Segment)] == [False, False, True]


@pytest.mark.parametrize("pieces", [
    ["P. 1:1001(1000) ack 1", "P. 1001:2002(1001) ack 1"],  # more than was expected
    [". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1"],  # the last has no PSH
    [". 1:1001(1000) ack 1", "P. 1002:2001(999) ack 1"],  # a gap
    [". 1:901(900) ack 1", "P. 901:2001(1100) ack 1"],  # the last is larger than the first
    [". 1:1001(1000) ack 1", ". 1001:1501(500) ack 1", "P. 1501:2001(500) ack 1"],  # not of one size
    ["F. 1:1001(1000) ack 1", "P. 1001:2001(1000) ack 1"],  # FIN before the end
    [". 1:1001(1000) ack 1", "P. 1001:2001(1000) ack 2"],
    [". 1:1001(1000) ack 1", "R. 1001:2001(1000) ack 1"],
])  # fmt: skip
def test_pieces_that_do_not_make_up_the_segment_are_refused(pieces: list[str]) -> None:
    by = conversation()
    whole = Expectation(expected("P. 1:2001(2000) ack 1"), by)
    bodies = [expected(text).body for text in pieces]
    with pytest.raises(Mismatch):
        for body in bodies:
            assert isinstance(body, Segment)
            whole.meet(wire(body, by))


def test_strict_segments_have_no_pieces() -> None:
    by = conversation()
    body = expected(". 1:1001(1000) ack 1").body
    assert isinstance(body, Segment)
    with pytest.raises(Mismatch, match="length"):
        Expectation(expected("P. 1:2001(2000) ack 1"), by, strict=True).meet(wire(body, by))


def test_a_mismatch_shows_both_sides_in_packetdrill_s_notation() -> None:
    with pytest.raises(Mismatch) as caught:
        meets("P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 100 ecr 7>", ". 1:1001(1000) ack 2 win 256 <nop,nop,TS val 100 ecr 7>")
    assert str(caught.value).splitlines() == [
        "<packet>:1:1: outbound packet: flags, acknowledgment, window differ",
        "  expected: > P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 100 ecr 7>",
        "    actual: > . 1:1001(1000) ack 2 win 256 <nop,nop,TS val 100 ecr 7>",
    ]
