"""TCP options as packetdrill writes them: `<mss 1460,nop,nop,sackOK,TS val 100 ecr 0>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Nop:
    """`nop`"""


@dataclass(frozen=True, slots=True)
class EndOfList:
    """`eol`: may be there several times, as padding."""


@dataclass(frozen=True, slots=True)
class MaximumSegment:
    """`mss 1460`"""

    size: int


@dataclass(frozen=True, slots=True)
class Scale:
    """`wscale 7`"""

    shift: int


@dataclass(frozen=True, slots=True)
class SackOK:
    """`sackOK`"""


@dataclass(frozen=True, slots=True)
class SackBlocks:
    """`sack 1001:2001 3001:4001`: relative to the other side's initial sequence number."""

    blocks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Timestamp:
    """`TS val 100 ecr 0`: the script's own clocks."""

    value: int
    echo: int


@dataclass(frozen=True, slots=True)
class FastOpen:
    """`FO 3021b9d889017eeb` (kind 34, RFC 7413), or `FOEXP …` (kind 254, magic 0xF989). No cookie: a request for one."""

    cookie: bytes = b""
    experimental: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """`md5 <digest in hexadecimal>` (RFC 2385); `md5 valid` and `md5 invalid` are for the runner, who knows the key, to fill in or verify."""

    digest: bytes | bool


@dataclass(frozen=True, slots=True)
class Authentication:
    """`ao 1 2 <code in hexadecimal>` (TCP-AO, RFC 5925): KeyID, RNextKeyID, message authentication code."""

    key: int
    next_key: int
    code: bytes


@dataclass(frozen=True, slots=True)
class AccurateECN:
    """`ECN e1b 1 ceb 0 e0b 1` (kind 174, order 1) or `ECN e0b 1 ceb 0 e1b 1` (kind 172, order 0), RFC 9768 section 3.2.3.

    Counters in the order of the wire; the last ones may be left out. An empty option is `ECN0` or `ECN1`.
    """

    order: int
    counters: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherOption:
    """`kind 28 8005`: any other option, by its number and the octets that follow its length."""

    kind: int
    data: bytes = b""


TCPOption: TypeAlias = (
    Nop | EndOfList | MaximumSegment | Scale | SackOK | SackBlocks | Timestamp | FastOpen | Signature | Authentication
    | AccurateECN | OtherOption
)  # fmt: skip

FAST_OPEN_MAGIC = b"\xf9\x89"  # of the experimental option, RFC 7413 appendix A


def octets_of(option: TCPOption) -> bytes:
    """An option as it is on the wire; a digest that only the runner knows, as zeros."""
    match option:
        case Nop():
            return b"\1"
        case EndOfList():
            return b"\0"
        case MaximumSegment(size):
            return framed(2, size.to_bytes(2, "big"))
        case Scale(shift):
            return framed(3, bytes((shift,)))
        case SackOK():
            return framed(4, b"")
        case SackBlocks(blocks):
            return framed(5, b"".join(number.to_bytes(4, "big") for block in blocks for number in block))
        case Timestamp(value, echo):
            return framed(8, value.to_bytes(4, "big") + echo.to_bytes(4, "big"))
        case FastOpen(cookie, experimental):
            return framed(254, FAST_OPEN_MAGIC + cookie) if experimental else framed(34, cookie)
        case Signature(digest):
            return framed(19, digest if isinstance(digest, bytes) else bytes(16))
        case Authentication(key, next_key, code):
            return framed(29, bytes((key, next_key)) + code)
        case AccurateECN(order, counters):
            return framed(174 if order else 172, b"".join(number.to_bytes(3, "big") for number in counters))
        case OtherOption(kind, data):
            return framed(kind, data)


def framed(kind: int, data: bytes) -> bytes:
    """Kind, length, data; data that is too long for a length gives a length that does not fit a header either."""
    return bytes((kind, min(2 + len(data), 255))) + data
