"""The chain of IPv6 extension headers, walked as a destination walks it (RFC 8200 section 4)."""

from __future__ import annotations

from typing import Any

from stack.base.errors import WireError
from stack.ip.formats.extensions import DestinationOptions, Fragment, HopByHop, Routing
from stack.ip.formats.ipv6_options import IPv6Option, IPv6Options, IPv6RouterAlert, Pad1, PadN, TunnelLimit

HEADER_FIELD, NEXT_HEADER, OPTION = 0, 1, 2  # codes of a parameter problem, RFC 4443 section 3.4
_KINDS: dict[int, Any] = {0: HopByHop, 43: Routing, 44: Fragment, 60: DestinationOptions}
_KNOWN = (Pad1, PadN, IPv6RouterAlert, TunnelLimit)


class Chain:
    """Where the walk ended: `protocol` begins at octet `at`, and the number that says so is in octet `number_at`.

    A `fragment` header ends the walk, unless its datagram is whole (RFC 6946). A `problem` is (code, offending octet),
    or (None, octet) if it is not to be told; `tell_groups`: it is to be told though the datagram went to a group.
    """

    __slots__ = ("at", "fragment", "number_at", "problem", "protocol", "tell_groups")

    def __init__(self, protocol: int, at: int, number_at: int) -> None:
        self.protocol = protocol
        self.at = at
        self.number_at = number_at
        self.fragment: Fragment | None = None
        self.problem: tuple[int | None, int] | None = None
        self.tell_groups = False


def walk(data: bytes, at: int, end: int, protocol: int, number_at: int) -> Chain:
    """Follow the chain of the headers that begin at `at` with `protocol`; raises `WireError` for one that is cut."""
    chain = Chain(protocol, at, number_at)
    first = True
    while (kind := _KINDS.get(chain.protocol)) is not None:
        if kind is HopByHop and not first:
            chain.problem = (NEXT_HEADER, chain.number_at)
            return chain
        header, following = kind.decode(data, chain.at, end)
        if isinstance(header, Fragment) and (header.fragment_offset or header.more_fragments):
            chain.fragment = header
            return chain
        if isinstance(header, HopByHop | DestinationOptions):
            _options(header.options, chain.at + 2, chain)
        elif isinstance(header, Routing) and header.segments_left:
            chain.problem = (HEADER_FIELD, chain.at + 2)  # RFC 8200 section 4.4: an unknown type; RFC 5095: type 0 too
        if chain.problem is not None:
            return chain
        chain.number_at = chain.at
        chain.at = following
        chain.protocol = header.next_header
        first = False
    return chain


def _options(options: IPv6Options, at: int, chain: Chain) -> None:
    """Look at options; the two highest bits of an unknown one say what to do (RFC 8200 section 4.2)."""
    for each in options:
        if isinstance(each, bytes):
            raise WireError("options", at, "an option that is cut")
        action = each.kind >> 6 if isinstance(each, IPv6Option) and not isinstance(each, _KNOWN) else 0  # type: ignore[attr-defined]
        if action:
            chain.problem = (None if action == 1 else OPTION, at)
            chain.tell_groups = action == 2
            return
        at += len(each)

