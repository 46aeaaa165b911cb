"""Reads the expressions of a packetdrill script: arguments of system calls, and results."""

from __future__ import annotations

import re

from stack.testing.drill.expressions import (
    Address,
    Anything,
    Array,
    Assign,
    Braces,
    ControlHeader,
    EpollEvent,
    Expression,
    ExtendedError,
    GREHeader,
    Integer,
    IOVector,
    LabelStack,
    Linger,
    MessageHeader,
    Or,
    PollFD,
    SocketAddress,
    String,
    Timestamping,
    Word,
)
from stack.testing.drill.layer_parser import gre, mpls_entries
from stack.testing.drill.place import Place
from stack.testing.drill.scanner import Scanner

FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\s*(?:\([^()]*\)\s*)?=(?!=)")
LABEL = re.compile(r"\(\s*label\b")
FLAGS = re.compile(r"flags\s*[\[0-9]")
LARGEST = 2**64 - 1


def expression(scanner: Scanner) -> Expression:
    """An expression: `a|b|c` to the left, `name=…` to the right."""
    scanner.nested()
    place = scanner.place()
    left = operand(scanner)
    while scanner.take("|"):
        left = Or(left, operand(scanner), place)
    scanner.depth -= 1
    return left


def operand(scanner: Scanner) -> Expression:
    """An expression without `|`."""
    place = scanner.place()
    if scanner.take("..."):
        return Anything(place)
    if scanner.sees_integer():
        hexadecimal = scanner.text[scanner.at : scanner.at + 3].lstrip("-").lower().startswith("0x")
        return Integer(scanner.integer("a number", -(2**63), LARGEST), hexadecimal, place)
    if scanner.sees('"'):
        return String(scanner.string(), scanner.take("..."), place)
    if scanner.take("["):
        return Array(listed(scanner, "]"), place)
    if scanner.take("{"):
        return braces(scanner, place)
    word = scanner.word("an expression")
    if word in ("inet_addr", "inet6_addr"):
        return address(scanner, word, place)
    if word == "htons":
        return port(scanner, place)
    if scanner.sees("(") and word in ("htonl", "ntohs", "ntohl"):
        scanner.refuse(f"{word}() is not in the language", place)
    if not scanner.sees("==") and scanner.take("="):
        return Assign(word, expression(scanner), place)
    if word in scanner.symbols:
        return symbol(scanner, word, place)
    return Word(word, place)


def symbol(scanner: Scanner, word: str, place: Place) -> Expression:
    """What a symbol stands for: an expression of its own, without symbols, so that it ends."""
    inner = Scanner(scanner.symbols[word], f"{place} ({word})", {})
    found = expression(inner)
    inner.skip()
    if inner.at < len(inner.text):
        inner.fail("the end of the symbol's value")
    return found


def listed(scanner: Scanner, end: str) -> tuple[Expression, ...]:
    """Expressions and commas up to `end`."""
    found: list[Expression] = []
    if scanner.take(end):
        return ()
    while True:
        found.append(expression(scanner))
        if scanner.take(end):
            return tuple(found)
        scanner.expect(",", f"',' or {end!r}")


def address(scanner: Scanner, word: str, place: Place) -> Address:
    """The `("192.0.2.1")` of an inet_addr()."""
    scanner.expect("(")
    text = scanner.string()
    scanner.expect(")")
    return Address(4 if word == "inet_addr" else 6, text, place)


def port(scanner: Scanner, place: Place) -> Integer | Anything:
    """The `(8080)` or `(...)` of htons()."""
    scanner.expect("(")
    found = Anything(place) if scanner.take("...") else Integer(scanner.integer("a port", high=0xFFFF), False, place)
    scanner.expect(")")
    return found


# Structures

Fields = dict[str, Expression]
EXTENDED_ERROR = ("ee_errno", "ee_origin", "ee_type", "ee_code", "ee_info", "ee_data")


