"""What RFC 9293 asks of TCP where it meets IP: checksums, addresses, the Diffserv field, time to live, IP options (3.1, 3.9.1.1, 3.9.2)."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from stack.base.address import IPAddress, IPv4Address, ip_address
from stack.base.event import DropReason
from stack.codec.checksum import ones_sum
from stack.codec.packet import Packet
from stack.host.host import HostEngine
from stack.ip.formats.icmp import ICMP
from stack.tcp.formats.options import MSS, TCPOptions, WindowScale
from stack.tcp.formats.tcp import TCP
from stack.tcp.state import State
from tests.host.headers import Ethernet, IPv4, IPv6
from tests.host.wire import SECOND, World, pair, routed
from tests.ledger import rfc

A, B = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")


def conversation(to: str = "10.0.0.2") -> tuple[World, HostEngine, HostEngine]:
    """A connection with some octets each way, and its end."""
    world, a, b = pair()
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (ip_address(to), 80), now=world.now)
    world.run()
    accepted = listener.accept()
    assert accepted is not None
    connection.send(b"odd", world.now)
    accepted.send(bytes(4000), world.now)
    world.run()
    connection.close(world.now)
    accepted.close(world.now)
    world.run(until=world.now + SECOND)
    return world, a, b


def raw(a: HostEngine, b: HostEngine, tcp: TCP, *, source: str = "10.0.0.1", destination: str = "10.0.0.2", options: bytes = b"") -> None:
    """A segment from a to b that no connection of a's has made."""
    a.send_raw(a.interfaces[1], Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / IPv4(source=source, destination=destination, options=options) / tcp)


@rfc("9293", "MUST-2")
@pytest.mark.parametrize("to", ["10.0.0.2", "2001:db8::2"])
def test_every_segment_carries_the_sum_over_its_pseudo_header(to: str) -> None:
    world, _, _ = conversation(to)
    frames = [bytes(packet) for packet in world.seen(TCP)]
    assert len(frames) > 8
    for frame in frames:
        six = frame[14] >> 4 == 6
        addresses = frame[22:54] if six else frame[26:34]
        segment = frame[54 if six else 34 :]
        pseudo = addresses + len(segment).to_bytes(4, "big") + b"\0\0\0\6"
        assert ones_sum(pseudo + segment) == 0
        assert segment[16:18] != b"\0\0"


@rfc("9293", "MUST-3")
def test_one_wrong_bit_anywhere_in_a_segment_is_dropped() -> None:
    world, a, b = pair(icmp_per_second=0)
    frame = bytes(Ethernet(b.interfaces[1].mac, a.interfaces[1].mac) / IPv4(source=A, destination=B) / TCP(4000, 80, syn=True) / b"text")
    for octet in range(34, len(frame)):
        damaged = bytearray(frame)
        damaged[octet] ^= 4
        a.send_raw(a.interfaces[1], Packet.parse(bytes(damaged)))
    world.run(until=SECOND)
    assert sum(b.drops.values()) == len(frame) - 34
    assert set(b.drops) <= {DropReason.BAD_CHECKSUM, DropReason.MALFORMED}
    assert world.seen(TCP, b) == []


@rfc("9293", "MUST-68")
@rfc("9293", "MUST-69")
def test_options_have_lengths_and_are_padded_with_zeros() -> None:
    assert bytes(TCPOptions([MSS(1460), WindowScale(7)])) == bytes([2, 4, 5, 180, 3, 3, 7, 0])
    world, _, _ = conversation()
    for packet in world.seen(TCP):
        options = bytes(packet[TCP].options)
        assert len(options) % 4 == 0
        at = 0
        while at < len(options) and options[at] != 0:
            at += 1 if options[at] == 1 else options[at + 1]
            assert at <= len(options)
        assert not any(options[at:])


@rfc("9293", "MUST-22")
def test_a_syn_is_repeated_and_given_up_as_data_is() -> None:
    world, a, _ = pair()
    told: list[int | None] = []
    world.filter = lambda sender, packet: [] if TCP in packet else [packet]
    connection = a.tcp.connect(None, (B, 80), now=world.now)
    connection.notify = lambda: told.append(connection.error)
    world.run(until=200 * SECOND)
    times = [time // SECOND for time, _, packet in world.log if TCP in packet]
    assert times == [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67]
    assert (told[-1], connection.state) == (errno.ETIMEDOUT, State.CLOSED)


@rfc("9293", "MUST-41")
def test_a_listen_that_fails_leaves_what_there_was() -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80)
    with pytest.raises(OSError, check=lambda error: error.errno == errno.EADDRINUSE):
        b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (B, 80), now=world.now)
    world.run()
    assert (connection.state, listener.waiting) == (State.ESTABLISHED, 1)


