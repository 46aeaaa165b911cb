"""Fields of applications: DNS (RFC 1035), multicast DNS and LLMNR among it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from stack.application.dns.messages import DNS
from stack.capture.context import View
from stack.capture.fields import Field, Kind, presence, table

A, AAAA = 1, 28

_HEADER = table("dns", "DNS", [
    ("id", Kind.INTEGER, lambda h: h.identification, 4),
    ("flags.response", Kind.BOOLEAN, lambda h: h.response),
    ("flags.opcode", Kind.INTEGER, lambda h: h.opcode),
    ("flags.authoritative", Kind.BOOLEAN, lambda h: h.authoritative if h.response else None),
    ("flags.truncated", Kind.BOOLEAN, lambda h: h.truncated),
    ("flags.recdesired", Kind.BOOLEAN, lambda h: h.recursion_desired),
    ("flags.recavail", Kind.BOOLEAN, lambda h: h.recursion_available if h.response else None),
    ("flags.rcode", Kind.INTEGER, lambda h: h.rcode if h.response else None),
    ("count.queries", Kind.INTEGER, lambda h: h.question_count),
    ("count.answers", Kind.INTEGER, lambda h: h.answer_count),
    ("count.auth_rr", Kind.INTEGER, lambda h: h.authority_count),
    ("count.add_rr", Kind.INTEGER, lambda h: h.additional_count),
])  # fmt: skip


def _each(name: str, kind: Kind, values: Callable[[DNS], Iterable[Any]]) -> Field:
    """A field with a value for each question or record of a message."""

    def read(view: View) -> Iterable[Any]:
        return [value for header in view.dissection.headers if isinstance(header, DNS) for value in values(header)]

    return Field(f"dns.{name}", kind, read)


def _records(message: DNS) -> Iterable[Any]:
    sections = message.read()
    return (*sections.answers, *sections.authorities, *sections.additionals)


def _name(name: Any) -> str:
    """As Wireshark shows names: no dot at the end."""
    return str(name).removesuffix(".") or "<Root>"


def _addresses(number: int) -> Callable[[DNS], Iterable[Any]]:
    return lambda message: [one.data.address for one in _records(message) if one.type == number and not isinstance(one.data, bytes)]


FIELDS: list[Field] = [
    presence("dns", "DNS"), *_HEADER,
    _each("qry.name", Kind.STRING, lambda message: [_name(one.name) for one in message.questions]),
    _each("qry.type", Kind.INTEGER, lambda message: [one.type for one in message.questions]),
    _each("resp.name", Kind.STRING, lambda message: [_name(one.name) for one in _records(message)]),
    _each("resp.type", Kind.INTEGER, lambda message: [one.type for one in _records(message)]),
    _each("a", Kind.IPV4, _addresses(A)),
    _each("aaaa", Kind.IPV6, _addresses(AAAA)),
]  # fmt: skip
