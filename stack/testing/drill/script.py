"""A packetdrill script as a tree of values: options, events, packets, system calls (google/packetdrill's parser.y).

    script = parse(text, "file.pkt")            # parser.py
    for event in script.events:
        match event.action:
            case Packet(direction=Direction.OUTBOUND, body=Segment()): ...
            case Syscall(name="write"): ...
            case Command() | Code(): ...

Every node is immutable and knows its `place` (file, line, column), which is no part of equality: two scripts are equal
when they say the same. Times are integers of nanoseconds. Numbers are those of the script: sequence numbers are relative
to the initial ones, timestamps are the script's. What an expression means, the runner decides; expressions.py has them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from stack.testing.drill.expressions import Expression
from stack.testing.drill.layers import GRE, IP, MPLS, IPInfo, MPLSEntry
from stack.testing.drill.place import NOWHERE, Place, ScriptError
from stack.testing.drill.tcp_options import TCPOption

__all__ = [
    "GRE", "IP", "MPLS", "Code", "Command", "ControlMessage", "Datagram", "Direction", "EchoedRaw", "EchoedTCP", "EchoedUDP",
    "Event", "EventTime", "IPInfo", "MPLSEntry", "Packet", "Place", "Script", "ScriptError", "ScriptOption", "Segment",
    "Syscall", "TimeKind",
]  # fmt: skip


# When


class TimeKind(Enum):
    """How an event's time is said."""

    ABSOLUTE = "t"  # since the script began
    RELATIVE = "+t"  # since the event before
    ANY = "*"
    ABSOLUTE_RANGE = "t~t"
    RELATIVE_RANGE = "+t~+t"


@dataclass(frozen=True, slots=True)
class EventTime:
    """When an event takes place: `start`, and for a range `end`, in nanoseconds; both 0 for `*`."""

    kind: TimeKind
    start: int = 0
    end: int = 0

    @property
    def relative(self) -> bool:
        """Whether the times count from the event before."""
        return self.kind in (TimeKind.RELATIVE, TimeKind.RELATIVE_RANGE)


# Packets


class Direction(Enum):
    """Where a packet goes, seen from the host that is tested."""

    INBOUND = "<"  # injected by the script
    OUTBOUND = ">"  # expected from the host


@dataclass(frozen=True, slots=True)
class Segment:
    """A TCP segment. None: not said; of `options`: `<...>`, whatever they are; of `sequence` and `end`: `...(0)`, wherever it is.

    `flags` has the nine bits of a TCP header (FIN=1 … AE=256).
    """

    flags: int
    sequence: int | None
    end: int | None
    length: int
    ack: int | None = None
    window: int | None = None
    urgent: int | None = None
    options: tuple[TCPOption, ...] | None = ()
    ports: tuple[int, int] | None = None  # source, destination
    udp_ports: tuple[int, int] | None = None  # of the UDP datagram that the segment is in (draft-cheshire-tcp-over-udp)


@dataclass(frozen=True, slots=True)
class Datagram:
    """A UDP datagram of `length` octets of payload; of UDP-Lite (RFC 3828) if `coverage` is not None."""

    length: int
    ports: tuple[int, int] | None = None
    coverage: int | None = None


@dataclass(frozen=True, slots=True)
class EchoedTCP:
    """An ICMP error quotes the segment with these numbers."""

    sequence: int
    end: int
    length: int


@dataclass(frozen=True, slots=True)
class EchoedUDP:
    """An ICMP error quotes a UDP datagram of so many octets of payload."""

    length: int


@dataclass(frozen=True, slots=True)
class EchoedRaw:
    """An ICMP message carries so many octets."""

    length: int


@dataclass(frozen=True, slots=True)
class ControlMessage:
    """An ICMP or ICMPv6 message (which, the script's IP version says), by the names of its type and code; those without a name are `type_13`, `code_7`."""

    type: str
    code: str | None = None
    mtu: int | None = None
    identifier: int | None = None
    echoed: EchoedTCP | EchoedUDP | EchoedRaw | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet that is injected or expected: `layers` from the outermost around the innermost IP header, of which `ip` says something."""

    direction: Direction
    body: Segment | Datagram | ControlMessage
    ip: IPInfo | None = None
    layers: tuple[IP | GRE | MPLS, ...] = ()
    place: Place = field(default=NOWHERE, compare=False)


# Events


@dataclass(frozen=True, slots=True)
class Syscall:
    """A system call and what it must return.

    A blocking call has `end`, the time at which it returns, in nanoseconds: absolute or relative as the event's time is
    (`+.1...0.3` ends 0.3 s after the event *before*). `result` may be `...`; `errno` is None where the script names none.
    """

    name: str
    arguments: tuple[Expression, ...]
    result: Expression
    errno: str | None = None
    note: str | None = None
    end: int | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Command:
    """Text between back quotes, for a shell: never executed, read for the settings that it makes."""

    text: str
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Code:
    """Text between `%{` and `}%`: Python over the fields of TCP_INFO. See code.py."""

    text: str
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Event:
    """What happens, and when."""

    time: EventTime
    action: Packet | Syscall | Command | Code
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ScriptOption:
    """A line `--name=value` at the head of a script; None: no value."""

    name: str
    value: str | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script. `init` runs before the clock starts, `cleanup` after the last event."""

    options: tuple[ScriptOption, ...] = ()
    init: Command | None = None
    events: tuple[Event, ...] = ()
    cleanup: Command | None = None
    name: str = field(default="<script>", compare=False)

    def option(self, name: str) -> str | None:
        """The last value of an option ("" if it was given without one), or None."""
        found = [one.value or "" for one in self.options if one.name == name]
        return found[-1] if found else None
