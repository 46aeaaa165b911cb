"""Automatic addresses: MACs, an IPv4 and an IPv6 subnet for each broadcast domain, an address of each for each interface.

MACs are 02:00:00:00:00:01 and on (locally administered, RFC 7042). Domain n gets 10.0.n.0/24, or a larger block if it has more
interfaces (RFC 1918), and fd00:0:0:n::/64 (RFC 4193); the first interface gets .1 and ::1, the next .2 and ::2. What is there
already counts: an interface that has an address of a family keeps it, its domain's others join its subnet. An address that
is alone in its subnet (/32, /128) can be joined by nobody, and counts for nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import NamedTuple

from stack.base.address import MAC, IPAddress, IPv4Address, IPv6Address
from stack.base.errors import StackError
from stack.host.addresses import link_local
from stack.ip.route import masked
from stack.link.interface import Interface

_MAC_BASE = 0x020000000000
_IPV4_BASE = int(IPv4Address("10.0.0.0"))
_IPV6_BASE = int(IPv6Address("fd00::"))
_IPV4_BLOCKS = 1 << 16  # the /24s of 10.0.0.0/8
_IPV6_PREFIX = 64


class Subnet(NamedTuple):
    """The addresses that begin with `prefix` bits of `network`."""

    network: IPAddress
    prefix: int

    @classmethod
    def of(cls, address: IPAddress, prefix: int) -> Subnet:
        """The subnet that an address is in."""
        return cls(masked(address, prefix), prefix)

    def __contains__(self, address: object) -> bool:
        return type(address) is type(self.network) and masked(address, self.prefix) == self.network

    def overlaps(self, other: Subnet) -> bool:
        """Have they an address in common?"""
        return self.network in other or other.network in self

    def hosts(self) -> Iterator[IPAddress]:
        """Its addresses for hosts, from .1 on; without an IPv4 subnet's broadcast address."""
        kind, first, spare = type(self.network), int(self.network), 8 * len(self.network) - self.prefix
        for number in range(1, (1 << spare) - (kind is IPv4Address)):
            yield kind(first + number)

    def __str__(self) -> str:
        return f"{self.network}/{self.prefix}"


FAMILIES: tuple[type[IPAddress], ...] = (IPv4Address, IPv6Address)


class Plan:
    """Gives out what is free, of `families`. `assign(interface, address, prefix length)` is called for each address."""

    def __init__(
        self, assign: Callable[[Interface, IPAddress, int], None], families: tuple[type[IPAddress], ...] = FAMILIES
    ) -> None:
        self._assign = assign
        self._families = families
        self._macs = 0
        self._blocks = 0
        self._sites = 0
        self._free: dict[Subnet, Iterator[IPAddress]] = {}  # where each subnet's search goes on
        self._own: dict[Subnet, None] = {}  # those made here: each begins where the one before it ended

    def mac(self, taken: Container[MAC]) -> MAC:
        """The next MAC address that nobody has."""
        while True:
            self._macs += 1
            mac = MAC(_MAC_BASE + self._macs)
            if mac not in taken:
                return mac

    def address(self, domains: Iterable[list[Interface]]) -> None:
        """Give each interface of each domain what it lacks: IPv4, IPv6, IPv6 link-local."""
        every = list(domains)
        used = [subnet for domain in every for subnet in subnets_of(domain) if subnet not in self._own]
        for domain in every:
            for kind in self._families:
                needy = [interface for interface in domain if not any(type(one.network) is kind for one in subnets_of([interface]))]
                if needy:
                    self._address(domain, needy, kind, used)
            if IPv6Address not in self._families:
                continue
            for interface in domain:  # hosts give it to themselves with their first IPv6 address
                if len(addresses_of(interface, IPv6Address)) == len(global_of(interface, IPv6Address)):
                    self._assign(interface, link_local(interface.mac), _IPV6_PREFIX)

    def _address(
        self, domain: list[Interface], needy: list[Interface], kind: type[IPAddress], used: list[Subnet]
    ) -> None:
        subnet = next((one for one in subnets_of(domain) if type(one.network) is kind), None)
        if subnet is None:
            subnet = self._ipv4(len(domain), used) if kind is IPv4Address else self._ipv6(used)
            self._own[subnet] = None
        taken = {own: interface for interface in domain for own, _ in interface.addresses}
        free = self._free.setdefault(subnet, subnet.hosts())
        for interface in needy:
            address = next((one for one in free if one not in taken), None)
            if address is None:
                raise StackError(
                    f"subnet {subnet} is full, no address for {interface!r}: "
                    "join all interfaces before the network is first used, or give addresses"
                )
            self._assign(interface, address, subnet.prefix)

    def _ipv4(self, size: int, used: list[Subnet]) -> Subnet:
        """The next free block of 256 addresses, or of a larger power of two, at a multiple of its size."""
        prefix = 24
        while (1 << 32 - prefix) - 2 < size:
            prefix -= 1
        step = 1 << 24 - prefix
        block = -(-self._blocks // step) * step
        while block + step <= _IPV4_BLOCKS:
            subnet = Subnet(IPv4Address(_IPV4_BASE + (block << 8)), prefix)
            block += step
            if not any(subnet.overlaps(other) for other in used):
                self._blocks = block
                return subnet
        raise StackError("10.0.0.0/8 is used up: give addresses")

    def _ipv6(self, used: list[Subnet]) -> Subnet:
        while True:
            subnet = Subnet(IPv6Address(_IPV6_BASE + (self._sites << 64)), _IPV6_PREFIX)
            self._sites += 1
            if not any(subnet.overlaps(other) for other in used):
                return subnet


def addresses_of(interface: Interface, kind: type[IPAddress]) -> list[IPAddress]:
    """An interface's addresses of one family."""
    return [own for own, _ in interface.addresses if type(own) is kind]


def global_of(interface: Interface, kind: type[IPAddress]) -> list[IPAddress]:
    """An interface's addresses of one family, but for IPv6 link-local ones."""
    return [own for own in addresses_of(interface, kind) if not (isinstance(own, IPv6Address) and own.is_link_local)]


def subnets_of(domain: Iterable[Interface]) -> list[Subnet]:
    """The subnets of a domain's interfaces that can be joined, each once, in order, but for the IPv6 link-local one."""
    found: dict[Subnet, None] = {}
    for interface in domain:
        for address, prefix in interface.addresses:
            if prefix < 8 * len(address) and not (isinstance(address, IPv6Address) and address.is_link_local):
                found[Subnet.of(address, prefix)] = None
    return list(found)
