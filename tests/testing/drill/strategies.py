"""Scripts for Hypothesis: any tree that packetdrill's language can say."""

from typing import Any

from hypothesis import strategies as st

from stack.testing.drill.expressions import (
    Address,
    Anything,
    Array,
    Assign,
    ControlHeader,
    EpollEvent,
    Expression,
    ExtendedError,
    GREHeader,
    Integer,
    IOVector,
    LabelStack,
    Linger,
    MessageHeader,
    Or,
    PollFD,
    SocketAddress,
    String,
    Timestamping,
    Word,
)
from stack.testing.drill.layers import GRE, IP, MPLS, IPInfo, MPLSEntry
from stack.testing.drill.script import (
    Code,
    Command,
    ControlMessage,
    Datagram,
    Direction,
    EchoedRaw,
    EchoedTCP,
    EchoedUDP,
    Event,
    EventTime,
    Packet,
    Script,
    ScriptOption,
    Segment,
    Syscall,
    TimeKind,
)
from stack.testing.drill.tcp_options import (
    AccurateECN,
    Authentication,
    EndOfList,
    FastOpen,
    MaximumSegment,
    Nop,
    OtherOption,
    SackBlocks,
    SackOK,
    Scale,
    Signature,
    TCPOption,
    Timestamp,
    octets_of,
)

u8, u16, u32 = st.integers(0, 2**8 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
blobs = st.binary(max_size=8)
words = st.from_regex(r"[A-Z][A-Z0-9_]{0,10}", fullmatch=True)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='`%{}"\\#'), max_size=20)
ports = st.none() | st.tuples(u16, u16)


# Packets

blocks = st.lists(st.tuples(u32, u32), min_size=1, max_size=4).map(lambda found: SackBlocks(tuple(found)))
counters = st.lists(st.integers(0, 2**24 - 1), max_size=3).map(tuple)
options: st.SearchStrategy[TCPOption] = st.one_of(
    st.just(Nop()), st.just(EndOfList()), st.just(SackOK()), st.builds(MaximumSegment, u16), st.builds(Scale, u8), blocks,
    st.builds(Timestamp, u32, u32), st.builds(FastOpen, blobs, st.booleans()),
    st.builds(Signature, st.booleans() | st.binary(min_size=16, max_size=16)), st.builds(Authentication, u8, u8, blobs),
    st.builds(AccurateECN, st.integers(0, 1), counters), st.builds(OtherOption, st.integers(35, 100), blobs),
)  # fmt: skip


@st.composite
def option_lists(draw: st.DrawFn) -> tuple[TCPOption, ...]:
    """Options that fit a header, padded."""
    found: list[TCPOption] = []
    for option in draw(st.lists(options, max_size=5)):
        if sum(len(octets_of(one)) for one in [*found, option]) <= 40:
            found.append(option)
    size = sum(len(octets_of(one)) for one in found)
    return (*found, *[Nop()] * (-size % 4))


@st.composite
def segments(draw: st.DrawFn, direction: Direction) -> Segment:
    """TCP segments that can go in this direction."""
    inbound = direction is Direction.INBOUND
    length = draw(st.integers(0, 3000))
    sequence = draw(u32) if inbound else draw(u32 | st.none())
    end = None if sequence is None else (sequence + length) % 2**32
    return Segment(
        draw(st.integers(0, 511)), sequence, end, length, draw(st.none() | u32), draw(u16 if inbound else st.none() | u16),
        draw(st.none() | u16), draw(option_lists() if inbound else st.none() | option_lists()), draw(ports), draw(ports),
    )  # fmt: skip


ecn = st.sampled_from([None, "noecn", "ect0", "ect1", "ect01", "ce"])
infos = st.builds(IPInfo, ecn, st.none() | u8, st.none() | u8, st.none() | st.integers(0, 2**20 - 1))
some_infos = st.none() | infos.map(lambda info: info if info != IPInfo() else IPInfo("ce"))
entries = st.lists(st.builds(MPLSEntry, st.integers(0, 2**20 - 1), st.integers(0, 7), st.booleans(), u8), min_size=1, max_size=3).map(tuple)
gre = st.builds(GRE, u16, st.none() | u16, st.none() | u16, st.none() | u32, st.none() | u32)
layers: st.SearchStrategy[IP | GRE | MPLS] = st.one_of(
    st.builds(IP, st.just(4), st.ip_addresses(v=4).map(str), st.ip_addresses(v=4).map(str), some_infos),
    st.builds(IP, st.just(6), st.sampled_from(["::", "fd3d::1", "2001:db8::"]), st.sampled_from(["::1", "fe80::1:2"]), some_infos),
    gre, st.builds(MPLS, entries),
)  # fmt: skip


