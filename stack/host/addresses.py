"""The addresses of a host: its own, its subnets' broadcast addresses, and the groups it listens to (RFC 1122 3.3.6, 3.3.7)."""

from __future__ import annotations

from enum import Enum

from stack.base.address import MAC, IPAddress, IPv4Address, IPv6Address
from stack.ip.route import masked
from stack.link.interface import Interface, InterfaceAddress

ALL_HOSTS = IPv4Address("224.0.0.1")  # RFC 1112 section 4
ALL_NODES = IPv6Address("ff02::1")  # RFC 4291 section 2.7.1
ALL_NODES_OF_INTERFACE = IPv6Address("ff01::1")
ALL_ROUTERS = IPv6Address("ff02::2")
_SOLICITED_NODE = IPv6Address("ff02::1:ff00:0")
_LINK_LOCAL = IPv6Address("fe80::")


class Cast(Enum):
    """What a destination is to this host."""

    LOCAL = "one of ours"
    BROADCAST = "all hosts of a subnet"
    MULTICAST = "a group"
    OTHER = "another host"


class Addresses:
    """All addresses of all interfaces, and the groups joined on each."""

    def __init__(self) -> None:
        self.local: dict[IPAddress, Interface] = {}
        self._broadcast: dict[IPAddress, Interface] = {}
        self._groups: dict[tuple[IPAddress, Interface], int] = {}  # how many sockets (or addresses) want it

    def add(self, interface: Interface, address: IPAddress, prefix: int) -> None:
        """An address of ours, and what comes with it: the subnet's broadcast address, the solicited-node group."""
        self.local[address] = interface
        interface.addresses.append(InterfaceAddress(address, prefix))
        if isinstance(address, IPv6Address):
            self.join(solicited_node(address), interface)
        elif prefix < 31 and not interface.loopback:  # RFC 3021: no broadcast on a /31
            self._broadcast[subnet_broadcast(address, prefix)] = interface

    def remove(self, interface: Interface, address: IPAddress) -> int:
        """An address is ours no longer; its prefix length. Raises `KeyError`."""
        entry = next((each for each in interface.addresses if each.address == address), None)
        if entry is None:
            raise KeyError(f"{interface.name} does not have {address}")
        interface.addresses.remove(entry)
        del self.local[address]
        if isinstance(address, IPv6Address):
            self.leave(solicited_node(address), interface)
        else:
            self._broadcast.pop(subnet_broadcast(address, entry.prefix), None)
            for other, prefix in interface.addresses:
                if isinstance(other, IPv4Address) and prefix < 31 and not interface.loopback:
                    self._broadcast[subnet_broadcast(other, prefix)] = interface
        return entry.prefix

    def cast(self, destination: IPAddress) -> Cast:
        """What `destination` is to us."""
        if destination in self.local:
            return Cast.LOCAL
        if isinstance(destination, IPv6Address):
            return Cast.MULTICAST if destination.is_multicast else Cast.OTHER
        if destination.is_multicast:
            return Cast.MULTICAST
        if destination in self._broadcast or destination == IPv4Address.BROADCAST:
            return Cast.BROADCAST
        return Cast.LOCAL if destination.is_loopback else Cast.OTHER

    def join(self, group: IPAddress, interface: Interface) -> bool:
        """Listen to a group on an interface; True for the first who wants it."""
        wanted = self._groups.get((group, interface), 0)
        self._groups[group, interface] = wanted + 1
        return wanted == 0

    def leave(self, group: IPAddress, interface: Interface) -> bool:
        """No longer listen to a group; True for the last who wanted it."""
        wanted = self._groups.get((group, interface), 0)
        if wanted > 1:
            self._groups[group, interface] = wanted - 1
            return False
        return self._groups.pop((group, interface), None) is not None

    def listens(self, group: IPAddress, interface: Interface) -> bool:
        """Do we listen to `group` on `interface`?"""
        if group in (ALL_HOSTS, ALL_NODES, ALL_NODES_OF_INTERFACE) or (group, interface) in self._groups:
            return True
        return interface.loopback and any(joined == group for joined, _ in self._groups)

    def groups(self, interface: Interface) -> list[IPAddress]:
        """The groups joined on an interface, but for all-nodes and solicited-node ones: those that are reported."""
        return [group for group, where in self._groups if where is interface and group[:13] != _SOLICITED_NODE[:13]]

    def of(self, interface: Interface, kind: type[IPAddress]) -> list[IPAddress]:
        """The addresses of an interface, of one IP version, in the order in which they were added."""
        return [address for address, _ in interface.addresses if type(address) is kind]


def subnet_broadcast(address: IPv4Address, prefix: int) -> IPv4Address:
    """All ones after the subnet's prefix (RFC 922)."""
    return IPv4Address(int(masked(address, prefix)) | (1 << 32 - prefix) - 1)


def solicited_node(address: IPv6Address) -> IPv6Address:
    """The group that a neighbour solicitation for `address` goes to (RFC 4291 section 2.7.1)."""
    return IPv6Address(_SOLICITED_NODE[:13] + address[13:])


def link_local(mac: MAC) -> IPv6Address:
    """The link-local address that an interface with this MAC gives itself (RFC 4291 appendix A, RFC 2464 section 4)."""
    return IPv6Address(_LINK_LOCAL[:8] + bytes([mac[0] ^ 2]) + mac[1:3] + b"\xff\xfe" + mac[3:])


def group_mac(group: IPAddress) -> MAC:
    """The MAC address of a group (RFC 1112 section 6.4, RFC 2464 section 7)."""
    if isinstance(group, IPv4Address):
        return MAC(bytes([1, 0, 0x5E, group[1] & 0x7F]) + group[2:])
    return MAC(b"\x33\x33" + group[12:])
