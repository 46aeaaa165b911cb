"""System calls that wait for events: poll(2), epoll(7)."""

from __future__ import annotations

import errno

from stack.base.quantity import MILLISECOND
from stack.socket.description import among
from stack.testing.drill import symbols
from stack.testing.drill.arguments import Arguments
from stack.testing.drill.expression_printer import show_expression
from stack.testing.drill.expressions import EpollEvent, Expression, PollFD
from stack.testing.drill.files import Call, EpollFile, SocketFile, Waits, error
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.process import Process

_ALWAYS = 8 | 16  # POLLERR and POLLHUP are told whether or not they are asked for
_NVAL = 32


def poll(process: Process, arguments: Arguments) -> Call[int]:
    """poll(2); the time-out is in milliseconds."""
    arguments.expect(3)
    wanted = []
    for item in arguments.array(0):
        if not isinstance(item, PollFD):
            arguments.fail("a struct pollfd", item)
        wanted.append(item)
    timeout = arguments.integer(2)
    deadline = process.now + timeout * MILLISECOND if timeout >= 0 else None
    while True:
        found = [_events(process, arguments.number(one.fd), arguments.number(one.events)) for one in wanted]
        if any(found) or (deadline is not None and process.now >= deadline):
            break
        yield Waits([file.source for one in wanted if (file := process.files.get(arguments.number(one.fd))) and file.source], deadline)
    for one, events in zip(wanted, found, strict=True):
        if one.revents is not None and arguments.number(one.revents) != events:
            raise Mismatch(f"poll() gives other events of {show_expression(one.fd)}", show_expression(one.revents), named(events, "POLL"),
                arguments.place,
            )
    return sum(map(bool, found))


def _events(process: Process, number: int, mask: int) -> int:
    if number < 0:
        return 0
    file = process.files.get(number)
    if file is None:
        return _NVAL
    if not isinstance(file, SocketFile):
        return mask & 5  # a pipe or device: looked at no closer
    return among(file.description.events, mask | _ALWAYS)


def named(events: int, prefix: str) -> str:
    """Events by their names."""
    names = [name for name in ("IN", "PRI", "OUT", "ERR", "HUP", "NVAL", "RDNORM", "WRNORM", "RDHUP") if events & (symbols.number(prefix + name) or 0)]
    return "|".join(prefix + name for name in names) or "0"


def epoll_create(process: Process, arguments: Arguments) -> Call[int]:
    """epoll_create(2), whose argument is a size, and epoll_create1(2), whose argument is flags."""
    arguments.expect(1)
    if arguments.name == "epoll_create" and arguments.integer(0) <= 0:
        raise error(errno.EINVAL)
    return process.place(arguments.number_expected, EpollFile(process.new_epoll()))
    yield


def _instance(process: Process, arguments: Arguments) -> EpollFile:
    file = process.files[arguments.integer(0)]
    if not isinstance(file, EpollFile):
        raise error(errno.EINVAL)
    return file


def epoll_ctl(process: Process, arguments: Arguments) -> Call[int]:
    """epoll_ctl(2)"""
    arguments.expect(4)
    instance = _instance(process, arguments)
    operation, number = arguments.integer(1), arguments.integer(2)
    file = process.files.socket(number)
    if operation == 2:
        instance.epoll.unregister(file.socket)
        instance.watched.pop(number, None)
        return 0
    event = arguments[3]
    if not isinstance(event, EpollEvent):
        arguments.fail("a struct epoll_event", event)
    if operation == 1:
        instance.epoll.register(file.socket, arguments.number(event.events))
    else:
        instance.epoll.modify(file.socket, arguments.number(event.events))
    instance.watched[number] = file, arguments.number(event.value)
    return 0
    yield


def epoll_wait(process: Process, arguments: Arguments) -> Call[int]:
    """epoll_wait(2), epoll_pwait(2): the events in brackets, the most of them, the time-out in milliseconds."""
    arguments.expect(4, 5)
    instance = _instance(process, arguments)
    wanted = _epoll_events(arguments, arguments[1])
    most, timeout = arguments.integer(2), arguments.integer(3)
    if most <= 0:
        raise error(errno.EINVAL)
    deadline = process.now + timeout * MILLISECOND if timeout >= 0 else None
    while True:
        found = instance.epoll.poll(0, most)
        if found or (deadline is not None and process.now >= deadline):
            break
        yield Waits([file.description for file, _ in instance.watched.values()], deadline)
    told = []
    for number, events in found:
        for file, data in instance.watched.values():
            if file.socket.fileno() == number:
                told.append((events, data))
    for index, (event, (events, data)) in enumerate(zip(wanted, told, strict=False)):
        said = arguments.number(event.events) & 0xFFFFFFFF, arguments.number(event.value)
        if said != (events, data):
            raise Mismatch(f"epoll_wait() gives another event {index + 1}", f"{{events={show_expression(event.events)}, {event.member}={said[1]}}}",
                f"{{events={named(events, 'EPOLL')}, {event.member}={data}}}", arguments.place,
            )  # fmt: skip
    return len(found)


def _epoll_events(arguments: Arguments, given: Expression) -> list[EpollEvent]:
    items = getattr(given, "items", (given,)) if not isinstance(given, EpollEvent) else (given,)
    return [item for item in items if isinstance(item, EpollEvent)]



