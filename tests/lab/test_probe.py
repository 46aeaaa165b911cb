"""A probe: a peer of a host that sends what it is told and expects what it is told."""

from __future__ import annotations

from typing import Any

import pytest

from stack import ARP, ICMP, MAC, TCP, UDP, Ethernet, Host, ICMPv6, IPv4, IPv4Address, IPv6, Network, Packet, Probe
from stack.lab.probe import Unexpected
from tests.lab.build import echo


def facing(**settings: Any) -> tuple[Network, Host, Probe]:
    net = Network(seed=1)
    server = net.host("server")
    return net, server, net.probe(server, **settings)


def test_a_handshake_by_hand() -> None:
    _, server, probe = facing()
    echo(server, 80)
    probe.send(TCP(source=4000, destination=80, sequence=0, syn=True))
    reply = probe.expect(TCP(syn=True, ack=True, acknowledgment=1), within="10 ms")
    server_next = (reply[TCP].sequence + 1) & 0xFFFFFFFF
    established = TCP(source=4000, destination=80, sequence=1, acknowledgment=server_next, ack=True, window=65535)
    probe.send(established)
    probe.send(established / b"hello")
    assert probe.expect(TCP(source=80) / b"hello").payload == b"hello"
    probe.send(established.replace(sequence=6, acknowledgment=server_next + 5))
    probe.expect_nothing("1 s")


def test_the_design_speaks_of_packets_in_full() -> None:
    _net, server, probe = facing()
    packet = Ethernet(destination=server.mac) / IPv4(source=IPv4Address("10.0.0.9"), destination=server.address) / TCP(
        source=4000, destination=80, sequence=0, syn=True
    )  # fmt: skip
    sent = probe.send(packet)
    assert str(sent[IPv4].source) == "10.0.0.9"
    assert probe.expect(TCP(rst=True))[IPv4].destination == sent[IPv4].source, "it answers ARP for addresses it has used"


def test_what_is_not_given_becomes_the_probes_and_the_hosts() -> None:
    _, server, probe = facing()
    for sent in (probe.send(ICMP(type=8)), probe.send(IPv4() / ICMP(type=8)), probe.send(Packet(ICMP(type=8)))):
        assert (sent[Ethernet].destination, sent[IPv4].source, sent[IPv4].destination) == (server.mac, probe.address, server.address)
        assert probe.expect(ICMP(type=0))[IPv4].destination == probe.address
    assert probe.send(ICMPv6(type=128))[IPv6].destination == server.address6
    probe.expect(ICMPv6(type=129))
    assert repr(probe) == "<Probe probe at server: 10.0.0.2, fd00::2>"


def test_bytes_go_as_they_are() -> None:
    _net, server, probe = facing()
    probe.send(b"\xff" * 5)
    probe.send(bytes(Ethernet(destination=server.mac, source=probe.mac) / IPv4(source=probe.address, destination=server.address) / UDP(1, 9)))
    assert probe.expect(ICMP(type=3, code=3)).headers[0] == Ethernet(probe.mac, server.mac, 0x0800)
    assert sum(server.drops.values()) == 2


def test_broadcasts_are_not_addressed_anew() -> None:
    _, server, probe = facing()
    probe.send(Ethernet(MAC.BROADCAST, probe.mac) / ARP(operation=1, sender_hardware=probe.mac, sender_protocol=IPv4Address("10.0.0.99"), target_protocol=server.address))
    assert probe.expect(ARP(operation=2))[ARP].sender_hardware == server.mac


def test_a_probe_that_answers_nothing() -> None:
    net, server, probe = facing(answers=False)
    server.start(server.ping, probe.address, 1)
    assert probe.expect(ARP(operation=1))[ARP].target_protocol == probe.address
    asked = [probe.expect(ARP(operation=1), within="2 s") for _ in range(2)]
    assert all(one[Ethernet].destination == MAC.BROADCAST for one in asked)
    net.run("5 s")


def test_expecting_in_vain_lists_what_came() -> None:
    net, _server, probe = facing()
    probe.send(ICMP(type=8))
    probe.send(UDP(4, 9) / b"x")
    with pytest.raises(Unexpected) as raised:
        probe.expect(TCP(syn=True), within="100 ms")
    said = str(raised.value)
    assert said.startswith("probe expected TCP(")
    assert "within 100 ms; what came:" in said
    assert said.count("\n") == 2
    assert said.count("ICMP(type=") == 2
    assert net.now == 100_000_000
    with pytest.raises(Unexpected, match="what came:\n  nothing"):
        probe.expect(lambda packet: True, within=0)
    probe.send(ICMP(type=8))
    with pytest.raises(Unexpected, match="expected nothing within 1; what came"):
        probe.expect_nothing()


def test_patterns_are_headers_packets_and_functions() -> None:
    _, _, probe = facing()
    for pattern in (ICMP(type=0), IPv4(protocol=1) / ICMP(type=0), IPv4() / ICMP() / b"ping", lambda packet: packet.payload == b"ping"):
        probe.send(ICMP(type=8) / b"pong")
        probe.send(ICMP(type=8) / b"ping")
        found = probe.expect(pattern)
        probe.receive(within="1 ms")
        assert found[ICMP].type == 0
    assert probe.receive(within="1 ms") is None


def test_several_probes_at_one_host() -> None:
    net, server, probe = facing()
    other = net.probe("server", delay="50 ms", name="eve")
    third = net.probe(server)
    assert [probe.name, other.name, third.name] == ["probe", "eve", "probe2"]
    other.send(ICMP(type=8))
    other.expect(ICMP(type=0))
    assert net.now == 200_000_000, "ARP, and the answer"
    assert probe.receive("1 ms") is None
