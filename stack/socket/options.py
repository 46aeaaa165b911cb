"""Socket options: what `setsockopt` takes and `getsockopt` gives, as Linux does (socket(7), tcp(7), ip(7), ipv6(7)).

One row an option: `socket_options.py`, `tcp_options.py`, `signature_options.py`, `ip_options.py` are the rows of a level each.
"""

from __future__ import annotations

import errno
import struct
from socket import AF_INET6, SOCK_STREAM
from typing import Any

from stack.socket import ip_options, signature_options, socket_options, tcp_options
from stack.socket.description import Description, error
from stack.socket.numbers import SOL_IPV6, SOL_SOCKET, SOL_TCP
from stack.socket.option import Option, Table, Value

TABLE: Table = socket_options.TABLE | tcp_options.TABLE | signature_options.TABLE | ip_options.TABLE


def get(description: Description, level: int, option: int, size: int = 0) -> Value:
    """As `getsockopt`: a number, or `size` octets at most."""
    found = _find(description, level, option, errno.EOPNOTSUPP)
    value = found.get(description)
    if not size:
        return value if isinstance(value, int) else int.from_bytes(value[:4].ljust(4, b"\0"), "little", signed=True)
    return (struct.pack("i", value) if isinstance(value, int) else value)[:size]


def put(description: Description, level: int, option: int, value: Any) -> None:
    """As `setsockopt`: a number, or octets."""
    found = _find(description, level, option, errno.ENOPROTOOPT)
    if found.set is None:
        raise error(errno.ENOPROTOOPT)
    if isinstance(value, int):
        value = struct.pack("i", value if value < 1 << 31 else value - (1 << 32))
    found.set(description, bytes(value))


def _find(description: Description, level: int, option: int, foreign: int) -> Option:
    """The row; `foreign`: the errno for a level that this kind of socket has not, where it is of IPv4."""
    if level not in (SOL_SOCKET, 0) and _of_others(description, level):
        raise error(errno.ENOPROTOOPT if description.family == AF_INET6 else foreign)
    found = TABLE.get((level, option))
    if found is None:
        raise error(errno.ENOPROTOOPT)
    if description.kind not in found.kinds:
        raise error(errno.EOPNOTSUPP if level == SOL_SOCKET else errno.ENOPROTOOPT)
    return found


def _of_others(description: Description, level: int) -> bool:
    if level == SOL_IPV6:
        return description.family != AF_INET6
    return level != (SOL_TCP if description.kind == SOCK_STREAM else 17)