@rfc("9293", "MUST-42")
def test_a_port_can_be_listened_on_while_it_opens_connections() -> None:
    """In SYN-SENT (to an address where nobody answers) and in SYN-RECEIVED (its answer never arrives)."""
    world, a, b = pair()
    calling = b.tcp.bind(None, 80, reuse_address=True)
    out = b.tcp.connect(None, (IPv4Address("10.0.0.77"), 9), now=world.now, claim=calling)
    listener = b.tcp.listen(None, 80, claim=b.tcp.bind(None, 80, reuse_address=True))
    raw(a, b, TCP(4000, 80, sequence=1, syn=True), source="10.0.0.99")
    world.run(until=SECOND // 2)
    assert out.state is State.SYN_SENT
    assert [each.state for each in b.tcp.connections.values()] == [State.SYN_SENT, State.SYN_RECEIVED]
    connection = a.tcp.connect(None, (B, 80), now=world.now)
    world.run(until=SECOND)
    assert (connection.state, listener.waiting) == (State.ESTABLISHED, 1)


def multihomed() -> tuple[World, HostEngine, HostEngine]:
    """Host a with two interfaces, b on the second one's cable."""
    world = World()
    a = world.host("a", "192.168.0.1/24", "10.0.0.1/24 10.0.0.9/24")
    b = world.host("b", "10.0.0.2/24")
    world.cable((a, 1), (b, 0))
    return world, a, b


@rfc("9293", "MUST-43")
@pytest.mark.parametrize("local", ["10.0.0.9", "10.0.0.1", "192.168.0.1"])
def test_a_program_chooses_its_local_address(local: str) -> None:
    world, a, b = multihomed()
    connection = a.tcp.connect((ip_address(local), 0), (B, 80), now=world.now)
    assert connection.local is not None
    assert connection.local[0] == ip_address(local)
    listener = b.tcp.listen(B, 80)
    assert listener.local == (B, 80)
    world.run(until=SECOND // 2)
    assert {packet[IPv4].source for packet in world.seen(TCP, a)} == {ip_address(local)}


@rfc("9293", "MUST-44")
@rfc("9293", "MUST-45")
def test_ip_chooses_the_local_address_and_the_connection_keeps_it() -> None:
    world, a, b = multihomed()
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (B, 80), now=world.now)
    world.run()
    assert connection.local is not None
    assert connection.local[0] == A
    accepted = listener.accept()
    assert accepted is not None
    closer = IPv4Address("10.0.0.3")  # shares more of its bits with the destination: new connections leave from here
    a.add_address(a.interfaces[2], closer, 24)
    later = a.tcp.connect(None, (B, 81), now=world.now)
    connection.send(b"still from the first", world.now)
    world.run()
    assert accepted.recv(100, world.now) == b"still from the first"
    assert {packet[IPv4].source for packet in world.seen(TCP, a) if packet[TCP].destination == 80} == {A}
    assert later.local is not None
    assert later.local[0] == closer


@rfc("9293", "MUST-46")
@pytest.mark.parametrize("to", ["255.255.255.255", "10.0.0.255", "224.0.0.1", "ff02::1"])
def test_an_open_to_a_group_is_an_error(to: str) -> None:
    world, a, _ = pair()
    with pytest.raises(OSError, check=lambda error: error.errno == errno.ENETUNREACH):
        a.tcp.connect(None, (ip_address(to), 80), now=world.now)
    world.run()
    assert (world.log, len(a.tcp.ports)) == ([], 0)


@rfc("9293", "MUST-57")
@pytest.mark.parametrize("to", ["10.0.0.255", "255.255.255.255", "224.0.0.1"])
def test_a_segment_to_a_group_is_dropped_in_silence(to: str) -> None:
    world, a, b = pair()
    b.tcp.listen(None, 80)
    for tcp in (TCP(4000, 80, syn=True), TCP(4000, 81, ack=True)):
        frame = Ethernet("ff:ff:ff:ff:ff:ff", a.interfaces[1].mac) / IPv4(source=A, destination=to) / tcp
        a.send_raw(a.interfaces[1], frame)
    world.run()
    assert b.drops == {DropReason.BAD_ADDRESS: 2}
    assert world.seen(TCP, b) + world.seen(ICMP, b) == []


@rfc("9293", "MUST-63")
@pytest.mark.parametrize("source", ["224.0.0.1", "255.255.255.255", "10.0.0.255", "127.0.0.1", "0.0.0.0", "240.0.0.1", "10.0.0.2"])
def test_a_syn_from_an_address_that_cannot_be_a_host_is_ignored(source: str) -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80)
    raw(a, b, TCP(4000, 80, syn=True), source=source)
    world.run()
    assert b.drops == {DropReason.BAD_ADDRESS: 1}
    assert (listener.waiting, b.tcp.connections, len(world.log)) == (0, {}, 1)


def sent_by(world: World, host: HostEngine) -> list[tuple[int, int]]:
    """The Diffserv field and the time to live of each segment of a host."""
    ips: list[Any] = [packet.get(IPv4) or packet.get(IPv6) for packet in world.seen(TCP, host)]
    return [(ip.dscp, ip.time_to_live if isinstance(ip, IPv4) else ip.hop_limit) for ip in ips]


