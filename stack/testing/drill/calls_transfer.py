"""System calls that move octets: read, write, send, recv, their kin with addresses and vectors, splice, sendfile."""

from __future__ import annotations

import errno
from typing import Any, cast

from stack.socket import fast_open, fragments, numbers
from stack.socket.stream import Stream
from stack.testing.drill.arguments import Arguments, buffer, integer, nowhere, socket_address, vectors
from stack.testing.drill.calls_files import compare_address, connected
from stack.testing.drill.control import compare_control, control_sent
from stack.testing.drill.disk import DiskFile
from stack.testing.drill.expression_printer import show_expression
from stack.testing.drill.expressions import Anything, Array, Expression, Integer, MessageHeader, String, Word
from stack.testing.drill.files import Call, OpenFile, PipeEnd, SocketFile, Waits, error
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.process import DONTWAIT, Process, limit, over, until_done

_CHUNK = 1 << 20


def read(process: Process, arguments: Arguments) -> Call[int]:
    """read(2)"""
    arguments.expect(3)
    file = process.files[arguments.integer(0)]
    size = arguments.integer(2)
    if isinstance(file, SocketFile) and size and nowhere(arguments[1]):
        return (yield from _faults(file, 0))
    found = yield from until_done(file, lambda: file.read(size))
    return _received(arguments, 1, cast("bytes", found))


def _faults(file: SocketFile, flags: int) -> Call[int]:
    """What is there cannot be put where nothing is, and stays: EFAULT; 0 at the end."""
    if (yield from until_done(file, lambda: file.socket.recv(1, flags | numbers.MSG_PEEK), flags)):
        raise error(errno.EFAULT)
    return 0


def readv(process: Process, arguments: Arguments) -> Call[int]:
    """readv(2)"""
    arguments.expect(3)
    file = process.files[arguments.integer(0)]
    size = sum(one.length for one in vectors(arguments[1], arguments))
    found = yield from until_done(file, lambda: file.read(size))
    return len(cast("bytes", found))


def recv(process: Process, arguments: Arguments) -> Call[int]:
    """recv(2)"""
    arguments.expect(4)
    return (yield from _receive(process, arguments))


def recvfrom(process: Process, arguments: Arguments) -> Call[int]:
    """recvfrom(2)"""
    arguments.expect(6)
    return (yield from _receive(process, arguments))


def _receive(process: Process, arguments: Arguments) -> Call[int]:
    file = process.files.socket(arguments.integer(0))
    size, flags = arguments.integer(2), arguments.integer(3)
    if size and nowhere(arguments[1]):
        return (yield from _faults(file, flags))
    if flags & numbers.MSG_WAITALL and not file.nonblocking:
        found = yield from _receive_all(file, size, flags)
        return _received(arguments, 1, found)
    got = yield from until_done(file, lambda: file.socket.recvfrom(size, flags), flags)
    data, address = cast("tuple[bytes, Any]", got)
    if len(arguments) == 6 and address:
        compare_address(arguments, 4, address)
    return _received(arguments, 1, data)


def _receive_all(file: SocketFile, size: int, flags: int) -> Call[bytes]:
    """MSG_WAITALL: as much as was asked for, unless the stream ends."""
    got = b""
    while len(got) < size:
        try:
            more = file.socket.recv(size - len(got), flags & ~numbers.MSG_WAITALL)
        except BlockingIOError:
            yield Waits([file.description])
            continue
        except OSError:
            if not got:
                raise
            break
        if not more:
            break
        got += more
    return got


def _received(arguments: Arguments, index: int, data: bytes) -> int:
    """Where the script says what is read, it must be that."""
    wanted = arguments[index]
    if isinstance(wanted, String):
        said = wanted.value.encode("latin-1", "replace")
        if data[: len(said)] != said or (not wanted.more and len(data) != len(said)):
            raise Mismatch(f"{arguments.name}() gives other octets", show_expression(wanted), repr(data), arguments.place)
    return len(data)


