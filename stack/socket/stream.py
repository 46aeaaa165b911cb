"""A stream socket: BSD semantics, as Linux has them, over a TCP connection or a listener (tcp(7), RFC 9293 section 3.9.1)."""

from __future__ import annotations

import errno
from socket import AF_INET, SOCK_STREAM
from typing import Any

from stack.base.address import IPv4Address, IPv6Address
from stack.network.node import Node
from stack.socket import fast_open, numbers
from stack.socket.description import ERR, HUP, IN, OUT, PRI, RDHUP, Address, Description, Message, error
from stack.socket.error_queue import Control
from stack.socket.fast_open import MSG_FASTOPEN
from stack.socket.numbers import (
    MSG_EOR,
    MSG_ERRQUEUE,
    MSG_MORE,
    MSG_OOB,
    MSG_PEEK,
    MSG_TRUNC,
    MSG_ZEROCOPY,
)
from stack.socket.receive_control import stream_control
from stack.socket.send_control import stamping
from stack.socket.stream_options import CONNECTED, CONNECTING, NEW, StreamOptions
from stack.socket.transmit_reports import TX_RECORD
from stack.tcp.connection import Connection
from stack.tcp.state import CLOSED, ESTABLISHED, SYN_SENT, TIME_WAIT
from stack.udp.ports import V4, V6


