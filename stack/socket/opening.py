"""Which kind of open file a call of socket(2) makes."""

from __future__ import annotations

import errno
from socket import AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM

from stack.network.node import Node
from stack.socket.datagram import Datagrams
from stack.socket.description import Description, error
from stack.socket.stream import Stream


def open_socket(node: Node, family: int, kind: int, protocol: int) -> Description:
    """A new socket on a host; raises what Linux raises for those that there are not."""
    if family not in (AF_INET, AF_INET6):
        raise error(errno.EAFNOSUPPORT)
    if kind == SOCK_STREAM:
        _check(protocol, IPPROTO_TCP)
        return Stream(node, family)
    if kind == SOCK_DGRAM:
        _check(protocol, IPPROTO_UDP)
        return Datagrams(node, family)
    raise error(errno.EPROTONOSUPPORT if kind == SOCK_RAW else errno.ESOCKTNOSUPPORT)


def _check(protocol: int, only: int) -> None:
    if protocol not in (0, only):
        raise error(errno.EPROTONOSUPPORT)
