"""Info lines of DNS messages (RFC 1035 section 4), multicast and link-local ones too (RFC 6762, RFC 4795)."""

from __future__ import annotations

from stack.application.dns.messages import DNS, LLMNR_PORT, MULTICAST_PORT, PORT, DNSOverTCP, Question, Record
from stack.application.dns.records import (
    AAAA,
    CNAME,
    DNAME,
    MX,
    NS,
    OPT,
    PTR,
    SOA,
    SRV,
    TYPES,
    A,
)
from stack.tcp.formats.tcp import TCP
from stack.udp.formats.udp import UDP
from stack.view.info.about import About, Info, speaks

OPERATIONS = {
    0: "Standard query", 1: "Inverse query", 2: "Server status request", 4: "Zone change notification", 5: "Dynamic update",
}  # fmt: skip
FAILURES = {
    1: "Format error", 2: "Server failure", 3: "No such name", 4: "Not implemented", 5: "Refused", 6: "Name exists",
    7: "RRset exists", 8: "RRset does not exist", 9: "Not authoritative", 10: "Name out of zone",
}  # fmt: skip
PROTOCOLS = {PORT: "DNS", MULTICAST_PORT: "MDNS", LLMNR_PORT: "LLMNR"}
ADDRESS_BIT = 0x8000  # of a class: in multicast DNS, "answer me alone" or "forget what you knew"


@speaks(DNS)
def message(about: About) -> Info:
    """`Standard query response 0x1234 A example.com A 192.0.2.1`."""
    header: DNS = about.header
    ports = about.below(UDP, TCP)
    numbers = sorted((ports.destination, ports.source)) if ports is not None else []
    protocol = next((PROTOCOLS[port] for port in numbers if port in PROTOCOLS), "DNS")
    sections = header.read()
    operation = OPERATIONS.get(header.opcode, f"Unknown operation ({header.opcode})")
    words = [f"{operation}{' response' if header.response else ''} 0x{header.identification:04x}"]
    failed = header.response and header.rcode
    if failed:
        words.append(FAILURES.get(header.rcode, f"Error {header.rcode}"))
    multicast = protocol == "MDNS"
    asked = ", ".join(_question(one, multicast) for one in sections.questions)
    records = [*sections.answers, *sections.authorities, *sections.additionals]
    told = (", " if multicast else " ").join(_record(one, multicast) for one in records)
    line = " ".join(filter(None, [*words, ", ".join(filter(None, [asked, told])) if multicast else f"{asked} {told}".strip()]))
    answers = " ".join(_record(one, False) for one in sections.answers)
    short = " ".join(filter(None, [words[1] if failed else "", asked, f"= {answers}" if answers else ""]))
    return Info(protocol, line, "name", f"DNS {short}{'' if header.response else '?'}")


@speaks(DNSOverTCP)
def length(about: About) -> Info | None:
    """The TCP header says it."""
    return None


def _type(number: int) -> str:
    return TYPES.get(number, f"Unknown ({number})")


def _question(one: Question, multicast: bool) -> str:
    text = f"{_type(one.type)} {_name(one.name)}"
    return f'{text}, "{"QU" if one.klass & ADDRESS_BIT else "QM"}" question' if multicast else text


def _name(name: object) -> str:
    text = str(name)
    return "<Root>" if text == "." else text


def _record(one: Record, multicast: bool) -> str:
    """A record's type and, where it is short, what it says."""
    flush = ", cache flush" if multicast and one.klass & ADDRESS_BIT and not isinstance(one.data, OPT) else ""
    match one.data:
        case A(address=value) | AAAA(address=value) | NS(server=value) | CNAME(canonical=value) | PTR(target=value):
            said = f" {_name(value)}"
        case DNAME(target=value) | SOA(server=value):
            said = f" {_name(value)}"
        case MX(preference=preference, exchange=exchange):
            said = f" {preference} {_name(exchange)}"
        case SRV(priority=priority, weight=weight, port=port, target=target):
            said = f" {priority} {weight} {port} {_name(target)}"
        case _:
            said = ""
    return f"{_type(one.type)}{flush}{said}"
