"""Drills in Python: several connections, values of earlier packets, what is expected and what must not come."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from stack import TCP, Drill, Host, Mismatch, Network, StackError

SYN = "S 0:0(0) win 32792 <mss 1000,sackOK,nop,nop,nop,wscale 7>"


@pytest.fixture
def net() -> Iterator[Network]:
    with Network(seed=1) as net:
        yield net


@pytest.fixture
def server(net: Network) -> Host:
    host = net.host("server")

    @host.program
    def echo() -> None:
        with socket.create_server(("", 8080), family=socket.AF_INET6, dualstack_ipv6=True, backlog=8) as listener:
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(connection.recv(100))

    return host


def test_a_server_answers_and_closes(net: Network, server: Host) -> None:
    drill: Drill = net.drill(server)
    drill.inject(SYN)
    answer = drill.expect("S. 0:0(0) ack 1 <...>", within="1 ms")
    assert answer.packet[TCP].syn
    assert answer.segment.ack == 1
    drill.sleep("10 ms")
    drill.inject(". 1:1(0) ack 1 win 257")
    drill.inject("P. 1:11(10) ack 1 win 257")
    drill.expect(". 1:1(0) ack 11")
    drill.expect("P. 1:11(10) ack 11")
    drill.expect("F. 11:11(0) ack 11")
    drill.inject(". 11:11(0) ack 12 win 257")
    drill.expect_nothing("1 s")


def test_connections_side_by_side(net: Network, server: Host) -> None:
    drill: Drill = net.drill(server)
    for flow in range(5):
        drill.inject(SYN, flow=flow)
    for flow in reversed(range(5)):
        seen = drill.expect("S. 0:0(0) ack 1 <...>", flow=flow)
        assert seen.packet[TCP].destination == drill.flow(flow).remote_port
        drill.inject(". 1:1(0) ack 1 win 257", flow=flow)
    assert len({drill.flow(flow).live_local for flow in range(5)}) == 5


def test_a_host_that_connects(net: Network) -> None:
    host = net.host("client")
    drill: Drill = net.drill(host, to=80)

    @host.program
    def client() -> int:
        with socket.create_connection(("192.0.2.1", 80)) as connection:
            return len(connection.recv(100))

    drill.expect("S 0:0(0) <...>")
    drill.inject("S. 0:0(0) ack 1 win 1000 <mss 1460>")
    drill.expect(". 1:1(0) ack 1")
    drill.inject("F. 1:21(20) ack 1 win 1000")
    drill.expect("F. 1:1(0) ack 22")
    assert client.result() == 20


def test_ipv6(net: Network, server: Host) -> None:
    drill: Drill = net.drill(server, version=6)
    drill.inject(SYN)
    drill.expect("S. 0:0(0) ack 1 <...>")


def test_what_comes_instead_is_said(net: Network, server: Host) -> None:
    drill: Drill = net.drill(server)
    drill.inject(SYN)
    with pytest.raises(Mismatch, match=r"expected: > S\. 0:0\(0\) ack 2") as caught:
        drill.expect("S. 0:0(0) ack 2 <...>")
    assert "ack 1" in caught.value.actual


def test_a_packet_that_comes_too_early_too_late_or_at_all(net: Network, server: Host) -> None:
    drill: Drill = net.drill(server)
    with pytest.raises(Mismatch, match="no packet was sent within 5 ms"):
        drill.expect("S. 0:0(0) ack 1 <...>", within="5 ms")
    drill.inject(SYN)
    with pytest.raises(Mismatch, match="already"):
        drill.expect("S. 0:0(0) ack 1 <...>", within="1 s", after="100 ms")
    drill.inject(SYN, flow="other")
    with pytest.raises(Mismatch, match="expected none"):
        drill.expect_nothing("1 ms")


def test_the_host_keeps_its_other_links(net: Network, server: Host) -> None:
    client = net.host("client")
    net.link(client, server, delay="1 ms")
    net.drill(server)
    assert client.ping(server, count=1)


def test_what_is_no_packet_is_refused(net: Network, server: Host) -> None:
    drill: Drill = net.drill(server)
    for text in ("S", "S 0:0(0)\n+0 > . 1:1(0)", "", "socket()"):
        with pytest.raises(StackError):
            drill.inject(text)
