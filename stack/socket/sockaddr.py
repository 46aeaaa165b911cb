"""Addresses as programs write them, ("server", 80) or ("fe80::1", 80, 0, 2), and as the host has them (RFC 3493 section 3)."""

from __future__ import annotations

import errno
from socket import AF_INET, AF_INET6
from typing import Any

from stack.base.address import IPv4Address
from stack.host.zone import Zoned, zoned
from stack.network.node import Node
from stack.socket.description import Address, error
from stack.socket.getaddrinfo import mapped
from stack.socket.lookup import address_of
from stack.socket.membership import interfaces
from stack.socket.names import Names


def names_of(node: Node) -> Names:
    """The directory that programs on a host look names up in."""
    if node.names is None:
        node.names = Names()
    names: Names = node.names
    return names


def read(node: Node, family: int, address: Any, caller: str) -> Address:
    """What a program means by an address."""
    name = "AF_INET" if family == AF_INET else "AF_INET6"
    if not isinstance(address, tuple):
        raise TypeError(f"{caller}(): {name} address must be tuple, not {type(address).__name__}")
    if family == AF_INET and len(address) != 2:
        raise TypeError("AF_INET address must be a pair (host, port)")
    if family == AF_INET6 and not 2 <= len(address) <= 4:
        raise TypeError("AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])")
    host, port = address[:2]
    if not isinstance(host, str | bytes | bytearray):
        raise TypeError(f"str, bytes or bytearray expected, not {type(host).__name__}")
    if not isinstance(port, int):
        raise TypeError(f"{type(port).__name__!r} object cannot be interpreted as an integer")
    if not 0 <= port <= 0xFFFF:
        raise OverflowError(f"{caller}(): port must be 0-65535.")
    if len(address) > 2 and not 0 <= address[2] <= 0xFFFFF:
        raise OverflowError(f"{caller}(): flowinfo must be 0-1048575.")
    text = host if isinstance(host, str) else bytes(host).decode("ascii")
    found = address_of(names_of(node), text, family)
    if family == AF_INET6:
        found = _in_zone(node, found, text.partition("%")[2], address[3] if len(address) > 3 else 0)
    return found, port


def _in_zone(node: Node, address: Any, zone: str, scope_id: int) -> Any:
    """A link-local address on the interface that its zone, or else the scope ID, says (RFC 4007 section 11)."""
    if not zone and not scope_id:
        return address
    for number, interface in interfaces(node):
        if zone in (interface.name, str(number)) or (not zone and number == scope_id):
            return zoned(node.engine, address, interface)
    raise error(errno.ENODEV)


def show(family: int, address: Address | None) -> tuple[Any, ...]:
    """An address as programs of this family see it; None, and a host of None, stand for the wildcard."""
    host: Any = None
    port = 0
    if address is not None:
        host, port = address
    wildcard = host is None or host == IPv4Address.UNSPECIFIED
    if family == AF_INET:
        return ("0.0.0.0" if wildcard else str(host), port)
    scope_id = host.number if isinstance(host, Zoned) else 0
    return ("::" if wildcard else str(mapped(host)), port, 0, scope_id)
