"""Networks of one IP version, and routes after a link has gone."""

from __future__ import annotations

import socket

import pytest

from stack import ARP, TCP, IPv4, IPv6, Network, Packet, StackError


def test_a_network_of_ipv6_only_has_no_ipv4_at_all() -> None:
    net = Network(versions=(6,))
    client, router, server = net.host("client"), net.router("router"), net.host("server")
    net.link(client, router)
    net.link(router, server)
    with net.capture() as trace, client:
        assert client.ping("server", count=1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("server", 80))
        with pytest.raises(socket.gaierror):
            socket.gethostbyname("server")
    assert [len(address) for address in server.addresses] == [16]
    with pytest.raises(StackError, match="no IPv4 address"):
        server.address  # noqa: B018
    assert all(IPv6 in record.packet and IPv4 not in record.packet and ARP not in record.packet for record in trace)


def test_a_network_of_ipv4_only_never_solicits_a_neighbour() -> None:
    net = Network(versions=[4])
    a, b = net.host("a"), net.host("b")
    net.link(a, b)
    with net.capture() as trace, a, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("b", 80))
    assert [len(address) for address in b.addresses] == [4]
    assert len(trace) == 4
    assert not any(IPv6 in record.packet for record in trace)


@pytest.mark.parametrize("versions", [(), (5,), "46"])
def test_there_are_two_versions(versions: object) -> None:
    with pytest.raises(ValueError, match=r"expected \(4,\), \(6,\) or \(4, 6\)"):
        Network(versions=versions)  # type: ignore[arg-type]


def test_routes_avoid_a_link_that_is_down_when_they_are_computed_anew() -> None:
    net = Network()
    routers = [net.router(f"r{number}") for number in range(4)]
    ring = [net.link(routers[number], routers[(number + 1) % 4], delay="1 ms") for number in range(4)]
    a, b = net.host("a"), net.host("b")
    net.link(a, routers[0])
    net.link(routers[2], b)
    way = [f"r{number}" for number in (0, 1, 2)]
    assert [hop[0].name for hop in a.traceroute(b, probes=1).hops if hop[0]] == [*way, "b"]
    with ring[0].down():
        assert not a.ping(b, count=1)
        net.reroute()
        assert [hop[0].name for hop in a.traceroute(b, probes=1).hops if hop[0]] == ["r0", "r3", "r2", "b"]
    net.reroute()
    assert [hop[0].name for hop in a.traceroute(b, probes=1).hops if hop[0]] == [*way, "b"]


def test_a_probe_in_a_network_of_ipv6_only_speaks_ipv6() -> None:
    net = Network(versions=(6,))
    probe = net.probe(net.host("server"))
    probe.send(TCP(source=4000, destination=81, sequence=7, syn=True))
    refused = probe.expect(TCP(rst=True, acknowledgment=8))
    assert refused[IPv6].destination == probe.address6
    with pytest.raises(StackError, match="probe has no IPv4 address"):
        probe.address  # noqa: B018
    with pytest.raises(StackError, match="has no IPv4 address"):
        probe.send(Packet(IPv4(), TCP()))


@pytest.mark.parametrize("wrong", ["text", None, 7])
def test_a_probe_says_what_it_can_send_and_expect(wrong: object) -> None:
    net = Network()
    probe = net.probe(net.host("server"))
    with pytest.raises(TypeError, match="cannot be sent; expected a packet, a header or bytes"):
        probe.send(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a header, a packet or a function"):
        probe.expect(wrong)  # type: ignore[arg-type]
