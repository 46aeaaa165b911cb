"""Echo, discard and daytime on emulated hosts: the same objects as in the real world (RFC 862, 863, 867)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from stack.application.daytime import DaytimeServer, daytime, daytime_datagram
from stack.application.discard import DiscardServer, discard
from stack.application.echo import EchoServer, echo, echo_datagram
from stack.socket.loop import HostLoop
from tests.socket.emulated import Linked


@pytest.fixture
def net() -> Iterator[Linked]:
    made = Linked()
    made.programs.loops = lambda node: HostLoop(node, resident=True)
    yield made
    made.close()


def test_echo_to_an_asyncio_client(net: Linked) -> None:
    net.programs.start_async(net.server_node, EchoServer().serve)
    with net.here():
        data = bytes(range(256)) * 1000
        assert asyncio.run(echo("server", data)) == data
        assert asyncio.run(echo_datagram("server", b"once")) == b"once"


def test_echo_to_a_blocking_client_in_both_ip_versions(net: Linked) -> None:
    net.programs.start_async(net.server_node, EchoServer().serve)
    with net.here():
        for address in (net.there_address, net.addresses6[1]):
            with socket.create_connection((address, 7), timeout=5) as client:
                client.sendall(b"blocking")
                assert client.recv(100) == b"blocking"


def test_discard(net: Linked) -> None:
    server = DiscardServer()
    net.programs.start_async(net.server_node, server.serve)
    with net.here():
        asyncio.run(discard("server", bytes(200_000)))
    assert server.octets == 200_000


def test_daytime_is_the_virtual_time(net: Linked) -> None:
    net.programs.start_async(net.server_node, DaytimeServer().serve)
    with net.here():
        first = asyncio.run(daytime("server"))
        asyncio.run(asyncio.sleep(3600))
        second = asyncio.run(daytime_datagram("server"))
    assert (first[-12:], second[-12:]) == ("00:00:00-UTC", "01:00:00-UTC")
    assert first[:-12] == second[:-12]


def test_nobody_serves_on_the_port(net: Linked) -> None:
    with net.here():
        with pytest.raises(ConnectionRefusedError):
            asyncio.run(echo(net.there_address, b"x"))
        with pytest.raises(ConnectionRefusedError):
            asyncio.run(echo_datagram(net.there_address, b"x"))
