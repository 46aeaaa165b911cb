"""Expressions of a packetdrill script: what system calls are called with, and what they return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from stack.testing.drill.layers import GRE, MPLSEntry
from stack.testing.drill.place import NOWHERE, Place


@dataclass(frozen=True, slots=True)
class Anything:
    """`...`: what the runner finds right, or any result."""

    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Integer:
    """`1000`, `0x10`"""

    value: int
    hexadecimal: bool = False
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Word:
    """A symbol: `SOCK_STREAM`."""

    name: str
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class String:
    """`"text"`, or `"text"...`, of which only the beginning counts. `value` has C's escapes taken out."""

    value: str
    more: bool = False
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """`O_RDWR|O_NONBLOCK`"""

    left: Expression
    right: Expression
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Assign:
    """`name=value`, such as the flags in a result, or a field of a structure that has no node of its own."""

    name: str
    value: Expression
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Array:
    """`[1, 2]`: also what a pointer points at, as in `setsockopt(…, [1], 4)`."""

    items: tuple[Expression, ...] = ()
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Braces:
    """`{a, b}`: a list in braces, or a structure with fields that no other node has (as `Assign`)."""

    items: tuple[Expression, ...] = ()
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Address:
    """`inet_addr("192.0.2.1")` (version 4), `inet6_addr("::1")` (version 6)"""

    version: int
    text: str
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class SocketAddress:
    """`{sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("192.0.2.1")}`: a port or address `...` is None."""

    family: str
    port: int | None
    address: Address | None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class IOVector:
    """`{..., 1000}`: a buffer of so many octets; `data` is Anything or a String."""

    data: Expression
    length: int
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class MessageHeader:
    """`{msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0, msg_control=[…]}`; `count` is the number in msg_iov()."""

    name: Expression
    count: int
    vectors: Array
    flags: Expression
    control: Expression | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ControlHeader:
    """`{cmsg_level=SOL_IP, cmsg_type=IP_RECVERR, cmsg_data={…}}`"""

    level: Expression
    type: Expression
    data: Expression
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Timestamping:
    """`{scm_sec=0, scm_nsec=400000000}`: seconds and nanoseconds since the script began."""

    seconds: int
    nanoseconds: int
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ExtendedError:
    """`{ee_errno=…, ee_origin=…, ee_type=…, ee_code=…, ee_info=…, ee_data=…}`: struct sock_extended_err."""

    errno: Expression
    origin: Expression
    type: Expression
    code: Expression
    info: Expression
    data: Expression
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class PollFD:
    """`{fd=3, events=POLLIN, revents=POLLIN}`"""

    fd: Expression
    events: Expression
    revents: Expression | None = None
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class EpollEvent:
    """`{events=EPOLLIN, fd=4}`; `member` of the union is fd, ptr, u32 or u64."""

    events: Expression
    member: str
    value: Expression
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Linger:
    """`{onoff=1, linger=0}`; seconds."""

    on: int
    seconds: int
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class LabelStack:
    """`{(label 16, tc 0, [S], ttl 255)}`: an MPLS label stack, in a control message."""

    entries: tuple[MPLSEntry, ...]
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class GREHeader:
    """`{flags [key present], key = 5}`: a GRE header, in a control message."""

    header: GRE
    place: Place = field(default=NOWHERE, compare=False)


Expression: TypeAlias = (
    Anything | Integer | Word | String | Or | Assign | Array | Braces | Address | SocketAddress | IOVector | MessageHeader
    | ControlHeader | Timestamping | ExtendedError | PollFD | EpollEvent | Linger | LabelStack | GREHeader
)  # fmt: skip
