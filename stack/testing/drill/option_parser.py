"""Reads TCP options as packetdrill writes them: `<mss 1460,sackOK,nop,wscale 7>`."""

from __future__ import annotations

import re

from stack.testing.drill.scanner import Scanner
from stack.testing.drill.tcp_options import (
    AccurateECN,
    Authentication,
    EndOfList,
    FastOpen,
    MaximumSegment,
    Nop,
    OtherOption,
    SackBlocks,
    SackOK,
    Scale,
    Signature,
    TCPOption,
    Timestamp,
    octets_of,
)

BLOB = re.compile(r"(?:0x)?[A-Za-z0-9_]+")
COUNTERS = {0: ("e0b", "ceb", "e1b"), 1: ("e1b", "ceb", "e0b")}  # of an accurate ECN option, by its order
SPACE = 40  # octets that a TCP header has for options


def options(scanner: Scanner) -> tuple[TCPOption, ...] | None:
    """What stands between `<` and `>`; None for `<...>`. The `<` has been read."""
    place = scanner.place()
    if scanner.take("..."):
        scanner.expect(">")
        return None
    found = []
    while not scanner.sees(">"):
        found.append(option(scanner))
        if not scanner.take(","):
            break
    scanner.expect(">", "',' or '>' after a TCP option")
    size = sum(len(octets_of(one)) for one in found)
    if size > SPACE:
        scanner.refuse(f"TCP options of {size} octets; a header has room for {SPACE}", place)
    if size % 4:
        scanner.refuse(f"TCP options of {size} octets; expected a multiple of 4 (pad with nop or eol)", place)
    return tuple(found)


def blob(scanner: Scanner, expected: str) -> bytes:
    """Octets in hexadecimal, or a symbol that stands for them."""
    place = scanner.place()
    found = scanner.match(BLOB)
    if found is None:
        scanner.fail(expected)
    text = scanner.symbol(found[0]).removeprefix("0x")
    if len(text) % 2 or not re.fullmatch("[0-9a-fA-F]*", text):
        scanner.refuse(f"expected {expected}: an even number of hexadecimal digits, found {text[:40]!r}", place)
    return bytes.fromhex(text)


def option(scanner: Scanner) -> TCPOption:
    """One option."""
    place = scanner.place()
    word = scanner.word("a TCP option")
    match word:
        case "nop":
            return Nop()
        case "eol":
            return EndOfList()
        case "sackOK":
            return SackOK()
        case "mss":
            return MaximumSegment(scanner.integer("a maximum segment size", high=0xFFFF))
        case "wscale":
            return Scale(scanner.integer("a window scale", high=0xFF))
        case "sack":
            return sack(scanner)
        case "TS":
            scanner.expect_word("val")
            value = scanner.integer("a timestamp")
            scanner.expect_word("ecr")
            return Timestamp(value, scanner.integer("a timestamp"))
        case "FO" | "FOEXP":
            return FastOpen(b"" if scanner.sees(",", ">") else blob(scanner, "a fast open cookie"), word == "FOEXP")
        case "md5" | "MD5":
            return signature(scanner)
        case "ao" | "AO":
            key, following = scanner.integer("a KeyID", high=0xFF), scanner.integer("an RNextKeyID", high=0xFF)
            return Authentication(key, following, blob(scanner, "an authentication code"))
        case "ECN" | "ECN0" | "ECN1" | "accECN" | "accecn":
            return accurate_ecn(scanner, word)
        case "kind":
            kind = scanner.integer("an option's kind", low=2, high=0xFF)
            return OtherOption(kind, b"" if scanner.sees(",", ">") else blob(scanner, "an option's octets"))
    scanner.refuse(f"unknown TCP option {word!r}", place)


def sack(scanner: Scanner) -> SackBlocks:
    """Blocks: `1001:2001 3001:4001`."""
    blocks = []
    while scanner.sees_integer():
        left = scanner.integer("a sequence number")
        scanner.expect(":")
        blocks.append((left, scanner.integer("a sequence number")))
    return SackBlocks(tuple(blocks)) if blocks else scanner.fail("a SACK block, left:right")


def signature(scanner: Scanner) -> Signature:
    """A digest, or whether it is to be valid."""
    said = scanner.take_word("valid", "invalid")
    if said is not None:
        return Signature(said == "valid")
    place = scanner.place()
    digest = blob(scanner, "an MD5 digest")
    return Signature(digest) if len(digest) == 16 else scanner.refuse(f"an MD5 digest has 16 octets, not {len(digest)}", place)


def accurate_ecn(scanner: Scanner, word: str) -> AccurateECN:
    """Counters in the order of the wire: their names tell the order, where the option's name does not."""
    order = {"ECN0": 0, "ECN1": 1}.get(word)
    if order is None:
        order = 0 if scanner.sees_word("e0b") else 1  # an empty one is of order 1, as Linux's is
    counters = []
    for name in COUNTERS[order]:
        if not scanner.take_word(name):
            break
        counters.append(scanner.integer("a counter of octets", high=0xFFFFFF))
    return AccurateECN(order, tuple(counters))
