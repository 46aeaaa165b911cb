"""Control messages of sendmsg and recvmsg: as scripts write them, as octets, and compared (cmsg(3), linux/errqueue.h)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from stack.socket import numbers
from stack.testing.drill.arguments import Arguments, integer
from stack.testing.drill.expression_printer import show_expression
from stack.testing.drill.expressions import Array, ControlHeader, Expression, ExtendedError, Timestamping
from stack.testing.drill.mismatch import Mismatch

if TYPE_CHECKING:
    from stack.testing.drill.process import Process

Control = list[tuple[int, int, bytes]]
_TOLERANCE = 4_000_000  # ns, of a time stamp


def control_sent(given: Expression | None, arguments: Arguments) -> Control:
    """The control messages that sendmsg is given."""
    return [
        (arguments.number(one.level), arguments.number(one.type), struct.pack("i", arguments.number(one.data)))
        for one in _headers(given, arguments)
    ]


def _headers(given: Expression | None, arguments: Arguments) -> list[ControlHeader]:
    if given is None:
        return []
    if not isinstance(given, Array):
        arguments.fail("an array of struct cmsghdr", given)
    found = []
    for item in given.items:
        if not isinstance(item, ControlHeader):
            arguments.fail("a struct cmsghdr", item)
        found.append(item)
    return found


def compare_control(given: Expression, found: Control, arguments: Arguments, process: Process) -> None:
    """The control messages that recvmsg gave must be those that the script says, in its order."""
    wanted = _headers(given, arguments)
    if len(wanted) != len(found):
        raise Mismatch(f"recvmsg() gives {len(found)} control messages; expected {len(wanted)}",
            ", ".join(_said(one) for one in wanted), ", ".join(_shown(one) for one in found), arguments.place,
        )  # fmt: skip
    for one, (level, kind, data) in zip(wanted, found, strict=True):
        same = arguments.number(one.level) == level and arguments.number(one.type) == kind
        if not same or not _equal(one.data, data, process, arguments):
            raise Mismatch("recvmsg() gives another control message", _said(one), _shown((level, kind, data)), arguments.place)


def _equal(wanted: Expression, data: bytes, process: Process, arguments: Arguments) -> bool:
    match wanted:
        case ExtendedError():
            fields = wanted.errno, wanted.origin, wanted.type, wanted.code, wanted.info, wanted.data
            if len(data) < 16:
                return False
            values = struct.unpack_from("=IBBBxII", data)
            return all((number := integer(field)) is None or number == value for field, value in zip(fields, values, strict=True))
        case Timestamping(seconds, nanoseconds):
            if len(data) < 16:
                return False
            stamp = struct.unpack_from("qq", data)
            moment: int = stamp[0] * 1_000_000_000 + stamp[1] - process.realtime_epoch
            return abs(moment - (seconds * 1_000_000_000 + nanoseconds)) <= max(_TOLERANCE, process.profile.tolerance)
    number = arguments.number(wanted)
    return len(data) >= 1 and int.from_bytes(data[:4], "little") == number & 0xFFFFFFFF


def _said(one: ControlHeader) -> str:
    return f"{{{show_expression(one.level)}, {show_expression(one.type)}, {_data(one.data)}}}"


def _data(wanted: Expression) -> str:
    match wanted:
        case ExtendedError():
            fields = wanted.errno, wanted.origin, wanted.type, wanted.code, wanted.info, wanted.data
            return "{" + ", ".join(show_expression(field) for field in fields) + "}"
        case Timestamping(seconds, nanoseconds):
            return f"{seconds}.{nanoseconds:09} s"
    return show_expression(wanted)


def _shown(one: tuple[int, int, bytes]) -> str:
    level, kind, data = one
    if kind in (numbers.IP_RECVERR, numbers.IPV6_RECVERR) and len(data) >= 16 and level in (numbers.SOL_IP, numbers.SOL_IPV6):
        return f"{{{level}, {kind}, {{{', '.join(map(str, struct.unpack_from('=IBBBxII', data)))}}}}}"
    return f"{{{level}, {kind}, {data.hex()}}}"
