"""What `netstat -an` shows: one row for each socket of a host."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from stack.base.address import IPAddress, IPv4Address, IPv6Address

if TYPE_CHECKING:
    from stack.host.host import HostEngine
    from stack.host.tcp_connection import HostConnection, HostListener
    from stack.host.udp_endpoint import UdpEndpoint


class Row(NamedTuple):
    """One socket. Queues in octets (of a listener: connections to accept, and its backlog)."""

    protocol: str
    receive_queue: int
    send_queue: int
    local: str
    remote: str
    state: str

    def __str__(self) -> str:
        return f"{self.protocol:<5} {self.receive_queue:>6} {self.send_queue:>6} {self.local:<23} {self.remote:<23} {self.state}"


class Netstat(tuple[Row, ...]):
    """The rows, which print as a table."""

    __slots__ = ()

    def __str__(self) -> str:
        head = f"{'Proto':<5} {'Recv-Q':>6} {'Send-Q':>6} {'Local Address':<23} {'Foreign Address':<23} State"
        return "\n".join([head, *map(str, self)])


def netstat(host: HostEngine) -> Netstat:
    """Listeners, connections and UDP endpoints, each in the order of their making."""
    rows = [_listener(each) for listeners in host.tcp.listeners.values() for each in listeners]
    rows += [_connection(each) for each in host.tcp.connections.values()]
    rows += [_endpoint(each) for endpoints in host.udp.endpoints.values() for each in endpoints]
    return Netstat(rows)


def _listener(listener: HostListener) -> Row:
    address, port = listener.local
    protocol = "tcp6" if len(address) == IPv6Address.length else "tcp"
    return Row(protocol, listener.waiting, listener.backlog, _text(address, port), _text(None, 0, protocol), "LISTEN")


def _connection(connection: HostConnection) -> Row:
    (address, port), remote = connection.local, connection.remote
    assert remote is not None
    protocol = "tcp6" if len(address) == IPv6Address.length else "tcp"
    queued = 0 if connection.outgoing is None else connection.outgoing.end - connection.snd.una
    state = connection.state.value.replace("-", "_")
    return Row(protocol, connection.unread, max(queued, 0), _text(address, port), _text(*remote), state)


def _endpoint(endpoint: UdpEndpoint) -> Row:
    protocol = "udp6" if endpoint.version == 6 else "udp"
    address, port = endpoint.local
    remote = _text(None, 0, protocol) if endpoint.remote is None else _text(endpoint.shown(endpoint.remote[0]), endpoint.remote[1])
    return Row(protocol, endpoint.queued, 0, _text(address, port), remote, "" if endpoint.remote is None else "ESTABLISHED")


def _text(address: IPAddress | None, port: int, protocol: str = "") -> str:
    if address is None:
        address = IPv6Address.UNSPECIFIED if protocol.endswith("6") else IPv4Address.UNSPECIFIED
    return f"{address}:{port or '*'}"