@rfc("9293", "MUST-48")
@rfc("9293", "MUST-49")
@rfc("9293", "SHLD-21")
@rfc("9293", "SHLD-22")
@pytest.mark.parametrize("to", ["10.0.0.2", "2001:db8::2"])
def test_a_connection_has_the_diffserv_field_and_time_to_live_that_are_asked_for(to: str) -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80, settings=b.tcp.settings.replace(traffic_class=46 << 2))
    connection = a.tcp.connect(None, (ip_address(to), 80), a.tcp.settings.replace(hop_limit=7), now=world.now)
    world.run()
    accepted = listener.accept()
    assert accepted is not None
    assert set(sent_by(world, a)) == {(0, 7)}
    assert set(sent_by(world, b)) == {(46, 64)}
    world.log.clear()
    connection.configure(world.now, hop_limit=None, traffic_class=10 << 2)
    connection.send(bytes(5000), world.now)
    world.run()
    assert set(sent_by(world, a)) == {(10, 64)}
    world.log.clear()
    connection.configure(world.now, traffic_class=0)
    connection.send(bytes(5000), world.now)
    world.run()
    assert set(sent_by(world, a)) == {(0, 64)}


@rfc("9293", "MUST-49")
def test_the_time_to_live_of_a_host_is_configurable() -> None:
    world, a, _ = pair(time_to_live=9)
    a.tcp.connect(None, (B, 80), now=world.now)
    world.run()
    assert set(sent_by(world, a)) == {(0, 9)}


@rfc("9293", "MUST-50")
@pytest.mark.parametrize("options", [b"\1\1\1\1", bytes([0x99, 4, 1, 2]), bytes([131, 7, 8, 10, 0, 0, 9, 0]), bytes([7, 7, 4, 0, 0, 0, 0, 0])])
def test_ip_options_that_mean_nothing_to_tcp_are_ignored(options: bytes) -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80)
    raw(a, b, TCP(4000, 80, sequence=5, syn=True), options=options)
    world.run(until=SECOND // 2)
    answers = [packet[TCP] for packet in world.seen(TCP, b)]
    assert [(one.syn, one.ack, one.acknowledgment) for one in answers] == [(True, True, 6)]
    assert listener.waiting == 0


def quoted(world: World, sender: HostEngine, of: HostEngine, to: IPAddress, message: ICMP) -> None:
    """An ICMP error about the last segment of `of`."""
    octets = bytes(world.seen(TCP, of)[-1])[14:42]
    frame = Ethernet(of.interfaces[1].mac, sender.interfaces[1].mac) / IPv4(source=sender.interfaces[1].addresses[0][0], destination=to) / message / octets
    sender.send_raw(sender.interfaces[1], frame)


@rfc("9293", "MUST-55")
def test_source_quench_is_discarded_in_silence() -> None:
    world, a, router, b = routed()
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (ip_address("10.0.2.1"), 80), now=world.now)
    world.run()
    assert listener.accept() is not None
    window = connection.congestion.cwnd
    world.log, before = world.log[:], len(world.log)
    quoted(world, router, a, ip_address("10.0.1.1"), ICMP(type=4, code=0))
    world.run()
    assert len(world.log) == before + 1
    assert (connection.state, connection.error, connection.soft_error) == (State.ESTABLISHED, None, None)
    assert connection.congestion.cwnd == window


@rfc("9293", "SHLD-6")
def test_the_segment_size_announced_is_what_the_interface_can_take() -> None:
    world, a, _, b = routed(mtu=900)
    b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (ip_address("10.0.2.1"), 80), now=world.now)
    world.run()
    announced = [option.mss for packet in world.seen(TCP, b) for option in packet[TCP].options if isinstance(option, MSS)]
    assert announced == [860]
    assert connection.snd.mss <= 860


@rfc("9293", "SHLD-20")
def test_errors_are_reported_to_who_asks_for_reports() -> None:
    world, a, b = pair()
    b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (B, 80), now=world.now)
    world.run()
    connection.icmp_error(errno.EHOSTUNREACH, False, world.now)
    assert connection.take_events() == []
    connection.watch()
    connection.icmp_error(errno.ENETUNREACH, False, world.now)
    assert [what for _, what, _ in connection.take_events()] == ["icmp"]


@rfc("9293", "MAY-8")
def test_a_window_may_stay_shut_for_hours() -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80, settings=b.tcp.settings.replace(receive_buffer=5000, fixed_receive_buffer=True))
    connection = a.tcp.connect(None, (B, 80), now=world.now)
    world.run()
    accepted = listener.accept()
    assert accepted is not None
    text = bytes(range(256)) * 80
    assert connection.send(text, world.now) == len(text)
    world.run(until=3 * 3600 * SECOND)
    assert connection.state is State.ESTABLISHED
    assert [packet[TCP].window for packet in world.seen(TCP, b)[-5:]] == [0] * 5
    read = b""
    while len(read) < len(text):
        read += accepted.recv(100_000, world.now)
        world.run(until=world.now + 120 * SECOND)
    assert read == text
