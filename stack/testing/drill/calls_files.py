"""System calls on files of every kind: socket, bind, listen, accept, connect, close, shutdown, fcntl, ioctl, pipe, open."""

from __future__ import annotations

import errno
from socket import AF_INET, AF_INET6
from typing import cast

from stack.socket import numbers
from stack.socket.socket import Socket
from stack.testing.drill import symbols
from stack.testing.drill.arguments import Arguments, integer, socket_address
from stack.testing.drill.disk import open_file
from stack.testing.drill.expression_printer import show_expression
from stack.testing.drill.expressions import Anything, SocketAddress, String, Word
from stack.testing.drill.files import Call, Pipe, PipeEnd, SocketFile, Waits, error
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.process import Process, limit, over, until_done
from stack.testing.drill.script import ScriptError


def socket(process: Process, arguments: Arguments) -> Call[int]:
    """socket(2); `...` for the domain is that of the script's IP version."""
    arguments.expect(3)
    family = AF_INET if process.profile.version == "ipv4" else AF_INET6
    if not isinstance(arguments[0], Anything):
        family = arguments.integer(0)  # type: ignore[assignment]
    kind, protocol = arguments.integer(1), arguments.integer(2)
    made = process.new_socket(family, kind & ~(symbols.SOCK_NONBLOCK | symbols.SOCK_CLOEXEC), protocol)
    return process.place(arguments.number_expected, process.socket_file(made, bool(kind & symbols.SOCK_NONBLOCK)))
    yield


def bind(process: Process, arguments: Arguments) -> Call[int]:
    """bind(2)"""
    arguments.expect(3)
    file = process.files.socket(arguments.integer(0))
    address = socket_address(arguments[1], process.profile, arguments, local=True)
    if address is None:
        raise error(errno.EFAULT)
    file.socket.bind(address)
    return 0
    yield


def listen(process: Process, arguments: Arguments) -> Call[int]:
    """listen(2)"""
    arguments.expect(2)
    process.files.socket(arguments.integer(0)).socket.listen(arguments.integer(1))
    return 0
    yield


def accept(process: Process, arguments: Arguments) -> Call[int]:
    """accept(2), and accept4(2) with its flags."""
    arguments.expect(3, 4)
    file = process.files.socket(arguments.integer(0))
    found = yield from until_done(file, file.socket.accept)
    made, address = cast("tuple[Socket, tuple[str, int]]", found)
    flags = arguments.integer(3) if len(arguments) == 4 else 0
    number = process.place(arguments.number_expected, process.socket_file(made, bool(flags & symbols.SOCK_NONBLOCK)))
    process.peers[number] = address[1]
    compare_address(arguments, 1, address)
    return number


def connect(process: Process, arguments: Arguments) -> Call[int]:
    """connect(2)"""
    arguments.expect(3)
    file = process.files.socket(arguments.integer(0))
    given = arguments[1]
    if isinstance(given, Word) and given.name == "AF_UNSPEC":
        file.description.disconnect()
        return 0
    address = socket_address(given, process.profile, arguments, local=False)
    if address is None:
        raise error(errno.EFAULT)
    code = file.socket.connect_ex(address)
    if code in (errno.EINPROGRESS, errno.EALREADY) and not file.nonblocking:
        code = yield from connected(file)
    if code:
        raise error(code)
    return 0


def connected(file: SocketFile) -> Call[int]:
    """Wait until a connection is made or refused: the errno with which that ends."""
    description = file.description
    deadline = limit(file, "send")
    while description.connecting:
        if over(file, deadline):
            return errno.EINPROGRESS
        yield Waits([description], deadline)
    return description.connected()


def close(process: Process, arguments: Arguments) -> Call[int]:
    """close(2); with SO_LINGER it waits until all is acknowledged."""
    arguments.expect(1)
    file = process.files.remove(arguments.integer(0))
    if not isinstance(file, SocketFile):
        file.close()
        return 0
    description = file.description
    linger = getattr(description, "linger", None)
    file.close()
    if linger and not file.nonblocking:
        deadline = process.now + linger
        while getattr(description, "lingering", False) and process.now < deadline:
            yield Waits([description], deadline)
    return 0


