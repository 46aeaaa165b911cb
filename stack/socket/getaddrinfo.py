"""`getaddrinfo` over the names of a network (RFC 3493 section 6.1), with glibc's results and error codes."""

from __future__ import annotations

import re
import socket
from socket import AF_INET, AF_INET6, AF_UNSPEC, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_RAW, SOCK_STREAM
from typing import Any

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.base.errors import AddressError
from stack.socket import services
from stack.socket.names import Names

Info = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]

# Numbers as glibc has them; a platform without a name for one of them has no way to ask for it either.
BADFLAGS, NONAME, FAIL, FAMILY, SOCKTYPE, SERVICE, NODATA, ADDRFAMILY = (
    getattr(socket, "EAI_" + name, number)
    for name, number in (
        ("BADFLAGS", -1),
        ("NONAME", -2),
        ("FAIL", -4),
        ("FAMILY", -6),
        ("SOCKTYPE", -7),
        ("SERVICE", -8),
        ("NODATA", -5),
        ("ADDRFAMILY", -9),
    )
)
_MESSAGES = {
    BADFLAGS: "Bad value for ai_flags",
    NONAME: "Name or service not known",
    FAIL: "Non-recoverable failure in name resolution",
    FAMILY: "ai_family not supported",
    SOCKTYPE: "ai_socktype not supported",
    SERVICE: "Servname not supported for ai_socktype",
    NODATA: "No address associated with hostname",
    ADDRFAMILY: "Address family for hostname not supported",
}
_V4MAPPED: int = getattr(socket, "AI_V4MAPPED", 0)
_ALL: int = getattr(socket, "AI_ALL", 0)
_KNOWN_FLAGS = int(
    socket.AI_PASSIVE
    | socket.AI_CANONNAME
    | socket.AI_NUMERICHOST
    | socket.AI_NUMERICSERV
    | socket.AI_ADDRCONFIG
    | _V4MAPPED
    | _ALL
)
_KINDS = ((SOCK_STREAM, IPPROTO_TCP, "tcp"), (SOCK_DGRAM, IPPROTO_UDP, "udp"), (SOCK_RAW, 0, None))
_NUMBERS = re.compile(r"(0[xX][0-9a-fA-F]+|\d+)(\.(0[xX][0-9a-fA-F]+|\d+)){0,3}")


def failure(code: int) -> socket.gaierror:
    """The error that `getaddrinfo` raises for a code."""
    return socket.gaierror(code, _MESSAGES[code])


def numeric(host: str) -> IPAddress | None:
    """The address that a text writes in numbers, also in inet_aton's old ways; None if it is a name."""
    if ":" in host:
        try:
            return IPv6Address(host.partition("%")[0])
        except AddressError:
            return None
    if _NUMBERS.fullmatch(host):
        try:
            return IPv4Address(socket.inet_aton(host))
        except OSError:
            return None
    return None


def mapped(address: IPAddress) -> IPv6Address:
    """An IPv4 address as a socket of IPv6 sees it (RFC 4291 section 2.5.5.2)."""
    return address if isinstance(address, IPv6Address) else IPv6Address(b"\0" * 10 + b"\xff\xff" + address)


