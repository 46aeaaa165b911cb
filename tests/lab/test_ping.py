"""Ping and traceroute: what they find, what they print, what they say when there is nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from stack import TCP, Host, StackError
from tests.lab.build import ask, chain, echo, pair


def test_ping_prints_what_ping_prints() -> None:
    net, a, _b, _ = pair()
    assert str(a.ping("b", 2)) == (
        "PING b (10.0.0.2): 56 data bytes\n"
        "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=40.000 ms\n"  # the first asks for the MAC address
        "64 bytes from 10.0.0.2: icmp_seq=2 ttl=64 time=20.000 ms\n"
        "\n--- b ping statistics ---\n"
        "2 packets transmitted, 2 received, 0% packet loss\n"
        "round-trip min/avg/max = 20.000/30.000/40.000 ms"
    )
    assert net.now == 1_020_000_000, "it ends with the last answer"


@pytest.mark.parametrize("target", [lambda b: b, lambda b: "b", lambda b: str(b.address), lambda b: b.address], ids=range(4))
def test_a_target_is_a_host_a_name_or_an_address(target: Callable[[Host], Any]) -> None:
    _, a, b, _ = pair()
    assert a.ping(target(b), 1).target == b.address


def test_ping_over_ipv6_to_itself_and_in_fragments() -> None:
    _, a, b, link = pair()
    assert str(a.ping(b, 1, version=6).target) == "fd00::2"
    assert a.ping(a, 1).times == a.ping("localhost", 1).times == (0,)
    a.ping(b, 1)
    before = link.directions[0].entered
    assert a.ping(b, 1, size=4000)
    assert link.directions[0].entered == before + 3
    with pytest.raises(OSError, match="too long"):
        a.ping(b, 1, size=4000, dont_fragment=True)


def test_lost_and_doubled_answers_are_counted() -> None:
    _net, a, b, link = pair()
    a.ping(b, 1)
    link.toward(b).loss = 1
    lost = a.ping(b, 2, interval="100 ms", timeout="300 ms")
    assert (lost.sent, lost.received, lost.loss, bool(lost)) == (2, 0, 1.0, False)
    assert "2 packets transmitted, 0 received, 100% packet loss" in str(lost)
    link.toward(b).loss = 0
    link.toward(b).duplication = 1
    doubled = a.ping(b, 2)
    assert doubled.received == 2
    assert "(DUP!)" in str(doubled)


def test_a_hop_limit_that_is_too_small_names_the_router() -> None:
    _, a, b = chain()
    found = a.ping(b, 1, hop_limit=1)
    assert not found
    assert "From 10.0.0.2: icmp_seq=1 ICMP type 11 code 0" in str(found)


def test_traceroute_names_the_routers() -> None:
    _, a, b = chain()
    found = a.traceroute(b)
    assert str(found) == (
        "traceroute to b (10.0.2.2), 30 hops max\n"
        " 1  r1 (10.0.0.2)  40.000 ms  20.000 ms  20.000 ms\n"
        " 2  r2 (10.0.1.2)  60.000 ms  40.000 ms  40.000 ms\n"
        " 3  b (10.0.2.2)  80.000 ms  60.000 ms  60.000 ms"
    )
    assert found.reached
    assert [str(one) for one in a.traceroute(b, version=6, probes=1).path] == ["fd00::2", "fd00:0:0:1::2", "fd00:0:0:2::2"]


def test_traceroute_says_where_the_way_ends() -> None:
    net, a, b = chain()
    net.update()
    b.add_address("10.9.0.1/32")
    a.add_route("10.9.0.0/16", "r1")
    found = a.traceroute("10.9.0.1", probes=1)
    assert not found.reached
    assert str(found).endswith(" 1  r1 (10.0.0.2)  40.000 ms\n 2  r1 (10.0.0.2)  20.000 ms !N")
    with net.links["r2-b"].down():
        silent = a.traceroute(b, hops=4, probes=1, timeout="100 ms")
    assert str(silent).endswith("\n 3  *\n 4  *")


@pytest.mark.parametrize(
    ("message", "mistake"),
    [
        ("count is 0; expected an integer of at least 1", lambda a: a.ping("b", 0)),
        ("size is -1; expected an integer of at least 0", lambda a: a.ping("b", size=-1)),
        ("version is 5; expected 4, 6, or None", lambda a: a.ping("b", version=5)),
        ("nobody is named 'c', and it is no IP address", lambda a: a.ping("c")),
        ("None is no target; expected a host, a name or an address", lambda a: a.ping(None)),
        ("hops is 0; expected an integer from 1 to 255", lambda a: a.traceroute("b", hops=0)),
        ("fd00::2 has no IPv4 address", lambda a: a.ping("fd00::2", version=4)),
    ],
)
def test_mistakes(message: str, mistake: Callable[[Host], Any]) -> None:
    _, a, _, _ = pair()
    with pytest.raises((ValueError, TypeError, StackError), match=message):
        mistake(a)


def test_netstat_lists_what_is_open_and_drops_say_why() -> None:
    net, a, b, _ = pair()
    echo(b)
    assert ask(a) == b"hello"
    net.run()
    lines = str(b.netstat()).splitlines()
    assert lines[0].split()[:3] == ["Proto", "Recv-Q", "Send-Q"]
    assert [line.split()[-1] for line in lines[1:]] == ["LISTEN"]
    assert "TIME_WAIT" in str(a.netstat())
    probe = net.probe(b)
    probe.send(TCP(source=1, destination=9, syn=True, checksum=1))
    net.run()
    assert [str(reason.value) for reason in b.drops] == ["bad checksum"]


def test_a_port_where_nobody_listens() -> None:
    _, a, b, _ = pair()
    with a, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("b", 9))
    with a, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.connect(("b", 9))
        datagrams.send(b"?")
        with pytest.raises(ConnectionRefusedError):
            datagrams.recv(100)
    assert sum(b.drops.values()) == 3, "both addresses of b were tried"
