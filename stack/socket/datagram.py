"""A datagram socket: BSD semantics over a UDP endpoint (udp(7), RFC 768)."""

from __future__ import annotations

import errno
from socket import SOCK_DGRAM
from typing import Any

from stack.network.node import Node
from stack.socket import numbers
from stack.socket.description import ERR, HUP, IN, OUT, PRI, RDHUP, Address, Description, Message, error
from stack.socket.error_queue import Control, ErrorQueue, Notice
from stack.socket.numbers import MSG_ERRQUEUE, MSG_OOB, MSG_PEEK, MSG_TRUNC, SOL_IP, SOL_IPV6, SOL_SOCKET
from stack.socket.receive_control import datagram_control
from stack.socket.send_control import send_datagram
from stack.socket.transmit_reports import TX_RECORD, sent_stamps

_READ, _WRITE = 1, 2
_SEND_BUFFER = 212_992  # net.core.wmem_default

# Options that the endpoint acts on, and the names it has for them.
_ATTRIBUTES = {
    (SOL_SOCKET, numbers.SO_REUSEADDR): ("reuse_address", bool),
    (SOL_SOCKET, numbers.SO_REUSEPORT): ("reuse_port", bool),
    (SOL_SOCKET, numbers.SO_BROADCAST): ("broadcast", bool),
    (SOL_SOCKET, numbers.SO_RCVBUF): ("receive_buffer", int),
    (SOL_IP, numbers.IP_TTL): ("hop_limit", int),
    (SOL_IP, numbers.IP_TOS): ("traffic_class", int),
    (SOL_IP, numbers.IP_MULTICAST_TTL): ("multicast_hop_limit", int),
    (SOL_IP, numbers.IP_MULTICAST_LOOP): ("multicast_loop", bool),
    (SOL_IPV6, numbers.IPV6_UNICAST_HOPS): ("hop_limit", int),
    (SOL_IPV6, numbers.IPV6_TCLASS): ("traffic_class", int),
    (SOL_IPV6, numbers.IPV6_MULTICAST_HOPS): ("multicast_hop_limit", int),
    (SOL_IPV6, numbers.IPV6_MULTICAST_LOOP): ("multicast_loop", bool),
    (SOL_IPV6, numbers.IPV6_V6ONLY): ("only_v6", bool),
    (SOL_IP, numbers.IP_RECVERR): ("receive_errors", bool),
    (SOL_IPV6, numbers.IPV6_RECVERR): ("receive_errors", bool),
}


class Datagrams(Description):
    """The open file of a datagram socket."""

    __slots__ = ("endpoint", "sends", "shut")

    linger: int | None = None  # SO_LINGER means nothing here, but to be kept
    lingering = False

    def __init__(self, node: Node, family: int) -> None:
        super().__init__(node, family, SOCK_DGRAM)
        self.endpoint: Any = node.engine.udp.open(family)
        self.endpoint.notify = self.wake
        self.shut = 0
        self.sends = 0  # datagrams with transmit time stamps, since they were numbered

    @property
    def events(self) -> int:
        events = OUT
        if self.endpoint.readable:
            events |= IN
        if self.endpoint.error is not None or self.endpoint.errors or self.notices:
            events |= ERR
            if self.option(SOL_SOCKET, numbers.SO_SELECT_ERR_QUEUE):
                events |= PRI
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
        if flags & MSG_OOB:
            raise error(errno.EOPNOTSUPP)
        if self.shut & _WRITE:
            raise error(errno.EPIPE)
        taken: int = self.endpoint.send(data, self.node.now, to)
        self.node.flush()
        if self.extra is not None:
            self._stamp(self.option(SOL_SOCKET, numbers.SO_TIMESTAMPING), taken)
        return taken

    def _stamp(self, flags: int, size: int) -> None:
        """Tell when a datagram was sent, if that was asked for: it left in the same moment."""
        if not flags & TX_RECORD:
            return
        key = self.sends if flags & numbers.SOF_TIMESTAMPING_OPT_ID else 0
        self.sends += 1
        queue = self.notices = self.notices or ErrorQueue()
        for notice in sent_stamps(flags, key, size, self.node.now):
            queue.add(notice)
        self.wake()

    def send_message(self, data: bytes, flags: int, to: Address | None, control: Control) -> int | None:
        return send_datagram(self, data, flags, to, control)

    def receive(self, size: int, flags: int) -> tuple[bytes, Address | None, int] | None:
        found = self.receive_message(size, flags)
        return None if found is None else found[:3]

    def receive_message(self, size: int, flags: int) -> Message | None:
        if flags & MSG_ERRQUEUE:
            queue = self._take_reports()
            taken = self.take_notice(size)
            if not len(queue):
                self.endpoint.error = None  # nothing is left to be told
            return taken
        endpoint = self.endpoint
        found = endpoint.peek() if flags & MSG_PEEK else endpoint.receive()
        if found is None:
            return Message(b"", None, 0, []) if self.shut & _READ else None
        data, out = found.data, 0
        if len(data) > size:
            out = MSG_TRUNC
            # MSG_TRUNC asks for the size that it had; what did not fit is not there.
            data = data[:size] + bytes(len(data) - size) if flags & MSG_TRUNC else data[:size]
        return Message(data, found.sender, out, [] if self.extra is None else datagram_control(self, found))

    def _take_reports(self) -> ErrorQueue:
        """Put the ICMP errors that came since on the error queue (IP_RECVERR)."""
        endpoint = self.endpoint
        queue = self.notices = self.notices or ErrorQueue()
        while endpoint.errors:
            report = endpoint.errors.popleft()
            six = len(report.reporter) == 16
            origin = numbers.SO_EE_ORIGIN_ICMP6 if six else numbers.SO_EE_ORIGIN_ICMP
            queue.add(
                Notice(
                    report.errno, origin, report.type, report.code, info=report.mtu, payload=report.payload,
                    about=report.remote, offender=report.reporter,
                )
            )  # fmt: skip
        return queue

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
        return int(self.endpoint.receive_buffer) if option == numbers.SO_RCVBUF else _SEND_BUFFER

    def buffer_limit(self, option: int) -> int:
        """What the host lets programs ask for."""
        settings = self.node.engine.tcp.settings
        return int(settings.send_buffer_limit if option == numbers.SO_SNDBUF else settings.receive_buffer_limit)

    def memory(self) -> list[int]:
        """SO_MEMINFO, in the order of SK_MEMINFO_*."""
        words = [0] * numbers.SK_MEMINFO_VARS
        words[numbers.SK_MEMINFO_RMEM_ALLOC] = self.endpoint.queued
        words[numbers.SK_MEMINFO_RCVBUF] = self.buffer(numbers.SO_RCVBUF)
        words[numbers.SK_MEMINFO_SNDBUF] = self.option(SOL_SOCKET, numbers.SO_SNDBUF) or _SEND_BUFFER
        return words

    def path_mtu(self) -> int | None:
        """IP_MTU."""
        return None if self.endpoint.remote is None else int(self.endpoint.mtu)

    def identify_stamps(self, from_queue: bool) -> None:
        """SOF_TIMESTAMPING_OPT_ID: number datagrams from 0."""
        self.sends = 0

    def changed(self, level: int, option: int, value: Any) -> None:
        found = _ATTRIBUTES.get((level, option))
        if found is not None:
            setattr(self.endpoint, found[0], found[1](value))
