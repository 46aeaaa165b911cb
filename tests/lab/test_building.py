"""Building a network: names, addresses and routes by themselves or as told; mistakes raise at once and leave nothing behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from stack import Network, StackError
from tests.lab.build import chain, pair


def test_names_addresses_and_macs_are_given_in_order() -> None:
    net = Network(seed=1)
    hosts = [net.host(), net.host(), net.router(), net.host("host9")]
    lan = net.switch()
    for host in hosts:
        net.link(host, lan)
    assert [host.name for host in hosts] == ["host1", "host2", "router1", "host9"]
    assert lan.name == "switch1"
    assert [str(host.address) for host in hosts] == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]
    assert [str(host.address6) for host in hosts] == ["fd00::1", "fd00::2", "fd00::3", "fd00::4"]
    assert [str(host.mac)[-2:] for host in hosts] == ["01", "03", "05", "07"], "the switch's ports have the others"
    assert list(net.links) == ["host1-switch1", "host2-switch1", "router1-switch1", "host9-switch1"]
    assert net["host1"] is hosts[0]
    assert repr(hosts[2]) == "<Router router1: 10.0.0.3, fd00::3>"


def test_what_is_told_comes_before_what_is_assigned() -> None:
    net = Network(seed=1)
    a = net.host("a", address="192.168.1.5/24 2001:db8::5/64", mac="02:aa:00:00:00:01", mtu=1400)
    b = net.host("b")
    net.link(a, b)
    assert [str(one) for one in a.addresses] == ["192.168.1.5", "2001:db8::5"]
    assert (str(a.mac), a.interfaces[0].mtu) == ("02:aa:00:00:00:01", 1400)
    assert [str(one) for one in b.addresses] == ["192.168.1.1", "2001:db8::1"], "a neighbour joins the subnet"
    assert a.ping(b, 1)


def test_hosts_with_several_links_have_an_address_on_each() -> None:
    net = Network(seed=1)
    a = net.host("a", address=["192.168.1.1/24", "192.168.2.1/24"])
    for name in ("b", "c", "d"):
        net.link(a, net.host(name))
    assert [str(one) for one in a.addresses if len(one) == 4] == ["192.168.1.1", "192.168.2.1", "10.0.0.1"]
    assert [one.name for one in a.interfaces] == ["eth0", "eth1", "eth2"]
    assert a.interface("eth1") is a.interfaces[1]


def test_an_address_added_later_is_reached_by_the_same_name() -> None:
    net, a, b, _ = pair()
    assert str(a.resolve("b")) == "10.0.0.2"
    b.add_address("10.0.0.77/24")
    b.add_address("10.9.0.1")
    assert [str(one) for one in b.addresses if len(one) == 4] == ["10.0.0.2", "10.0.0.77", "10.9.0.1"]
    assert a.ping("10.0.0.77", 1)
    with pytest.raises(OSError, match="unreachable"):
        a.ping("10.9.0.1", 1)  # no route: it is in no subnet of ours
    a.add_route("10.9.0.0/16", b)
    assert a.ping("10.9.0.1", 1).received == 1
    assert str(a.resolve(b)) == str(a.resolve(b.address)) == "10.0.0.2"
    assert net.hosts == {"a": a, "b": b}


@pytest.mark.parametrize("gateway", ["detour", "10.0.3.2"])
def test_a_static_route_goes_before_an_automatic_one(gateway: str) -> None:
    """Through a router by its name: its address on our side is meant."""
    net, a, _ = chain()
    detour = net.router("detour")
    net.link(detour, "r2", cost=9)
    net.link(a, detour, cost=9)
    gateway = gateway if gateway == "detour" else str(detour.addresses[1])
    assert [str(one) for one in a.traceroute("b", probes=1).path] == ["10.0.0.2", "10.0.1.2", "10.0.2.2"]
    a.add_route("10.0.2.0/24", gateway)
    assert [str(one) for one in a.traceroute("b", probes=1).path] == [str(detour.addresses[1]), "10.0.3.2", "10.0.2.2"]


def test_a_default_route_and_one_out_of_an_interface() -> None:
    _, a, b, _ = pair()
    b.add_address("192.0.2.1/32")
    a.add_route("192.0.2.0/24", interface="eth0")
    assert a.ping("192.0.2.1", 1), "asked for by ARP on the link itself"
    b.add_address("203.0.113.1/32")
    a.add_route("default", "b")
    assert a.ping("203.0.113.1", 1)


def mistakes() -> list[tuple[str, type[Exception], Callable[[Any, Any, Any, Any], Any]]]:
    """What the error says, what it is, and what was done to (net, a, b, link)."""
    return [
        ("there is something named 'a'", StackError, lambda net, a, b, link: net.host("a")),
        ("there is something named 'a'", StackError, lambda net, a, b, link: net.switch("a")),
        ("there is something named 'b'", StackError, lambda net, a, b, link: net.probe(a, name="b")),
        ("name is 5; expected a text", StackError, lambda net, a, b, link: net.host(5)),
        ("name is 'a b'; expected a text without spaces", StackError, lambda net, a, b, link: net.host("a b")),
        ("no setting 'fowarding'; expected one of address, mac, mtu", TypeError, lambda net, a, b, link: net.host(fowarding=True)),
        ("'10.0.0.300' is not an IPv4 address", StackError, lambda net, a, b, link: net.host(address="10.0.0.300/24")),
        ("the prefix length is '33'; expected 0 to 32", StackError, lambda net, a, b, link: net.host(address="10.0.0.1/33")),
        ("'zz' is not a MAC address", ValueError, lambda net, a, b, link: net.host(mac="zz")),
        ("mtu is 20; expected an integer from 68", ValueError, lambda net, a, b, link: net.host(mtu=20)),
        ("a cannot be linked to itself", StackError, lambda net, a, b, link: net.link(a, "a")),
        ("no host or switch 'q' in this network; there are: a, b", StackError, lambda net, a, b, link: net.link(a, "q")),
        ("None is no member of a network", StackError, lambda net, a, b, link: net.link(a, None)),
        ("x is in another network", StackError, lambda net, a, b, link: net.link(a, Network().host("x"))),
        ("no setting 'speed'; expected one of rate, delay", TypeError, lambda net, a, b, link: net.link(a, b, speed=1)),
        ("'5' is not a fraction; expected '1%'", ValueError, lambda net, a, b, link: net.link(a, b, loss="5")),
        ("cost is 0; expected an integer of at least 1", ValueError, lambda net, a, b, link: net.link(a, b, cost=0)),
        ("'fast' is not a rate", ValueError, lambda net, a, b, link: net.probe(a, rate="fast")),
        ("s1 is a switch; a probe faces a host", StackError, lambda net, a, b, link: net.probe(net.switch("s1"))),
        ("probe is a probe, which has a link of its own", StackError, lambda net, a, b, link: net.link(a, net.probe(b))),
        ("a link has no setting 'los'; expected one of rate", AttributeError, lambda net, a, b, link: setattr(link, "los", "1%")),
        ("'<->' is not a time", ValueError, lambda net, a, b, link: setattr(link, "delay", "<->")),
        ("'x' is not one end of link a-b, which joins a", ValueError, lambda net, a, b, link: link.toward("x")),
        ("the prefix length is 'ab'; expected 0 to 128", StackError, lambda net, a, b, link: a.add_address("fd00::9/ab")),
        ("a has no interface eth9", StackError, lambda net, a, b, link: a.add_address("10.9.9.9/24", "eth9")),
        ("'foo' is not an IPv4 address", ValueError, lambda net, a, b, link: a.add_route("foo", b)),
        ("nobody is named 'q'", StackError, lambda net, a, b, link: a.add_route("default", "q")),
        ("expected a neighbour, or give the interface", ValueError, lambda net, a, b, link: a.add_route("172.16.0.0/12")),
        ("<Host a: .*> is not a group; expected lists", StackError, lambda net, a, b, link: net.partition(a, b)),
        ("'a' is not a group; expected lists", StackError, lambda net, a, b, link: net.partition("a", "b")),
        ("seed is 'x'; expected an integer", ValueError, lambda net, a, b, link: Network("x")),  # type: ignore[arg-type]
        ("wire mode is 'foo'; expected one of objects, bytes", StackError, lambda net, a, b, link: Network(wire="foo")),
        ("lonely has no IPv4 address yet: link it", StackError, lambda net, a, b, link: net.host("lonely").address),
        ("lonely has no IPv6 address yet: link it", StackError, lambda net, a, b, link: net.host("lonely").address6),
        ("lonely has no interface yet: link it", StackError, lambda net, a, b, link: net.host("lonely").mac),
        ("lonely is on no link yet", StackError, lambda net, a, b, link: net.replay("x.pcap", net.host("lonely"))),
    ]  # fmt: skip


@pytest.mark.parametrize(("message", "kind", "mistake"), mistakes(), ids=[one[0] for one in mistakes()])
def test_a_mistake_names_the_value_and_what_was_expected(message: str, kind: type[Exception], mistake: Any) -> None:
    net, a, b, link = pair()
    a.ping(b, 1)
    with pytest.raises(kind) as raised:
        mistake(net, a, b, link)
    assert re.search(message, str(raised.value)) or message in str(raised.value)
    assert len(a.interfaces) == 1, "nothing is left of what was not made"
    if "lonely" not in message:
        assert [name for name in net.hosts if name not in ("a", "b")] == []
    assert a.ping(b, 1), "and the network goes on"


def test_the_same_seed_gives_the_same_and_another_does_not() -> None:
    """A network that was used says nothing about the next."""

    def losses(seed: int) -> list[int]:
        _, a, b, _ = pair(seed, loss="30%")
        return [one.sequence for one in a.ping(b, 40, interval="10 ms").results]

    first = losses(1)
    assert losses(1) == first
    assert losses(2) != first
