"""Reads packetdrill's language (google/packetdrill's parser.y and what nplab's, Linux's and FreeBSD's scripts add) into a Script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from stack.testing.drill.expression_parser import expression, listed
from stack.testing.drill.packet_parser import packet
from stack.testing.drill.place import Place, ScriptError
from stack.testing.drill.scanner import Scanner
from stack.testing.drill.script import Code, Command, Event, EventTime, Packet, Script, ScriptOption, Syscall, TimeKind

OPTION = re.compile(r"--?([A-Za-z][A-Za-z0-9_-]*)")
SYMBOL = re.compile(r"-D(?=\w)")
VALUE = re.compile(r"=?((?:[^\s\"`]|\"[^\"]*\"|`[^`]*`)+)")
QUOTED = re.compile(r'"[^"]*"')
TIME = re.compile(r"[0-9]*\.[0-9]+|[0-9]+")
COMMAND = re.compile(r"`((?:\\.|[^`\\])*)`", re.DOTALL)
CODE = re.compile(r"%\{(.*?)\}%", re.DOTALL)
NOTE = re.compile(r"\(([^()]*)\)")
ERRNO = re.compile(r"E[A-Z0-9]+\b")
LATEST = 10**18  # nanoseconds: a script of 31 years


def parse(text: str, name: str = "<script>", symbols: Mapping[str, str] | None = None) -> Script:
    """A script's text as a tree. `symbols` are words to replace (`-D NAME=VALUE`); the script's own --define add to them.

    Raises ScriptError, which says file, line, column, and what was expected there.
    """
    given = dict(symbols or {})
    scanner = Scanner(text, name, defined(text) | given)
    found = options(scanner)
    init = command(scanner) if scanner.sees("`") else None
    events: list[Event] = []
    cleanup = None
    while True:
        place = scanner.place()
        if scanner.at >= len(scanner.text):
            break
        if scanner.sees("`"):
            cleanup = command(scanner)
            if scanner.place() and scanner.at < len(scanner.text):
                scanner.fail("the end of the script after a command without a time")
            break
        events.append(event(scanner, place))
    return Script(found, init, tuple(events), cleanup, name)


def parse_file(path: str | Path, symbols: Mapping[str, str] | None = None) -> Script:
    """The script in a file. Raises ScriptError, OSError."""
    data = Path(path).read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return parse(text, str(path), symbols)


def options(scanner: Scanner) -> tuple[ScriptOption, ...]:
    """The lines `--name=value` at the head."""
    found = []
    while scanner.sees("-"):
        place = scanner.place()
        word = "D" if scanner.match(SYMBOL) else (scanner.match(OPTION) or scanner.fail("an option, --name=value"))[1]
        value = None
        if scanner.text.startswith("=", scanner.at) or word == "D":
            value = (scanner.match(VALUE) or scanner.fail(f"a value of {word}"))[1]
            value = value[1:-1] if QUOTED.fullmatch(value) else value
        found.append(ScriptOption(word, value, place))
    return tuple(found)


def defined(text: str) -> dict[str, str]:
    """The symbols that a script's own options define: needed before it can be read, as #ifdef asks for them."""
    found = {}
    for line in text.splitlines():
        said = re.match(r"\s*(?:--define=|-D\s*)(\w+)=(.*?)\s*(?://.*)?$", line)
        if said:
            found[said[1]] = said[2].strip('"`')
    return found


def event(scanner: Scanner, place: Place) -> Event:
    """A time, and what happens then."""
    time = event_time(scanner)
    action: Packet | Syscall | Command | Code
    if scanner.sees("<", ">") or scanner.sees_word("inject"):
        action = packet(scanner)
    elif scanner.sees("`"):
        action = command(scanner)
    elif scanner.sees("%{"):
        action = code(scanner)
    else:
        action = syscall(scanner, time)
    return Event(time, action, place)


def event_time(scanner: Scanner) -> EventTime:
    """`*`, `t`, `+t`, `t~t`, `+t~+t`."""
    if scanner.take("*"):
        return EventTime(TimeKind.ANY)
    place = scanner.place()
    relative = scanner.take("+")
    start = time(scanner)
    if not scanner.take("~"):
        return EventTime(TimeKind.RELATIVE if relative else TimeKind.ABSOLUTE, start, start)
    if relative:
        scanner.expect("+", "'+': both ends of a range are relative, or none is")
    end = time(scanner)
    if end < start:
        scanner.refuse("a range of times ends before it begins", place)
    return EventTime(TimeKind.RELATIVE_RANGE if relative else TimeKind.ABSOLUTE_RANGE, start, end)


def time(scanner: Scanner) -> int:
    """Seconds, as nanoseconds."""
    place = scanner.place()
    found = scanner.match(TIME)
    if found is None:
        scanner.fail("a time in seconds, '+' and a time, '*', a packet, a call, a command, or the end")
    if len(found[0]) > 30 or (value := int(Decimal(found[0]) * 1_000_000_000)) > LATEST:
        scanner.refuse("a time of more than 31 years", place)
    return value


def command(scanner: Scanner) -> Command:
    """Text between back quotes."""
    place = scanner.place()
    found = scanner.match(COMMAND)
    return Command(found[1], place) if found else scanner.refuse("a command without its closing back quote", place)


def code(scanner: Scanner) -> Code:
    """Text between %{ and }%."""
    place = scanner.place()
    found = scanner.match(CODE)
    return Code(found[1], place) if found else scanner.refuse("code without its closing }%", place)


def syscall(scanner: Scanner, began: EventTime) -> Syscall:
    """A system call: `...end name(arguments) = result ERRNO (note)`."""
    place = scanner.place()
    end = time(scanner) if scanner.take("...") else None
    if end is not None:
        if began.kind not in (TimeKind.ABSOLUTE, TimeKind.RELATIVE):
            scanner.refuse("a blocking call needs a time without a range", place)
        if end < began.start:
            scanner.refuse("a blocking call ends before it begins", place)
    place = scanner.place()
    name = scanner.word("a packet ('<' or '>'), a system call, a command or code")
    if name.startswith("sctp_"):
        scanner.refuse(f"{name}: SCTP is not supported", place)
    scanner.expect("(")
    arguments = listed(scanner, ")")
    scanner.expect("=")
    result = expression(scanner)
    found = scanner.match(ERRNO)
    note = scanner.match(NOTE)
    return Syscall(name, arguments, result, found[0] if found else None, note[1].strip() if note else None, end, place)


__all__ = ["ScriptError", "parse", "parse_file"]
