"""TCP on a host: which connection a segment is for, and the way of segments into datagrams (RFC 9293 sections 3.1, 3.10.7)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.base.errors import WireError
from stack.base.event import DropReason
from stack.codec.checksum import ones_sum
from stack.codec.fields import Sealed
from stack.codec.packet import Packet
from stack.host.addresses import Cast
from stack.host.ipv4 import DONT_FRAGMENT, NO_OPTIONS
from stack.host.tcp_connection import HostConnection, HostListener, along
from stack.host.udp import unmapped
from stack.host.udp_endpoint import ErrorReport, Where
from stack.host.way import Ends, Way, find_way, shared
from stack.host.zone import elsewhere, zoned
from stack.ip.formats.ipv4 import IPv4
from stack.ip.formats.ipv6 import IPv6
from stack.tcp.counters import Counters
from stack.tcp.formats.tcp import SYN, TCP
from stack.tcp.icmp import outstanding, route_mtu
from stack.tcp.opening.fastopen import FastOpen
from stack.tcp.opening.fastopen_cache import FastOpenCache
from stack.tcp.opening.isn import initial_sequence, timestamp_offset
from stack.tcp.receiving.challenge import ChallengeLimit
from stack.tcp.reset import refusal
from stack.tcp.settings import DEFAULT, TcpSettings
from stack.tcp.state import CLOSED
from stack.udp.ports import V4, V6, Claim, PortSpace, meaning, os_error

if TYPE_CHECKING:
    from stack.host.host import HostEngine
    from stack.link.interface import Interface

PROTOCOL = 6
_ipv4 = IPv4.of
_packet = Packet.of
Key = tuple[IPAddress, int, IPAddress, int]


class TcpLayer:
    """All connections and listeners of a host."""

    def __init__(self, host: HostEngine) -> None:
        self.host = host
        stream = host.randomness.at(host.name, "tcp")
        self._secret = stream.bytes(16)
        self.cookie_secret = host.randomness.at(host.name, "tcp cookies").bytes(48)
        self.fast_open = FastOpenCache()
        self._labels = host.randomness.at(host.name, "flow labels")
        self.ports = PortSpace(host.randomness.at(host.name, "tcp ports"), host.settings.ephemeral_ports)
        self.connections: dict[Key, HostConnection] = {}
        self.listeners: dict[int, list[HostListener]] = {}
        self._recent: Ends | None = None  # of the connection that was made last
        self.settings = DEFAULT  # of listeners and connections that are given none
        self.counters = Counters()
        self._challenges = ChallengeLimit(host.randomness.at(host.name, "tcp challenges").random)
        self.arriving = self.service = 0  # the ECN and Diffserv fields of the datagram that brought a SYN
        self.sink, self.poke = self.segment_out, self.moved  # one bound method each for all connections

    # Calls from above

    def bind(
        self, address: IPAddress | None, port: int, versions: int | None = None, *, reuse_address: bool = False, reuse_port: bool = False
    ) -> Claim:
        """Hold a port, to listen or to connect from; raises EADDRNOTAVAIL, EADDRINUSE."""
        bound, versions = meaning(address, versions)
        if bound is not None and (self.host.addresses.cast(bound) is not Cast.LOCAL or elsewhere(self.host, bound)):
            raise os_error(errno.EADDRNOTAVAIL)
        return self.ports.bind(bound, port, versions, reuse_address=reuse_address, reuse_port=reuse_port)

    def listen(
        self,
        address: IPAddress | None,
        port: int,
        backlog: int = 128,
        settings: TcpSettings | None = None,
        claim: Claim | None = None,
    ) -> HostListener:
        """Listen on a port (with the `claim` of an earlier bind, or a new one); raises EADDRINUSE."""
        fresh = claim is None
        if claim is None:
            claim = self.bind(address, port)
        try:
            self.ports.listen(claim)
        except OSError:
            if fresh:
                self.ports.release(claim)
            raise
        shown = address if address is not None else IPv6Address.UNSPECIFIED if claim.versions & V6 else IPv4Address.UNSPECIFIED
        listener = HostListener(self, claim, (shown, claim.port), settings or self.settings, backlog)
        self.listeners.setdefault(claim.port, []).append(listener)
        return listener

    def connect(
        self,
        local: Where | None,
        remote: Where,
        settings: TcpSettings | None = None,
        now: int = 0,
        claim: Claim | None = None,
        interface: Interface | None = None,
        data: bytes | None = None,
    ) -> HostConnection:
        """Open a connection: `local` (address and port, 0 for any), or a `claim`, or neither; raises `OSError`.

        With `data`, fast (RFC 7413): `connection.fast.text` says how many octets of it went with the SYN. With the setting
        `fast_open_connect` and no data, the SYN waits for the data if that may go with it: `connection.fast.deferred`.
        """
        host = self.host
        host.now = now
        destination = _meant(remote[0])
        if claim is None and local is not None and local[1]:
            claim = self.bind(*local)
        wanted = claim.address if claim is not None else meaning(local[0])[0] if local is not None else None
        way = find_way(host, destination, wanted, interface)
        if isinstance(way, Way) and way.cast in (Cast.BROADCAST, Cast.MULTICAST):
            way = errno.ENETUNREACH
        if isinstance(way, int):
            raise os_error(way)
        source, port = way.source, remote[1]
        if claim is None:
            claim = self.ports.connect(
                source, destination, port, lambda number: (source, number, destination, port) in self.connections
            )
        key = (source, claim.port, destination, port)
        if key in self.connections:
            raise os_error(errno.EADDRNOTAVAIL)
        connection = self._make(way, claim, (source, claim.port), (destination, port), settings or self.settings)
        if data is not None or connection.settings.fast_open_connect:
            connection.fast = FastOpen(self.fast_open)
        connection.open_active(now, data)
        return connection

    def passive(self, local: Where, remote: Where, settings: TcpSettings, now: int) -> HostConnection:
        """A connection for a listener."""
        way = find_way(self.host, remote[0], local[0])
        assert isinstance(way, Way)  # `_listen` asked
        listener = self._listener(local)
        assert listener is not None
        if settings.reflect_service:
            settings = settings.replace(traffic_class=self.service | settings.traffic_class & 3)
        connection = self._make(way, self.ports.share(listener.claim, local[0]), local, remote, settings)
        connection.arriving = self.arriving
        return connection

    def _make(self, way: Way, claim: Claim, local: Where, remote: Where, settings: TcpSettings) -> HostConnection:
        link = way.attachment.interface
        local, remote = (zoned(self.host, local[0], link), local[1]), (zoned(self.host, remote[0], link), remote[1])
        way, local, remote = self._recent = shared((way, local, remote), self._recent)
        overhead = 40 if len(local[0]) == IPv4Address.length else 60
        connection = HostConnection(
            self, way, claim, local, remote, along(way, settings),
            iss=initial_sequence(self._secret, local, remote, self.host.now),
            mss=min(way.attachment.interface.mtu, 65535) - overhead,
            ts_offset=timestamp_offset(self._secret, local, remote),
        )  # fmt: skip
        connection.challenges = self._challenges
        if overhead == 60:
            connection.flow_label = self._labels.getrandbits(20) or 1  # RFC 6437: one for each flow, not 0
        if way.mtu < way.attachment.interface.mtu:
            connection.path_mtu(way.mtu, self.host.now)
        if way.metrics.advertised_mss is not None:
            connection.rcv.mss = min(connection.rcv.mss, way.metrics.advertised_mss)
        self.connections[local[0], local[1], remote[0], remote[1]] = connection
        return connection

    # Segments in

    def receive(self, ip: Any, data: bytes, at: int, end: int, interface: Interface, packet: Packet) -> None:
        """Take octets `at` to `end` of `data`: a segment that IP delivers."""
        found = self._decode(ip, data, at, end, packet)
        if found is None:
            return
        header, text = found
        connection = self.connections.get((ip.destination, header.destination, ip.source, header.source))
        if connection is not None:
            self.segment_in(connection, header, data[text:end], ip.ecn)
        else:
            self.take(ip, header, data[text:end], interface, packet)

    def receive_known(self, ip: Any, data: bytes, at: int, end: int, packet: Packet) -> bool:
        """The short way: take a segment if it is for a connection, whose addresses have been looked at before."""
        source, destination = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
        connection = self.connections.get((ip.destination, destination, ip.source, source))
        if connection is None:
            return False
        found = self._decode(ip, data, at, end, packet)
        if found is not None:
            self.segment_in(connection, found[0], data[found[1] : end], ip.ecn)
        return True

    def _decode(self, ip: Any, data: bytes, at: int, end: int, packet: Packet) -> tuple[TCP, int] | None:
        """The header of a sound segment, and where its text begins."""
        try:
            header, text = TCP.decode(data, at, end)
        except WireError:
            self._damaged(DropReason.MALFORMED, packet)
            return None
        size = len(ip.source)
        addresses = data[at - 2 * size : at]
        if addresses[:size] == ip.source and addresses[size:] == ip.destination:  # nothing stands between them and us
            total = PROTOCOL + end - at + ones_sum(data[at - 2 * size : end])
        else:
            total = PROTOCOL + end - at + ones_sum(ip.source + ip.destination) + ones_sum(data[at:end])
        if total % 0xFFFF:
            self.counters.InCsumErrors += 1
            self._damaged(DropReason.BAD_CHECKSUM, packet)
            return None
        return header, text

    def _damaged(self, reason: DropReason, packet: Packet) -> None:
        self.counters.InSegs += 1
        self.counters.InErrs += 1
        self.host.drop(reason, packet)

    def segment_in(self, connection: HostConnection, header: TCP, text: bytes, ecn: int = 0) -> None:
        """A segment for a connection, from a datagram with this ECN field."""
        connection.arriving = self.arriving = ecn
        now = self.host.now
        if header.flags & SYN and connection.takes_new_syn(header) and self._listener(connection.local) is not None:
            self.counters.InSegs += 1
            above, remote = connection.snd.nxt, connection.remote
            assert remote is not None
            connection.abort(now)
            self._listen(connection.local, remote, header, text, above)
            return
        connection.receive(header, text, now)
        neighbour = connection.neighbour
        if neighbour is not None and not neighbour.fresh and connection.snd.una > connection.confirmed:
            # forward progress proves that what we send arrives (RFC 4861 section 7.3.1)
            way = connection.way
            way.attachment.cache(way.next_hop).confirm(way.next_hop, now)
            connection.confirmed = connection.snd.una

    def take(self, ip: Any, header: TCP, text: bytes, interface: Interface, packet: Packet) -> None:
        """A segment that belongs to no connection: for a listener, or to be refused."""
        host = self.host
        if host.addresses.cast(ip.destination) is not Cast.LOCAL:
            host.drop(DropReason.BAD_ADDRESS, packet)  # RFC 9293 section 3.9.2.3, MUST-57
            return
        self.counters.InSegs += 1
        self.arriving, self.service = ip.ecn, ip.dscp << 2
        local, remote = (ip.destination, header.destination), (ip.source, header.source)
        if self._listen(local, remote, header, text, None):
            return
        host.drop(DropReason.NO_SOCKET, packet)
        answer = refusal(header, len(text))
        if answer is not None:
            self._refuse(answer, local, remote)

    def _listener(self, local: Where) -> HostListener | None:
        version = V4 if len(local[0]) == IPv4Address.length else V6
        found = [(each.match(local[0], version), each) for each in self.listeners.get(local[1], ())]
        best = max((match for match, _ in found), default=-1)
        return next((each for match, each in found if match == best), None) if best >= 0 else None

    def _listen(self, local: Where, remote: Where, header: TCP, text: bytes, above: int | None) -> bool:
        """Offer a segment to the listener on its port; False if there is none, or it is to be refused."""
        listener = self._listener(local)
        if listener is None:
            return False
        if not isinstance(find_way(self.host, remote[0], local[0]), Way) or listener.unsigned(header, remote):
            return True
        made = listener.receive(header, text, local, remote, self.host.now, above)
        # 3.10.7.2, second: an ACK is answered by a reset, unless a SYN cookie is in it
        return made is not None or not header.ack or header.rst

    def _refuse(self, answer: TCP, local: Where, remote: Where) -> None:
        way = find_way(self.host, remote[0], local[0])
        if isinstance(way, Way):
            self.counters.OutSegs += 1
            self.counters.OutRsts += 1
            layer = self.host.ipv4 if len(local[0]) == IPv4Address.length else self.host.ipv6
            layer.send(way, PROTOCOL, (answer,), b"", dont_fragment=True, cause="no connection: refused", numbered=False)

    # Segments out

    def segment_out(self, connection: Any, header: TCP, text: bytes, cause: str | None) -> None:
        """A connection's segment becomes a frame: at once while nothing changed on the way."""
        host = self.host
        neighbour = connection.neighbour
        size = len(text) + len(header._options)
        if (
            neighbour is None
            or not neighbour.fresh
            or connection.generation != host.routes.generation
            or size > connection.room
        ):
            self._segment_out_anew(connection, header, text, cause)
            return
        ip: Any = connection.ipv6
        size += 74
        if ip is None:
            size -= 20
            counter = connection.counter
            counter[0] = number = (counter[0] + 1) & 0xFFFF
            ip = _ipv4(
                4, Sealed, 0, connection.ect, Sealed, number, DONT_FRAGMENT, 0, host.settings.time_to_live, PROTOCOL, Sealed,
                connection.local[0], connection.remote[0], NO_OPTIONS,
            )  # fmt: skip
        elif connection.ect:
            ip = ip.replace(ecn=connection.ect)
        host.output.append((connection.interface, _packet((connection.ethernet, ip, header), text, cause, size)))

    def _segment_out_anew(self, connection: HostConnection, header: TCP, text: bytes, cause: str | None) -> None:
        """Find the way again; remember it if the segment left at once."""
        host = self.host
        remote: Any = connection.remote
        if connection.way.generation != host.routes.generation:
            found = find_way(host, remote[0], connection.local[0])
            if isinstance(found, int):
                host.drop(DropReason.NO_ROUTE, None)
                host.soon.append((connection.icmp_error, (found, False, host.now)))
                return
            if found.mtu != connection.way.mtu:
                host.soon.append((route_mtu, (connection, found.mtu, host.now)))
            connection.way = found
        way = connection.way
        v4 = len(remote[0]) == IPv4Address.length
        layer = host.ipv4 if v4 else host.ipv6
        wants = connection.settings
        answers_syn = header.flags & SYN and connection.passive
        number, neighbour = layer.send(
            way, PROTOCOL, (header,), text, flow_label=connection.flow_label, cause=cause,
            hop_limit=wants.hop_limit, traffic_class=wants.traffic_class | connection.ect, dont_fragment=True, numbered=not answers_syn,
        )  # fmt: skip
        if number:
            host.drop(DropReason.FRAGMENTATION_NEEDED, None)
            host.soon.append((self._tell_mtu, (connection, way.mtu)))
        elif neighbour is not None and neighbour.mac is not None and wants.hop_limit is None and not wants.traffic_class:
            connection.neighbour, connection.confirmed = neighbour, connection.snd.una
            if not answers_syn:  # whose ACK confirms the neighbour; the next segment is numbered
                self._remember(connection, way, v4)
                connection.ethernet = way.attachment.ethernet(neighbour.mac, 0x0800 if v4 else 0x86DD)

    def _remember(self, connection: HostConnection, way: Way, v4: bool) -> None:
        remote: Any = connection.remote
        connection.generation = way.generation
        connection.interface = way.attachment.interface
        connection.room = way.mtu - (40 if v4 else 60)
        if v4:
            connection.counter = self.host.ipv4.counter(way.source, remote[0], PROTOCOL)
        elif connection.ipv6 is None:
            connection.ipv6 = IPv6.of(
                6, 0, 0, connection.flow_label, Sealed, PROTOCOL, self.host.settings.time_to_live, way.source, way.destination
            )

    def _tell_mtu(self, connection: HostConnection, mtu: int) -> None:
        connection.path_mtu(mtu, self.host.now)

    # What connections and ICMP tell

    def moved(self, connection: Any) -> None:
        """A deadline moved earlier, or the connection is to be forgotten."""
        if connection.state is not CLOSED:
            self.host.timers.arm(connection)
            return
        local, remote = connection.local, connection.remote
        if remote is not None and self.connections.get((local[0], local[1], remote[0], remote[1])) is connection:
            self.counters.forget(self.connections.pop((local[0], local[1], remote[0], remote[1])))
        if connection.claim is not None:
            self.ports.release(connection.claim)
            connection.claim = None

    def forget_listener(self, listener: HostListener) -> None:
        """It listens no longer."""
        listeners = self.listeners[listener.claim.port]
        listeners.remove(listener)
        if not listeners:
            del self.listeners[listener.claim.port]
        self.ports.release(listener.claim)

    def error(self, local: Where, remote: Where, sequence: int, report: ErrorReport) -> bool:
        """An ICMP error about a segment; False if there is no such connection."""
        connection = self.connections.get((local[0], local[1], remote[0], remote[1]))
        if connection is None:
            return False
        if report.mtu:
            if outstanding(connection, sequence) and self.host.path_mtu.learn(remote[0], report.mtu, self.host.now):
                self.host.routes.changed()
            connection.path_mtu(report.mtu, self.host.now, sequence)
        else:
            connection.icmp_error(report.errno, report.hard, self.host.now, sequence, report.no_way)
        return True


def _meant(address: IPAddress) -> IPAddress:
    """The address on the wire that a program's one means: the unspecified one is this host (as in Linux)."""
    address = unmapped(address)
    if address == IPv4Address.UNSPECIFIED:
        return IPv4Address.LOOPBACK
    return IPv6Address.LOOPBACK if address == IPv6Address.UNSPECIFIED else address
