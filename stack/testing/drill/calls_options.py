"""System calls that read and set the options of sockets: getsockopt, setsockopt (socket(7), tcp(7), ip(7), ipv6(7))."""

from __future__ import annotations

import struct

from stack.base.address import ip_address
from stack.socket import numbers
from stack.testing.drill import symbols
from stack.testing.drill.arguments import Arguments, socket_address
from stack.testing.drill.expression_printer import show_expression
from stack.testing.drill.expressions import Anything, Array, Assign, Braces, Expression, Integer, Linger, String, Word
from stack.testing.drill.files import Call
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.process import Process

_MOST = 1024  # octets of an option's value
_TIMES = ((numbers.SOL_SOCKET, numbers.SO_RCVTIMEO), (numbers.SOL_SOCKET, numbers.SO_SNDTIMEO))  # struct timeval


def setsockopt(process: Process, arguments: Arguments) -> Call[int]:
    """setsockopt(2)"""
    arguments.expect(5)
    file = process.files.socket(arguments.integer(0))
    level, option, size = arguments.integer(1), arguments.integer(2), arguments.integer(4)
    given = arguments[3]
    if isinstance(given, Braces) and any(isinstance(one, Assign) and one.name.startswith("tcpm_") for one in given.items):
        value = _md5_key(process, arguments, given)
    else:
        value = _octets(arguments, given, size)
    file.socket.setsockopt(level, option, value)
    return 0
    yield


def _octets(arguments: Arguments, given: Expression, size: int) -> bytes:
    """An option's value, cut or filled up to the size that the call says."""
    match given:
        case String(value):
            return value.encode("latin-1", "replace")[: size or None]
        case Anything():
            return bytes(size)
        case Array(items) if len(items) == 1:
            return _octets(arguments, items[0], size)
        case Array(items) | Braces(items):
            wide = "q" if size == 8 * len(items) else "i"  # a struct timeval, or one of numbers
            return b"".join(struct.pack(f"={wide}", _signed(_value(arguments, item))) for item in items)
        case Linger(on, seconds):
            return struct.pack("ii", on, seconds)
        case Word(name="NULL"):
            return b""
    octets = struct.pack("i", _signed(arguments.number(given)))
    return octets[:size] if size < 4 else octets + bytes(min(size, _MOST) - 4)


def _md5_key(process: Process, arguments: Arguments, given: Braces) -> bytes:
    """struct tcp_md5sig: whose segments are signed (`...`: the script's), and with what key."""
    said = {one.name: one.value for one in given.items if isinstance(one, Assign)}
    where = socket_address(said.get("tcpm_addr", Anything()), process.profile, arguments, local=False)
    key = said.get("tcpm_key", Anything())
    if where is None or not isinstance(key, String | Anything):
        arguments.fail('{tcpm_addr=..., tcpm_keylen=3, tcpm_key="key"}', given)
    secret = key.value.encode("latin-1", "replace") if isinstance(key, String) else b""
    size = arguments.number(said["tcpm_keylen"]) if "tcpm_keylen" in said else len(secret)
    flags, prefix = (arguments.number(said[name]) if name in said else 0 for name in ("tcpm_flags", "tcpm_prefixlen"))
    address = ip_address(where[0])
    family = struct.pack("=HH", symbols.number("AF_INET") or 0, 0) + address
    if len(address) == 16:
        family = struct.pack("=HHI", symbols.number("AF_INET6") or 0, 0, 0) + address
    return struct.pack("=128sBBHi80s", family, flags, prefix, size, 0, secret)


def _signed(value: int) -> int:
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def getsockopt(process: Process, arguments: Arguments) -> Call[int]:
    """getsockopt(2): its value, and the length that it gives, must be those that the script says."""
    arguments.expect(5)
    file = process.files.socket(arguments.integer(0))
    level, option = arguments.integer(1), arguments.integer(2)
    room = arguments.pointed(4)
    size = _MOST if room is None else min(max(arguments.number(room), 0), _MOST)
    found = file.socket.getsockopt(level, option, size) if size else b""
    octets = struct.pack("i", found) if isinstance(found, int) else bytes(found)
    given = arguments[3]
    if not isinstance(given, Anything):
        _compare(arguments, given, octets, (level, option))
    return 0
    yield


def _compare(arguments: Arguments, given: Expression, found: bytes, option: tuple[int, int]) -> None:
    match given:
        case String(value):
            said, shown = show_expression(given), found.rstrip(b"\0").decode("latin-1")
            same = shown == value
        case Linger(on, seconds):
            said = f"{{onoff={on}, linger={seconds}}}"
            pair = struct.unpack_from("ii", found.ljust(8, b"\0"))
            shown = f"{{onoff={pair[0]}, linger={pair[1]}}}"
            # Linux says the time that was set also where lingering is off
            same = pair == (on, seconds)
        case Array(items) | Braces(items):
            if len(items) == 1 and isinstance(items[0], Linger | String | Braces):
                _compare(arguments, items[0], found, option)
                return
            wide = 8 if option in _TIMES and len(found) == 16 else 4
            values = struct.unpack_from(f"={len(found) // wide}{'q' if wide == 8 else 'i'}", found) if len(found) >= 4 else (
                int.from_bytes(found, "little"),
            )
            wanted = [None if isinstance(item, Anything) else _signed(_value(arguments, item)) for item in items]
            said = show_expression(given)
            shown = f"[{', '.join(map(str, values[: len(wanted)]))}]"
            same = len(values) >= len(wanted) and all(
                want is None or want == value for want, value in zip(wanted, values, strict=False)
            )
        case Word() | Integer():
            number = int.from_bytes(found[:4], "little", signed=True)
            said, shown, same = show_expression(given), str(number), number == _signed(arguments.number(given))
        case _:
            arguments.fail("an option's value", given)
    if not same:
        raise Mismatch("getsockopt() gives another value", said, shown, arguments.place)


def _value(arguments: Arguments, item: Expression) -> int:
    return arguments.number(item.value if isinstance(item, Assign) else item)



