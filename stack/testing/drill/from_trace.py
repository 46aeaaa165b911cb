"""A trace as a script: the packets of a capture in packetdrill's notation, seen from one host. The calls are for the reader to add."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from stack.base.address import IPv4Address, IPv6Address, ip_address
from stack.capture.trace import Record
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.tcp.formats.tcp import ACK, SYN
from stack.testing.drill.conversation import MASK, Conversation
from stack.testing.drill.describe import describe
from stack.testing.drill.printer import show
from stack.testing.drill.script import (
    ControlMessage,
    Datagram,
    Direction,
    Event,
    EventTime,
    IPInfo,
    Packet,
    Script,
    Segment,
    TimeKind,
)
from stack.testing.drill.tcp_options import SackBlocks

Address = IPv4Address | IPv6Address


def to_script(trace: Iterable[Record], local: str) -> str:
    """The packets from and to the address `local` as a script: TCP, UDP and ICMP, numbers relative, times since the packet before.

    Where there are several connections, their ports are written. Timestamps are those of the trace: a script's are
    compared only by distance. What is neither from nor to that address is left out.
    """
    host = ip_address(local)
    found: list[tuple[int, Packet, Conversation | None]] = []
    conversations: dict[tuple[object, ...], Conversation] = {}
    for record in trace:
        ip = record.packet.get(IPv4) or record.packet.get(IPv6)
        if ip is None or host not in (ip.source, ip.destination):
            continue
        outbound = ip.source == host
        packet = describe(record.packet, Direction.OUTBOUND if outbound else Direction.INBOUND)
        if packet is None:
            continue
        packet = replace(packet, ip=IPInfo(packet.ip.ecn) if packet.ip and packet.ip.ecn != "noecn" else None)
        conversation = None
        if isinstance(packet.body, Segment):
            peer = ip.destination if outbound else ip.source
            conversation = follow(conversations, packet.body, host, peer, outbound)
        found.append((record.time, packet, conversation))
    several = len(conversations) > 1
    events, last = [], None
    for time, packet, conversation in found:
        passed = time - (time if last is None else last)
        last = time
        when = EventTime(TimeKind.RELATIVE, passed, passed)
        events.append(Event(when, replace(packet, body=written(packet, conversation, several))))
    return show(Script(events=tuple(events)))


def follow(
    known: dict[tuple[object, ...], Conversation], segment: Segment, host: Address, peer: Address, outbound: bool
) -> Conversation:
    """The conversation of a segment; its first segments say where its numbers begin, as 0 if they are SYNs, else as 1."""
    ports = segment.ports or (0, 0)
    ours, theirs = ports if outbound else (ports[1], ports[0])
    conversation = known.setdefault((ours, theirs, peer), Conversation(host, peer, ours, theirs))
    begins = (segment.sequence or 0) - (not segment.flags & SYN) & MASK
    answers = (segment.ack or 0) - 1 & MASK
    acks = segment.flags & ACK
    if conversation.script_local is None and (outbound or acks):
        conversation.script_local, conversation.live_local = 0, begins if outbound else answers
    if conversation.script_remote is None and (not outbound or acks):
        conversation.script_remote, conversation.live_remote = 0, answers if outbound else begins
    return conversation


def written(packet: Packet, conversation: Conversation | None, several: bool) -> Segment | Datagram | ControlMessage:
    """What a script says of a packet."""
    body = packet.body
    if conversation is None or not isinstance(body, Segment):
        return body
    outbound = packet.direction is Direction.OUTBOUND
    ours, theirs = conversation.live_local, conversation.live_remote
    mine, other = (ours, theirs) if outbound else (theirs, ours)
    sequence = (body.sequence or 0) - mine & MASK
    options = tuple(
        SackBlocks(tuple((left - other & MASK, right - other & MASK) for left, right in option.blocks))
        if isinstance(option, SackBlocks) else option
        for option in body.options or ()
    )  # fmt: skip
    return replace(
        body, sequence=sequence, end=sequence + body.length & MASK, options=options, urgent=body.urgent or None,
        ack=(body.ack or 0) - other & MASK if body.flags & ACK else None, ports=body.ports if several else None,
    )  # fmt: skip
