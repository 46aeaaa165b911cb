"""Addresses as small values: the octets themselves, shown as text (RFC 7042, RFC 791, RFC 4291, RFC 5952)."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, ClassVar, Self, TypeVar

from stack.base.errors import AddressError

_A = TypeVar("_A", bound="Address")
_INTERNED = 1 << 16


class _Interned(dict[bytes, Any]):
    """octets → the one value for them; emptied when a flood of addresses fills it."""

    def __init__(self, kind: type[Address]) -> None:
        super().__init__()
        self._new = kind._new

    def __missing__(self, octets: bytes) -> Any:
        value = self._new(octets)
        if len(self) >= _INTERNED:
            self.clear()
        self[octets] = value
        return value


class Address(bytes):
    """Octets of a fixed length, made from octets, text or an integer. Compares and hashes as its octets."""

    __slots__ = ()
    length: ClassVar[int]
    of: ClassVar[_Interned]  # octets of the right length → the value, interned: `IPv4Address.of[octets]`

    def __init_subclass__(cls) -> None:
        cls.of = _Interned(cls)

    def __new__(cls, value: str | bytes | int | Address) -> Self:
        if type(value) is cls:
            return value
        if isinstance(value, bytes | bytearray | memoryview):
            raw = bytes(value)
        elif isinstance(value, str):
            raw = cls._from_text(value)
        elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 8 * cls.length:
            raw = value.to_bytes(cls.length, "big")
        else:
            raise AddressError(f"{value!r} is not an {cls.__name__}")
        if len(raw) != cls.length:
            raise AddressError(f"{len(raw)} octets are not an {cls.__name__}; expected {cls.length}")
        return bytes.__new__(cls, raw)

    @classmethod
    def _new(cls, octets: bytes) -> Self:
        return bytes.__new__(cls, octets)

    @classmethod
    def _from_text(cls, text: str) -> bytes:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __int__(self) -> int:
        return int.from_bytes(self, "big")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (bytes(self),)


class MAC(Address):
    """A 48-bit MAC address (EUI-48): '02:00:00:00:00:01'."""

    __slots__ = ()
    length = 6
    BROADCAST: ClassVar[MAC]

    @classmethod
    def _from_text(cls, text: str) -> bytes:
        digits = re.fullmatch(r"([0-9a-fA-F]{1,2})(?:[:-]([0-9a-fA-F]{1,2})){5}", text.strip())
        if not digits:
            raise AddressError(f"{text!r} is not a MAC address; expected six octets such as '02:00:00:00:00:01'")
        return bytes(int(octet, 16) for octet in re.split("[:-]", text.strip()))

    def __str__(self) -> str:
        return self.hex(":")

    @property
    def is_group(self) -> bool:
        """Multicast or broadcast: the I/G bit is set."""
        return bool(self[0] & 1)


class IPv4Address(Address):
    """An IPv4 address: '10.0.0.1'."""

    __slots__ = ()
    length = 4
    UNSPECIFIED: ClassVar[IPv4Address]
    LOOPBACK: ClassVar[IPv4Address]
    BROADCAST: ClassVar[IPv4Address]

    @classmethod
    def _from_text(cls, text: str) -> bytes:
        try:
            return ipaddress.IPv4Address(text.strip()).packed
        except ValueError as error:
            raise AddressError(f"{text!r} is not an IPv4 address: {error}") from None

    def __str__(self) -> str:
        return f"{self[0]}.{self[1]}.{self[2]}.{self[3]}"

    @property
    def is_multicast(self) -> bool:
        """In 224.0.0.0/4 (RFC 5771)."""
        return self[0] >> 4 == 14

    @property
    def is_loopback(self) -> bool:
        """In 127.0.0.0/8 (RFC 1122)."""
        return self[0] == 127


class IPv6Address(Address):
    """An IPv6 address: '2001:db8::1', shown as RFC 5952 wants."""

    __slots__ = ()
    length = 16
    UNSPECIFIED: ClassVar[IPv6Address]
    LOOPBACK: ClassVar[IPv6Address]

    @classmethod
    def _from_text(cls, text: str) -> bytes:
        try:
            return ipaddress.IPv6Address(text.strip()).packed
        except ValueError as error:
            raise AddressError(f"{text!r} is not an IPv6 address: {error}") from None

    def __str__(self) -> str:
        if self.is_mapped:
            return f"::ffff:{IPv4Address(self[12:])}"
        return str(ipaddress.IPv6Address(bytes(self)))

    @property
    def is_multicast(self) -> bool:
        """In ff00::/8 (RFC 4291)."""
        return self[0] == 0xFF

    @property
    def is_loopback(self) -> bool:
        """::1 (RFC 4291)."""
        return self == _V6_LOOPBACK

    @property
    def is_link_local(self) -> bool:
        """In fe80::/10 (RFC 4291)."""
        return self[0] == 0xFE and self[1] & 0xC0 == 0x80

    @property
    def is_mapped(self) -> bool:
        """An IPv4 address in an IPv6 one: ::ffff:0:0/96 (RFC 4291 section 2.5.5.2)."""
        return self[:12] == _V6_MAPPED

    @property
    def mapped(self) -> IPv4Address | None:
        """The IPv4 address inside, if there is one."""
        return IPv4Address(self[12:]) if self.is_mapped else None


_V6_LOOPBACK = b"\0" * 15 + b"\1"
_V6_MAPPED = b"\0" * 10 + b"\xff\xff"

MAC.BROADCAST = MAC(b"\xff" * 6)
IPv4Address.UNSPECIFIED = IPv4Address(0)
IPv4Address.LOOPBACK = IPv4Address("127.0.0.1")
IPv4Address.BROADCAST = IPv4Address("255.255.255.255")
IPv6Address.UNSPECIFIED = IPv6Address(0)
IPv6Address.LOOPBACK = IPv6Address(1)

IPAddress = IPv4Address | IPv6Address


def ip_address(value: str | bytes | IPAddress) -> IPAddress:
    """An address of either IP version, told by its text or its length; raises `AddressError`."""
    if isinstance(value, IPv4Address | IPv6Address):
        return value
    if isinstance(value, str):
        return IPv6Address(value) if ":" in value else IPv4Address(value)
    return IPv4Address(value) if len(value) == IPv4Address.length else IPv6Address(value)