def write(process: Process, arguments: Arguments) -> Call[int]:
    """write(2)"""
    arguments.expect(3)
    file = process.files[arguments.integer(0)]
    data = buffer(arguments[1], arguments.integer(2))
    return (yield from _send(file, data))


def writev(process: Process, arguments: Arguments) -> Call[int]:
    """writev(2)"""
    arguments.expect(3)
    file = process.files[arguments.integer(0)]
    return (yield from _send(file, b"".join(buffer(one.data, one.length) for one in vectors(arguments[1], arguments))))


def send(process: Process, arguments: Arguments) -> Call[int]:
    """send(2)"""
    arguments.expect(4)
    file = process.files.socket(arguments.integer(0))
    return (yield from _send(file, buffer(arguments[1], arguments.integer(2)), arguments.integer(3)))


def sendto(process: Process, arguments: Arguments) -> Call[int]:
    """sendto(2)"""
    arguments.expect(6)
    file = process.files.socket(arguments.integer(0))
    address = _destination(process, arguments, arguments[4])
    return (yield from _send(file, buffer(arguments[1], arguments.integer(2)), arguments.integer(3), address))


def _destination(process: Process, arguments: Arguments, given: Expression) -> tuple[str, int] | None:
    """Whom to send to: the other end of the socket's conversation, where the script says `...`."""
    address = socket_address(given, process.profile, arguments, local=False)
    if address is not None and isinstance(given, Anything):
        return address[0], process.peers.get(arguments.integer(0), address[1])
    return address


def _send(file: OpenFile, data: bytes, flags: int = 0, address: Any = None, control: Any = ()) -> Call[int]:
    """Send all of it; a file that does not block takes what there is room for."""
    sent = 0
    deadline = limit(file, "send")
    patient = not (file.nonblocking or flags & DONTWAIT)
    while True:
        opens = patient and isinstance(file, SocketFile) and _opens(file, flags)
        try:
            sent += _send_once(file, data[sent:] if sent else data, flags, address, control)
        except BlockingIOError as trouble:
            source = file.source
            if patient and trouble.errno == errno.EINPROGRESS and isinstance(file, SocketFile):
                code = yield from connected(file)  # Fast Open without a cookie: an ordinary connection first
                if code:
                    raise error(code) from None
                flags, address = flags & ~numbers.MSG_FASTOPEN, None
                continue
            if not patient or source is None or over(file, deadline):
                if sent:
                    return sent
                raise
            yield Waits([source], deadline)
            continue
        except OSError:
            if sent:
                return sent
            raise
        if opens and isinstance(file, SocketFile):
            if isinstance(file.description, Stream):
                fast_open.waits(file.description)
            code = yield from connected(file)
            if code:
                raise error(code)
            flags, address = flags & ~numbers.MSG_FASTOPEN, None
        if sent >= len(data) or not patient:
            return sent


def _opens(file: SocketFile, flags: int) -> bool:
    """Whether this call opens the connection (RFC 7413)."""
    return bool(flags & numbers.MSG_FASTOPEN) or (isinstance(file.description, Stream) and fast_open.deferred(file.description))


def _send_once(file: OpenFile, data: bytes, flags: int, address: Any, control: Any) -> int:
    if not isinstance(file, SocketFile):
        return file.write(data)
    if control:
        return file.socket.sendmsg([data], control, flags, address)
    if address is not None:
        return file.socket.sendto(data, flags, address)
    return file.socket.send(data, flags)


def sendmsg(process: Process, arguments: Arguments) -> Call[int]:
    """sendmsg(2), with its control messages."""
    arguments.expect(3)
    file = process.files.socket(arguments.integer(0))
    message = arguments[1]
    if not isinstance(message, MessageHeader):
        arguments.fail("a struct msghdr", message)
    flags = arguments.integer(2)
    parts = [buffer(one.data, one.length) for one in vectors(message.vectors, arguments)]
    if isinstance(file.description, Stream) and fragments.too_many(file.description, parts, flags):
        return cast("int", (yield from until_done(file, lambda: file.socket.sendmsg(parts, (), flags), flags)))
    data = b"".join(parts)
    address = None
    # An address that the script leaves open is given where the call needs one.
    if not isinstance(message.name, Anything) or flags & numbers.MSG_FASTOPEN or not file.socket.type & 1:
        address = _destination(process, arguments, message.name)
    return (yield from _send(file, data, flags, address, control_sent(message.control, arguments)))


