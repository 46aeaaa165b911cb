"""Makes the packet that a script injects: a script's packet with the numbers and addresses of the wire."""

from __future__ import annotations

from collections.abc import Callable

from stack.codec.header import Header
from stack.codec.packet import Packet as LivePacket
from stack.ip.formats import icmp, icmpv6
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.testing.drill.control_names import number_of
from stack.testing.drill.conversation import MASK, Conversation
from stack.testing.drill.place import ScriptError
from stack.testing.drill.script import (
    ControlMessage,
    Datagram,
    EchoedRaw,
    EchoedTCP,
    EchoedUDP,
    IPInfo,
    Packet,
    Segment,
)
from stack.testing.drill.tcp_options import Signature, TCPOption, octets_of
from stack.udp.formats.udp import UDP

CODEPOINTS = {"noecn": 0, "ect1": 1, "ect0": 2, "ce": 3}
HOPS = 255  # time to live of what a script injects, as packetdrill has it

#: The MD5 digest (RFC 2385) of a segment: its IP and TCP headers, its payload.
Signer = Callable[[IPv4 | IPv6, TCP, bytes], bytes]


def inject(packet: Packet, conversation: Conversation, signer: Signer | None = None) -> LivePacket:
    """The datagram to hand to the host. Raises ScriptError for what a script can say but nothing here can send."""
    if packet.layers:
        raise ScriptError(packet.place, "tunnels (ipv4, ipv6, gre, mpls in front of a packet) are read, but not emulated")
    try:
        headers, payload = _transport(packet, conversation, signer)
    except ValueError as error:
        raise ScriptError(packet.place, str(error)) from None
    return LivePacket(_ip(packet, conversation), *headers, payload=payload, cause=f"injected by {packet.place}")


def _ip(packet: Packet, conversation: Conversation) -> IPv4 | IPv6:
    """The IP header: what the script says of it, from the remote end to the host."""
    info = packet.ip or IPInfo()
    if info.ecn == "ect01":
        raise ScriptError(packet.place, "ect01 is for outbound packets: an inbound one is ect0 or ect1")
    tos = info.tos or 0
    ecn = CODEPOINTS[info.ecn] if info.ecn is not None else tos & 3
    hops = HOPS if info.ttl is None else info.ttl
    if conversation.version == 4:
        if info.flow_label is not None:
            raise ScriptError(packet.place, "a flow label is IPv6's")
        return IPv4(
            dscp=tos >> 2, ecn=ecn, time_to_live=hops, source=conversation.remote, destination=conversation.local
        )
    return IPv6(
        dscp=tos >> 2, ecn=ecn, hop_limit=hops, flow_label=info.flow_label or 0, source=conversation.remote,
        destination=conversation.local,
    )  # fmt: skip


def _transport(packet: Packet, conversation: Conversation, signer: Signer | None) -> tuple[tuple[Header, ...], bytes]:
    """What follows the IP header."""
    body, remote, local = packet.body, conversation.remote_port, conversation.local_port or 0
    match body:
        case Segment():
            if body.udp_ports is not None:
                raise ValueError("TCP in UDP is read, but not emulated")
            conversation.note_inbound(body)
            live, text = conversation.to_live(body), bytes(body.length)
            header = segment_header(live, remote, local, b"".join(map(octets_of, live.options or ())))
            if any(isinstance(option, Signature) and option.digest is not False for option in live.options or ()):
                header = _sign(header, live.options or (), text, _ip(packet, conversation), signer)
            return (header,), text
        case Datagram(length, _, coverage):
            if coverage is not None:
                raise ValueError("UDP-Lite is read, but not emulated")
            return (UDP(remote, local),), bytes(length)
    return _control(body, conversation)


def segment_header(live: Segment, source: int, destination: int, options: bytes) -> TCP:
    """The TCP header of a segment with the numbers of the wire."""
    header = TCP(
        source=source, destination=destination, sequence=live.sequence or 0, acknowledgment=live.ack or 0,
        window=live.window or 0, urgent_pointer=live.urgent or 0, options=TCPOptions(options),
    )  # fmt: skip
    return header.replace(flags=live.flags)


def _sign(header: TCP, options: tuple[TCPOption, ...], text: bytes, ip: IPv4 | IPv6, signer: Signer | None) -> TCP:
    """The header with the digest that `md5 valid` asks for."""
    if not any(option == Signature(True) for option in options):
        return header
    if signer is None:
        raise ValueError("md5 valid: no key is set for this connection")
    digest = signer(ip, header, text)
    done = [Signature(digest) if option == Signature(True) else option for option in options]
    return header.replace(options=TCPOptions(b"".join(map(octets_of, done))))


def _control(body: ControlMessage, conversation: Conversation) -> tuple[tuple[Header, ...], bytes]:
    """An ICMP message, and what it quotes: unless the script says what, the conversation's own protocol."""
    kind, code = number_of(conversation.version, body.type, body.code)
    rest = bytes(4)
    if body.identifier is not None:
        rest = body.identifier.to_bytes(2, "big") + bytes(2)
    elif body.mtu is not None:
        if conversation.version == 4 and body.mtu > 0xFFFF:
            raise ValueError(f"an MTU of {body.mtu} does not fit ICMP")
        rest = body.mtu.to_bytes(4, "big")
    header = ICMP(kind, code, rest=rest) if conversation.version == 4 else ICMPv6(kind, code, rest=rest)
    errors = icmp.ERRORS if conversation.version == 4 else icmpv6.ERRORS
    if isinstance(body.echoed, EchoedRaw):
        return (header,), bytes(body.echoed.length)
    if kind not in errors:
        return (header,), b""
    return (header, *_quoted(body.echoed, conversation)), b""


def _quoted(echoed: EchoedTCP | EchoedUDP | None, conversation: Conversation) -> tuple[Header, ...]:
    """The beginning of the datagram that an error is about: headers that the host had sent, without payload."""
    local, remote = conversation.local_port or 0, conversation.remote_port
    inner: TCP | UDP
    if isinstance(echoed, EchoedUDP) or (echoed is None and conversation.protocol == "udp"):
        length = echoed.length if echoed is not None else 0
        inner, size = UDP(local, remote, length=8 + length, checksum=0), 8 + length
    else:
        relative, length = (echoed.sequence, echoed.length) if echoed is not None else (0, 0)
        sequence = relative + conversation.local_offset(False) & MASK
        inner, size = TCP(source=local, destination=remote, sequence=sequence, ack=True, checksum=0), 20 + length
    if conversation.version == 4:
        return IPv4(total_length=20 + size, source=conversation.local, destination=conversation.remote), inner
    return IPv6(payload_length=size, source=conversation.local, destination=conversation.remote), inner
