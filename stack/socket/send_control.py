"""The control messages that sendmsg(2) takes: options for one call (socket(7), ip(7), ipv6(7), cmsg(3))."""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

from stack.socket import numbers as n
from stack.socket.description import error
from stack.socket.error_queue import Control

if TYPE_CHECKING:
    from stack.socket.datagram import Datagrams
    from stack.socket.description import Address

_STAMPED = n.SOF_TIMESTAMPING_TX_SCHED | n.SOF_TIMESTAMPING_TX_SOFTWARE | n.SOF_TIMESTAMPING_TX_ACK
_HOPS = ((n.SOL_IP, n.IP_TTL), (n.SOL_IPV6, n.IPV6_HOPLIMIT))
_CLASSES = ((n.SOL_IP, n.IP_TOS), (n.SOL_IPV6, n.IPV6_TCLASS))
_WHERE = ((n.SOL_IP, n.IP_PKTINFO), (n.SOL_IPV6, n.IPV6_PKTINFO))


def number(octets: bytes) -> int:
    """The number in a control message; raises EINVAL where it has not the size of one."""
    if len(octets) != 4:
        raise error(errno.EINVAL)
    return int(struct.unpack("i", octets)[0])


def stamping(control: Control, kept: int) -> int:
    """The flags of SO_TIMESTAMPING for this call: the records to make come from the message, the rest from the option.

    What is not for the socket's own level is passed over; what is, and is not known, is EINVAL.
    """
    for level, kind, octets in control:
        if level != n.SOL_SOCKET:
            continue
        if kind == n.SO_TIMESTAMPING:
            value = number(octets)
            if value & ~_STAMPED:
                raise error(errno.EINVAL)
            kept = (kept & ~_STAMPED) | value
        elif kind != n.SO_MARK and kind != n.SO_PRIORITY:
            raise error(errno.EINVAL)
    return kept


def send_datagram(file: Datagrams, data: bytes, flags: int, to: Address | None, control: Control) -> int | None:
    """Send with the time to live and the traffic class that the control messages say."""
    stamping(control, 0)
    endpoint = file.endpoint
    before = endpoint.hop_limit, endpoint.traffic_class
    try:
        for level, kind, octets in control:
            if (level, kind) in _HOPS:
                endpoint.hop_limit = _between(number(octets), 1 if level == n.SOL_IP else -1)
            elif (level, kind) in _CLASSES:
                value = octets[0] if len(octets) == 1 and level == n.SOL_IP else number(octets)
                endpoint.traffic_class = _between(value, 0)
            elif level in (n.SOL_IP, n.SOL_IPV6) and (level, kind) not in _WHERE:
                raise error(errno.EINVAL)
        return file.send(data, flags, to)
    finally:
        endpoint.hop_limit, endpoint.traffic_class = before


def _between(value: int, low: int) -> int:
    if not low <= value <= 255:
        raise error(errno.EINVAL)
    return value
