"""What the modules `socket`, `select` and `selectors` mean on a host.

The class `socket.socket` stays the library's own: what it makes on a host is an instance of a subclass. So modules that
bound it before, `isinstance`, and programs' own subclasses mean the same thing on a host and outside.
"""

from __future__ import annotations

import errno
import functools
import select
import socket
from collections.abc import Callable
from typing import Any

from stack.network.node import Node
from stack.network.place import current_node
from stack.socket import getaddrinfo, lookup, selectors, services, system_calls
from stack.socket.description import error
from stack.socket.epoll import Epoll
from stack.socket.membership import interfaces
from stack.socket.select import Poll
from stack.socket.select import select as host_select
from stack.socket.sockaddr import names_of
from stack.socket.socket import Socket, on_host
from stack.socket.switch import Switch


def install(switch: Switch) -> None:
    """Say what is replaced."""
    _install_class(switch)
    functions: dict[str, Callable[..., Any]] = {
        "getaddrinfo": _getaddrinfo,
        "gethostbyname": lambda node, host: lookup.gethostbyname(names_of(node), host),
        "gethostbyname_ex": lambda node, host: lookup.gethostbyname_ex(names_of(node), host),
        "gethostbyaddr": lambda node, host: lookup.gethostbyaddr(names_of(node), host),
        "getnameinfo": lambda node, sockaddr, flags: lookup.getnameinfo(names_of(node), sockaddr, flags),
        "gethostname": lambda node: node.name,
        "getservbyname": lambda node, *arguments: services.getservbyname(*arguments),
        "getservbyport": lambda node, *arguments: services.getservbyport(*arguments),
        "if_nameindex": lambda node: [(number, interface.name) for number, interface in interfaces(node)],
        "if_nametoindex": _if_nametoindex,
        "if_indextoname": _if_indextoname,
        "socketpair": _socketpair,
        "close": system_calls.close,
        "dup": _dup,
    }
    for name, function in functions.items():
        if hasattr(socket, name):
            switch.function("socket", name, function)
    switch.function("select", "select", host_select)
    for name, made in {"poll": Poll, "epoll": Epoll}.items():
        if hasattr(select, name):
            switch.function("select", name, made)
    for kind in selectors.library_classes():
        _install_selector(switch, kind)


def _install_class(switch: Switch) -> None:
    """`socket.socket(...)` makes the host's; its `__init__`, called by name on one of the host's, is the host's too."""
    blank, first = socket.socket.__new__, socket.socket.__init__

    def new(cls: type, *arguments: Any, **named: Any) -> Any:
        if current_node() is None:
            return blank(cls)
        return Socket.__new__(on_host(cls))

    @functools.wraps(first)
    def init(self: Any, *arguments: Any, **named: Any) -> None:
        (Socket.__init__ if isinstance(self, Socket) else first)(self, *arguments, **named)

    switch.attribute(socket.socket, "__new__", staticmethod(new))
    switch.attribute(socket.socket, "__init__", init)


def _install_selector(switch: Switch, kind: type) -> None:
    """A selector class of the library, called on a host, makes the host's, which is a subclass."""

    def new(cls: type, *arguments: Any, **named: Any) -> Any:
        return object.__new__(cls if current_node() is None else selectors.on_host(cls))

    switch.attribute(kind, "__new__", staticmethod(new))


def _getaddrinfo(
    node: Node, host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[getaddrinfo.Info]:
    scopes = {interface.name: number for number, interface in interfaces(node)}
    return getaddrinfo.getaddrinfo(names_of(node), scopes, host, port, family, type, proto, flags)


def _if_nametoindex(node: Node, name: str) -> int:
    for number, interface in interfaces(node):
        if interface.name == name:
            return number
    raise error(errno.ENODEV)


def _if_indextoname(node: Node, index: int) -> str:
    for number, interface in interfaces(node):
        if number == index:
            return str(interface.name)
    raise error(errno.ENXIO)


def _socketpair(
    node: Node, family: int | None = None, type: int = socket.SOCK_STREAM, proto: int = 0
) -> tuple[socket.socket, socket.socket]:
    """Two streams joined over the host's loopback, whatever family is asked for (as the library does without AF_UNIX)."""
    if type != socket.SOCK_STREAM:
        raise error(errno.EPROTONOSUPPORT)
    with Socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        one = Socket(socket.AF_INET, socket.SOCK_STREAM)
        one.settimeout(None)
        one.connect(listener.getsockname())
        listener.settimeout(None)
        other, _ = listener.accept()
    one.settimeout(socket.getdefaulttimeout())
    return one, other


def _dup(node: Node, fd: int) -> int:
    found = node.descriptors.get(fd)
    if found is None:
        raise error(errno.EBADF)
    number: int = found.open()
    return number
