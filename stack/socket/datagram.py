"""A datagram socket: BSD semantics over a UDP endpoint (udp(7), RFC 768)."""

from __future__ import annotations

import errno
import socket
from socket import SOCK_DGRAM
from typing import Any

from stack.network.node import Node
from stack.socket import options
from stack.socket.description import ERR, HUP, IN, OUT, RDHUP, Address, Description, error

_PEEK = int(socket.MSG_PEEK)
_OOB = int(socket.MSG_OOB)
_TRUNC = int(getattr(socket, "MSG_TRUNC", 0x20))
_READ, _WRITE = 1, 2

# Options that the endpoint acts on, and the names it has for them.
_ATTRIBUTES = {
    (options.SOL_SOCKET, options.SO_REUSEADDR): ("reuse_address", bool),
    (options.SOL_SOCKET, options.SO_REUSEPORT): ("reuse_port", bool),
    (options.SOL_SOCKET, options.SO_BROADCAST): ("broadcast", bool),
    (options.SOL_SOCKET, options.SO_RCVBUF): ("receive_buffer", int),
    (options.IP, options.IP_TTL): ("hop_limit", int),
    (options.IP, options.IP_TOS): ("traffic_class", int),
    (options.IP, options.IP_MULTICAST_TTL): ("multicast_hop_limit", int),
    (options.IP, options.IP_MULTICAST_LOOP): ("multicast_loop", bool),
    (options.IPV6, options.IPV6_UNICAST_HOPS): ("hop_limit", int),
    (options.IPV6, options.IPV6_TCLASS): ("traffic_class", int),
    (options.IPV6, options.IPV6_MULTICAST_HOPS): ("multicast_hop_limit", int),
    (options.IPV6, options.IPV6_MULTICAST_LOOP): ("multicast_loop", bool),
    (options.IPV6, options.IPV6_V6ONLY): ("only_v6", bool),
}


class Datagrams(Description):
    """The open file of a datagram socket."""

    __slots__ = ("endpoint", "shut")

    linger: int | None = None  # SO_LINGER means nothing here, but to be kept
    lingering = False

    def __init__(self, node: Node, family: int) -> None:
        super().__init__(node, family, SOCK_DGRAM)
        self.endpoint: Any = node.engine.udp.open(family)
        self.endpoint.notify = self.wake
        self.shut = 0

    @property
    def events(self) -> int:
        events = OUT
        if self.endpoint.readable:
            events |= IN
        if self.endpoint.error is not None:
            events |= ERR
        if self.shut & _READ:
            events |= IN | RDHUP
        if self.shut == _READ | _WRITE:
            events |= HUP
        return events

    def release(self) -> None:
        self.endpoint.close(self.node.now)
        self.node.flush()

    def local(self) -> Address | None:
        endpoint = self.endpoint
        return endpoint.local if endpoint.claim is not None else None

    def remote(self) -> Address | None:
        remote: Address | None = self.endpoint.remote
        return remote

    def bind(self, address: Any, port: int) -> None:
        self.endpoint.bind(address, port)

    def connect(self, address: Any, port: int) -> int:
        self.endpoint.connect(address, port)
        return 0

    def send(self, data: bytes, flags: int, to: Address | None) -> int | None:
        if flags & _OOB:
            raise error(errno.EOPNOTSUPP)
        if self.shut & _WRITE:
            raise error(errno.EPIPE)
        taken: int = self.endpoint.send(data, self.node.now, to)
        self.node.flush()
        return taken

    def receive(self, size: int, flags: int) -> tuple[bytes, Address | None, int] | None:
        endpoint = self.endpoint
        found = endpoint.peek() if flags & _PEEK else endpoint.receive()
        if found is None:
            return (b"", None, 0) if self.shut & _READ else None
        data = found.data
        return (data, found.sender, 0) if len(data) <= size else (data[:size], found.sender, _TRUNC)

    def shutdown(self, how: int) -> None:
        if not 0 <= how <= 2:
            raise error(errno.EINVAL)
        if self.endpoint.remote is None:
            raise error(errno.ENOTCONN)
        self.shut |= how + 1
        self.wake()

    def take_error(self) -> int:
        return self.endpoint.take_error() or 0

    def unread(self) -> int:
        """FIONREAD of a datagram socket: the size of the next datagram."""
        if self.endpoint.error is not None:
            return 0
        found = self.endpoint.peek()
        return 0 if found is None else len(found.data)

    def buffer(self, option: int) -> int:
        """SO_RCVBUF or SO_SNDBUF as it is when nobody set it."""
        return int(self.endpoint.receive_buffer) if option == options.SO_RCVBUF else options.BUFFER_MAX

    def changed(self, level: int, option: int, value: Any) -> None:
        found = _ATTRIBUTES.get((level, option))
        if found is not None:
            setattr(self.endpoint, found[0], found[1](value))
