"""The directory of a network: which addresses a name has, and which name an address (what DNS or /etc/hosts would say)."""

from __future__ import annotations

from collections.abc import Iterator

from stack.base.address import IPAddress, IPv4Address, IPv6Address, ip_address

_LOCAL: list[IPAddress] = [IPv4Address.LOOPBACK, IPv6Address.LOOPBACK]


class Names:
    """Names and their addresses, without regard to case (RFC 4343). "localhost" is in every directory (RFC 6761)."""

    __slots__ = ("_addresses", "_names")

    def __init__(self) -> None:
        self._addresses: dict[str, list[IPAddress]] = {}
        self._names: dict[IPAddress, str] = {}

    def add(self, name: str, address: str | IPAddress) -> None:
        """Give `name` one more address. The first name of an address is the one that the address is known by."""
        value = ip_address(address)
        addresses = self._addresses.setdefault(_key(name), [])
        if value not in addresses:
            addresses.append(value)
        self._names.setdefault(value, name)

    def remove(self, name: str) -> None:
        """Forget a name and the addresses that are known by it."""
        for address in self._addresses.pop(_key(name), ()):
            if _key(self._names.get(address, "")) == _key(name):
                del self._names[address]

    def addresses(self, name: str) -> list[IPAddress] | None:
        """The addresses of a name, IPv4 first, each version in the order of `add`; None if there is no such name."""
        key = _key(name)
        if key == "localhost" or key.endswith(".localhost"):
            return list(_LOCAL)
        found = self._addresses.get(key)
        return None if found is None else sorted(found, key=len)

    def name(self, address: IPAddress) -> str | None:
        """The name of an address."""
        return "localhost" if address.is_loopback else self._names.get(address)

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of `add`."""
        return iter(self._addresses)

    def __contains__(self, name: str) -> bool:
        return self.addresses(name) is not None


def _key(name: str) -> str:
    return name.rstrip(".").lower()
