"""Link-local addresses with their zone, the link on which they mean something: fe80::1%eth0 (RFC 4007 sections 5, 6 and 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.address import IPAddress, IPv6Address
from stack.ip.route import scope

if TYPE_CHECKING:
    from stack.host.host import HostEngine
    from stack.link.interface import Interface

_LINK = 2  # RFC 4007's number of the link-local scope


class Zoned(IPv6Address):
    """Equal to the address without its zone; on the wire and in headers there are none. `zone` is the interface."""

    zone: Interface
    number: int  # the interface's, as programs know it: the scope ID of RFC 3493

    @property
    def plain(self) -> IPv6Address:
        """The address as it is on the wire."""
        return IPv6Address(self)


def zoned(host: HostEngine, address: IPAddress, interface: Interface) -> IPAddress:
    """`address` in the zone of `interface`, if it is one that has zones."""
    if not isinstance(address, IPv6Address) or scope(address) != _LINK:
        return address
    if interface.loopback:  # one of our own, reached from within
        interface = host.addresses.local.get(address, interface)
    made = Zoned(bytes(address))
    made.zone = interface
    made.number = host.interfaces.index(interface) + 1
    return made


def elsewhere(host: HostEngine, address: IPAddress) -> bool:
    """One of our addresses, but in the zone of another interface."""
    return type(address) is Zoned and not address.is_multicast and host.addresses.local.get(address) is not address.zone
