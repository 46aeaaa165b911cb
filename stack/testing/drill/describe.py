"""A packet from the wire as a script's: what the printer then writes in packetdrill's notation."""

from __future__ import annotations

from stack.codec.packet import Packet as LivePacket
from stack.ip.formats.icmp import ECHO_REPLY, ECHO_REQUEST, ICMP
from stack.ip.formats.icmpv6 import ECHO_REPLY as ECHO_REPLY_6
from stack.ip.formats.icmpv6 import ECHO_REQUEST as ECHO_REQUEST_6
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.tcp.formats.tcp import TCP
from stack.testing.drill.control_names import names_of
from stack.testing.drill.script import ControlMessage, Datagram, Direction, IPInfo, Packet, Segment
from stack.testing.drill.tcp_options import (
    FAST_OPEN_MAGIC,
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
from stack.udp.formats.udp import UDP

ECN_NAMES = ("noecn", "ect1", "ect0", "ce")
MASK = 0xFFFFFFFF


def describe(live: LivePacket, direction: Direction = Direction.OUTBOUND) -> Packet | None:
    """A packet with the numbers of the wire; None where it is neither TCP, UDP nor ICMP."""
    ip = live.get(IPv4) or live.get(IPv6)
    if ip is None:
        return None
    info = IPInfo(ECN_NAMES[ip.ecn], ip.dscp << 2 | ip.ecn, *hops(ip))
    body: Segment | Datagram | ControlMessage
    control = live.get(ICMP) if isinstance(ip, IPv4) else live.get(ICMPv6)
    if control is not None:
        body = control_message(control)
    elif (tcp := live.get(TCP)) is not None:
        body = segment(tcp, len(live.after(TCP)))
    elif (udp := live.get(UDP)) is not None:
        body = Datagram(len(live.after(UDP)), (udp.source, udp.destination))
    else:
        return None
    return Packet(direction, body, info)


def hops(ip: IPv4 | IPv6) -> tuple[int, int | None]:
    """Time to live, and the flow label where there is one."""
    return (ip.time_to_live, None) if isinstance(ip, IPv4) else (ip.hop_limit, ip.flow_label)


def segment(tcp: TCP, length: int) -> Segment:
    """A TCP header that carries `length` octets."""
    return Segment(
        tcp.flags, tcp.sequence, tcp.sequence + length & MASK, length, tcp.acknowledgment, tcp.window, tcp.urgent_pointer,
        read_options(bytes(tcp.options)), (tcp.source, tcp.destination),
    )  # fmt: skip


def control_message(header: ICMP | ICMPv6) -> ControlMessage:
    """An ICMP header."""
    version = 4 if isinstance(header, ICMP) else 6
    kind, code = names_of(version, header.type, header.code)
    echoes = (ECHO_REQUEST, ECHO_REPLY) if version == 4 else (ECHO_REQUEST_6, ECHO_REPLY_6)
    too_big = kind == "packet_too_big" or code == "frag_needed"
    return ControlMessage(kind, code, header.mtu if too_big else None, header.identifier if header.type in echoes else None)


def read_options(octets: bytes) -> tuple[TCPOption, ...]:
    """TCP options from their octets; padding is `eol` after `eol`, and what is damaged is one last option with its octets."""
    found: list[TCPOption] = []
    at = 0
    while at < len(octets):
        kind = octets[at]
        if kind < 2:
            found.append(Nop() if kind else EndOfList())
            at += 1
            continue
        size = octets[at + 1] if at + 1 < len(octets) else 0
        if not 2 <= size <= len(octets) - at:
            found.append(OtherOption(kind, octets[at + 1 :]))
            break
        found.append(read_option(kind, octets[at + 2 : at + size]))
        at += size
    return tuple(found)


def read_option(kind: int, data: bytes) -> TCPOption:
    """One option from its kind and what follows its length."""
    words = [int.from_bytes(data[at : at + 4], "big") for at in range(0, len(data), 4)]
    match kind, len(data):
        case 2, 2:
            return MaximumSegment(int.from_bytes(data, "big"))
        case 3, 1:
            return Scale(data[0])
        case 4, 0:
            return SackOK()
        case 5, size if size and size % 8 == 0:
            return SackBlocks(tuple(zip(words[::2], words[1::2], strict=True)))
        case 8, 8:
            return Timestamp(words[0], words[1])
        case 34, _:
            return FastOpen(data)
        case 254, _ if data.startswith(FAST_OPEN_MAGIC):
            return FastOpen(data[2:], True)
        case 19, 16:
            return Signature(data)
        case 29, size if size >= 2:
            return Authentication(data[0], data[1], data[2:])
        case (172 | 174), size if size % 3 == 0 and size <= 9:
            counters = tuple(int.from_bytes(data[at : at + 3], "big") for at in range(0, size, 3))
            return AccurateECN(int(kind == 174), counters)
    return OtherOption(kind, data)
