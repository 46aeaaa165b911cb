"""The older lookups, `gethostbyname` and its kin, and `getnameinfo` (RFC 3493 section 6.2), over the names of a network."""

from __future__ import annotations

import socket
from socket import AF_INET, AF_UNSPEC
from typing import Any

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.socket import services
from stack.socket.getaddrinfo import NONAME, failure, numeric, resolve, text_of
from stack.socket.names import Names

_HOST_NOT_FOUND = 1


def gethostbyname(names: Names, host: str) -> str:
    """The first IPv4 address of a host."""
    return str(address_of(names, host, AF_INET))


def gethostbyname_ex(names: Names, host: str) -> tuple[str, list[str], list[str]]:
    """The name, no aliases, and every IPv4 address of a host."""
    return host, [], [str(address) for address in resolve(names, text_of(host), AF_INET)]


def gethostbyaddr(names: Names, host: str) -> tuple[str, list[str], list[str]]:
    """The name of an address (or of the host of that name), no aliases, and the address."""
    address = address_of(names, host, AF_UNSPEC)
    name = names.name(address)
    if name is None:
        raise socket.herror(_HOST_NOT_FOUND, "Unknown host")
    return name, [], [str(address)]


def getnameinfo(names: Names, sockaddr: tuple[Any, ...], flags: int) -> tuple[str, str]:
    """As `socket.getnameinfo`: the name of an address, and of a port."""
    if not isinstance(sockaddr, tuple):
        raise TypeError("getnameinfo() argument 1 must be a tuple")
    host, port = sockaddr[:2]
    address = numeric(host)
    if address is None:
        raise failure(NONAME)
    name = None if flags & socket.NI_NUMERICHOST else names.name(address)
    if name is None:
        if flags & socket.NI_NAMEREQD:
            raise failure(NONAME)
        name = str(address)
    transport = "udp" if flags & socket.NI_DGRAM else "tcp"
    service = None if flags & socket.NI_NUMERICSERV else services.name_of(port, transport)
    return name, service or str(port)


def address_of(names: Names, host: str, family: int) -> IPAddress:
    """The one address that a call means by `host`: in numbers, by name, the wildcard or the broadcast address."""
    if not host:
        return IPv4Address.UNSPECIFIED if family in (AF_INET, AF_UNSPEC) else IPv6Address.UNSPECIFIED
    if host == "<broadcast>" and family in (AF_INET, AF_UNSPEC):
        return IPv4Address.BROADCAST
    return resolve(names, text_of(host), family)[0]
