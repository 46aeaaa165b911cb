"""A TCP connection and a listener as a host has them: with the port they hold and the way their segments take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stack.base.event import DropReason
from stack.ip.route import NO_METRICS
from stack.tcp.block import Endpoint
from stack.tcp.connection import Connection
from stack.tcp.opening.listener import Listener
from stack.tcp.settings import TcpSettings
from stack.tcp.signing.md5 import MD5_KIND
from stack.tcp.signing.signatures import given, signature_for

if TYPE_CHECKING:
    from stack.base.address import IPAddress
    from stack.host.tcp import TcpLayer
    from stack.host.way import Way
    from stack.ip.formats.ipv6 import IPv6
    from stack.ip.neighbour import Neighbour
    from stack.link.formats.ethernet import Ethernet
    from stack.link.interface import Interface
    from stack.tcp.formats.tcp import TCP
    from stack.udp.ports import Claim


class HostConnection(Connection):
    """Remembers the frame headers of its segments while neighbour and routes stay as they are.

    Calls from above tell the host the time: a segment may leave, and wait for a neighbour, within them.
    """

    __slots__ = (
        "claim", "confirmed", "counter", "ethernet", "flow_label", "generation", "interface", "ipv6", "layer", "neighbour", "room",
        "scheduled", "scheduled_idle", "way",
    )  # fmt: skip

    def __init__(
        self, layer: TcpLayer, way: Way, claim: Claim, local: Endpoint, remote: Endpoint, settings: TcpSettings, **numbers: Any
    ) -> None:
        super().__init__(local, remote, settings, sink=layer.sink, poke=layer.poke, counters=layer.counters, **numbers)
        self.layer = layer
        self.claim: Claim | None = claim
        self.way = way
        self.scheduled: int | None = None  # see Timers
        self.scheduled_idle = False
        # What a segment needs to leave at once: valid while `neighbour` is fresh and `generation` that of the routes
        self.neighbour: Neighbour | None = None
        self.generation = -1
        self.interface: Interface = way.attachment.interface
        self.ethernet: Ethernet | None = None
        self.counter: list[int] = []
        self.ipv6: IPv6 | None = None
        self.flow_label = 0
        self.room = 0  # octets of options and text that fit the path's MTU
        self.confirmed = 0  # SND.UNA when progress last confirmed the neighbour

    def open_active(self, now: int, data: bytes | None = None) -> int:
        """OPEN: send a SYN."""
        self.layer.host.now = now
        return super().open_active(now, data)

    def timeout(self, now: int) -> None:
        """Do what is due; after R1 repetitions IP is told that the way may be bad (RFC 9293 section 3.8.3, SHLD-9)."""
        before = self.retries
        super().timeout(now)
        if before < self.retries == self.settings.advice_retries:
            way = self.way
            cache = way.attachment.cache(way.next_hop)
            cache.doubt(way.next_hop, now)
            self.layer.host.timers.arm(cache)

    def send(self, data: bytes, now: int, urgent: bool = False, more: bool = False, record: bool = False) -> int:
        """SEND."""
        self.layer.host.now = now
        return super().send(data, now, urgent, more, record)

    def recv(self, limit: int, now: int, peek: bool = False) -> bytes:
        """RECEIVE."""
        self.layer.host.now = now
        return super().recv(limit, now, peek)

    def shutdown_write(self, now: int) -> None:
        """SHUT_WR."""
        self.layer.host.now = now
        super().shutdown_write(now)

    def close(self, now: int) -> None:
        """CLOSE."""
        self.layer.host.now = now
        super().close(now)

    def abort(self, now: int) -> None:
        """ABORT."""
        self.layer.host.now = now
        super().abort(now)

    def configure(self, now: int, **changes: Any) -> None:
        """Change settings."""
        self.layer.host.now = now
        self.neighbour = None  # other IP headers may be wanted now (RFC 9293 section 3.9.1.9)
        super().configure(now, **changes)


class HostListener(Listener):
    """Holds its port until it is closed."""

    __slots__ = ("claim", "layer")

    def __init__(self, layer: TcpLayer, claim: Claim, local: Endpoint, settings: TcpSettings, backlog: int) -> None:
        super().__init__(local, layer.passive, settings, backlog, layer.cookie_secret, layer.counters)
        self.layer = layer
        self.claim = claim

    def match(self, destination: IPAddress, version: int) -> int:
        """How closely a segment to `destination` is meant for us: -1 not at all, 1 exactly."""
        if self.claim.address is None:
            return 0 if self.claim.versions & version else -1
        return 1 if self.claim.address == destination else -1

    def unsigned(self, header: TCP, remote: Endpoint) -> bool:
        """An ACK of a peer whose segments must be signed, and this one is not: it is not even refused."""
        signature = signature_for(self.settings, remote) if self.settings.md5_keys or self.settings.ao_keys else None
        if signature is None or not header.ack or given(header.options) is not None:
            return False
        self.layer.counters.add("TCPMD5NotFound" if signature.kind == MD5_KIND else "TCPAORequired")
        return True

    def drop(self) -> None:
        """Count what found no room, among the drops of the host too."""
        super().drop()
        self.layer.host.drop(DropReason.BACKLOG, None)

    def close(self, now: int) -> None:
        """Listen no more."""
        if not self.closed:
            self.layer.host.now = now
            self.layer.forget_listener(self)
            super().close(now)


def along(way: Way, settings: TcpSettings) -> TcpSettings:
    """Settings for a connection on this way: what its route says (ip-route(8)) comes before what the host does elsewhere."""
    metrics = way.metrics
    if metrics is NO_METRICS:
        return settings
    said = {
        "initial_segments": metrics.initial_window, "minimum_rto": metrics.minimum_rto, "congestion": metrics.congestion,
        "initial_receive_segments": metrics.initial_receive_window, "reordering": metrics.reordering,
        "window_clamp": None if settings.window_clamp else metrics.window, "fast_open_no_cookie": metrics.no_cookie or None,
        "delayed_ack": 0 if metrics.quick_ack else None, "ecn": 1 if metrics.ecn and settings.ecn in (0, 2) else None,
    }  # fmt: skip
    return settings.replace(**{name: value for name, value in said.items() if value is not None})
