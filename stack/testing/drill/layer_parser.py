"""Reads what is around a packet in a script: IP headers and what is said about them, GRE, MPLS."""

from __future__ import annotations

import re

from stack.base.address import IPv4Address, IPv6Address
from stack.base.errors import AddressError
from stack.testing.drill.layers import GRE, IP, MPLS, IPInfo, MPLSEntry
from stack.testing.drill.scanner import Scanner

ADDRESS = re.compile(r"[0-9A-Fa-f:.]*[0-9A-Fa-f](?:::)?(?=[\s>:])|::(?=[\s>:])")
ADDRESS_BEFORE_COLON = re.compile(r"[0-9A-Fa-f:.]*[0-9A-Fa-f](?:::)?(?=\s*:(?:\s|$))|::(?=\s*:(?:\s|$))")
ECN = ("noecn", "ect01", "ect0", "ect1", "ce")
PRESENT = {"checksum": 0x8000, "key": 0x2000, "sequence": 0x1000}  # flags of a GRE header


def layers(scanner: Scanner) -> tuple[IPInfo | None, tuple[IP | GRE | MPLS, ...]]:
    """What stands between a packet's direction and the packet."""
    found: list[IP | GRE | MPLS] = []
    info = ip_info(scanner)
    while word := scanner.take_word("ipv4", "IPv4", "ipv6", "IPv6", "gre", "mpls"):
        if info is not None:
            scanner.refuse("what is said about an IP header stands after the word ipv4 or ipv6, or before the packet", scanner.place())
        if word == "gre":
            scanner.take(",")
            found.append(gre(scanner))
            scanner.expect(":")
        elif word == "mpls":
            found.append(MPLS(mpls_entries(scanner)))
            scanner.expect(":")
        else:
            found.append(ip(scanner, int(word[-1])))
        info = ip_info(scanner)
    return info, tuple(found)


def ip(scanner: Scanner, version: int) -> IP:
    """What stands after `ipv4`: `192.0.2.1 > 192.168.0.1:`."""
    info = ip_info(scanner)
    source = address(scanner, version, ADDRESS)
    scanner.expect(">")
    destination = address(scanner, version, ADDRESS_BEFORE_COLON)
    scanner.expect(":")
    return IP(version, source, destination, info)


def address(scanner: Scanner, version: int, pattern: re.Pattern[str]) -> str:
    """An address, in the form in which it is always written."""
    place = scanner.place()
    found = scanner.match(pattern)
    if found is None:
        scanner.fail(f"an IPv{version} address")
    try:
        return str(IPv4Address(found[0]) if version == 4 else IPv6Address(found[0]))
    except AddressError as error:
        scanner.refuse(str(error), place)


def ip_info(scanner: Scanner) -> IPInfo | None:
    """`(tos 0x10, flowlabel 0x1)` or `[ect0]`, if it is there."""
    if not scanner.sees("(", "["):
        return None
    end = ")" if scanner.take("(") else "]"
    scanner.take("[")
    ecn: str | None = None
    numbers: dict[str, int] = {}
    while True:
        if scanner.sees_word(*ECN):
            ecn = scanner.word("a codepoint of ECN")
        else:
            place = scanner.place()
            name = scanner.take_word("tos", "ttl", "flowlabel") or scanner.fail(f"{', '.join(ECN)}, tos, ttl or flowlabel")
            if name in numbers:
                scanner.refuse(f"{name} is said twice", place)
            numbers[name] = scanner.integer(f"a number after {name}", high=0xFFFFF if name == "flowlabel" else 0xFF)
        if scanner.take(end):
            return IPInfo(ecn, numbers.get("tos"), numbers.get("ttl"), numbers.get("flowlabel"))
        scanner.expect(",", f"',' or {end!r}")


def gre(scanner: Scanner) -> GRE:
    """`flags [key present], sum 0, off 0, key = 5, seq 1`: each part may be left out."""
    flags, numbers = 0, {}
    if scanner.take_word("flags"):
        flags = gre_flags(scanner) if scanner.take("[") else scanner.integer("the flags of GRE", high=0xFFFF)
    for name in ("sum", "off", "key", "seq"):
        scanner.take(",")
        if scanner.take_word(name):
            scanner.take("=")
            numbers[name] = scanner.integer(f"a number after {name}", high=0xFFFF if name in ("sum", "off") else 0xFFFFFFFF)
    return GRE(flags, numbers.get("sum"), numbers.get("off"), numbers.get("key"), numbers.get("seq"))


def gre_flags(scanner: Scanner) -> int:
    """`none`, or `checksum present, key present` and so on, up to `]`."""
    flags = 0
    while True:
        word = scanner.expect_word("none", *PRESENT)
        if word != "none":
            scanner.expect_word("present")
            flags |= PRESENT[word]
        if scanner.take("]"):
            return flags
        scanner.expect(",", "',' or ']'")


def mpls_entries(scanner: Scanner) -> tuple[MPLSEntry, ...]:
    """`(label 16, tc 0, [S], ttl 255)`, and more of them."""
    found = []
    while scanner.take("("):
        scanner.expect_word("label")
        label = scanner.integer("a label", high=0xFFFFF)
        scanner.expect(",")
        scanner.expect_word("tc")
        traffic_class = scanner.integer("a traffic class", high=7)
        scanner.expect(",")
        bottom = scanner.take("[")
        if bottom:
            scanner.expect_word("S")
            scanner.expect("]")
            scanner.expect(",")
        scanner.expect_word("ttl")
        found.append(MPLSEntry(label, traffic_class, bottom, scanner.integer("a time to live", high=255)))
        scanner.expect(")")
    return tuple(found)
