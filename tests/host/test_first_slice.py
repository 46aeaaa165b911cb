"""Two hosts find each other, ping, and open a TCP connection."""

from __future__ import annotations

import errno

import pytest

from stack.base.address import ip_address
from stack.ip.formats.icmp import ICMP
from stack.ip.formats.icmpv6 import ICMPv6
from stack.tcp.formats.tcp import TCP
from tests.host.headers import ARP
from tests.host.wire import MILLISECOND, pair

VERSIONS = pytest.mark.parametrize(("mine", "yours"), [("10.0.0.1", "10.0.0.2"), ("2001:db8::1", "2001:db8::2")])


@VERSIONS
def test_ping(mine: str, yours: str) -> None:
    world, a, b = pair()
    control = a.icmp if ":" not in yours else a.icmpv6
    echo = control.open()
    echo.send(ip_address(yours), 1, world.now, b"abcdefgh")
    world.run()
    result = echo.receive()
    assert result is not None
    assert result.reply is not None
    assert (result.reply.sender, result.reply.data, result.round_trip) == (ip_address(yours), b"abcdefgh", 4 * MILLISECOND)
    assert (a.drops, b.drops) == ({}, {})
    assert len(world.seen(ARP)) == (2 if ":" not in yours else 0)
    assert len(world.seen(ICMP)) + len(world.seen(ICMPv6)) == (2 if ":" not in yours else 4)


@VERSIONS
def test_a_tcp_connection_from_opening_to_close(mine: str, yours: str) -> None:
    world, a, b = pair()
    listener = b.tcp.listen(None, 80)
    connection = a.tcp.connect(None, (ip_address(yours), 80), now=world.now)
    world.run()
    accepted = listener.accept()
    assert accepted is not None
    connection.send(b"x" * 10_000, world.now)
    world.run()
    assert accepted.recv(20_000, world.now) == b"x" * 10_000
    connection.close(world.now)
    world.run()
    assert accepted.eof
    accepted.close(world.now)
    world.run()
    assert len(b.tcp.connections) == 0
    world.run(until=world.now + 61_000 * MILLISECOND)
    assert len(a.tcp.connections) == 0
    assert len(a.tcp.ports) == 0
    assert (a.drops, b.drops) == ({}, {})


@VERSIONS
def test_a_port_where_nobody_listens_refuses(mine: str, yours: str) -> None:
    world, a, _ = pair()
    connection = a.tcp.connect(None, (ip_address(yours), 81), now=world.now)
    world.run()
    assert connection.error == errno.ECONNREFUSED
    assert [packet[TCP].rst for packet in world.seen(TCP)] == [False, True]
    assert len(a.tcp.ports) == 0