def shutdown(process: Process, arguments: Arguments) -> Call[int]:
    """shutdown(2)"""
    arguments.expect(2)
    process.files.socket(arguments.integer(0)).socket.shutdown(arguments.integer(1))
    return 0
    yield


def fcntl(process: Process, arguments: Arguments) -> Call[int]:
    """fcntl(2): F_GETFL, F_SETFL, and the descriptor's flags, which mean nothing here."""
    arguments.expect(2, 3)
    file = process.files[arguments.integer(0)]
    command = arguments.integer(1)
    if command == symbols.F_GETFL:
        return file.flags | (symbols.O_NONBLOCK if file.nonblocking else 0)
    if command == symbols.F_SETFL:
        file.nonblocking = bool(arguments.integer(2) & symbols.O_NONBLOCK)
        return 0
    if command in (1, 2):  # F_GETFD, F_SETFD
        return 0
    raise ScriptError(arguments.place, f"fcntl({show_expression(arguments[1])}) is not emulated")
    yield


def ioctl(process: Process, arguments: Arguments) -> Call[int]:
    """ioctl(2): FIONREAD (SIOCINQ), SIOCOUTQ, SIOCOUTQNSD, SIOCATMARK, FIONBIO."""
    arguments.expect(2, 3)
    file = process.files[arguments.integer(0)]
    request = arguments.integer(1)
    if request == numbers.FIONBIO:
        value = integer(arguments.pointed(2))
        file.nonblocking = bool(value)
        return 0
    if not isinstance(file, SocketFile):
        raise error(errno.ENOTTY)
    found = _asked(file, request)
    wanted = arguments.pointed(2)
    if wanted is not None and found != arguments.number(wanted):
        raise Mismatch("ioctl() gives another number", f"[{show_expression(wanted)}]", f"[{found}]", arguments.place)
    return 0
    yield


def _asked(file: SocketFile, request: int) -> int:
    description = file.description
    if request == numbers.FIONREAD:
        return description.unread()
    if request == numbers.SIOCATMARK:
        return int(description.at_mark)
    if request in (numbers.SIOCOUTQ, numbers.SIOCOUTQNSD):
        return description.unsent(request == numbers.SIOCOUTQ)
    raise error(errno.ENOTTY)


def pipe(process: Process, arguments: Arguments) -> Call[int]:
    """pipe(2): `pipe([5, 6]) = 0`"""
    arguments.expect(1, 2)
    wanted = [integer(one) for one in arguments.array(0)]
    made = Pipe()
    for number, writing in zip(wanted, (False, True), strict=True):
        process.place(number, PipeEnd(made, writing))
    return 0
    yield


def open_(process: Process, arguments: Arguments) -> Call[int]:
    """open(2), of devices that are the same everywhere, and of what the script made: no file of this machine is touched."""
    arguments.expect(2, 3)
    path = arguments[0]
    if not isinstance(path, String):
        arguments.fail("a path", path)
    return process.place(arguments.number_expected, open_file(process.disk, path.value, arguments.integer(1)))
    yield


def cap_set(process: Process, arguments: Arguments) -> Call[int]:
    """packetdrill's own: the process has all capabilities here, and keeps them."""
    arguments.expect(1)
    return 0
    yield


def getsockname(process: Process, arguments: Arguments) -> Call[int]:
    """getsockname(2)"""
    arguments.expect(3)
    compare_address(arguments, 1, process.files.socket(arguments.integer(0)).socket.getsockname())
    return 0
    yield


def getpeername(process: Process, arguments: Arguments) -> Call[int]:
    """getpeername(2)"""
    arguments.expect(3)
    compare_address(arguments, 1, process.files.socket(arguments.integer(0)).socket.getpeername())
    return 0
    yield


def compare_address(arguments: Arguments, index: int, found: tuple[str, int]) -> None:
    """Where the script says an address, it must be that one."""
    wanted = arguments[index]
    if not isinstance(wanted, SocketAddress):
        return
    address = found[0].removeprefix("::ffff:")
    if (wanted.port not in (None, found[1])) or (wanted.address is not None and wanted.address.text != address):
        said = f"{wanted.address.text if wanted.address else '...'}:{wanted.port or '...'}"
        raise Mismatch(f"{arguments.name}() gives another address", said, f"{address}:{found[1]}", arguments.place)
