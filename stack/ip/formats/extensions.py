"""IPv6 extension headers (RFC 8200 section 4) and the authentication header (RFC 4302). ESP stays payload."""

from __future__ import annotations

from construct import BitsInteger, Flag, Int8ub, Int16ub, Int32ub, this

from stack.base.address import IPv6Address
from stack.base.errors import WireError
from stack.codec.checksum import ones_sum
from stack.codec.fields import Run, Sealed, Value, wire
from stack.codec.header import Header, header
from stack.codec.options import OptionsField
from stack.codec.registry import carried, numbered_like
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import NEXT_HEADERS, NO_NEXT_HEADER, IPv6
from stack.ip.formats.ipv6_options import HomeAddress, IPv6Options

LENGTH = "8-octet units after the first"
ROUTING_TYPES = {0: "source route", 2: "mobile home address", 3: "RPL source route", 4: "segment routing"}
_NO_OPTIONS = IPv6Options([b""])


class Extension(Header):
    """A header between IPv6 and what it carries."""

    __slots__ = ()

    next_header: int

    def next(self) -> int:
        """The number of what follows."""
        return NO_NEXT_HEADER if self.next_header is Sealed else self.next_header

    def units(self) -> int:
        """What a Sealed `length` says: 8-octet units after the first."""
        size = len(self)
        if size % 8:
            raise WireError(type(self).__name__, None, f"{size} octets; expected a multiple of 8 where the length is Sealed")
        return size // 8 - 1

    def pseudo_sum(self, protocol: int, length: int, headers: tuple[Header, ...], index: int) -> int:
        return headers[index - 1].pseudo_sum(protocol, length, headers, index - 1) if index else 0


@carried(IPv4, protocol=0)
@carried(IPv6, next_header=0)
@numbered_like(IPv6)
@header
class HopByHop(Extension):
    """Hop-by-hop options header, RFC 8200 section 4.3."""

    next_header: int = wire(Int8ub, default=Sealed, names=NEXT_HEADERS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    options: OptionsField[IPv6Options] = wire(Value(IPv6Options, Run(this.length * 8 + 6)), default=_NO_OPTIONS)

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(self.next(), self.units() if self.length is Sealed else self.length)


@carried(IPv6, next_header=60)
@numbered_like(IPv6)
@header
class DestinationOptions(Extension):
    """Destination options header, RFC 8200 section 4.6."""

    next_header: int = wire(Int8ub, default=Sealed, names=NEXT_HEADERS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    options: OptionsField[IPv6Options] = wire(Value(IPv6Options, Run(this.length * 8 + 6)), default=_NO_OPTIONS)

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(self.next(), self.units() if self.length is Sealed else self.length)


    def pseudo_sum(self, protocol: int, length: int, headers: tuple[Header, ...], index: int) -> int:
        """A mobile node's home address counts as the source (RFC 6275 section 11.3.1)."""
        before = Extension.pseudo_sum(self, protocol, length, headers, index)
        home = self.options.get(HomeAddress)
        origin = next((one for one in reversed(headers[:index]) if isinstance(one, IPv6)), None)
        if home is None or origin is None:
            return before
        return before + ones_sum(home.address) - ones_sum(origin.source)


@carried(IPv6, next_header=43)
@numbered_like(IPv6)
@header
class Routing(Extension):
    """Routing header, RFC 8200 section 4.4: after the first four octets, by its type.

    Type 0 (RFC 5095) has four reserved octets and addresses; type 2 (RFC 6275) the same with one address;
    type 4 (RFC 8754) four octets on its segment list, which stands in reverse order.
    """

    next_header: int = wire(Int8ub, default=Sealed, names=NEXT_HEADERS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc=LENGTH, kw_only=True)
    type: int = wire(Int8ub, default=0, names=ROUTING_TYPES)
    segments_left: int = wire(Int8ub, default=0)
    data: bytes = wire(Run(this.length * 8 + 4), default=bytes(4))

    def addresses(self) -> tuple[IPv6Address, ...]:
        """The addresses of types 0, 2 and 4, in the order of the octets."""
        end = len(self.data) - 15
        if self.type == 4 and len(self.data) >= 4:
            end = min(end, 4 + 16 * (self.data[0] + 1))
        return tuple(IPv6Address(self.data[at : at + 16]) for at in range(4, end, 16)) if self.type in (0, 2, 4) else ()

    def final(self) -> IPv6Address | None:
        """The last destination of a datagram that is still on its way there."""
        addresses = self.addresses() if self.segments_left else ()
        if not addresses:
            return None
        return addresses[0] if self.type == 4 else addresses[-1]

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(self.next(), self.units() if self.length is Sealed else self.length)

    def pseudo_sum(self, protocol: int, length: int, headers: tuple[Header, ...], index: int) -> int:
        """RFC 8200 section 8.1: the address of the final destination counts, not that of the next stop."""
        before = Extension.pseudo_sum(self, protocol, length, headers, index)
        final = self.final()
        stop = next((one for one in reversed(headers[:index]) if isinstance(one, IPv6)), None)
        if final is None or stop is None:
            return before
        return before + ones_sum(final) - ones_sum(stop.destination)


@carried(IPv6, next_header=44)
@numbered_like(IPv6)
@header
class Fragment(Extension):
    """Fragment header, RFC 8200 section 4.5. `fragment_offset` counts units of 8 octets."""

    next_header: int = wire(Int8ub, default=Sealed, names=NEXT_HEADERS, kw_only=True)
    reserved: int = wire(Int8ub, default=0, kw_only=True)
    fragment_offset: int = wire(BitsInteger(13), default=0)
    reserved_bits: int = wire(BitsInteger(2), default=0, kw_only=True)
    more_fragments: bool = wire(Flag, default=False)
    identification: int = wire(Int32ub, default=0, hexadecimal=True)

    opaque = this.fragment_offset

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(self.next())


@carried(IPv4, protocol=51)
@carried(IPv6, next_header=51)
@numbered_like(IPv6)
@header
class AH(Extension):
    """Authentication header, RFC 4302. `length` counts 32-bit words, less two."""

    next_header: int = wire(Int8ub, default=Sealed, names=NEXT_HEADERS, kw_only=True)
    length: int = wire(Int8ub, default=Sealed, doc="32-bit words of the header, less two", kw_only=True)
    reserved: int = wire(Int16ub, default=0, kw_only=True)
    parameters_index: int = wire(Int32ub, default=0, hexadecimal=True, doc="SPI")
    sequence: int = wire(Int32ub, default=0)
    check_value: bytes = wire(Run(this.length * 4 - 4), default=bytes(12), doc="ICV")

    def units(self) -> int:
        return (len(self) + 3) // 4 - 2

    def seal(self, body: bytes, headers: tuple[Header, ...], index: int) -> bytes:
        return self.pack(self.next(), self.units() if self.length is Sealed else self.length)
