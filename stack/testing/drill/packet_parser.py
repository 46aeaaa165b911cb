"""Reads the packets of a packetdrill script: `> P. 1:1001(1000) ack 1 win 257 <nop,nop,TS val 100 ecr 0>`."""

from __future__ import annotations

import re

from stack.testing.drill.layer_parser import layers
from stack.testing.drill.option_parser import options
from stack.testing.drill.place import Place
from stack.testing.drill.scanner import Scanner
from stack.testing.drill.script import (
    ControlMessage,
    Datagram,
    Direction,
    EchoedRaw,
    EchoedTCP,
    EchoedUDP,
    Packet,
    Segment,
)

FLAGS = re.compile(r"-(?=\s)|[A-Za-z.0-9]+(?=\s)")
LETTERS = {"F": 1, "S": 2, "R": 4, "P": 8, ".": 16, "U": 32, "E": 64, "W": 128, "A": 256}
PORTS = re.compile(r"[0-9]+\s*>")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
WORDS = ("mtu", "id")  # what can follow an ICMP message's type and code


def packet(scanner: Scanner) -> Packet:
    """A packet, from its direction on."""
    place = scanner.place()
    if scanner.take_word("inject"):  # the same as <, in words
        scanner.take("<")
        direction = Direction.INBOUND
    else:
        direction = Direction.INBOUND if scanner.sees("<") else Direction.OUTBOUND
        scanner.expect(direction.value, "'<' or '>'")
    info, outer = layers(scanner)
    if scanner.take_word("sctp"):
        scanner.refuse("SCTP is not supported: packets are TCP, UDP, UDP-Lite or ICMP", place)
    body: Segment | Datagram | ControlMessage
    if scanner.take_word("icmp", "icmpv6"):
        body = control_message(scanner)
    elif word := scanner.take_word("udp", "udplite"):
        body = datagram(scanner, word == "udplite")
    else:
        body = segment(scanner, direction)
    return Packet(direction, body, info, outer, place)


def ports(scanner: Scanner) -> tuple[int, int] | None:
    """`1234 > 8080`, if it is there."""
    if not scanner.looks(PORTS):
        return None
    source = scanner.integer("a port", high=0xFFFF)
    scanner.expect(">")
    return source, scanner.integer("a port", high=0xFFFF)


def segment(scanner: Scanner, direction: Direction) -> Segment:
    """A TCP segment."""
    inbound = direction is Direction.INBOUND
    pair = ports(scanner)
    bits = flags(scanner)
    sequence, end, length = numbers(scanner, anywhere=not inbound)
    ack = scanner.integer("an acknowledgment number") if scanner.take_word("ack") else None
    place = scanner.place()
    window = scanner.integer("a window", high=0xFFFF) if scanner.take_word("win") else None
    if inbound and window is None and not bits & LETTERS["R"]:
        scanner.refuse("expected 'win': an inbound segment needs a window", place)
    urgent = scanner.integer("an urgent pointer", high=0xFFFF) if scanner.take_word("urg") else None
    place = scanner.place()
    found = options(scanner) if scanner.take("<") else ()
    if inbound and found is None:
        scanner.refuse("<...> is for outbound segments: an inbound one needs its options", place)
    encapsulation = None
    if scanner.take("/"):
        scanner.expect_word("udp")
        scanner.expect("(")
        encapsulation = ports(scanner) or scanner.fail("the ports of the UDP datagram, a > b")
        scanner.expect(")")
    return Segment(bits, sequence, end, length, ack, window, urgent, found, pair, encapsulation)


def flags(scanner: Scanner) -> int:
    """The flags of a TCP header: FSRP.UEWA, a digit for the three bits of accurate ECN, or - for none."""
    place = scanner.place()
    found = scanner.match(FLAGS)
    if found is None:
        scanner.fail("TCP flags (of FSRP.UEWA), udp, icmp, or a layer")
    bits = 0
    for letter in found[0].removeprefix("-"):
        if letter in "01234567":
            bits |= int(letter) << 6  # ACE: AE, CWR, ECE (RFC 9768 section 3.1)
        elif letter in LETTERS:
            bits |= LETTERS[letter]
        else:
            scanner.refuse(f"expected TCP flags (of FSRP.UEWA), found {found[0][:40]!r}", place)
    return bits


def numbers(scanner: Scanner, anywhere: bool = False) -> tuple[int | None, int | None, int]:
    """`1:1001(1000)`, or `...(1000)`: sequence number, the one after the last octet, octets."""
    place = scanner.place()
    start = stop = None
    if not (anywhere and scanner.take("...")):
        start = scanner.integer("a sequence number")
        scanner.expect(":")
        stop = scanner.integer("a sequence number")
    scanner.expect("(")
    length = scanner.integer("a length in octets", high=0xFFFF)
    scanner.expect(")")
    if start is not None and start + length & 0xFFFFFFFF != stop:
        scanner.refuse(f"{start}:{stop}({length}): the numbers do not go with the length", place)
    return start, stop, length


def datagram(scanner: Scanner, lite: bool) -> Datagram:
    """What stands after `udp`: `(1000)`; after `udplite`: `(1000, 8)`, length and coverage of the checksum."""
    pair = ports(scanner)
    scanner.expect("(")
    length = scanner.integer("a length in octets", high=0xFFFF)
    coverage = None
    if lite:
        scanner.expect(",")
        coverage = scanner.integer("the octets that the checksum covers", high=0xFFFF)
    scanner.expect(")")
    return Datagram(length, pair, coverage)


def control_message(scanner: Scanner) -> ControlMessage:
    """What stands after `icmp`: `unreachable frag_needed mtu 1200 [1:1001(1000)]`."""
    kind = name(scanner) or scanner.fail("a type of ICMP")
    code = None if scanner.sees_word(*WORDS) or not scanner.looks(NAME) else name(scanner)
    mtu = scanner.integer("an MTU") if scanner.take_word("mtu") else None
    identifier = scanner.integer("an identifier", high=0xFFFF) if scanner.take_word("id") else None
    return ControlMessage(kind, code, mtu, identifier, echoed(scanner))


def name(scanner: Scanner) -> str | None:
    """The name of an ICMP type or code, or what a symbol stands for."""
    found = scanner.match(NAME)
    return scanner.symbol(found[0]) if found else None


def echoed(scanner: Scanner) -> EchoedTCP | EchoedUDP | EchoedRaw | None:
    """What an ICMP message quotes, if that is said."""
    if not scanner.take("["):
        return None
    found: EchoedTCP | EchoedUDP | EchoedRaw
    if word := scanner.take_word("udp", "raw"):
        scanner.expect("(")
        length = scanner.integer("a length in octets", high=0xFFFF)
        scanner.expect(")")
        found = EchoedUDP(length) if word == "udp" else EchoedRaw(length)
    else:
        start, stop, length = numbers(scanner)
        found = EchoedTCP(start or 0, stop or 0, length)
    scanner.expect("]")
    return found


def parse_packet(text: str, direction: Direction, name: str = "<packet>") -> Packet:
    """A packet without its direction: `S 0:0(0) win 32792 <mss 1000>`. Raises ScriptError."""
    scanner = Scanner(text, name, {})
    scanner.skip()
    written = scanner.sees("<", ">")
    if not written:
        scanner.text = scanner.text[: scanner.at] + direction.value + " " + scanner.text[scanner.at :]
    found = packet(scanner)
    scanner.skip()
    if scanner.at < len(scanner.text):
        scanner.fail("the end of the packet")
    if found.direction is not direction:
        scanner.refuse(f"expected a packet with '{direction.value}'", Place(name, 1, 1))
    return found
