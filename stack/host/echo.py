"""The endpoint of ping: echo requests sent, replies and errors that come back, with the time they took (RFC 792, RFC 4443 4)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from stack.base.address import IPAddress
from stack.host.way import find_way
from stack.link.interface import Interface
from stack.udp.ports import os_error

if TYPE_CHECKING:
    from stack.host.control import Control
    from stack.host.udp_endpoint import ErrorReport

WAITING = 1024  # requests whose time of sending is remembered, and results not yet taken


class EchoReply(NamedTuple):
    """A reply: who sent it, to which request, the data that came back, its hop limit, when (ns)."""

    sender: IPAddress
    sequence: int
    data: bytes
    hop_limit: int
    time: int


class EchoResult(NamedTuple):
    """What became of a request: a reply with its round-trip time in nanoseconds, or an ICMP error."""

    sequence: int
    round_trip: int | None
    reply: EchoReply | None
    error: ErrorReport | None
    duplicate: bool = False


class EchoEndpoint:
    """`send` requests, `receive` results. Like a socket it has `readable` and `notify`."""

    def __init__(self, layer: Control, identifier: int) -> None:
        self.layer = layer
        self.identifier = identifier
        self.notify: Callable[[], None] | None = None
        self._sent: dict[int, int] = {}
        self._answered: dict[int, int] = {}
        self._results: deque[EchoResult] = deque(maxlen=WAITING)

    def send(
        self,
        destination: IPAddress,
        sequence: int,
        now: int,
        data: bytes = b"",
        *,
        hop_limit: int | None = None,
        dont_fragment: bool = False,
        source: IPAddress | None = None,
        interface: Interface | None = None,
    ) -> None:
        """Send an echo request; raises the `OSError` of a datagram that has no way."""
        host = self.layer.host
        host.now = now
        way = find_way(host, destination, source, interface)
        if isinstance(way, int):
            raise os_error(way)
        self._remember(self._sent, sequence & 0xFFFF, now)
        self._answered.pop(sequence & 0xFFFF, None)
        number = self.layer.request(way, self.identifier, sequence & 0xFFFF, data, hop_limit, dont_fragment)
        if number:
            raise os_error(number)

    def receive(self) -> EchoResult | None:
        """The oldest result, or None."""
        return self._results.popleft() if self._results else None

    @property
    def readable(self) -> bool:
        """`receive` would give something."""
        return bool(self._results)

    def take(self, reply: EchoReply) -> None:
        """From below: a reply has come."""
        sent = self._sent.pop(reply.sequence, None)
        again = sent is None
        if again:
            sent = self._answered.get(reply.sequence)
        if sent is None:
            return  # an answer to what we did not ask, or long ago
        self._remember(self._answered, reply.sequence, sent)
        self._result(EchoResult(reply.sequence, reply.time - sent, reply, None, again))

    def failed(self, sequence: int, report: ErrorReport) -> None:
        """From below: an ICMP error about a request."""
        sent = self._sent.pop(sequence, None)
        if sent is not None:
            self._result(EchoResult(sequence, self.layer.host.now - sent, None, report))

    def close(self, now: int = 0) -> None:
        """Give the identifier back."""
        self.layer.echoes.pop(self.identifier, None)

    def _result(self, result: EchoResult) -> None:
        self._results.append(result)
        if self.notify is not None:
            self.notify()

    def _remember(self, times: dict[int, int], sequence: int, time: int) -> None:
        times.pop(sequence, None)
        if len(times) >= WAITING:
            del times[next(iter(times))]
        times[sequence] = time
