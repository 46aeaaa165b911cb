"""Writes expressions as packetdrill's text."""

from __future__ import annotations

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

ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def show_expression(value: Expression) -> str:
    """An expression."""
    show = show_expression
    match value:
        case Anything():
            return "..."
        case Integer(number, hexadecimal):
            return (f"-{-number:#x}" if number < 0 else f"{number:#x}") if hexadecimal else str(number)
        case Word(name):
            return name
        case String(text, more):
            return f'"{"".join(ESCAPES.get(letter, letter) for letter in text)}"' + ("..." if more else "")
        case Or(left, right):
            return f"{show(left)}|{show(right)}"
        case Assign(name, inner):
            return f"{name}={show(inner)}"
        case Array(items):
            return f"[{', '.join(map(show, items))}]"
        case Braces(items):
            return f"{{{', '.join(map(show, items))}}}"
        case Address(version, text):
            return f'inet{"" if version == 4 else "6"}_addr("{text}")'
        case _:
            return show_structure(value)


def show_structure(value: Expression) -> str:
    """An expression that is a C structure."""
    show = show_expression
    match value:
        case SocketAddress(family, port, address):
            prefix = "sin6" if family == "AF_INET6" else "sin"
            number = f"htons({port})" if port is not None else "..."
            host = show(address) if address is not None else "..."
            return f"{{sa_family = {family}, {prefix}_port = {number}, {prefix}_addr = {host}}}"
        case IOVector(data, length):
            return f"{{{show(data)}, {length}}}"
        case MessageHeader(name, count, vectors, flags, control):
            more = f", msg_control={show(control)}" if control is not None else ""
            return f"{{msg_name(...)={show(name)}, msg_iov({count})={show(vectors)}, msg_flags={show(flags)}{more}}}"
        case ControlHeader(level, kind, data):
            return f"{{cmsg_level={show(level)}, cmsg_type={show(kind)}, cmsg_data={show(data)}}}"
        case Timestamping(seconds, nanoseconds):
            return f"{{scm_sec={seconds}, scm_nsec={nanoseconds}}}"
        case ExtendedError():
            names = ExtendedError.__match_args__[:-1]
            return "{" + ", ".join(f"ee_{name}={show(getattr(value, name))}" for name in names) + "}"
        case PollFD(fd, events, revents):
            more = f", revents={show(revents)}" if revents is not None else ""
            return f"{{fd={show(fd)}, events={show(events)}{more}}}"
        case EpollEvent(events, member, inner):
            return f"{{events={show(events)}, {member}={show(inner)}}}"
        case Linger(on, seconds):
            return f"{{onoff={on}, linger={seconds}}}"
        case LabelStack(entries):
            return f"{{{' '.join(map(str, entries))}}}"
        case GREHeader(header):
            return f"{{{header}}}"
    raise TypeError(f"{value!r} is not an expression")
