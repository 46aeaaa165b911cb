"""Writes a script's tree as packetdrill's text: what the parser reads from it is the same tree."""

from __future__ import annotations

import re

from stack.testing.drill.expression_printer import show_expression
from stack.testing.drill.layers import GRE, IP, MPLS, IPInfo
from stack.testing.drill.option_parser import COUNTERS
from stack.testing.drill.script import (
    Code,
    Command,
    ControlMessage,
    Datagram,
    EchoedTCP,
    EchoedUDP,
    Event,
    EventTime,
    Packet,
    Script,
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
)

_PLAIN = re.compile(r"(?:[^\s\"`]|\"[^\"]*\"|`[^`]*`)+")  # a value that is read as it stands, with quotes inside it
LETTERS = (("F", 1), ("S", 2), ("R", 4), ("P", 8), ("E", 64), ("W", 128), ("A", 256), ("U", 32), (".", 16))


def show(script: Script) -> str:
    """A whole script."""
    lines = [f"--{one.name}" + (f"={quoted(one.value)}" if one.value is not None else "") for one in script.options]
    if script.init is not None:
        lines.append(show_action(script.init))
    lines += [show_event(event) for event in script.events]
    if script.cleanup is not None:
        lines.append(show_action(script.cleanup))
    return "".join(f"{line}\n" for line in lines)


def quoted(value: str) -> str:
    """An option's value, in quotes if it needs them."""
    return value if _PLAIN.fullmatch(value) else f'"{value}"'


def show_event(event: Event) -> str:
    """A time, and what happens."""
    action = event.action
    blocking = f"...{show_time(action.end)}" if isinstance(action, Syscall) and action.end is not None else ""
    return f"{show_event_time(event.time)}{blocking} {show_action(action)}"


def show_event_time(time: EventTime) -> str:
    """`*`, `+0.1`, `0.1~0.2`."""
    if time.kind is TimeKind.ANY:
        return "*"
    plus = "+" if time.relative else ""
    ranged = time.kind in (TimeKind.ABSOLUTE_RANGE, TimeKind.RELATIVE_RANGE)
    return f"{plus}{show_time(time.start)}" + (f"~{plus}{show_time(time.end)}" if ranged else "")


def show_time(time: int) -> str:
    """Nanoseconds as seconds, exactly."""
    seconds, rest = divmod(time, 1_000_000_000)
    return f"{seconds}.{rest:09d}".rstrip("0") if rest else str(seconds)


def show_action(action: Packet | Syscall | Command | Code) -> str:
    """What happens."""
    match action:
        case Packet():
            return show_packet(action)
        case Command(text):
            return f"`{text}`"
        case Code(text):
            return f"%{{{text}}}%"
        case Syscall(name, arguments, result, errno, note):
            shown = f"{name}({', '.join(map(show_expression, arguments))}) = {show_expression(result)}"
            return shown + (f" {errno}" if errno else "") + (f" ({note})" if note is not None else "")


# Packets


def show_packet(packet: Packet) -> str:
    """A packet, with its direction."""
    shown = [packet.direction.value, *map(show_layer, packet.layers)]
    if packet.ip is not None and packet.ip != IPInfo():
        shown.append(str(packet.ip))
    return " ".join([*shown, show_body(packet.body)])


def show_layer(layer: IP | GRE | MPLS) -> str:
    """A layer around the packet, with its colon."""
    match layer:
        case IP(version, source, destination, info):
            said = f" {info}" if info not in (None, IPInfo()) else ""
            return f"ipv{version}{said} {source} > {destination}:"
        case GRE():
            return f"gre {layer}:"
        case MPLS(entries):
            return f"mpls {' '.join(map(str, entries))}:"


def show_body(body: Segment | Datagram | ControlMessage) -> str:
    """A segment, datagram or control message."""
    match body:
        case Segment():
            return show_segment(body)
        case Datagram(length, ports, coverage):
            between = f" {ports[0]} > {ports[1]}" if ports else ""
            return f"udp{between} ({length})" if coverage is None else f"udplite{between} ({length}, {coverage})"
        case ControlMessage(kind, code, mtu, identifier, echoed):
            said = ["icmp", kind] + ([code] if code is not None else [])
            said += [f"mtu {mtu}"] * (mtu is not None) + [f"id {identifier}"] * (identifier is not None)
            match echoed:
                case EchoedTCP(sequence, end, length):
                    said.append(f"[{sequence}:{end}({length})]")
                case EchoedUDP(length):
                    said.append(f"[udp ({length})]")
                case None:
                    pass
                case _:
                    said.append(f"[raw ({echoed.length})]")
            return " ".join(said)


def show_segment(segment: Segment) -> str:
    """A TCP segment."""
    said = [f"{segment.ports[0]} > {segment.ports[1]}"] if segment.ports else []
    said.append(show_flags(segment.flags))
    where = "..." if segment.sequence is None else f"{segment.sequence}:{segment.end}"
    said.append(f"{where}({segment.length})")
    for name, value in (("ack", segment.ack), ("win", segment.window), ("urg", segment.urgent)):
        if value is not None:
            said.append(f"{name} {value}")
    if segment.options is None:
        said.append("<...>")
    elif segment.options:
        said.append(f"<{','.join(map(show_option, segment.options))}>")
    if segment.udp_ports is not None:
        said.append(f"/udp({segment.udp_ports[0]} > {segment.udp_ports[1]})")
    return " ".join(said)


def show_flags(flags: int) -> str:
    """The nine flags of a TCP header."""
    return "".join(letter for letter, bit in LETTERS if flags & bit) or "-"


def show_option(option: TCPOption) -> str:
    """A TCP option."""
    match option:
        case Nop():
            return "nop"
        case EndOfList():
            return "eol"
        case SackOK():
            return "sackOK"
        case MaximumSegment(size):
            return f"mss {size}"
        case Scale(shift):
            return f"wscale {shift}"
        case SackBlocks(blocks):
            return " ".join(["sack", *(f"{left}:{right}" for left, right in blocks)])
        case Timestamp(value, echo):
            return f"TS val {value} ecr {echo}"
        case FastOpen(cookie, experimental):
            return f"{'FOEXP' if experimental else 'FO'} {cookie.hex()}".rstrip()
        case Signature(digest):
            return f"md5 {digest.hex() if isinstance(digest, bytes) else 'valid' if digest else 'invalid'}"
        case Authentication(key, next_key, code):
            return f"ao {key} {next_key} 0x{code.hex()}"
        case AccurateECN(order, counters):
            said = zip(COUNTERS[order], counters, strict=False)
            return " ".join(["ECN" if counters else f"ECN{order}", *(f"{name} {value}" for name, value in said)])
        case OtherOption(kind, data):
            return f"kind {kind} {data.hex()}".rstrip()
