"""A listening port: half-open connections and the queue of those to accept, both bounded (RFC 9293 section 3.10.7.2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.tcp.block import Endpoint
from stack.tcp.counters import Counters
from stack.tcp.ending import become_closed
from stack.tcp.opening import fastopen, syncookies
from stack.tcp.segment import FIN, RST, SYN, Segment
from stack.tcp.seq import wrap
from stack.tcp.settings import DEFAULT, TcpSettings
from stack.tcp.state import LISTEN

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.connection import Connection
    from stack.tcp.formats.tcp import TCP

Make = Callable[[Endpoint, Endpoint, TcpSettings, int], "Connection"]
_NEW_NUMBERS = 65_537  # how far a new incarnation begins above the old one, as in Linux
_NO_SECRET = bytes(48)


class Listener:
    """Takes SYNs for `local`. `make(local, remote, settings, now)` makes the connections, with number, sink and poke.

    As in Linux, up to `backlog` + 1 connections wait to be accepted; beyond that SYNs are dropped, and so is the last ACK
    of a handshake, to which the SYN,ACK, repeated, gives another chance. As many may be half open; beyond that SYNs are
    answered by SYN cookies, so that a flood does not shut out others (RFC 4987 section 3.6), or, without those, dropped.
    `secret`: 48 octets for the cookies; `counters`: those of its host.
    """

    __slots__ = (
        "_half_open", "_ready", "backlog", "closed", "counters", "dropped", "fast_open", "local", "make", "notify", "overflowed_at",
        "secret", "settings", "young",
    )  # fmt: skip

    def __init__(
        self, local: Endpoint, make: Make, settings: TcpSettings = DEFAULT, backlog: int = 128, secret: bytes = _NO_SECRET,
        counters: Counters | None = None,
    ) -> None:  # fmt: skip
        self.counters = counters if counters is not None else Counters()
        self.local = local
        self.make = make
        self.settings = settings
        self.backlog = min(backlog, settings.backlog_limit)
        self.notify: Callable[[], None] | None = None
        self.dropped = 0  # SYNs and last ACKs that found no room
        self.closed = False
        self.secret = secret
        self.overflowed_at: int | None = None  # when a SYN cookie was sent last
        self.fast_open = fastopen.Queue()
        self.young = 0  # half-open connections whose SYN,ACK was not repeated yet
        self._half_open: dict[tuple[Endpoint, Endpoint | None], Connection] = {}
        self._ready: deque[Connection] = deque()

    def __repr__(self) -> str:
        return f"<Listener {self.local[0]}:{self.local[1]}, {len(self._ready)} to accept>"

    @property
    def full(self) -> bool:
        """No room for one more connection to accept."""
        return len(self._ready) > self.backlog

    @property
    def readable(self) -> bool:
        """accept() would return a connection."""
        return bool(self._ready)

    @property
    def waiting(self) -> int:
        """Connections to accept."""
        return len(self._ready)

    @property
    def half_open(self) -> int:
        """Connections in SYN-RECEIVED that were not opened fast."""
        return len(self._half_open)

    @property
    def fast_open_limit(self) -> int:
        """How many connections may be open before their handshake is over."""
        limit = self.settings.fast_open_queue
        if limit is None:
            limit = self.backlog if self.settings.fast_open & fastopen.Bits.ALL_LISTENERS else 0
        return min(limit, self.settings.backlog_limit)

    @property
    def fast_open_keys(self) -> tuple[bytes, ...]:
        """The key of new cookies, and that of cookies still good."""
        return self.settings.fast_open_keys or (self.secret[:16],)

    def receive(
        self, header: TCP, text: bytes, local: Endpoint, remote: Endpoint, now: int, above: int | None = None
    ) -> Connection | None:
        """3.10.7.2. LISTEN STATE, for a segment that belongs to no connection; a new connection or None.

        An ACK that makes none is for the caller to answer with `reset.refusal`. `above`: SND.NXT of the connection in
        TIME-WAIT that this SYN replaces.
        """
        flags, settings = header.flags, self.settings
        if header.ack and not flags & RST:
            return syncookies.accept(self, header, text, local, remote, now)
        if flags & (RST | SYN | FIN) != SYN or header.ack:
            return None
        # A peer in TIME-WAIT is evidently a real one: its SYN is let in without limit
        crowded = above is None and (settings.syn_cookies == 2 or len(self._half_open) > self.backlog)
        if crowded:
            self.counters.add("TCPReqQFullDoCookies" if settings.syn_cookies else "TCPReqQFullDrop")
            if not settings.syn_cookies:
                self.drop()
                return None
        if self.full:
            self.overflow()
            return None
        if above is None and self._flooded():
            self.drop()
            return None
        connection = self.make(local, remote, settings, now)
        if crowded:
            self.overflowed_at = now
            syncookies.answer(self, connection, header, now)
            return None
        if above is not None:
            connection.iss = connection.snd.small = connection.snd.up = wrap(above + _NEW_NUMBERS)
        connection.listener = self
        self._half_open[local, remote] = connection
        self.young += 1
        connection.open_passive(now)
        connection.receive(header, text, now)
        if connection.state is LISTEN:  # its signature was not good
            become_closed(connection, now)
            return None
        return connection

    def _flooded(self) -> bool:
        """Without cookies, the last quarter of the backlog is not for strangers."""
        settings = self.settings
        return not settings.syn_cookies and settings.syn_backlog - len(self._half_open) < settings.syn_backlog >> 2

    def synack_limit(self, retries: int) -> int:
        """How often a SYN,ACK is repeated: less often while old half-open connections crowd out young ones."""
        count = len(self._half_open)
        if 2 * count > max(8, self.backlog):
            young = 2 * self.young
            while retries > 2 and count >= young:
                retries -= 1
                young *= 2
        return retries

    def drop(self) -> None:
        """Count what found no room."""
        self.dropped += 1
        self.counters.ListenDrops += 1

    def overflow(self) -> None:
        """The queue to accept is full."""
        self.counters.ListenOverflows += 1
        self.drop()

    def accept(self) -> Connection | None:
        """The connection that has waited longest, or None."""
        if not self._ready:
            return None
        connection = self._ready.popleft()
        if connection.fast is not None:
            connection.fast.accepted = True
        return connection

    def syn_received(self, connection: Block, seg: Segment, now: int) -> None:
        """A SYN was taken: it may open the connection at once."""
        if fastopen.syn_received(connection, seg, self, now):
            self.established(connection)

    def established(self, connection: Block) -> None:
        """A connection can be used: it waits to be accepted."""
        self.counters.PassiveOpens += 1
        self._ready.append(self._leave(connection))
        if self.notify is not None:
            self.notify()

    def gone(self, connection: Block) -> None:
        """A half-open connection ended."""
        self._leave(connection)

    def _leave(self, connection: Block) -> Connection:
        connection.listener = None
        if not connection.retries:
            self.young -= 1
        return self._half_open.pop((connection.local, connection.remote))

    def adopt(self, connection: Connection) -> None:
        """A connection that a SYN cookie made."""
        connection.listener = self
        self._half_open[connection.local, connection.remote] = connection
        self.young += 1

    def close(self, now: int) -> None:
        """Listen no more: half-open connections end in silence, those not accepted by a RST, as in Linux."""
        self.closed = True
        for connection in list(self._half_open.values()):
            become_closed(connection, now)
        ready, self._ready = self._ready, deque()
        for connection in ready:
            connection.closed_by_user = True
            connection.abort(now)
