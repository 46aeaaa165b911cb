"""TCP on a host: ports, listeners, refusals, errors from below, ten thousand connections."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from stack.base.address import MAC, IPv4Address, IPv6Address, ip_address
from stack.base.event import DropReason
from stack.codec.packet import Packet
from stack.host.host import HostEngine
from stack.host.tcp_connection import HostConnection
from stack.tcp.formats.tcp import TCP
from stack.tcp.settings import TcpSettings
from stack.tcp.state import State
from tests.host.headers import ARP, Ethernet, IPv4, IPv6
from tests.host.wire import MILLISECOND, SECOND, World, pair

B = IPv4Address("10.0.0.2")


def fails(number: int) -> Any:
    return pytest.raises(OSError, check=lambda error: error.errno == number)


def established(world: World, a: HostEngine, b: HostEngine, to: str = "10.0.0.2") -> tuple[HostConnection, HostConnection]:
    """A connection from a to port 80 of b, both ends."""
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (ip_address(to), 80), now=world.now)
    world.run()
    accepted = listener.accept()
    listener.close(world.now)
    assert isinstance(accepted, HostConnection)
    return connection, accepted


def test_listening_needs_a_port_of_ones_own() -> None:
    _, a, _ = pair()
    listener = a.tcp.listen(None, 80)
    with fails(errno.EADDRINUSE):
        a.tcp.listen(None, 80)
    with fails(errno.EADDRNOTAVAIL):
        a.tcp.listen(IPv4Address("192.0.2.1"), 80)
    first, second = (a.tcp.bind(None, 81, reuse_address=True) for _ in range(2))
    a.tcp.listen(None, 81, claim=first)
    with fails(errno.EADDRINUSE):
        a.tcp.listen(None, 81, claim=second)
    listener.close(0)
    listener.close(0)
    assert a.tcp.listen(IPv4Address("10.0.0.1"), 80).local == (IPv4Address("10.0.0.1"), 80)
    assert a.tcp.listen(None, 0).local[1] >= 49152


def test_the_closest_listener_gets_the_connection() -> None:
    world, a, b = pair()
    wild = b.tcp.listen(None, 80, claim=b.tcp.bind(IPv4Address.UNSPECIFIED, 80, reuse_port=True))
    exact = b.tcp.listen(None, 80, claim=b.tcp.bind(B, 80, reuse_port=True))
    a.tcp.connect(None, (B, 80), now=world.now)
    world.run()
    assert (wild.waiting, exact.waiting) == (0, 1)
    over_six = a.tcp.connect(None, (IPv6Address("2001:db8::2"), 80), now=world.now)
    world.run()
    assert over_six.error == errno.ECONNREFUSED


def test_connect_fails_at_once_where_there_is_no_way() -> None:
    _, a, _ = pair()
    for to in ("192.0.2.1", "2001:db8:9::1", "255.255.255.255", "10.0.0.255", "224.0.0.1", "ff02::1"):
        with fails(errno.ENETUNREACH):
            a.tcp.connect(None, (ip_address(to), 80))
    assert len(a.tcp.ports) == 0


def test_connect_from_a_port_of_ones_choice() -> None:
    world, a, b = pair()
    b.tcp.listen(None, 80)
    first = a.tcp.connect((IPv4Address("10.0.0.1"), 4000), (B, 80), now=world.now)
    assert first.local == (IPv4Address("10.0.0.1"), 4000)
    with fails(errno.EADDRINUSE):
        a.tcp.connect((IPv4Address("10.0.0.1"), 4000), (B, 80), now=world.now)
    with fails(errno.EADDRNOTAVAIL):
        a.tcp.connect(None, (B, 80), now=world.now, claim=first.claim)
    chosen = a.tcp.connect((IPv4Address("10.0.0.1"), 0), (B, 80), now=world.now)
    assert chosen.local[1] >= 49152


@pytest.mark.parametrize(("to", "meant"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("127.9.9.9", "127.9.9.9")])
def test_a_connection_to_oneself_goes_through_loopback(to: str, meant: str) -> None:
    world, a, _ = pair()
    listener = a.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (ip_address(to), 80), now=world.now)
    world.run()
    accepted = listener.accept()
    assert accepted is not None
    for _ in range(3):
        connection.send(b"x" * 60_000, world.now)
        world.run()
        assert accepted.recv(100_000, world.now) == b"x" * 60_000
    assert connection.remote == (ip_address(meant), 80)
    assert world.log == []
    loopback = a.loopback.interface
    assert loopback.packets_in == loopback.packets_out > 5
    assert a.drops == {}


def test_loopback_delivers_in_order_and_is_captured_once() -> None:
    world, a, _ = pair()
    seen: list[int] = []
    a.loopback.interface.taps.append(lambda time, packet, interface, outgoing: seen.append(packet.payload[0]))
    server, client = a.udp.open(4), a.udp.open(4)
    server.bind(None, 7)
    for number in range(5):
        client.send(bytes([number]), world.now, (IPv4Address("127.0.0.1"), 7))
    world.run()
    assert seen == [0, 1, 2, 3, 4]
    assert [server.receive().data[0] for _ in range(5)] == seen  # type: ignore[union-attr]


def test_a_segment_to_a_group_is_no_connection() -> None:
    world, a, b = pair()
    b.tcp.listen(None, 80)
    frame = Ethernet("ff:ff:ff:ff:ff:ff", a.interfaces[1].mac) / IPv4(source="10.0.0.1", destination="10.0.0.255") / TCP(1, 80, syn=True)
    a.send_raw(a.interfaces[1], frame)
    world.run()
    assert b.drops == {DropReason.BAD_ADDRESS: 1}
    assert len(world.log) == 1


@pytest.mark.parametrize("changes", [{"checksum": 1}, {"data_offset": 4}])
def test_damaged_segments_are_counted(changes: dict[str, Any]) -> None:
    world, a, b = pair()
    connection, _ = established(world, a, b)
    for port in (connection.local[1], 9):
        tcp = TCP(port, 80, ack=True, **changes)
        frame = Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / IPv4(source="10.0.0.1", destination=B, options=b"\1\1\1\1") / tcp
        a.send_raw(a.interfaces[1], frame)
        frame = Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / IPv4(source="10.0.0.1", destination=B) / tcp
        a.send_raw(a.interfaces[1], frame)
    world.run(until=world.now + SECOND)
    assert b.drops == {DropReason.BAD_CHECKSUM if "checksum" in changes else DropReason.MALFORMED: 4}


def test_segments_with_ip_options_are_taken_too() -> None:
    world, a, b = pair()
    frame = Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / IPv4(source="10.0.0.1", destination=B, options=b"\1\1\1\1") / TCP(1, 80, syn=True)
    a.send_raw(a.interfaces[1], frame)
    world.run()
    assert world.seen(TCP, b)[0][TCP].rst


def test_a_backlog_that_is_full_drops() -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80, backlog=2)
    for _ in range(10):
        a.tcp.connect(None, (B, 80), now=world.now)
    world.run(until=SECOND // 2)
    assert listener.waiting <= 3
    assert b.drops[DropReason.BACKLOG] >= 6  # the last ACKs of the others' handshakes


def test_a_listener_that_closes_resets_what_nobody_accepted() -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (B, 80), now=world.now)
    world.run()
    listener.close(world.now)
    world.run()
    assert connection.error == errno.ECONNRESET
    assert (len(b.tcp.ports), b.tcp.connections) == (0, {})


def test_an_ack_at_a_listening_port_is_refused() -> None:
    world, a, b = pair()
    b.tcp.listen(None, 80)
    frame = Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / IPv4(source="10.0.0.1", destination=B) / TCP(1, 80, ack=True, acknowledgment=77)
    a.send_raw(a.interfaces[1], frame)
    world.run()
    answer = world.seen(TCP, b)[0][TCP]
    assert (answer.rst, answer.sequence, answer.source, answer.destination) == (True, 77, 80, 1)


def test_what_no_socket_counts_has_no_identification() -> None:
    """Linux: an identification of 0 in a SYN,ACK and in a RST without a connection; the sockets count their own."""
    world, a, b = pair()
    established(world, a, b)
    a.tcp.connect(None, (B, 81), now=world.now)
    world.run()
    sent = [(packet[TCP].flags, packet[IPv4]) for host in (a, b) for packet in world.seen(TCP, host)]
    numbers = {flags: ip.identification for flags, ip in sent}
    assert numbers[0x12] == numbers[0x14] == 0
    assert all(ip.identification for flags, ip in sent if flags not in (0x12, 0x14))
    assert all(ip.dont_fragment for _, ip in sent)


def test_nobody_home_at_the_address() -> None:
    world, a, _ = pair()
    connection = a.tcp.connect(None, (IPv4Address("10.0.0.99"), 80), now=world.now)
    told: list[tuple[int, int | None]] = []
    connection.notify = lambda: told.append((world.now, connection.error))
    world.run(until=3 * SECOND)
    assert told == [(3 * SECOND, errno.EHOSTUNREACH)]
    assert [time // SECOND for time, _, packet in world.log if ARP in packet][:3] == [0, 1, 2]


def test_time_wait_gives_way_to_a_new_connection_from_the_same_port() -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect((IPv4Address("10.0.0.1"), 4000), (B, 80), now=world.now)
    world.run()
    accepted = listener.accept()
    assert accepted is not None
    accepted.close(world.now)
    world.run()
    connection.close(world.now)
    world.run()
    assert [each.state for each in b.tcp.connections.values()] == [State.TIME_WAIT]
    world.run(until=world.now + 2 * SECOND)
    again = a.tcp.connect((IPv4Address("10.0.0.1"), 4000), (B, 80), now=world.now)
    world.run()
    assert again.state is State.ESTABLISHED
    assert listener.waiting == 1


def test_a_route_that_vanishes_and_returns() -> None:
    world, a, b = pair()
    connection, accepted = established(world, a, b)
    route = a.routes.lookup(B)
    assert route is not None
    a.routes.remove(route)
    connection.send(b"x", world.now)
    world.run(until=world.now + 100 * MILLISECOND)
    assert a.drops == {DropReason.NO_ROUTE: 1}
    assert connection.soft_error == errno.ENETUNREACH
    a.routes.add(B, 24, a.interfaces[1])
    world.run()
    assert accepted.recv(10, world.now) == b"x"


def test_progress_spares_the_neighbour_a_question() -> None:
    """A transfer that goes on for minutes needs no more ARP: acknowledgments prove the neighbour alive."""
    world, a, b = pair()
    connection, accepted = established(world, a, b)
    world.log.clear()
    for _ in range(120):
        connection.send(b"tick", world.now)
        world.run(until=world.now + SECOND)
        accepted.recv(100, world.now)
    assert [packet for packet in world.seen(ARP, a) if packet[ARP].operation == 1] == []


def test_a_poisoned_neighbour_is_found_out_in_the_middle_of_a_transfer() -> None:
    world, a, b = pair()
    connection, accepted = established(world, a, b)
    poison = Ethernet(a.interfaces[1].mac, b.interfaces[1].mac) / ARP(
        operation=2, sender_hardware="02:66:66:66:66:66", sender_protocol=B, target_hardware=a.interfaces[1].mac, target_protocol="10.0.0.1"
    )
    b.send_raw(b.interfaces[1], poison)
    world.run(until=world.now + SECOND)
    connection.send(b"hello", world.now)
    world.run(until=world.now + 30 * SECOND)
    assert accepted.recv(10, world.now) == b"hello"
    assert DropReason.NOT_FOR_US in b.drops


def test_a_corrupted_answer_delays_a_connection_for_seconds_only() -> None:
    """One bit of the first ARP reply flips: repeated SYNs make the host ask again, long before the neighbour is stale."""
    world, a, b = pair()
    b.tcp.listen(None, 80)
    corrupted: list[Packet] = []

    def flip(sender: str, packet: Packet) -> list[Packet]:
        if sender == "b" and ARP in packet and not corrupted:
            corrupted.append(packet)
            return [packet.replace(packet[ARP].replace(sender_hardware=MAC("02:00:00:00:02:03")))]
        return [packet]

    world.filter = flip
    connection = a.tcp.connect(None, (B, 80), now=world.now)
    world.run()
    assert connection.state is State.ESTABLISHED
    assert world.now < 20 * SECOND


def test_many_connections_share_one_heap_of_timers() -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80, backlog=2000)
    connections = [a.tcp.connect(None, (B, 80), now=world.now) for _ in range(1000)]
    world.run()
    accepted = [listener.accept() for _ in connections]
    assert None not in accepted
    for connection in connections:
        connection.send(b"hello", world.now)
    world.run()
    for each in accepted:
        assert each is not None
        assert each.recv(10, world.now) == b"hello"
        each.close(world.now)
    world.run()
    for connection in connections:
        connection.close(world.now)
    world.run(until=world.now + 61 * SECOND)
    assert (len(a.tcp.connections), len(b.tcp.connections), len(a.tcp.ports)) == (0, 0, 0)
    assert len({connection.local[1] for connection in connections}) == 1000


def test_settings_of_the_host_serve_where_none_are_given() -> None:
    _, a, _ = pair()
    a.tcp.settings = TcpSettings(maximum_segment=500)
    assert a.tcp.listen(None, 80).settings.maximum_segment == 500
    assert a.tcp.connect(None, (B, 80)).settings.maximum_segment == 500


def test_netstat_lists_every_socket() -> None:
    world, a, b = pair()
    connection, _ = established(world, a, b)
    b.tcp.listen(None, 8080, backlog=5)
    endpoint = b.udp.open(4)
    endpoint.bind(IPv4Address.UNSPECIFIED, 53)
    other = b.udp.open(6)
    other.connect(IPv6Address("::ffff:10.0.0.1"), 53)
    connection.send(b"12345", world.now)
    world.run()
    rows = b.netstat()
    port = connection.local[1]
    assert [(row.protocol, row.receive_queue, row.local, row.remote, row.state) for row in rows] == [
        ("tcp6", 0, ":::8080", ":::*", "LISTEN"),
        ("tcp", 5, "10.0.0.2:80", f"10.0.0.1:{port}", "ESTABLISHED"),
        ("udp", 0, "0.0.0.0:53", "0.0.0.0:*", ""),
        ("udp6", 0, f"::ffff:10.0.0.2:{other.port}", "::ffff:10.0.0.1:53", "ESTABLISHED"),
    ]
    assert str(rows).splitlines()[1] == "tcp6       0      5 :::8080                 :::*                    LISTEN"
    connection.send(bytes(100), world.now)
    assert [row.send_queue for row in a.netstat()] == [100]


def test_time_wait_is_left_only_for_a_syn_that_somebody_takes() -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80, claim=b.tcp.bind(None, 80, reuse_address=True))
    connection = a.tcp.connect(None, (B, 80), now=world.now)
    world.run()
    accepted: Any = listener.accept()
    for end in (accepted, connection):
        end.close(world.now)
        world.run()
    assert accepted.state is State.TIME_WAIT
    listener.close(world.now)
    syn = TCP(source=connection.local[1], destination=80, sequence=connection.snd.nxt + 1000 & 0xFFFFFFFF, syn=True)
    b.tcp.segment_in(accepted, syn, b"")  # nobody listens
    assert accepted.state is State.TIME_WAIT
    listener = b.tcp.listen(None, 80, claim=b.tcp.bind(None, 80, reuse_address=True))
    b.tcp.segment_in(accepted, syn.replace(rst=True), b"")  # begins nothing; a SYN,FIN does, as in Linux: syn-fin-in-time-wait.pkt
    assert (accepted.state, listener.half_open) == (State.TIME_WAIT, 0)
    b.tcp.segment_in(accepted, syn, b"")
    assert (accepted.state, listener.half_open) == (State.CLOSED, 1)


def test_all_segments_of_a_flow_carry_one_label() -> None:
    """RFC 6437 section 3: from the SYN on, a label that is not 0, another one in each direction and for each connection."""
    world, a, b = pair()
    listener = b.tcp.listen(None, 80)
    for _ in range(2):
        one = a.tcp.connect(None, (IPv6Address("2001:db8::2"), 80), now=world.now)
        world.run()
        one.send(b"x" * 5000, world.now)
        one.close(world.now)
        world.run()
    assert listener.accept() is not None
    labels: dict[tuple[int, int], set[int]] = {}
    for _, _, packet in world.log:
        if TCP in packet:
            labels.setdefault((packet[TCP].source, packet[TCP].destination), set()).add(packet[IPv6].flow_label)
    assert len(labels) == 4
    assert all(len(each) == 1 for each in labels.values()), labels
    assert len(set.union(*labels.values()) - {0}) == 4