def braces(scanner: Scanner, place: Place) -> Expression:
    """What stands after `{`: a structure by the names of its fields, or a list."""
    if scanner.looks(LABEL):
        entries = mpls_entries(scanner)
        scanner.expect("}")
        return LabelStack(entries, place)
    if scanner.looks(FLAGS):
        header = gre(scanner)
        scanner.expect("}")
        return GREHeader(header, place)
    if not scanner.looks(FIELD):
        items = listed(scanner, "}")
        match items:
            case (Anything() | String() as data, Integer(length)):
                return IOVector(data, length, place)
        return Braces(items, place)
    fields: Fields = {}
    counts: dict[str, Expression] = {}
    while True:
        name = scanner.word("a field's name")
        if scanner.take("("):
            counts[name] = expression(scanner)
            scanner.expect(")")
        scanner.expect("=")
        if name in fields:
            scanner.refuse(f"the field {name} is there twice", place)
        fields[name] = expression(scanner)
        if scanner.take("}"):
            return structure(scanner, fields, counts, place)
        scanner.expect(",", "',' or '}'")


def structure(scanner: Scanner, fields: Fields, counts: dict[str, Expression], place: Place) -> Expression:
    """The structure that has these fields."""
    names = list(fields)
    if set(counts) - {"msg_name", "msg_iov"}:
        scanner.refuse(f"only msg_name and msg_iov have a length in brackets, not {', '.join(counts)}", place)
    match set(fields):
        case has if has >= {"msg_name", "msg_iov", "msg_flags"} and has <= {"msg_name", "msg_iov", "msg_flags", "msg_control"}:
            return message(scanner, fields, counts, place)
        case has if has == {"sa_family", "sin_port", "sin_addr"} or has == {"sa_family", "sin6_port", "sin6_addr"}:
            return socket_address(scanner, fields, place)
        case has if has == {"cmsg_level", "cmsg_type", "cmsg_data"}:
            return ControlHeader(fields["cmsg_level"], fields["cmsg_type"], fields["cmsg_data"], place)
        case has if has == {"scm_sec", "scm_nsec"}:
            return Timestamping(number(scanner, fields, "scm_sec", place), number(scanner, fields, "scm_nsec", place), place)
        case has if has == {"onoff", "linger"}:
            return Linger(number(scanner, fields, "onoff", place), number(scanner, fields, "linger", place), place)
        case has if has == set(EXTENDED_ERROR):
            errno, origin, kind, code, info, data = (fields[name] for name in EXTENDED_ERROR)
            return ExtendedError(errno, origin, kind, code, info, data, place)
        case has if has == {"fd", "events", "revents"} or names == ["fd", "events"]:
            return PollFD(fields["fd"], fields["events"], fields.get("revents"), place)
        case has if len(has) == 2 and "events" in has and has & {"fd", "ptr", "u32", "u64"}:
            member = next(one for one in names if one != "events")
            return EpollEvent(fields["events"], member, fields[member], place)
    return Braces(tuple(Assign(name, value, place) for name, value in fields.items()), place)


def message(scanner: Scanner, fields: Fields, counts: dict[str, Expression], place: Place) -> MessageHeader:
    """struct msghdr."""
    vectors, count = fields["msg_iov"], counts.get("msg_iov")
    if not isinstance(vectors, Array) or not isinstance(count, Integer):
        scanner.refuse("expected msg_iov(count)=[{..., length}, …]", place)
    return MessageHeader(fields["msg_name"], count.value, vectors, fields["msg_flags"], fields.get("msg_control"), place)


def socket_address(scanner: Scanner, fields: Fields, place: Place) -> SocketAddress:
    """struct sockaddr_in, struct sockaddr_in6."""
    family = fields["sa_family"]
    port, host = (fields.get(f"sin_{one}") or fields[f"sin6_{one}"] for one in ("port", "addr"))
    if not isinstance(family, Word) or not isinstance(port, Integer | Anything) or not isinstance(host, Address | Anything):
        scanner.refuse('expected {sa_family = AF_INET, sin_port = htons(port), sin_addr = inet_addr("address")}', place)
    number = port.value if isinstance(port, Integer) else None
    return SocketAddress(family.name, number, host if isinstance(host, Address) else None, place)


def number(scanner: Scanner, fields: Fields, name: str, place: Place) -> int:
    """The value of a field that has to be a number."""
    value = fields[name]
    return value.value if isinstance(value, Integer) else scanner.refuse(f"expected a number as {name}", place)
