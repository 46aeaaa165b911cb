"""The fields of captured frames, as dpkt and scapy read them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import dpkt
import scapy.layers.inet as inet
import scapy.layers.inet6 as inet6
import scapy.layers.l2 as l2

from stack.codec.fields import Sealed
from stack.codec.header import Header
from stack.codec.packet import Packet
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.link.formats.arp import ARP
from stack.link.formats.ethernet import Ethernet
from stack.link.formats.vlan import VLAN
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP
from tests.formats.shared_captures import each_capture, frames, needs_captures

PER_FILE = 150  # scapy is slow
FIELDS: dict[type[Header], tuple[Any, dict[str, str]]] = {
    Ethernet: (l2.Ether, {"destination": "dst", "source": "src", "type": "type"}),
    VLAN: (l2.Dot1Q, {"identifier": "vlan", "priority": "prio", "type": "type"}),
    ARP: (l2.ARP, {"operation": "op", "sender_hardware": "hwsrc", "sender_protocol": "psrc", "target_protocol": "pdst"}),
    IPv4: (
        inet.IP,
        {
            "header_length": "ihl", "total_length": "len", "identification": "id", "fragment_offset": "frag",
            "time_to_live": "ttl", "protocol": "proto", "checksum": "chksum", "source": "src", "destination": "dst",
        },
    ),
    IPv6: (inet6.IPv6, {"flow_label": "fl", "payload_length": "plen", "next_header": "nh", "hop_limit": "hlim", "destination": "dst"}),
    ICMP: (inet.ICMP, {"type": "type", "code": "code", "checksum": "chksum"}),
    UDP: (inet.UDP, {"source": "sport", "destination": "dport", "length": "len", "checksum": "chksum"}),
    TCP: (
        inet.TCP,
        {
            "source": "sport", "destination": "dport", "sequence": "seq", "acknowledgment": "ack", "flags": "flags",
            "data_offset": "dataofs", "window": "window", "checksum": "chksum", "urgent_pointer": "urgptr",
        },
    ),
}  # fmt: skip


@needs_captures
@each_capture
def test_scapy_reads_the_same_values(path: Path) -> None:
    for number, frame in enumerate(frames(path)[:PER_FILE], 1):
        if frame.interface.linktype != 1:
            continue
        packet = Packet.parse(frame.data)
        if Ethernet not in packet or packet[Ethernet].type < 0x600:
            continue
        theirs = l2.Ether(frame.data)
        for header in packet.headers:
            if type(header) not in FIELDS:
                continue
            layer, names = FIELDS[type(header)]
            if sum(type(one) is type(header) for one in packet.headers) > 1 or layer not in theirs:
                continue
            read = {ours: getattr(theirs[layer], name) for ours, name in names.items()}
            said = {name: value if not isinstance(value, bytes) else str(value) for name in names for value in (getattr(header, name),)}
            assert said == {k: int(v) if not isinstance(v, str) else v for k, v in read.items()}, f"frame {number}"


@needs_captures
@each_capture
def test_dpkt_reads_the_same_values(path: Path) -> None:
    for number, frame in enumerate(frames(path), 1):
        if frame.interface.linktype != 1:
            continue
        packet = Packet.parse(frame.data)
        if [type(one) for one in packet.headers[:3]] != [Ethernet, IPv4, TCP] or packet[IPv4].total_length < 40:
            continue
        theirs = dpkt.ethernet.Ethernet(frame.data).data
        if not isinstance(theirs.data, dpkt.tcp.TCP):
            continue
        ip, tcp = packet[IPv4], packet[TCP]
        assert (ip.source, ip.destination, ip.options) == (theirs.src, theirs.dst, theirs.opts), f"frame {number}"
        assert (tcp.sequence, tcp.acknowledgment, tcp.options) == (theirs.data.seq, theirs.data.ack, theirs.data.opts)
        assert packet.after(TCP) == bytes(theirs.data.data)
        assert str(ip.source) == socket.inet_ntoa(theirs.src)


@needs_captures
@each_capture
def test_right_checksums_are_computed_again(path: Path) -> None:
    """Where a frame's checksum is right by scapy's word, sealing it again gives it."""
    for number, frame in enumerate(frames(path)[:60], 1):
        packet = Packet.parse(frame.data, frame.interface.linktype)
        kinds = [type(one) for one in packet.headers]
        outer = next((kind for kind in (IPv4, IPv6) if kind in kinds), None)
        inner = next((kind for kind in (TCP, UDP, ICMP, ICMPv6) if kind in kinds), None)
        if outer is None or inner is None or kinds.index(inner) - kinds.index(outer) != 1 or len(set(kinds)) != len(kinds):
            continue
        start = sum(len(one) for one in packet.headers[: kinds.index(outer)])
        end = len(frame.data) - len(packet.trailer)
        again = {IPv4: inet.IP, IPv6: inet6.IPv6}[outer](frame.data[start:end])
        layer = again.payload
        if not hasattr(layer, "chksum") and not hasattr(layer, "cksum"):
            continue
        name = "chksum" if hasattr(layer, "chksum") else "cksum"
        was = getattr(layer, name)
        delattr(layer, name)
        right = getattr(type(again)(bytes(again)).payload, name)
        header: Any = packet[inner]
        sealed = packet.replace(header.replace(checksum=Sealed))
        if was == right:
            assert sealed.rebuild() == frame.data, f"frame {number}"
