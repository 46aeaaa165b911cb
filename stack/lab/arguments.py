"""What users say about hosts and links: read, or refused with the value and what was expected, before anything is made."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import fields
from typing import Any

from stack.base.address import IPAddress, IPv4Address, IPv6Address, ip_address
from stack.base.errors import StackError
from stack.base.randomness import Randomness
from stack.host.settings import HostSettings
from stack.link.interface import Interface
from stack.link.link import Link

LEAST_MTU = 68  # what every IPv4 link carries, RFC 791
MOST_MTU = 65_535
_PREFIXES = {4: 24, 16: 64}  # octets of an address → the length of its prefix, where none is given


def name_of(name: Any, taken: Container[str]) -> str:
    """The name of something new: a text without spaces, which nothing else has."""
    if not isinstance(name, str) or not name or name.split() != [name]:
        raise StackError(f"name is {name!r}; expected a text without spaces, such as 'client'")
    if name in taken:
        raise StackError(f"there is something named {name!r} in this network already")
    return name


def address_with_prefix(text: str) -> tuple[IPAddress, int]:
    """"192.168.1.5/24": an address, and how many of its bits name the subnet."""
    address, slash, length = text.partition("/")
    value = ip_address(address)
    bits = 8 * len(value)
    if slash and not (length.isdecimal() and int(length) <= bits):
        raise StackError(f"{text!r}: the prefix length is {length!r}; expected 0 to {bits}")
    return value, int(length) if length else _PREFIXES[len(value)]


def host_settings(settings: dict[str, Any]) -> HostSettings:
    """The settings of a host by their names."""
    known = [field.name for field in fields(HostSettings)]
    for name in settings:
        if name not in known:
            raise TypeError(f"a host has no setting {name!r}; expected one of address, mac, mtu, tcp, {', '.join(known)}")
    return HostSettings(**settings)


def whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """An integer within bounds."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least or (most is not None and value > most):
        expected = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} is {value!r}; expected an integer {expected}")
    return value


def check_link(settings: dict[str, Any]) -> None:
    """Raise for settings that a link cannot have: a link for nobody is made of them, and left to itself."""
    whole("cost", settings.get("cost", 1), 1)
    ends = (Interface("one end"), Interface("the other"))
    Link("", ends, Randomness(0), lambda direction: None, lambda: 0, **settings)


def version_of(version: Any) -> int | None:
    """4, 6, or None for either."""
    if version not in (None, 4, 6):
        raise ValueError(f"version is {version!r}; expected 4, 6, or None for either")
    return None if version is None else int(version)


def families(versions: Iterable[int]) -> tuple[type[IPAddress], ...]:
    """The kinds of addresses of some IP versions, IPv4 first."""
    wanted = list(versions)
    if not wanted or any(version not in (4, 6) for version in wanted):
        raise ValueError(f"versions are {versions!r}; expected (4,), (6,) or (4, 6)")
    return tuple(kind for version, kind in ((4, IPv4Address), (6, IPv6Address)) if version in wanted)


def is_of_version(address: IPAddress, version: int | None) -> bool:
    """Is it an address of this IP version?"""
    return version is None or isinstance(address, IPv6Address) == (version == 6)