class Stream(StreamOptions):
    """The open file of a stream socket: new, bound, connecting, connected, or listening."""

    __slots__ = ("claim", "dissolved", "full", "phase")

    def __init__(self, node: Node, family: int, connection: Connection | None = None) -> None:
        super().__init__(node, family, SOCK_STREAM)
        self.connection = connection
        self.listener = None
        self.dissolved = 0  # the error of a connection that AF_UNSPEC, or shutdown() before it was made, ended
        self.full = False  # writing had to wait, and nobody was told of room since (SOCK_NOSPACE)
        self.claim: Any = None  # our hold on a port, while there is neither connection nor listener
        self.phase = NEW if connection is None else CONNECTED
        self.reports = None
        self._settings = None
        if connection is not None:
            connection.notify = self.wake

    # What there is to see

    @property
    def events(self) -> int:
        connection = self.connection
        if connection is None:
            if self.listener is None:
                return OUT | HUP | (ERR if self.dissolved else 0)
            return IN if self.listener.readable else 0
        gone = connection.state is CLOSED
        ended = gone or connection.no_more_reads or bool(connection.rcv.fin)
        finished = gone or connection.fin_queued
        events = IN | RDHUP if ended else 0
        if ended and finished:
            events |= HUP
        if connection.error is not None or self.notices:
            events |= ERR
        if connection.opening:
            events |= OUT if fast_open.deferred(self) else 0
        else:
            available = connection.available
            if available > 0 and (self.extra is None or self._enough(connection, available)):
                events |= IN
            if finished or connection.writable:
                events |= OUT
            else:
                self.full = True
            if connection.exceptional:
                events |= PRI
        return events

    def arrivals(self) -> Any:
        connection = self.connection
        if connection is None:
            return None
        return connection.state, connection.rcv.nxt, len(self.notices or ()), connection.exceptional

    def stirred(self, before: Any) -> tuple[int, Any]:
        events, now = self.events, self.arrivals()
        if now is None or before is None or now[0] is not before[0]:
            return events, now  # of a new state all is told
        key = ERR if events & ERR else 0
        if now[1] != before[1]:
            key |= IN | RDHUP
        if now[3] and not before[3]:
            key |= PRI
        if self.full and events & OUT:
            self.full = False
            key |= OUT
        return events & key, now

    def _enough(self, connection: Connection, available: int) -> bool:
        """So many octets make the socket readable: SO_RCVLOWAT of them, or what leaves no room for more."""
        return available >= self.low_water() or connection.rcv.wnd <= connection.rcv.full

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
        return self.connection.before_mark if self.connection is not None else 0

    def unsent(self, acknowledged: bool) -> int:
        connection = self.connection
        if self.listener is not None:
            raise error(errno.EINVAL)
        if connection is None or connection.opening:
            return 0
        end = connection.outgoing.end if connection.outgoing is not None else connection.snd.nxt
        if connection.fin_queued:
            end = max(end, connection.fin if connection.fin is not None else end) + (not connection.fin_acknowledged)
        return max(0, end - (connection.snd.una if acknowledged else connection.snd.nxt))

    def has(self, size: int) -> bool:
        """Are there so many octets to read, or will there be no more?"""
        connection = self.connection
        return connection is None or connection.available >= size or connection.eof or connection.error is not None

    @property
    def at_mark(self) -> bool:
        return self.connection is not None and self.connection.at_mark

    def take_error(self) -> int:
        if self.connection is not None:
            return self.connection.take_error() or self.connection.take_soft_error() or 0
        code, self.dissolved = self.dissolved, 0
        return code

    # Opening

    def bind(self, address: Any, port: int) -> None:
        if self.claim is not None or self.connection is not None or self.listener is not None:
            raise error(errno.EINVAL)
        only6 = self.option(numbers.SOL_IPV6, numbers.IPV6_V6ONLY)
        self._claim(address, port, V4 if self.family == AF_INET else V6 if only6 else V4 | V6)

    def _claim(self, address: Any, port: int, versions: int) -> None:
        self.claim = self.node.engine.tcp.bind(
            address,
            port,
            versions,
            reuse_address=bool(self.option(numbers.SOL_SOCKET, numbers.SO_REUSEADDR)),
            reuse_port=bool(self.option(numbers.SOL_SOCKET, numbers.SO_REUSEPORT)),
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
        self.keep(numbers.SOL_TCP, numbers.TCP_QUICKACK, 1)  # of no connection yet (inet_csk_delack_init)
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
        made.extra = self.extra
        if not self.option(numbers.SOL_TCP, numbers.TCP_QUICKACK, 1):
            connection.acknowledge_quickly(0, self.node.now)
        return made, connection.remote

    def connect(self, address: Any, port: int) -> int:
        if self.listener is not None or self.phase == CONNECTED:
            return errno.EISCONN
        if self.phase == CONNECTING:
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
        if not self.option(numbers.SOL_TCP, numbers.TCP_QUICKACK, 1):
            connection.acknowledge_quickly(0, node.now)
        self.connection = connection
        self.phase = CONNECTING
        connection.notify = self.wake
        return connection.fast.text if connection.fast is not None else 0

    def connected(self) -> int:
        connection = self.connection
        if connection is None or connection.state is CLOSED:
            code = self.take_error() or errno.ECONNABORTED
            self.connection = None
            self.phase = NEW
            self._hold_again()
            return code
        self.phase = CONNECTED
        return 0

    def disconnect(self) -> None:
        """The connection is reset, the socket can connect again; a listener listens no more (tcp_disconnect)."""
        if self.listener is not None:
            self.shutdown(0)
            return
        connection = self.connection
        if connection is not None:
            self._settings = connection.settings
            connection.notify = None
            connection.closed_by_user = True
            if connection.state not in (CLOSED, TIME_WAIT):
                self.dissolved = errno.ECONNRESET
            connection.abort(self.node.now)
            self.connection = None
            self.phase = NEW
            self._hold_again()
        self.node.flush()
        self.wake()

    @property
    def connecting(self) -> bool:
        return self.connection is not None and self.connection.opening

    # Talking

    def send(self, data: bytes, flags: int, to: Address | None) -> int | None:
        connection = self.connection
        if connection is None or connection.opening or flags & MSG_FASTOPEN:
            if connection is None and not flags & MSG_FASTOPEN:
                raise error(self.take_error() or errno.EPIPE)
            return None  # `Transfer` opens fast, or waits
        node = self.node
        now = node.scheduler.now
        taken = connection.send(data, now, bool(flags & MSG_OOB), bool(flags & MSG_MORE), bool(flags & MSG_EOR))
        if taken and self.extra is not None:
            self._report(connection, flags, taken, now)
        node.flush()
        if taken < len(data):
            self.full = True
        return taken if taken or not data else None

    def send_message(self, data: bytes, flags: int, to: Address | None, control: Control) -> int | None:
        before = self.option(numbers.SOL_SOCKET, numbers.SO_TIMESTAMPING)
        wanted = stamping(control, before)
        if wanted == before:
            return self.send(data, flags, to)
        self.keep(numbers.SOL_SOCKET, numbers.SO_TIMESTAMPING, wanted)
        try:
            return self.send(data, flags, to)
        finally:
            self.keep(numbers.SOL_SOCKET, numbers.SO_TIMESTAMPING, before)

    def receive(self, size: int, flags: int) -> tuple[bytes, Address | None, int] | None:
        connection = self.connection
        if connection is None:
            if flags & MSG_OOB and self.listener is None:
                raise error(errno.EINVAL)
            raise error(self.take_error() or errno.ENOTCONN)
        if flags & (MSG_OOB | MSG_ERRQUEUE):
            if flags & MSG_ERRQUEUE:
                return self.take_notice(size)[:3]
            return self._urgent(connection, size, flags)
        if connection.incoming is None and connection.state is ESTABLISHED and connection.error is None and size:
            return (b"", None, 0) if connection.no_more_reads else None
        node = self.node
        data = connection.recv(size, node.scheduler.now, bool(flags & MSG_PEEK))
        if data:
            if flags & MSG_TRUNC:
                data = bytes(len(data))  # how much was there is told, and not what
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
        return connection.recv_urgent(bool(flags & MSG_PEEK))[:size], None, MSG_OOB

    def receive_message(self, size: int, flags: int) -> Message | None:
        found = super().receive_message(size, flags)
        if found is None or self.extra is None or flags & (MSG_ERRQUEUE | MSG_OOB):
            return found
        return found._replace(control=stream_control(self, found.data))

    def low_water(self) -> int:
        return max(1, self.option(numbers.SOL_SOCKET, numbers.SO_RCVLOWAT, 1))

    def _report(self, connection: Connection, flags: int, size: int, now: int) -> None:
        """Begin the reports that were asked for of what was queued just now."""
        wanted = self.option(numbers.SOL_SOCKET, numbers.SO_TIMESTAMPING)
        zerocopy = flags & MSG_ZEROCOPY and self.option(numbers.SOL_SOCKET, numbers.SO_ZEROCOPY)
        if not wanted & TX_RECORD and not zerocopy:
            return
        reports = self.transmit_reports()
        if wanted & TX_RECORD:
            reports.stamp(connection, wanted, size, now)
        if zerocopy:
            reports.zerocopy(connection, now)

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
        if connection is None or connection.state in (CLOSED, TIME_WAIT):
            raise error(errno.ENOTCONN)
        if connection.state is SYN_SENT:
            self.disconnect()
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
