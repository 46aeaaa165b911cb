"""ICMP's types and codes by packetdrill's names (google/packetdrill's icmp_packet.c), for both versions of IP."""

from __future__ import annotations

import re

from stack.ip.formats import icmp, icmpv6

TYPES = {
    4: {
        "echo_reply": 0, "unreachable": 3, "source_quench": 4, "redirect": 5, "echo_request": 8, "time_exceeded": 11,
        "parameter_problem": 12, "timestamp_request": 13, "timestamp_reply": 14, "information_request": 15,
        "information_reply": 16, "address_mask_request": 17, "address_mask_reply": 18,
    },
    6: {
        "unreachable": 1, "packet_too_big": 2, "time_exceeded": 3, "parameter_problem": 4, "echo_request": 128,
        "echo_reply": 129, "router_solicitation": 133, "router_advertisement": 134, "neighbor_solicitation": 135,
        "neighbor_advertisement": 136, "redirect": 137,
    },
}  # fmt: skip
CODES: dict[tuple[int, int], dict[str, int]] = {
    (4, icmp.UNREACHABLE): {
        "net_unreachable": 0, "host_unreachable": 1, "protocol_unreachable": 2, "port_unreachable": 3, "frag_needed": 4,
        "source_route_failed": 5, "net_unknown": 6, "host_unknown": 7, "source_host_isolated": 8, "net_prohibited": 9,
        "host_prohibited": 10, "net_unreachable_for_tos": 11, "host_unreachable_for_tos": 12, "packet_filtered": 13,
        "precedence_violation": 14, "precedence_cutoff": 15,
    },
    (4, icmp.TIME_EXCEEDED): {"exceeded_in_transit": 0, "exceeded_reassembly": 1, "ttl": 0, "frag": 1},
    (4, icmp.REDIRECT): {"net_redirect": 0, "host_redirect": 1, "net_redirect_for_tos": 2, "host_redirect_for_tos": 3},
    (6, icmpv6.UNREACHABLE): {
        "no_route": 0, "net_unreachable": 0, "admin_prohibited": 1, "packet_filtered": 1, "not_neighbour": 2,
        "beyond_scope": 2, "addr_unreachable": 3, "host_unreachable": 3, "address_unreachable": 3, "port_unreachable": 4,
    },
    (6, icmpv6.TIME_EXCEEDED): {"exceeded_in_transit": 0, "exceeded_reassembly": 1, "ttl": 0, "frag": 1},
    (6, icmpv6.PARAMETER_PROBLEM): {"header_field": 0, "next_header": 1, "option": 2},
}  # fmt: skip


_NUMBERED = re.compile("(?:type|code)_([0-9]{1,3})")


def number_of(version: int, kind: str, code: str | None) -> tuple[int, int]:
    """Type and code of a message by their names, or `type_13`, `code_7`; ValueError says what is unknown.

    `unreachable frag_needed` is IPv6's packet_too_big, so that one script serves both versions.
    """
    if version == 6 and (kind, code) == ("unreachable", "frag_needed"):
        return icmpv6.PACKET_TOO_BIG, 0
    if version == 4 and kind == "packet_too_big":
        return icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED
    number = _number(TYPES[version], kind, f"ICMP type of IPv{version}")
    return number, 0 if code is None else _number(CODES.get((version, number), {}), code, f"code of ICMP {kind} of IPv{version}")


def _number(names: dict[str, int], said: str, what: str) -> int:
    """What a name says."""
    numbered = _NUMBERED.fullmatch(said)
    number = int(numbered[1]) if numbered else names.get(said, 256)
    if number > 255:
        raise ValueError(f"unknown {what}: {said}")
    return number


def names_of(version: int, kind: int, code: int) -> tuple[str, str | None]:
    """How a message's type and code are written; a code of 0 that has no name is left out."""
    types = {number: name for name, number in reversed(TYPES[version].items())}
    codes = {number: name for name, number in reversed(CODES.get((version, kind), {}).items())}
    return types.get(kind, f"type_{kind}"), codes.get(code, f"code_{code}" if code else None)
