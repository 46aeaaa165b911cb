"""packetdrill's language is read: what is in it, what is refused and where, and that printing is the way back."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stack.testing.drill.expressions import (
    Anything,
    Array,
    Assign,
    Braces,
    EpollEvent,
    Integer,
    IOVector,
    Linger,
    MessageHeader,
    Or,
    PollFD,
    SocketAddress,
    String,
    Word,
)
from stack.testing.drill.option_parser import options as read_options
from stack.testing.drill.packet_parser import parse_packet
from stack.testing.drill.parser import parse
from stack.testing.drill.printer import show
from stack.testing.drill.scanner import Scanner
from stack.testing.drill.script import (
    Code,
    Command,
    ControlMessage,
    Datagram,
    Direction,
    EchoedTCP,
    Event,
    EventTime,
    IPInfo,
    Packet,
    Script,
    ScriptError,
    ScriptOption,
    Segment,
    Syscall,
    TimeKind,
)
from stack.testing.drill.tcp_options import (
    AccurateECN,
    EndOfList,
    FastOpen,
    MaximumSegment,
    Nop,
    SackBlocks,
    SackOK,
    Scale,
    Timestamp,
)
from tests.testing.drill.strategies import scripts

MS = 1_000_000


def one(text: str) -> Event:
    """The only event of a script."""
    (event,) = parse(text).events
    return event


def segment(text: str) -> Segment:
    """An expected segment."""
    body = parse_packet(text, Direction.OUTBOUND).body
    assert isinstance(body, Segment)
    return body


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(scripts())
def test_what_is_printed_reads_the_same(script: Script) -> None:
    assert parse(show(script)) == script


alphabet = st.sampled_from(list("+.0123456789 <>()[]{}=*~|,:\"`%/\n#-_") + [
    "S 0:0(0) win 1", "ack", "mss", "TS val", "sack", "icmp", "udp", "...", "%{", "}%", "socket(", "/*", "*/", "//", "--x=", "ipv4", "gre",
    "mpls", "(label", "flags", "{fd=", "events", "msg_iov(", "htons(", 'inet_addr("', "FO", "#ifdef A\n", "#endif\n", "+0 ", "0x", "E", "\\",
])  # fmt: skip


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(alphabet, max_size=40).map("".join) | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        script = parse(text)
    except ScriptError:
        return
    assert parse(show(script)) == script


@pytest.mark.parametrize(("text", "value"), [
    ('inet_addr("inet_addr("', 'inet_addr("inet_addr("'), ('"a b"', "a b"), ('A="b c"', 'A="b c"'), ('"a"b', '"a"b'), ("`a b`", "`a b`"),
    ('"a`b"', "a`b"), ('""', ""), ("=a", "=a"), ("a//b#c", "a//b#c"),
])  # fmt: skip
def test_quotes_around_the_whole_of_an_option_s_value_are_none_of_it(text: str, value: str) -> None:
    script = parse(f"--x={text}\n")
    assert script.options == (ScriptOption("x", value),)
    assert parse(show(script)) == script


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(scripts().map(show), st.data())
def test_a_damaged_script_is_read_or_refused(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    damaged = text[:at] + data.draw(st.sampled_from(["", "(", "{", "[", "9" * 5000, "`", '"', "%{", " "])) + text[at + data.draw(st.integers(0, 3)) :]
    with suppress(ScriptError):
        assert parse(show(parse(damaged))) == parse(damaged)


def test_a_script_has_options_a_first_command_events_and_a_last_command() -> None:
    script = parse("// a test\n--ip_version=ipv4 /* why */\n--non_fatal\n`sysctl -q a=1`\n\n0 close(3) = 0 # done\n`restore`\n")
    assert script.options == (ScriptOption("ip_version", "ipv4"), ScriptOption("non_fatal"))
    assert script.init == Command("sysctl -q a=1")
    assert script.cleanup == Command("restore")
    assert script.option("ip_version") == "ipv4"
    assert script.option("non_fatal") == ""
    assert script.option("mtu") is None
    assert [str(event.place) for event in script.events] == ["<script>:6:1"]


@pytest.mark.parametrize(("text", "time"), [
    ("0", EventTime(TimeKind.ABSOLUTE, 0, 0)),
    ("1.5", EventTime(TimeKind.ABSOLUTE, 1500 * MS, 1500 * MS)),
    ("+.0001", EventTime(TimeKind.RELATIVE, 100_000, 100_000)),
    ("*", EventTime(TimeKind.ANY)),
    ("1~2", EventTime(TimeKind.ABSOLUTE_RANGE, 1000 * MS, 2000 * MS)),
    ("+0~+.04", EventTime(TimeKind.RELATIVE_RANGE, 0, 40 * MS)),
])  # fmt: skip
def test_times(text: str, time: EventTime) -> None:
    assert one(f"{text} close(3) = 0").time == time


def test_a_blocking_call_says_when_it_ends() -> None:
    call = one("+.1...0.35 read(4, ..., 1000) = -1 EAGAIN (Resource temporarily unavailable)").action
    assert call == Syscall(
        "read", (Integer(4), Anything(), Integer(1000)), Integer(-1), "EAGAIN", "Resource temporarily unavailable", 350 * MS
    )


def test_segments() -> None:
    assert parse_packet("SEW 0:0(0) win 32792 <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>", Direction.INBOUND) == Packet(
        Direction.INBOUND,
        Segment(0xC2, 0, 0, 0, None, 32792, None, (MaximumSegment(1460), SackOK(), Timestamp(1, 0), Nop(), Scale(7))),
    )
    assert segment("P. 1:1001(1000) ack 1") == Segment(24, 1, 1001, 1000, 1)
    assert segment("R 2:2(0) <...>") == Segment(4, 2, 2, 0, options=None)
    assert segment("4294967295:4(5) ack 1".join(["F. ", ""])).end == 4
    assert segment("- 1:1(0)").flags == 0
    assert segment(".5 1:1(0) ack 1").flags == 16 | 0b101 << 6
    assert segment("SA. 1:1(0) ack 1").flags == 16 | 2 | 256
    assert segment("S. ...(0) ack 65538") == Segment(18, None, None, 0, 65538)
    assert segment("1234 > 80 U. 5:6(1) ack 1 win 9 urg 1") == Segment(48, 5, 6, 1, 1, 9, 1, ports=(1234, 80))
    assert segment(". 1:1(0) ack 1 win 0 <nop,nop,sack 1:2 3:4> /udp(9 > 10)").udp_ports == (9, 10)


@pytest.mark.parametrize(("text", "options"), [
    ("FO,nop,nop", (FastOpen(), Nop(), Nop())),
    ("FO 3021b9d889017eeb,nop,nop", (FastOpen(bytes.fromhex("3021b9d889017eeb")), Nop(), Nop())),
    ("FOEXP 1234", None),
    ("FOEXP TFO_COOKIE", (FastOpen(b"\x12\x34\x56\x78", True),)),
    ("ECN e1b 1 ceb 0 e0b 1,nop", (AccurateECN(1, (1, 0, 1)), Nop())),
    ("ECN e0b 1 ceb 0,kind 77 aabb", (AccurateECN(0, (1, 0)), None)),
    ("ECN,ECN0,nop,nop,nop,nop", (AccurateECN(1), AccurateECN(0), Nop(), Nop(), Nop(), Nop())),
    ("sackOK , eol,eol", (SackOK(), EndOfList(), EndOfList())),
    ("sack 1:2 3:4,nop,nop", (SackBlocks(((1, 2), (3, 4))), Nop(), Nop())),
])  # fmt: skip
def test_tcp_options(text: str, options: tuple[object, ...] | None) -> None:
    scanner = Scanner(text + ">", "x", {"TFO_COOKIE": "12345678"})
    if options is None:
        with pytest.raises(ScriptError, match="multiple of 4"):
            read_options(scanner)
        return
    found = read_options(scanner)
    assert found is not None
    assert [given for given, wanted in zip(found, options, strict=True) if wanted is not None and given != wanted] == []


def test_datagrams_and_control_messages() -> None:
    assert one("+1 < udp(1000)").action == Packet(Direction.INBOUND, Datagram(1000))
    assert one("+1 > udp 53 > 99 (8)").action == Packet(Direction.OUTBOUND, Datagram(8, (53, 99)))
    assert one("+0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]").action == Packet(
        Direction.INBOUND, ControlMessage("unreachable", "frag_needed", 1200, None, EchoedTCP(1, 1461, 1460))
    )
    two = parse("+0 < icmp unreachable CODE\n0.5 close(3) = 0", symbols={"CODE": "host_unknown"}).events
    assert two[0].action == Packet(Direction.INBOUND, ControlMessage("unreachable", "host_unknown"))
    assert len(parse("+0 < icmp unreachable\n12 close(3) = 0").events) == 2


def test_ip_headers() -> None:
    assert parse_packet("[ect0] . 1:1(0)", Direction.OUTBOUND).ip == IPInfo("ect0")
    assert parse_packet("(tos 0x10, flowlabel 0x3) . 1:1(0)", Direction.OUTBOUND).ip == IPInfo(None, 16, None, 3)
    outer = parse_packet("ipv4 [ce] 192.0.2.1 > 192.168.0.1: gre flags [key present], key = 5: ipv6 fd3d::1>::1: . 1:1(0)", Direction.OUTBOUND)
    assert [type(layer).__name__ for layer in outer.layers] == ["IP", "GRE", "IP"]
    stacked = parse_packet("ipv4 192.0.2.1 > 192.168.0.1: mpls (label 16, tc 0, ttl 1) (label 17, tc 1, [S], ttl 2): udp (8)", Direction.OUTBOUND)
    assert str(stacked.layers[1]) == "MPLS(entries=(MPLSEntry(label=16, traffic_class=0, bottom=False, ttl=1), MPLSEntry(label=17, traffic_class=1, bottom=True, ttl=2)))"


def test_structures() -> None:
    call = one("+0 sendmsg(5, {msg_name(...)=..., msg_iov(2)=[{..., 500},{...,400}], msg_flags=0}, A|B) = 900").action
    assert isinstance(call, Syscall)
    vectors = Array((IOVector(Anything(), 500), IOVector(Anything(), 400)))
    assert call.arguments == (Integer(5), MessageHeader(Anything(), 2, vectors, Integer(0)), Or(Word("A"), Word("B")))
    for text, value in {
        "{onoff=1, linger=0}": Linger(1, 0),
        "{fd=4, events=POLLIN, revents=POLLIN}": PollFD(Integer(4), Word("POLLIN"), Word("POLLIN")),
        "{fd=4, events=POLLIN}": PollFD(Integer(4), Word("POLLIN")),
        "{events=EPOLLIN, fd=4}": EpollEvent(Word("EPOLLIN"), "fd", Integer(4)),
        "{events=EPOLLIN, ptr=4}": EpollEvent(Word("EPOLLIN"), "ptr", Integer(4)),
        "{sa_family=AF_INET, sin_port=htons(...), sin_addr=...}": SocketAddress("AF_INET", None, None),
        '{function_set_name="rack", pcbcnt=0}': Braces((Assign("function_set_name", String("rack")), Assign("pcbcnt", Integer(0)))),
    }.items():
        call = one(f"0 f({text}) = 0").action
        assert isinstance(call, Syscall)
        assert call.arguments == (value,)


def test_code_and_commands_keep_their_text() -> None:
    assert one("+0 %{\nassert a == 1, 'x' # why\n}%").action == Code("\nassert a == 1, 'x' # why\n")
    assert one("+0 `sysctl a=\"1 2\"\nsysctl b=2`").action == Command('sysctl a="1 2"\nsysctl b=2')


def test_symbols_choose_parts_of_a_script() -> None:
    text = "#ifdef Linux\n0 close(1) = 0\n#else\n0 close(2) = 0\n#endif\n#ifndef Linux\n0 close(3) = 0\n#endif\n"
    closed = {name: [event.action.arguments[0] for event in parse(text, symbols={name: "1"}).events if isinstance(event.action, Syscall)] for name in ("Linux", "FreeBSD")}
    assert closed == {"Linux": [Integer(1)], "FreeBSD": [Integer(2), Integer(3)]}
    script = parse("--define=SIZE=1000\n0 write(4, ..., SIZE) = SIZE")
    assert isinstance(script.events[0].action, Syscall)
    assert script.events[0].action.result == Integer(1000)


@pytest.mark.parametrize(("text", "place", "reason"), [
    ("0 close(3)\n0 close(4) = 0", "2:1", "expected '='"),
    ("0 < S 0:0(0) <mss 1000>", "1:14", "a window"),
    ("0 < S 0:0(0) win 1 <...>", "1:20", "<...> is for outbound"),
    ("0 > S 0:1(0)", "1:7", "do not go with the length"),
    ("0 > X 0:0(0)", "1:5", "TCP flags"),
    ("0 > . 1:1(0) ack 1 <mss 1000,nop>", "1:21", "multiple of 4"),
    ("0 > . 1:1(0) <wibble>", "1:15", "unknown TCP option"),
    ("0 > sctp: INIT[]", "1:3", "SCTP is not supported"),
    ("0 sctp_recvv(3) = 0", "1:3", "SCTP is not supported"),
    ("2~1 close(3) = 0", "1:1", "ends before"),
    ("1...0.5 close(3) = 0", "1:2", "ends before"),
    ("*...0.5 close(3) = 0", "1:2", "without a range"),
    ("0 `sysctl", "1:3", "closing back quote"),
    ("0 %{ assert", "1:3", "closing }%"),
    ("#endif", "1:1", "#endif without #ifdef"),
    ("#ifdef A\n", "1:1", "#ifdef without #endif"),
    ("0 close(" + "[" * 60, "1:", "nested more than"),
    ("`restore`\n`again`\n0 close(3) = 0", "3:1", "the end of the script"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(text: str, place: str, reason: str) -> None:
    with pytest.raises(ScriptError) as caught:
        parse(text, "f.pkt")
    assert str(caught.value).startswith(f"f.pkt:{place}")
    assert reason in str(caught.value)


def test_the_script_of_the_page_on_the_language_is_read() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "drill.md").read_text(encoding="utf-8")
    (text,) = (block for block in page.split("```")[1::2] if "socket(" in block)
    assert len(parse(text).events) == 8
