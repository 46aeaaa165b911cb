"""Requests to the kernel about its interfaces: rtnetlink (RFC 3549, rtnetlink(7)), each with its acknowledgment."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from struct import Struct, calcsize, pack

from stack.base.address import IPAddress, IPv6Address

_HEADER = Struct("=IHHII")  # length, type, flags, sequence, port
_ERROR = Struct("=i")
_REQUEST, _ACK, _CREATE = 0x1, 0x4, 0x400
_NEW_LINK, _NEW_ADDRESS, _NEW_ROUTE, _DELETE_ROUTE, _NEW_DISCIPLINE, _DELETE_DISCIPLINE = 16, 20, 24, 25, 36, 37
_EXCLUSIVE, _REPLACE, _APPEND = 0x200, 0x100, 0x800
#: What ip(8) and tc(8) call it → flags of the request; to delete is a request of its own.
VERBS = {"add": _CREATE | _EXCLUSIVE, "change": _REPLACE, "replace": _CREATE | _REPLACE, "append": _CREATE | _APPEND, "prepend": _CREATE, "delete": 0}
_ROOT = 0xFFFFFFFF  # TC_H_ROOT
_UP = 0x1  # IFF_UP
_NO_DAD = 0x02  # IFA_F_NODAD: usable at once, as our hosts' addresses are
_FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}
_NETLINK, _JOIN, _DROP, _IPV6_ADDRESSES = 270, 1, 2, 9  # SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, its opposite, RTNLGRP_IPV6_IFADDR
_PATIENCE = 5.0  # real seconds
_TABLE_MAIN, _STATIC, _UNICAST = 254, 4, 1


class Rtnetlink:
    """A netlink socket of the namespace in which it is made. Methods raise `OSError` with what the kernel says."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._news = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._news.bind((0, 0))
        self._news.settimeout(_PATIENCE)
        self._sequence = 0

    def set_up(self, index: int, *, mtu: int, queue: int, mac: bytes | None = None) -> None:
        """Interface `index`: its MTU, how many frames its queue holds, its MAC address; and up."""
        attributes = [(4, pack("=I", mtu)), (13, pack("=I", queue))]
        if mac is not None:
            attributes.append((1, mac))
        self._ask(_NEW_LINK, pack("=BxHiII", socket.AF_UNSPEC, 0, index, _UP, _UP), attributes)

    def add_address(self, index: int, address: IPAddress, prefix: int) -> None:
        """An address for interface `index`, with the route to its subnet; the kernel answers for it when this returns."""
        octets = bytes(address)
        body = pack("=BBBBI", _FAMILIES[len(octets)], prefix, 0, 0, index)
        attributes = [(1, octets), (2, octets), (8, pack("=I", _NO_DAD))]
        if len(octets) != IPv6Address.length:
            self._ask(_NEW_ADDRESS, body, attributes, _CREATE)
            return
        self._news.setsockopt(_NETLINK, _JOIN, _IPV6_ADDRESSES)
        try:
            self._ask(_NEW_ADDRESS, body, attributes, _CREATE)
            self._await_address(octets)
        finally:
            self._news.setsockopt(_NETLINK, _DROP, _IPV6_ADDRESSES)

    def _await_address(self, octets: bytes) -> None:
        """Wait until it is told that the address is there. Its solicited-node group is joined later than it is added, by a
        worker of the kernel, which a busy machine keeps waiting: who asks for the neighbour before that is not heard.
        """
        try:
            while True:
                news = self._news.recv(65536)
                if _HEADER.unpack_from(news)[1] == _NEW_ADDRESS and octets in news:
                    return
        except TimeoutError:  # the interface was set down by others: then it is as it is
            return

    def change_link(self, index: int, *, mtu: int | None = None, up: bool | None = None) -> None:
        """What of interface `index` is not None."""
        attributes = [] if mtu is None else [(4, pack("=I", mtu))]
        body = pack("=BxHiII", socket.AF_UNSPEC, 0, index, _UP if up else 0, 0 if up is None else _UP)
        self._ask(_NEW_LINK, body, attributes)

    def route(self, index: int, network: IPAddress, prefix: int, gateway: IPAddress | None, *, add: bool = True) -> None:
        """Add or delete a route by way of interface `index`."""
        self.change_route(index, network, prefix, gateway, verb="prepend" if add else "delete")

    def change_route(
        self, index: int, network: IPAddress, prefix: int, gateway: IPAddress | None, *, verb: str,
        source: IPAddress | None = None, priority: int | None = None, metrics: Sequence[tuple[int, bytes]] = (),
    ) -> None:  # fmt: skip
        """Do to a route what `VERBS` names. `metrics`: numbers of RTAX_… and their octets (linux/rtnetlink.h)."""
        octets = bytes(network)
        body = pack("=BBBBBBBBI", _FAMILIES[len(octets)], prefix, 0, 0, _TABLE_MAIN, _STATIC, 0, _UNICAST, 0)
        attributes = [(1, octets), (4, pack("=I", index))]
        if gateway is not None:
            attributes.append((5, bytes(gateway)))
        if priority is not None:
            attributes.append((6, pack("=I", priority)))
        if source is not None:
            attributes.append((7, bytes(source)))
        if metrics:
            attributes.append((8, b"".join(_attribute(number, value) for number, value in metrics)))
        self._ask(_DELETE_ROUTE if verb == "delete" else _NEW_ROUTE, body, attributes, VERBS[verb])

    def queue_discipline(self, index: int, kind: str, options: bytes, *, verb: str) -> None:
        """Add, replace or delete the queue discipline at the root of interface `index`; `options` are of its kind (tc(8))."""
        body = pack("=BxxxiIII", socket.AF_UNSPEC, index, 0, _ROOT, 0)
        attributes = [(1, kind.encode() + b"\0")] if kind else []
        if options:
            attributes.append((2, options))
        self._ask(_DELETE_DISCIPLINE if verb == "delete" else _NEW_DISCIPLINE, body, attributes, VERBS[verb])

    def _ask(self, kind: int, body: bytes, attributes: list[tuple[int, bytes]], flags: int = 0) -> None:
        for number, value in attributes:
            body += _attribute(number, value)
        self._sequence += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | _ACK | flags, self._sequence, 0) + body)
        reply = self._socket.recv(65536)
        error = -_ERROR.unpack_from(reply, _HEADER.size)[0]  # NLMSG_ERROR; 0 is the acknowledgment
        if error:
            raise OSError(error, os.strerror(error))

    def close(self) -> None:
        """Close the sockets."""
        self._socket.close()
        self._news.close()


def _attribute(number: int, value: bytes) -> bytes:
    return pack("=HH", calcsize("=HH") + len(value), number) + value + bytes(-len(value) % 4)