@st.composite
def echoed_segments(draw: st.DrawFn) -> EchoedTCP:
    """What an ICMP error quotes."""
    sequence, length = draw(u32), draw(u16)
    return EchoedTCP(sequence, (sequence + length) % 2**32, length)


kinds = st.sampled_from(["unreachable", "time_exceeded", "echo_request", "type_13"])
codes = st.none() | st.sampled_from(["frag_needed", "port_unreachable", "ttl", "code_7"])
controls = st.builds(
    ControlMessage, kinds, codes, st.none() | u32, st.none() | u16,
    st.none() | echoed_segments() | st.builds(EchoedUDP, u16) | st.builds(EchoedRaw, u16),
)  # fmt: skip
datagrams = st.builds(Datagram, u16, ports, st.none() | u16)


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    """Packets of any kind."""
    direction = draw(st.sampled_from(Direction))
    body = draw(st.one_of(segments(direction), controls, datagrams))
    return Packet(direction, body, draw(some_infos), tuple(draw(st.lists(layers, max_size=2))))


# Expressions

simple = st.one_of(
    st.builds(Anything), st.builds(Integer, st.integers(-(2**63), 2**64 - 1), st.booleans()), st.builds(Word, words),
    st.builds(String, st.text(max_size=10), st.booleans()),
    st.builds(Address, st.just(4), st.ip_addresses(v=4).map(str)), st.builds(LabelStack, entries), st.builds(GREHeader, gre),
    st.builds(Linger, u32, u32), st.builds(Timestamping, u32, u32),
    st.builds(SocketAddress, st.sampled_from(["AF_INET", "AF_INET6"]), st.none() | u16, st.none() | st.builds(Address, st.just(6), st.just("::1"))),
    st.builds(IOVector, st.builds(Anything) | st.builds(String, texts, st.booleans()), u32),
)  # fmt: skip


def compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Expressions made of expressions."""
    arrays = st.builds(Array, st.lists(inner, max_size=3).map(tuple))
    return st.one_of(
        arrays, st.builds(Or, st.builds(Or, simple, simple) | simple | arrays, simple), st.builds(Assign, words, inner),
        st.builds(MessageHeader, inner, u8, arrays, inner, st.none() | inner), st.builds(ControlHeader, inner, inner, inner),
        st.builds(ExtendedError, inner, inner, inner, inner, inner, inner), st.builds(PollFD, inner, inner, st.none() | inner),
        st.builds(EpollEvent, inner, st.sampled_from(["fd", "ptr", "u32", "u64"]), inner),
    )  # fmt: skip


expressions: st.SearchStrategy[Expression] = st.recursive(simple, compound, max_leaves=8)


# Scripts

times = st.integers(0, 10**15)


@st.composite
def event_times(draw: st.DrawFn) -> EventTime:
    """Times of every kind."""
    kind = draw(st.sampled_from(TimeKind))
    if kind is TimeKind.ANY:
        return EventTime(kind)
    start = draw(times)
    ranged = kind in (TimeKind.ABSOLUTE_RANGE, TimeKind.RELATIVE_RANGE)
    return EventTime(kind, start, start + draw(times) if ranged else start)


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Events of every kind."""
    time = draw(event_times())
    may_block = time.kind in (TimeKind.ABSOLUTE, TimeKind.RELATIVE)
    ends = st.none() | times.map(lambda more: time.start + more) if may_block else st.none()
    calls = st.builds(
        Syscall, words.map(str.lower), st.lists(expressions, max_size=4).map(tuple), expressions,
        st.none() | st.sampled_from(["EAGAIN", "ECONNRESET"]), st.none() | st.just("Try again"), ends,
    )  # fmt: skip
    commands, code = st.builds(Command, texts), st.builds(Code, texts)
    return Event(time, draw(st.one_of(packets(), calls, commands, code)))


script_options = st.builds(ScriptOption, words.map(str.lower), st.none() | st.from_regex(r"[a-z0-9_.:/]{1,10}", fullmatch=True))
commands = st.none() | st.builds(Command, texts)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    """Whole scripts."""
    head = tuple(draw(st.lists(script_options, max_size=3)))
    return Script(head, draw(commands), tuple(draw(st.lists(events(), min_size=1, max_size=5))), draw(commands))
