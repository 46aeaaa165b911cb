"""Requests to the kernel about its interfaces: rtnetlink (RFC 3549, rtnetlink(7)), each with its acknowledgment."""

from __future__ import annotations

import os
import socket
from struct import Struct, calcsize, pack

from stack.base.address import IPAddress

_HEADER = Struct("=IHHII")  # length, type, flags, sequence, port
_ERROR = Struct("=i")
_REQUEST, _ACK, _CREATE = 0x1, 0x4, 0x400
_NEW_LINK, _NEW_ADDRESS, _NEW_ROUTE, _DELETE_ROUTE = 16, 20, 24, 25
_UP = 0x1  # IFF_UP
_NO_DAD = 0x02  # IFA_F_NODAD: usable at once, as our hosts' addresses are
_FAMILIES = {4: socket.AF_INET, 16: socket.AF_INET6}
_TABLE_MAIN, _STATIC, _UNICAST = 254, 4, 1


class Rtnetlink:
    """A netlink socket of the namespace in which it is made. Methods raise `OSError` with what the kernel says."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._sequence = 0

    def set_up(self, index: int, *, mtu: int, queue: int, mac: bytes | None = None) -> None:
        """Interface `index`: its MTU, how many frames its queue holds, its MAC address; and up."""
        attributes = [(4, pack("=I", mtu)), (13, pack("=I", queue))]
        if mac is not None:
            attributes.append((1, mac))
        self._ask(_NEW_LINK, pack("=BxHiII", socket.AF_UNSPEC, 0, index, _UP, _UP), attributes)

    def add_address(self, index: int, address: IPAddress, prefix: int) -> None:
        """An address for interface `index`, with the route to its subnet."""
        octets = bytes(address)
        body = pack("=BBBBI", _FAMILIES[len(octets)], prefix, 0, 0, index)
        self._ask(_NEW_ADDRESS, body, [(1, octets), (2, octets), (8, pack("=I", _NO_DAD))], _CREATE)

    def route(self, index: int, network: IPAddress, prefix: int, gateway: IPAddress | None, *, add: bool = True) -> None:
        """Add or delete a route by way of interface `index`."""
        octets = bytes(network)
        body = pack("=BBBBBBBBI", _FAMILIES[len(octets)], prefix, 0, 0, _TABLE_MAIN, _STATIC, 0, _UNICAST, 0)
        attributes = [(1, octets), (4, pack("=I", index))]
        if gateway is not None:
            attributes.append((5, bytes(gateway)))
        self._ask(_NEW_ROUTE if add else _DELETE_ROUTE, body, attributes, _CREATE if add else 0)

    def _ask(self, kind: int, body: bytes, attributes: list[tuple[int, bytes]], flags: int = 0) -> None:
        for number, value in attributes:
            body += pack("=HH", calcsize("=HH") + len(value), number) + value + bytes(-len(value) % 4)
        self._sequence += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, _REQUEST | _ACK | flags, self._sequence, 0) + body)
        reply = self._socket.recv(65536)
        error = -_ERROR.unpack_from(reply, _HEADER.size)[0]  # NLMSG_ERROR; 0 is the acknowledgment
        if error:
            raise OSError(error, os.strerror(error))

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
