"""Neighbor discovery messages (RFC 4861 section 4): what follows the ICMPv6 header, whose `rest` has the flags."""

from __future__ import annotations

from construct import Bytes, GreedyBytes, Int32ub

from stack.base.address import IPv6Address
from stack.codec.fields import AddressField, Value, wire
from stack.codec.header import Header, header
from stack.codec.options import OptionsField
from stack.codec.registry import carried
from stack.ip.formats.icmpv6 import ICMPv6
from stack.ip.formats.nd_options import NDOptions

ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT, NEIGHBOR_SOLICITATION, NEIGHBOR_ADVERTISEMENT, REDIRECT = range(133, 138)


@carried(ICMPv6, type=ROUTER_SOLICITATION)
@header
class RouterSolicitation(Header):
    """Router solicitation, RFC 4861 section 4.1."""

    options: OptionsField[NDOptions] = wire(Value(NDOptions, GreedyBytes), default=NDOptions())


@carried(ICMPv6, type=ROUTER_ADVERTISEMENT)
@header
class RouterAdvertisement(Header):
    """Router advertisement, RFC 4861 section 4.2. Times in milliseconds, 0 for no advice."""

    reachable_time: int = wire(Int32ub, default=0)
    retransmit_timer: int = wire(Int32ub, default=0)
    options: OptionsField[NDOptions] = wire(Value(NDOptions, GreedyBytes), default=NDOptions())


@carried(ICMPv6, type=NEIGHBOR_SOLICITATION)
@header
class NeighborSolicitation(Header):
    """Neighbor solicitation, RFC 4861 section 4.3: who has `target`?"""

    target: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)))
    options: OptionsField[NDOptions] = wire(Value(NDOptions, GreedyBytes), default=NDOptions())


@carried(ICMPv6, type=NEIGHBOR_ADVERTISEMENT)
@header
class NeighborAdvertisement(Header):
    """Neighbor advertisement, RFC 4861 section 4.4: here is `target`."""

    target: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)))
    options: OptionsField[NDOptions] = wire(Value(NDOptions, GreedyBytes), default=NDOptions())


@carried(ICMPv6, type=REDIRECT)
@header
class Redirect(Header):
    """Redirect, RFC 4861 section 4.5: `target` is the better first hop to `destination`."""

    target: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)))
    destination: AddressField[IPv6Address] = wire(Value(IPv6Address, Bytes(16)))
    options: OptionsField[NDOptions] = wire(Value(NDOptions, GreedyBytes), default=NDOptions())
