"""Membership of multicast groups, and where multicasts leave (ip(7) IP_ADD_MEMBERSHIP, RFC 3493 section 5.2)."""

from __future__ import annotations

import errno
import struct
from typing import Any

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.socket.description import error


def interfaces(node: Any) -> list[tuple[int, Any]]:
    """The interfaces of a host and their numbers: 1 is loopback."""
    found = node.engine.interfaces
    every = list(found.values() if isinstance(found, dict) else found)
    every.sort(key=lambda interface: not interface.loopback)
    return list(enumerate(every, 1))


def join(description: Any, value: bytes) -> None:
    """IP_ADD_MEMBERSHIP: a struct ip_mreq or ip_mreqn."""
    description.endpoint.join(*_request(description, value))
    description.node.flush()


def leave(description: Any, value: bytes) -> None:
    """IP_DROP_MEMBERSHIP."""
    description.endpoint.leave(*_request(description, value))
    description.node.flush()


def join6(description: Any, value: bytes) -> None:
    """IPV6_JOIN_GROUP: a struct ipv6_mreq."""
    description.endpoint.join(*_request6(description, value))
    description.node.flush()


def leave6(description: Any, value: bytes) -> None:
    """IPV6_LEAVE_GROUP."""
    description.endpoint.leave(*_request6(description, value))
    description.node.flush()


def get_interface(description: Any) -> bytes:
    """IP_MULTICAST_IF: the address of the interface that multicasts leave by; zeros if the routes decide."""
    interface = description.endpoint.multicast_interface
    if interface is None:
        return bytes(4)
    return next((bytes(own.address) for own in interface.addresses if isinstance(own.address, IPv4Address)), bytes(4))


def set_interface(description: Any, value: bytes) -> None:
    """IP_MULTICAST_IF: an address, or a struct ip_mreq or ip_mreqn that has it second."""
    if len(value) < 4:
        raise error(errno.EINVAL)
    number = struct.unpack_from("i", value, 8)[0] if len(value) >= 12 else 0
    address = IPv4Address(value[4:8] if len(value) >= 8 else value[:4])
    description.endpoint.multicast_interface = _interface(description, address, number, errno.EADDRNOTAVAIL)


def get_interface6(description: Any) -> int:
    """IPV6_MULTICAST_IF: the number of the interface."""
    interface = description.endpoint.multicast_interface
    return next((number for number, each in interfaces(description.node) if each is interface), 0)


def set_interface6(description: Any, value: bytes) -> None:
    """IPV6_MULTICAST_IF: a number; 0: the routes decide."""
    if len(value) < 4:
        raise error(errno.EINVAL)
    number = struct.unpack_from("i", value)[0]
    description.endpoint.multicast_interface = _interface(description, None, number, errno.ENODEV)


def _request(description: Any, value: bytes) -> tuple[IPAddress, Any]:
    if len(value) < 8:
        raise error(errno.EINVAL)
    number = struct.unpack_from("i", value, 8)[0] if len(value) >= 12 else 0
    return IPv4Address(value[:4]), _interface(description, IPv4Address(value[4:8]), number, errno.ENODEV)


def _request6(description: Any, value: bytes) -> tuple[IPAddress, Any]:
    if len(value) < 20:
        raise error(errno.EINVAL)
    return IPv6Address(value[:16]), _interface(description, None, struct.unpack_from("i", value, 16)[0], errno.ENODEV)


def _interface(description: Any, address: IPv4Address | None, number: int, missing: int) -> Any:
    """The interface with this number, or else with this address; None if neither is said."""
    if not number and (address is None or address == IPv4Address.UNSPECIFIED):
        return None
    for each, interface in interfaces(description.node):
        if number:
            if each == number:
                return interface
        elif any(own.address == address for own in interface.addresses) or (interface.loopback and address and address.is_loopback):
            return interface
    raise error(errno.ENODEV if number else missing)
