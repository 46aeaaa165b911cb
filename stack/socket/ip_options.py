"""The options of IPv4 and IPv6, a row each (ip(7), ipv6(7); RFC 3493, RFC 3542)."""

from __future__ import annotations

import errno
import struct
from typing import Any

from stack.socket import membership
from stack.socket import numbers as n
from stack.socket.description import Description, error
from stack.socket.numbers import SOL_IP, SOL_IPV6
from stack.socket.option import DATAGRAM, READ_ONLY, Option, Table, integer, kept, no_value, small, switch


def _set_v6only(description: Description, value: bytes) -> None:
    number = integer(value)
    if description.local() is not None:
        raise error(errno.EINVAL)
    description.keep(SOL_IPV6, n.IPV6_V6ONLY, int(number != 0))


def _hops(level: int, option: int, low: int, read: Any) -> Option:
    """The time to live; -1 brings back the host's."""
    row = kept(level, option, -1, low, 255, back=-1, read=read)

    def get(description: Any) -> int:
        value = int(description.option(level, option, -1))
        return value if value >= 0 else int(description.node.engine.settings.time_to_live)

    return Option(get, row.set)


def _traffic_class(level: int, option: int, read: Any) -> Option:
    """IP_TOS, IPV6_TCLASS: an octet, whose two bits of ECN are TCP's own on a stream."""

    def put(description: Any, value: bytes) -> None:
        number = read(value)
        if level == SOL_IPV6 and not -1 <= number <= 255:
            raise error(errno.EINVAL)
        description.keep(level, option, max(number, 0) & (0xFC if description.kind == 1 else 0xFF))

    return Option(lambda description: description.option(level, option), put)


def _set_port_range(description: Description, value: bytes) -> None:
    """IP_LOCAL_PORT_RANGE: the lowest ephemeral port, and in the upper half the highest; 0: the host's."""
    number = integer(value) & 0xFFFFFFFF
    low, high = number & 0xFFFF, number >> 16
    if low and high and low > high:
        raise error(errno.EINVAL)
    description.keep(SOL_IP, n.IP_LOCAL_PORT_RANGE, struct.unpack("i", struct.pack("I", number))[0])


def _path_mtu(description: Any) -> int:
    """IP_MTU, IPV6_MTU: of the path to the peer; raises ENOTCONN where there is none."""
    mtu = description.path_mtu()
    if mtu is None:
        raise error(errno.ENOTCONN)
    return int(mtu)


def _switch4(option: int, default: int = 0) -> tuple[tuple[int, int], Option]:
    return (SOL_IP, option), switch(SOL_IP, option, default, small)


def _switch6(option: int, default: int = 0) -> tuple[tuple[int, int], Option]:
    return (SOL_IPV6, option), switch(SOL_IPV6, option, default)


TABLE: Table = {
    (SOL_IP, n.IP_TTL): _hops(SOL_IP, n.IP_TTL, 1, small),
    (SOL_IP, n.IP_TOS): _traffic_class(SOL_IP, n.IP_TOS, small),
    (SOL_IP, n.IP_MTU): Option(_path_mtu, READ_ONLY),
    (SOL_IP, n.IP_MTU_DISCOVER): kept(SOL_IP, n.IP_MTU_DISCOVER, 1, 0, 5, read=small),
    (SOL_IP, n.IP_LOCAL_PORT_RANGE): Option(lambda d: d.option(SOL_IP, n.IP_LOCAL_PORT_RANGE), _set_port_range),
    (SOL_IP, n.IP_MULTICAST_TTL): kept(SOL_IP, n.IP_MULTICAST_TTL, 1, 0, 255, back=-1, read=small),
    (SOL_IP, n.IP_MULTICAST_IF): Option(membership.get_interface, membership.set_interface, DATAGRAM),
    (SOL_IP, n.IP_ADD_MEMBERSHIP): Option(no_value, membership.join, DATAGRAM),
    (SOL_IP, n.IP_DROP_MEMBERSHIP): Option(no_value, membership.leave, DATAGRAM),
    (SOL_IPV6, n.IPV6_V6ONLY): Option(lambda d: d.option(SOL_IPV6, n.IPV6_V6ONLY), _set_v6only),
    (SOL_IPV6, n.IPV6_UNICAST_HOPS): _hops(SOL_IPV6, n.IPV6_UNICAST_HOPS, 0, integer),
    (SOL_IPV6, n.IPV6_TCLASS): _traffic_class(SOL_IPV6, n.IPV6_TCLASS, integer),
    (SOL_IPV6, n.IPV6_MTU): Option(_path_mtu, READ_ONLY),
    (SOL_IPV6, n.IPV6_MTU_DISCOVER): kept(SOL_IPV6, n.IPV6_MTU_DISCOVER, 1, 0, 5),
    (SOL_IPV6, n.IPV6_MULTICAST_HOPS): kept(SOL_IPV6, n.IPV6_MULTICAST_HOPS, 1, 0, 255, back=-1),
    (SOL_IPV6, n.IPV6_MULTICAST_IF): Option(membership.get_interface6, membership.set_interface6, DATAGRAM),
    (SOL_IPV6, n.IPV6_JOIN_GROUP): Option(no_value, membership.join6, DATAGRAM),
    (SOL_IPV6, n.IPV6_LEAVE_GROUP): Option(no_value, membership.leave6, DATAGRAM),
} | dict(
    (
        _switch4(n.IP_MULTICAST_LOOP, 1),
        _switch4(n.IP_RECVERR),
        _switch4(n.IP_RECVTTL),
        _switch4(n.IP_RECVTOS),
        _switch4(n.IP_PKTINFO),
        _switch4(n.IP_FREEBIND),
        _switch4(n.IP_TRANSPARENT),
        _switch4(n.IP_BIND_ADDRESS_NO_PORT),
        _switch6(n.IPV6_MULTICAST_LOOP, 1),
        _switch6(n.IPV6_RECVERR),
        _switch6(n.IPV6_RECVPKTINFO),
        _switch6(n.IPV6_RECVHOPLIMIT),
        _switch6(n.IPV6_RECVTCLASS),
        _switch6(n.IPV6_DONTFRAG),
        _switch6(n.IPV6_AUTOFLOWLABEL, 1),
        _switch6(n.IPV6_FREEBIND),
        _switch6(n.IPV6_TRANSPARENT),
    )
)
