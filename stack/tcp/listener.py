"""A listening port: half-open connections and the queue of those to accept, both bounded (RFC 9293 section 3.10.7.2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.tcp.block import Endpoint
from stack.tcp.ending import become_closed
from stack.tcp.segment import FIN, RST, SYN
from stack.tcp.seq import wrap
from stack.tcp.settings import DEFAULT, TcpSettings

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.connection import Connection
    from stack.tcp.formats.tcp import TCP

Make = Callable[[Endpoint, Endpoint, TcpSettings, int], "Connection"]
_NEW_NUMBERS = 65_537  # how far a new incarnation begins above the old one, as in Linux
SYN_BACKLOG = 256  # half-open connections that a listener has at least room for: Linux's tcp_max_syn_backlog


class Listener:
    """Takes SYNs for `local`. `make(local, remote, settings, now)` makes the connections, with number, sink and poke.

    As in Linux, up to `backlog` + 1 connections wait to be accepted; beyond that SYNs are dropped, and so is the last ACK
    of a handshake, to which the SYN,ACK, repeated, gives another chance. Half-open connections have a queue of their own:
    when that is full, the oldest makes room if its SYN,ACK has been repeated in vain (RFC 4987 section 3.4), so that
    a flood does not shut out others; if it has not, the SYN is dropped.
    """

    __slots__ = ("_half_open", "_ready", "backlog", "closed", "dropped", "local", "make", "notify", "settings")

    def __init__(self, local: Endpoint, make: Make, settings: TcpSettings = DEFAULT, backlog: int = 128) -> None:
        self.local = local
        self.make = make
        self.settings = settings
        self.backlog = backlog
        self.notify: Callable[[], None] | None = None
        self.dropped = 0  # SYNs and last ACKs that found no room, and half-open connections that made room
        self.closed = False
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
    def half_open(self) -> int:
        """Connections in SYN-RECEIVED."""
        return len(self._half_open)

    def receive(
        self, header: TCP, text: bytes, local: Endpoint, remote: Endpoint, now: int, above: int | None = None
    ) -> Connection | None:
        """3.10.7.2. LISTEN STATE, for a segment that belongs to no connection; a new half-open connection or None.

        An ACK is for the caller to answer with `reset.refusal`. `above`: SND.NXT of the
        connection in TIME-WAIT that this SYN replaces.
        """
        if header.flags & (RST | SYN | FIN) != SYN or header.ack:
            return None
        if self.full or not self._room(now):
            self.drop()
            return None
        connection = self.make(local, remote, self.settings, now)
        if above is not None:
            connection.iss = connection.snd.small = connection.snd.up = wrap(above + _NEW_NUMBERS)
        connection.listener = self
        self._half_open[local, remote] = connection
        connection.open_passive(now)
        connection.receive(header, text, now)
        return connection

    def _room(self, now: int) -> bool:
        """Room for one more half-open connection, made if need be."""
        if len(self._half_open) < max(self.backlog + 1, SYN_BACKLOG):
            return True
        oldest = next(iter(self._half_open.values()))
        if not oldest.retries:
            return False
        self.drop()
        become_closed(oldest, now)
        return True

    def drop(self) -> None:
        """Count what found no room."""
        self.dropped += 1

    def accept(self) -> Connection | None:
        """The connection that has waited longest, or None."""
        return self._ready.popleft() if self._ready else None

    def established(self, connection: Block) -> None:
        """A half-open connection is open: it waits to be accepted."""
        self._ready.append(self._half_open.pop((connection.local, connection.remote)))
        connection.listener = None
        if self.notify is not None:
            self.notify()

    def gone(self, connection: Block) -> None:
        """A half-open connection ended."""
        self._half_open.pop((connection.local, connection.remote), None)
        connection.listener = None

    def close(self, now: int) -> None:
        """Listen no more: half-open connections end in silence, those not accepted by a RST, as in Linux."""
        self.closed = True
        for connection in list(self._half_open.values()):
            become_closed(connection, now)
        ready, self._ready = self._ready, deque()
        for connection in ready:
            connection.closed_by_user = True
            connection.abort(now)
