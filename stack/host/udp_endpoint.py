"""One UDP endpoint: bound, connected, a bounded queue of datagrams, errors (RFC 768, RFC 1122 section 4.1.3)."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.codec.fields import Sealed
from stack.host.addresses import Cast
from stack.host.way import Way, find_way
from stack.host.zone import Zoned, elsewhere
from stack.link.interface import Interface
from stack.udp.formats.udp import UDP
from stack.udp.ports import V4, V6, Claim, meaning, os_error

if TYPE_CHECKING:
    from stack.host.udp import UdpLayer

Where = tuple[IPAddress, int]
OVERHEAD = 256  # octets that a queued datagram is taken to cost beside its data
_MOST = {4: 65507, 16: 65527}  # octets of data in one datagram
_ERRORS = 64  # reports kept for one who asked for them
_V4_MAPPED = b"\0" * 10 + b"\xff\xff"


class Datagram(NamedTuple):
    """What `receive` gives."""

    data: bytes
    sender: Where
    destination: IPAddress
    interface: Interface
    hop_limit: int
    traffic_class: int = 0
    arrived: int = 0  # when, in nanoseconds of the network's time


class ErrorReport(NamedTuple):
    """An ICMP error, as IP_RECVERR shows it: `hard` ones end a connection attempt, soft ones may pass."""

    errno: int
    hard: bool
    type: int
    code: int
    reporter: IPAddress
    mtu: int = 0
    remote: Where | None = None
    payload: bytes = b""  # of the datagram that it is about, as far as it was quoted

    @property
    def no_way(self) -> bool:
        """A router has no way to the destination: the messages that RFC 6069 is about."""
        return (self.type, self.code) in (((3, 0), (3, 1)) if len(self.reporter) == 4 else ((1, 0),))


class UdpEndpoint:
    """A UDP socket's lower half. Methods raise the `OSError` that Linux gives; `error` holds what came later."""

    def __init__(self, layer: UdpLayer, version: int) -> None:
        self.layer = layer
        self.version = version
        self.address: IPAddress | None = None  # None: the wildcard
        self.remote: Where | None = None
        self.claim: Claim | None = None
        self.interface: Interface | None = None  # SO_BINDTODEVICE, or a link-local scope
        self.error: int | None = None
        self.notify: Callable[[], None] | None = None
        self.closed = False
        # options
        self.reuse_address = False
        self.reuse_port = False
        self.broadcast = False
        self.only_v6 = False
        self.hop_limit: int | None = None
        self.multicast_hop_limit = 1
        self.multicast_interface: Interface | None = None
        self.multicast_loop = True
        self.traffic_class = 0
        self.checksum = True
        self.receive_errors = False  # IP_RECVERR
        self.receive_buffer = layer.host.settings.udp_receive_buffer
        self.errors: deque[ErrorReport] = deque(maxlen=_ERRORS)
        self._queue: deque[Datagram] = deque()
        self._queued = 0
        self._memberships: list[tuple[IPAddress, Interface]] = []
        self._way: Way | None = None
        self._bound: IPAddress | None = None  # what bind() said; connect() narrows `address`

    # Where we are

    @property
    def port(self) -> int:
        """The port, 0 while there is none."""
        return self.claim.port if self.claim is not None else 0

    @property
    def local(self) -> Where:
        """What getsockname says."""
        unspecified = IPv4Address.UNSPECIFIED if self.version == 4 else IPv6Address.UNSPECIFIED
        return (unspecified if self.address is None else self.shown(self.address)), self.port

    def bind(self, address: IPAddress | None, port: int) -> None:
        """Take an address (None or the unspecified one: all) and a port (0: an ephemeral one)."""
        if self.claim is not None or self.closed:
            raise os_error(errno.EINVAL)
        if address is not None and (isinstance(address, IPv4Address) is not (self.version == 4)):
            raise os_error(errno.EAFNOSUPPORT)
        bound, versions = meaning(address, self._versions())
        if bound is not None and not self._may_bind(bound):
            raise os_error(errno.EADDRNOTAVAIL)
        self.claim = self.layer.ports.bind(
            bound, port, versions, reuse_address=self.reuse_address, reuse_port=self.reuse_port
        )
        self.address = self._bound = bound
        self.layer.endpoints.setdefault(self.claim.port, []).append(self)

    def _versions(self) -> int:
        return V4 if self.version == 4 else V6 if self.only_v6 else V4 | V6

    def _may_bind(self, address: IPAddress) -> bool:
        addresses = self.layer.host.addresses
        return addresses.cast(address) is not Cast.OTHER and not elsewhere(self.layer.host, address)

    def connect(self, address: IPAddress | None, port: int = 0) -> None:
        """Send to, and hear from, only one; None dissolves that."""
        if address is None:
            self.remote, self._way, self.address = None, None, self._bound
            return
        destination = self._destination(address)
        way = self._find(destination)
        if way.cast is Cast.BROADCAST and not self.broadcast:
            raise os_error(errno.EACCES)
        if self.claim is None:
            self.bind(None, 0)
        if self.address is None:
            self.address = way.source
        self.remote = (destination, port)

    @property
    def mtu(self) -> int:
        """Of the path to where we are connected."""
        assert self.remote is not None
        return self._find(self.remote[0]).mtu

    def _destination(self, address: IPAddress) -> IPAddress:
        """The address on the wire that a program's one means."""
        if isinstance(address, IPv6Address):
            if self.version == 4:
                raise os_error(errno.EAFNOSUPPORT)
            if address.mapped is not None:
                address = address.mapped
        if isinstance(address, IPv4Address) and self.only_v6 and self.version == 6:
            raise os_error(errno.ENETUNREACH)
        if address == IPv4Address.UNSPECIFIED:
            return IPv4Address.LOOPBACK
        return IPv6Address.LOOPBACK if address == IPv6Address.UNSPECIFIED else address

    def _find(self, destination: IPAddress) -> Way:
        """The way there, from the bound address; kept until routes change."""
        host = self.layer.host
        way = self._way
        zone = type(destination) is Zoned
        if not zone and way is not None and way.destination == destination and way.generation == host.routes.generation:
            return way
        interface = self.interface
        if interface is None and destination.is_multicast:
            interface = self.multicast_interface
        source = self.address
        if source is not None and (len(source) != len(destination) or host.addresses.cast(source) is not Cast.LOCAL):
            source = None
        found = find_way(host, destination, source, interface)
        if isinstance(found, int):
            raise os_error(found)
        if not zone:
            self._way = found
        return found

    # Sending and receiving

    def send(self, data: bytes, now: int, to: Where | None = None) -> int:
        """Send one datagram to `to`, or where we are connected; the octets taken."""
        host = self.layer.host
        host.now = now
        self._raise_error()
        if to is None:
            if self.remote is None:
                raise os_error(errno.EDESTADDRREQ)
            destination, port = self.remote
        else:
            destination, port = self._destination(to[0]), to[1]
            if not 0 < port < 65536:
                raise os_error(errno.EINVAL)
        if len(data) > _MOST[len(destination)]:
            raise os_error(errno.EMSGSIZE)
        if self.claim is None:
            self.bind(None, 0)
        way = self._find(destination)
        if way.cast is Cast.BROADCAST and not self.broadcast:
            raise os_error(errno.EACCES)
        group = way.cast is Cast.MULTICAST
        hops = self.multicast_hop_limit if group else self.hop_limit
        header = UDP.of(self.port, port, Sealed, Sealed if self.checksum else 0)
        layer = host.ipv4 if len(destination) == IPv4Address.length else host.ipv6
        fits = len(data) + 8 + layer.overhead <= way.mtu
        number, _ = layer.send(
            way, 17, (header,), bytes(data), dont_fragment=fits and not group, traffic_class=self.traffic_class,
            hop_limit=None if hops is None or hops < 0 else hops, loop=self.multicast_loop,
        )  # fmt: skip
        if number:
            raise os_error(number)
        return len(data)

    def receive(self) -> Datagram | None:
        """The oldest datagram, or None; raises the error that came, once."""
        self._raise_error()
        if not self._queue:
            return None
        datagram = self._queue.popleft()
        self._queued -= len(datagram.data) + OVERHEAD
        return datagram

    def peek(self) -> Datagram | None:
        """The oldest datagram, left where it is."""
        self._raise_error()
        return self._queue[0] if self._queue else None

    @property
    def readable(self) -> bool:
        """`receive` would give something, or raise."""
        return bool(self._queue) or self.error is not None

    @property
    def queued(self) -> int:
        """Octets that wait to be received."""
        return self._queued

    @property
    def writable(self) -> bool:
        """UDP never waits."""
        return True

    def take_error(self) -> int | None:
        """The error that came, once (SO_ERROR)."""
        error, self.error = self.error, None
        return error

    def _raise_error(self) -> None:
        if self.error is not None:
            number, self.error = self.error, None
            raise os_error(number)

    def close(self, now: int = 0) -> None:
        """Let go of the port, the memberships and what is queued."""
        if self.closed:
            return
        self.closed = True
        for group, interface in self._memberships:
            self.layer.host.groups.leave(group, interface)
        self._memberships.clear()
        self._queue.clear()
        if self.claim is not None:
            endpoints = self.layer.endpoints[self.claim.port]
            endpoints.remove(self)
            if not endpoints:
                del self.layer.endpoints[self.claim.port]
            self.layer.ports.release(self.claim)

    # Groups

    def join(self, group: IPAddress, interface: Interface | None = None) -> None:
        """Become a member of a multicast group on an interface (None: where the route to it leads)."""
        where = self._member(group, interface)
        if where in self._memberships:
            raise os_error(errno.EADDRINUSE)
        self._memberships.append(where)
        self.layer.host.groups.join(*where)

    def leave(self, group: IPAddress, interface: Interface | None = None) -> None:
        """Be a member no longer."""
        where = self._member(group, interface)
        if where not in self._memberships:
            raise os_error(errno.EADDRNOTAVAIL)
        self._memberships.remove(where)
        self.layer.host.groups.leave(*where)

    def _member(self, group: IPAddress, interface: Interface | None) -> tuple[IPAddress, Interface]:
        if not group.is_multicast:
            raise os_error(errno.EINVAL)
        way = find_way(self.layer.host, group, interface=interface)
        if isinstance(way, int):
            raise os_error(errno.ENODEV)
        return group, way.attachment.interface

    # From below

    def match(self, destination: IPAddress, source: IPAddress, port: int) -> int:
        """How closely a datagram is meant for us: -1 not at all; each thing that agrees counts."""
        closeness = 0
        if self.address is not None:
            if self.address != destination:
                return -1
            closeness = 1
        elif self.claim is None or not self.claim.versions & (V4 if len(destination) == IPv4Address.length else V6):
            return -1
        if self.remote is not None:
            if self.remote != (source, port):
                return -1
            closeness += 2
        return closeness

    def shown(self, address: IPAddress) -> IPAddress:
        """An address as this endpoint's family shows it."""
        return IPv6Address(_V4_MAPPED + address) if self.version == 6 and len(address) == 4 else address

    def queue(self, datagram: Datagram) -> bool:
        """Take a datagram if there is room: one always fits into an empty queue."""
        cost = len(datagram.data) + OVERHEAD
        if self._queue and self._queued + cost > self.receive_buffer:
            return False
        self._queue.append(datagram)
        self._queued += cost
        if self.notify is not None:
            self.notify()
        return True

    def refused(self, remote: Where, report: ErrorReport) -> None:
        """An ICMP error about what we sent: told if it is hard and we are connected, or if we asked for all (Linux)."""
        if self.receive_errors:
            self.errors.append(report._replace(remote=remote))
        elif self.remote is None or not report.hard:
            return
        self.error = report.errno
        if self.notify is not None:
            self.notify()