def text_of(value: str | bytes | bytearray) -> str:
    """A host's name as text; names beyond ASCII in their encoding of RFC 3490."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("idna").decode("ascii")
    return bytes(value).decode("ascii")


def resolve(names: Names, host: str, family: int = AF_UNSPEC, flags: int = 0) -> list[IPAddress]:
    """The addresses of a host, by number or by name, in one family or in both."""
    address = numeric(host)
    if address is None:
        if flags & socket.AI_NUMERICHOST:
            raise failure(NONAME)
        found = names.addresses(host) if host else None
        if found is None:
            raise failure(NONAME)
    else:
        found = [address]
    wanted = [value for value in found if family == AF_UNSPEC or _family(value) == family]
    if family == AF_INET6 and flags & _V4MAPPED and (flags & _ALL or not wanted):
        wanted += [mapped(value) for value in found if isinstance(value, IPv4Address)]
    if not wanted:
        raise failure(NODATA if address is None else ADDRFAMILY)
    return wanted


def getaddrinfo(
    names: Names, scopes: dict[str, int], host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[Info]:
    """As `socket.getaddrinfo`, by the directory `names`; `scopes` are the interfaces' numbers."""
    name = _host(host)
    service = _service(port)
    if flags & ~_KNOWN_FLAGS or (flags & socket.AI_CANONNAME and name is None):
        raise failure(BADFLAGS)
    if name is None and service is None:
        raise failure(NONAME)
    if family not in (AF_UNSPEC, AF_INET, AF_INET6):
        raise failure(FAMILY)
    kinds = _kinds(service, type, proto, flags)
    if name is None:
        addresses = _own(family, bool(flags & socket.AI_PASSIVE))
    else:
        addresses = resolve(names, name, family, flags)
    canonical = name if name is not None and flags & socket.AI_CANONNAME else ""
    scope = _scope(name, scopes)
    found: list[Info] = []
    for address in addresses:
        for kind, protocol, number in kinds:
            end: tuple[Any, ...] = (str(address), number)
            if isinstance(address, IPv6Address):
                end += (0, scope)
            found.append((socket.AddressFamily(_family(address)), kind, protocol, canonical, end))
            canonical = ""
    return found


def _host(host: Any) -> str | None:
    if host is None:
        return None
    if isinstance(host, str | bytes | bytearray):
        return text_of(host)
    raise TypeError("getaddrinfo() argument 1 must be string or None")


def _service(port: Any) -> str | None:
    if port is None:
        return None
    if isinstance(port, int):
        return str(port)
    if isinstance(port, str):
        return port
    if isinstance(port, bytes):
        return port.decode()
    raise OSError("Int or String expected")


def _kinds(service: str | None, kind: int, proto: int, flags: int) -> list[tuple[socket.SocketKind, int, int]]:
    """Which kinds of socket fit, with protocol and port."""
    fitting = [
        (each, protocol or proto, transport)
        for each, protocol, transport in _KINDS
        if kind in (0, each) and (proto == 0 or proto == protocol or transport is None)
    ]
    if proto and not kind and len(fitting) > 1:
        fitting = fitting[:1]
    if not fitting:
        raise failure(SOCKTYPE if kind else SERVICE)
    if service is None or re.fullmatch(r"-?\d+", service):
        number = int(service or 0) & 0xFFFF
        return [(each, protocol, number) for each, protocol, _ in fitting]
    if flags & socket.AI_NUMERICSERV:
        raise failure(NONAME)
    known = [
        (each, protocol, found)
        for each, protocol, transport in fitting
        if transport is not None and (found := services.port_of(service, transport)) is not None
    ]
    if not known:
        raise failure(SERVICE)
    return known


def _own(family: int, passive: bool) -> list[IPAddress]:
    """No host: the wildcard to listen on, or this host itself."""
    both: tuple[IPAddress, IPAddress] = (
        (IPv4Address.UNSPECIFIED, IPv6Address.UNSPECIFIED) if passive else (IPv4Address.LOOPBACK, IPv6Address.LOOPBACK)
    )
    return [address for address in both if family in (AF_UNSPEC, _family(address))]


def _scope(name: str | None, scopes: dict[str, int]) -> int:
    """The zone of "fe80::1%eth0" (RFC 4007 section 11)."""
    zone = (name or "").partition("%")[2]
    if not zone:
        return 0
    number: int | None = int(zone) if zone.isdigit() else scopes.get(zone)
    if number is None:
        raise failure(NONAME)
    return number


def _family(address: IPAddress) -> int:
    return AF_INET if isinstance(address, IPv4Address) else AF_INET6