def recvmsg(process: Process, arguments: Arguments) -> Call[int]:
    """recvmsg(2), with its control messages and flags."""
    arguments.expect(3)
    file = process.files.socket(arguments.integer(0))
    message = arguments[1]
    if not isinstance(message, MessageHeader):
        arguments.fail("a struct msghdr", message)
    flags = arguments.integer(2)
    size = sum(one.length for one in vectors(message.vectors, arguments))
    patient = 0 if not flags & numbers.MSG_ERRQUEUE else DONTWAIT
    found = yield from until_done(file, lambda: file.socket.recvmsg(size, 1024, flags), flags | patient)
    data, control, out, _ = cast("tuple[bytes, list[tuple[int, int, bytes]], int, Any]", found)
    wanted = integer(message.flags)
    if wanted is not None and out & ~numbers.MSG_CMSG_CLOEXEC != wanted:
        raise Mismatch("recvmsg() gives other msg_flags", show_expression(message.flags), hex(out), arguments.place)
    if message.control is not None:
        compare_control(message.control, control, arguments, process)
    at = 0
    for one in vectors(message.vectors, arguments):
        if isinstance(one.data, String) and data[at : at + one.length] != buffer(one.data, min(one.length, len(data) - at)):
            raise Mismatch("recvmsg() gives other octets", show_expression(one.data), repr(data[at : at + one.length]), arguments.place)
        at += one.length
    return len(data)


# From file to file


def _offset(arguments: Arguments, index: int) -> int | None:
    """`NULL`, or `[0]`."""
    given = arguments[index]
    if isinstance(given, Word | Integer | Anything):
        return None
    return arguments.number(given.items[0]) if isinstance(given, Array) and given.items else None


def sendfile(process: Process, arguments: Arguments) -> Call[int]:
    """sendfile(2)"""
    arguments.expect(4)
    target, origin = process.files[arguments.integer(0)], process.files[arguments.integer(1)]
    offset, size = _offset(arguments, 2), arguments.integer(3)
    data = origin.read(size) if offset is None or not isinstance(origin, DiskFile) else origin.read_at(offset, size)
    if not data:
        return 0
    return (yield from _send(target, data))


def _at_mark(file: OpenFile) -> bool:
    stream = file.description if isinstance(file, SocketFile) else None
    return isinstance(stream, Stream) and stream.at_mark and stream.connection is not None and stream.connection.incoming is not None


def splice(process: Process, arguments: Arguments) -> Call[int]:
    """splice(2) between a pipe and another file, or two pipes."""
    arguments.expect(6)
    origin, target = process.files[arguments.integer(0)], process.files[arguments.integer(2)]
    size, flags = arguments.integer(4), arguments.integer(5)
    if _offset(arguments, 1) is not None or _offset(arguments, 3) is not None:
        raise error(errno.ESPIPE)
    if not isinstance(origin, PipeEnd) and not isinstance(target, PipeEnd):
        raise error(errno.EINVAL)
    waits = DONTWAIT if flags & 2 else 0  # SPLICE_F_NONBLOCK
    if isinstance(target, PipeEnd):
        size = min(size, target.room)
        if not size:
            raise error(errno.EAGAIN)
    size = min(size, _CHUNK)
    if _at_mark(origin):  # splice() does not pass over an urgent octet, as read() does, nor wait behind it
        if origin.nonblocking or waits:
            raise error(errno.EAGAIN)
        return 0
    data = cast("bytes", (yield from until_done(origin, lambda: origin.read(size), waits)))
    if not data:
        return 0
    return (yield from _send(target, data, numbers.MSG_MORE if flags & 4 and isinstance(target, SocketFile) else 0))
