"""A stream socket: BSD semantics, as Linux has them, over a TCP connection or a listener (tcp(7), RFC 9293 section 3.9.1)."""

from __future__ import annotations

import errno
import socket
from socket import AF_INET, SOCK_STREAM
from typing import Any

from stack.base.address import IPv4Address, IPv6Address
from stack.network.node import Node
from stack.socket import fast_open, options
from stack.socket.description import ERR, HUP, IN, OUT, PRI, RDHUP, Address, Description, error
from stack.socket.fast_open import MSG_FASTOPEN
from stack.socket.tcp_info import pack
from stack.tcp.congestion.registry import name_of
from stack.tcp.connection import Connection
from stack.tcp.listener import Listener
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED, ESTABLISHED, SYN_SENT, TIME_WAIT
from stack.udp.ports import V4, V6

_PEEK, _OOB = int(socket.MSG_PEEK), int(socket.MSG_OOB)
_NEW, _CONNECTING, _CONNECTED = range(3)
_TRAFFIC_CLASS = ((options.IP, options.IP_TOS), (options.IPV6, options.IPV6_TCLASS))
_HOP_LIMIT = ((options.IP, options.IP_TTL), (options.IPV6, options.IPV6_UNICAST_HOPS))


class Stream(Description):
    """The open file of a stream socket: new, bound, connecting, connected, or listening."""

    __slots__ = ("_settings", "claim", "connection", "listener", "phase")

    def __init__(self, node: Node, family: int, connection: Connection | None = None) -> None:
        super().__init__(node, family, SOCK_STREAM)
        self.connection = connection
        self.listener: Listener | None = None
        self.claim: Any = None  # our hold on a port, while there is neither connection nor listener
        self.phase = _NEW if connection is None else _CONNECTED
        self._settings: TcpSettings | None = None  # None: the host's, or those of the connection
        if connection is not None:
            connection.notify = self.wake

    # What there is to see

    @property
    def events(self) -> int:
        connection = self.connection
        if connection is None:
            if self.listener is None:
                return OUT | HUP
            return IN if self.listener.readable else 0
        gone = connection.state is CLOSED
        ended = gone or connection.no_more_reads or bool(connection.rcv.fin)
        finished = gone or connection.fin_queued
        events = IN | RDHUP if ended else 0
        if ended and finished:
            events |= HUP
        if connection.error is not None:
            events |= ERR
        if connection.opening:
            events |= OUT if fast_open.deferred(self) else 0
        else:
            if connection.available > 0:
                events |= IN
            if finished or connection.writable:
                events |= OUT
            if connection.exceptional:
                events |= PRI
        return events

    @property
    def readable(self) -> bool:
        if self.connection is not None:
            return self.connection.readable
        return self.listener is None or self.listener.readable

    @property
    def writable(self) -> bool:
        return self.connection.writable if self.connection is not None else self.listener is None

    def local(self) -> Address | None:
        if self.connection is not None:
            return self.connection.local
        held = self.listener.local if self.listener is not None else None
        if held is None and self.claim is not None:
            held = (self.claim.address, self.claim.port)
        return held

    def remote(self) -> Address | None:
        connection = self.connection
        if connection is None or connection.state in (CLOSED, SYN_SENT, TIME_WAIT):
            return None
        return connection.remote

    @property
    def listening(self) -> bool:
        return self.listener is not None

    def unread(self) -> int:
        if self.listener is not None:
            raise error(errno.EINVAL)
        return self.connection.available if self.connection is not None else 0

    def has(self, size: int) -> bool:
        """Are there so many octets to read, or will there be no more?"""
        connection = self.connection
        return connection is None or connection.available >= size or connection.eof or connection.error is not None

    @property
    def at_mark(self) -> bool:
        return self.connection is not None and self.connection.at_mark

    def take_error(self) -> int:
        return (self.connection.take_error() or 0) if self.connection is not None else 0

    # Opening

    def bind(self, address: Any, port: int) -> None:
        if self.claim is not None or self.connection is not None or self.listener is not None:
            raise error(errno.EINVAL)
        only6 = self.option(options.IPV6, options.IPV6_V6ONLY)
        self._claim(address, port, V4 if self.family == AF_INET else V6 if only6 else V4 | V6)

    def _claim(self, address: Any, port: int, versions: int) -> None:
        self.claim = self.node.engine.tcp.bind(
            address,
            port,
            versions,
            reuse_address=bool(self.option(options.SOL_SOCKET, options.SO_REUSEADDR)),
            reuse_port=bool(self.option(options.SOL_SOCKET, options.SO_REUSEPORT)),
        )

    def _hold_again(self) -> None:
        """Our hold on the port went with the connection or the listener; the socket is still bound."""
        if self.claim is not None:
            self._claim(self.claim.address, self.claim.port, self.claim.versions)

    def listen(self, backlog: int) -> None:
        if self.connection is not None:
            raise error(errno.EINVAL)
        if self.listener is not None:
            self.listener.backlog = backlog
            return
        if self.claim is None:
            self.bind(IPv4Address.UNSPECIFIED if self.family == AF_INET else IPv6Address.UNSPECIFIED, 0)
        tcp = self.node.engine.tcp
        self.listener = tcp.listen(self.claim.address, self.claim.port, backlog, self.settings, self.claim)
        self.listener.notify = self.wake

    def accept(self) -> tuple[Description, Address] | None:
        listener = self.listener
        if listener is None:
            raise error(errno.EINVAL)
        connection = listener.accept()
        if connection is None:
            return None
        assert connection.remote is not None
        made = Stream(self.node, self.family, connection)
        if self.extra is not None:
            made.extra = dict(self.extra)
        return made, connection.remote

    def connect(self, address: Any, port: int) -> int:
        if self.listener is not None or self.phase == _CONNECTED:
            return errno.EISCONN
        if self.phase == _CONNECTING:
            if fast_open.deferred(self):
                return errno.EISCONN
            return errno.EALREADY if self.connecting else self.connected()
        self.start((address, port))
        self.node.flush()
        return 0 if fast_open.deferred(self) else errno.EINPROGRESS

    def start(self, to: Address, data: bytes | None = None) -> int:
        """Send a SYN; with `data`, fast: how many octets of it went along."""
        node = self.node
        connection = node.engine.tcp.connect(None, to, self.settings, node.now, self.claim, data=data)
        self.connection = connection
        self.phase = _CONNECTING
        connection.notify = self.wake
        return connection.fast.text if connection.fast is not None else 0

    def connected(self) -> int:
        connection = self.connection
        if connection is None or connection.state is CLOSED:
            code = self.take_error() or errno.ECONNABORTED
            self.connection = None
            self.phase = _NEW
            self._hold_again()
            return code
        self.phase = _CONNECTED
        return 0

    @property
    def connecting(self) -> bool:
        return self.connection is not None and self.connection.opening

    # Talking

    def send(self, data: bytes, flags: int, to: Address | None) -> int | None:
        connection = self.connection
        if connection is None or connection.opening or flags & MSG_FASTOPEN:
            if connection is None and not flags & MSG_FASTOPEN:
                raise error(errno.EPIPE)
            return None  # `Transfer` opens fast, or waits
        node = self.node
        taken = connection.send(data, node.scheduler.now, bool(flags & _OOB))
        node.flush()
        return taken if taken or not data else None

    def receive(self, size: int, flags: int) -> tuple[bytes, Address | None, int] | None:
        connection = self.connection
        if connection is None:
            raise error(errno.ENOTCONN)
        if flags & _OOB:
            return self._urgent(connection, size, flags)
        if connection.incoming is None and connection.state is ESTABLISHED and connection.error is None and size:
            return (b"", None, 0) if connection.no_more_reads else None
        node = self.node
        data = connection.recv(size, node.scheduler.now, bool(flags & _PEEK))
        if data:
            if node.engine.output or node.engine.events:  # mostly the window need not be told
                node.flush()
            return data, None, 0
        if connection.rcv.fin or not size:
            return b"", None, 0
        code = connection.take_error()
        if code:
            raise error(code)
        if connection.no_more_reads or connection.state is CLOSED:
            return b"", None, 0
        return None

    def _urgent(self, connection: Connection, size: int, flags: int) -> tuple[bytes, Address | None, int]:
        if connection.state is CLOSED or connection.opening:
            raise error(connection.take_error() or errno.ENOTCONN)
        return connection.recv_urgent(bool(flags & _PEEK))[:size], None, _OOB

    # Closing

    def shutdown(self, how: int) -> None:
        if not 0 <= how <= 2:
            raise error(errno.EINVAL)
        connection, now = self.connection, self.node.now
        if self.listener is not None:
            if how != 1:  # Linux: it listens no more, but keeps its port
                self.listener.close(now)
                self.listener = None
                self._hold_again()
                self.node.flush()
                self.wake()
            return
        if connection is None or connection.state is CLOSED:
            raise error(errno.ENOTCONN)
        if connection.opening:
            connection.abort(now)
        else:
            if how != 1:
                connection.shutdown_read()
            if how != 0:
                connection.shutdown_write(now)
        self.node.flush()
        self.wake()

    def release(self) -> None:
        now = self.node.now
        if self.listener is not None:
            self.listener.close(now)
        if self.connection is not None:
            self.connection.close(now)
            if self.linger:
                self.connection.notify = self.wake  # `close` waits
        elif self.claim is not None:
            self.node.engine.tcp.ports.release(self.claim)
        self.node.flush()

    @property
    def lingering(self) -> bool:
        """Is there anything that the peer has not acknowledged?"""
        return self.connection is not None and not self.connection.flushed

    # Options

    @property
    def settings(self) -> TcpSettings:
        """The parameters of the connection, or of those to come."""
        if self.connection is not None:
            return self.connection.settings
        return self._settings or self.node.engine.tcp.settings

    def configure(self, **changes: Any) -> None:
        """Change parameters."""
        if self.connection is not None:
            self.connection.configure(self.node.now, **changes)
            self.node.flush()
            return
        self._settings = self.settings.replace(**changes)
        if self.listener is not None:
            self.listener.settings = self._settings

    @property
    def linger(self) -> int | None:
        """SO_LINGER in nanoseconds; None: off."""
        return self.settings.linger

    @linger.setter
    def linger(self, time: int | None) -> None:
        self.configure(linger=time)

    def buffer(self, option: int) -> int:
        """SO_RCVBUF or SO_SNDBUF as it is when nobody set it."""
        if option == options.SO_SNDBUF:
            return self.settings.send_buffer
        return self.connection.rcv.buff if self.connection is not None else self.settings.receive_buffer

    def changed(self, level: int, option: int, value: Any) -> None:
        if (level, option) == (options.SOL_SOCKET, options.SO_RCVBUF):
            self.configure(receive_buffer=value // 2, fixed_receive_buffer=True)
        elif (level, option) == (options.SOL_SOCKET, options.SO_SNDBUF):
            self.configure(send_buffer=value // 2, fixed_send_buffer=True)
        elif (level, option) in _TRAFFIC_CLASS:
            self.configure(traffic_class=value & ~3)  # the last two bits are ECN's, and TCP's own
        elif (level, option) in _HOP_LIMIT:
            self.configure(hop_limit=value)

    @property
    def segment_size(self) -> int:
        """TCP_MAXSEG."""
        if self.connection is not None and self.connection.peer_mss:
            return self.connection.snd.mss
        return self.settings.maximum_segment or 536

    @property
    def congestion(self) -> bytes:
        """TCP_CONGESTION: the name of the congestion control."""
        settings = self.connection.settings if self.connection is not None else self.settings
        return name_of(settings.congestion).encode()

    def information(self) -> bytes:
        """TCP_INFO."""
        return pack(self.connection, self.listener is not None)
