"""The control messages that recvmsg(2) gives beside data, as the socket's options ask for them (socket(7), tcp(7), ip(7))."""

from __future__ import annotations

import struct
from socket import AF_INET6
from typing import TYPE_CHECKING

from stack.base.address import IPv4Address, IPv6Address
from stack.base.quantity import SECOND
from stack.socket import numbers as n
from stack.socket.clock import EPOCH
from stack.socket.error_queue import Control
from stack.socket.getaddrinfo import mapped
from stack.socket.membership import interfaces

if TYPE_CHECKING:
    from stack.host.udp_endpoint import Datagram
    from stack.socket.description import Description
    from stack.socket.stream import Stream

_RX_STAMPS = n.SOF_TIMESTAMPING_RX_SOFTWARE | n.SOF_TIMESTAMPING_SOFTWARE


def stream_control(file: Stream, data: bytes) -> Control:
    """Of a stream: when the last octets came, and how many are left."""
    connection = file.connection
    if connection is None:
        return []
    made = time_stamps(file, connection.heard) if data else []
    if file.option(n.SOL_TCP, n.TCP_INQ):
        left = connection.unread + bool(connection.rcv.fin and (connection.unread or not data))
        if not left and connection.rcv.fin:
            left = 1  # go on reading: the end is still to be told
        made.append((n.SOL_TCP, n.TCP_CM_INQ, struct.pack("i", left)))
    return made


def time_stamps(file: Description, arrived: int) -> Control:
    """SO_TIMESTAMP, SO_TIMESTAMPNS, SO_TIMESTAMPING: when it arrived, as CLOCK_REALTIME has it."""
    made: Control = []
    seconds, rest = divmod(EPOCH + arrived, SECOND)
    if file.option(n.SOL_SOCKET, n.SO_TIMESTAMPNS):
        made.append((n.SOL_SOCKET, n.SCM_TIMESTAMPNS, struct.pack("qq", seconds, rest)))
    elif file.option(n.SOL_SOCKET, n.SO_TIMESTAMP):
        made.append((n.SOL_SOCKET, n.SCM_TIMESTAMP, struct.pack("qq", seconds, rest // 1000)))
    if file.option(n.SOL_SOCKET, n.SO_TIMESTAMPING) & _RX_STAMPS == _RX_STAMPS:
        made.append((n.SOL_SOCKET, n.SCM_TIMESTAMPING, struct.pack("qq", seconds, rest) + bytes(32)))
    return made


def datagram_control(file: Description, datagram: Datagram) -> Control:
    """Of a datagram: when and where it arrived, and what its header said."""
    made = time_stamps(file, datagram.arrived)
    if file.extra is None:
        return made
    wire = datagram.destination
    if isinstance(wire, IPv6Address) and wire.mapped is not None:
        wire = wire.mapped
    if isinstance(wire, IPv4Address):
        _control4(file, datagram, wire, made)
    index = next((number for number, each in interfaces(file.node) if each is datagram.interface), 0)
    if file.family == AF_INET6:
        if file.option(n.SOL_IPV6, n.IPV6_RECVPKTINFO):
            made.append((n.SOL_IPV6, n.IPV6_PKTINFO, bytes(mapped(datagram.destination)) + struct.pack("i", index)))
        if not isinstance(wire, IPv4Address):
            if file.option(n.SOL_IPV6, n.IPV6_RECVHOPLIMIT):
                made.append((n.SOL_IPV6, n.IPV6_HOPLIMIT, struct.pack("i", datagram.hop_limit)))
            if file.option(n.SOL_IPV6, n.IPV6_RECVTCLASS):
                made.append((n.SOL_IPV6, n.IPV6_TCLASS, struct.pack("i", datagram.traffic_class)))
    return made


def _control4(file: Description, datagram: Datagram, wire: IPv4Address, made: Control) -> None:
    if file.option(n.SOL_IP, n.IP_PKTINFO):
        index = next((number for number, each in interfaces(file.node) if each is datagram.interface), 0)
        made.append((n.SOL_IP, n.IP_PKTINFO, struct.pack("i4s4s", index, bytes(wire), bytes(wire))))
    if file.option(n.SOL_IP, n.IP_RECVTTL):
        made.append((n.SOL_IP, n.IP_TTL, struct.pack("i", datagram.hop_limit)))
    if file.option(n.SOL_IP, n.IP_RECVTOS):
        made.append((n.SOL_IP, n.IP_TOS, struct.pack("B", datagram.traffic_class)))
