"""Real hosts, routers and switches on links, with automatic addresses and routes: a ping finds its way, or says why not."""

from typing import Any

import pytest

from stack.base.address import IPAddress, IPv4Address, IPv6Address
from stack.base.randomness import Randomness
from stack.host.echo import EchoResult
from stack.host.host import HostEngine
from stack.host.settings import HostSettings
from stack.link.interface import Interface
from stack.link.link import Link
from stack.link.switch import Switch
from stack.network.addressing import global_of
from stack.network.scheduler import Scheduler
from stack.network.topology import Topology
from stack.network.wiring import Wiring

MS = 1_000_000


class Net:
    def __init__(self, wire: str = "objects") -> None:
        self.scheduler = Scheduler()
        self.randomness = Randomness(1)
        self.wiring = Wiring(self.scheduler, self.randomness, wire)
        self.topology = Topology(self.wiring)

    def host(self, name: str, *, router: bool = False) -> HostEngine:
        engine = HostEngine(name, self.randomness, HostSettings(forwarding=router))
        self.wiring.add(engine)
        return engine

    def link(self, a: HostEngine | Switch, b: HostEngine | Switch, **settings: Any) -> Link:
        ends = []
        for one in (a, b):
            if isinstance(one, Switch):
                ends.append(one.port(self.topology.mac()))
            else:
                ends.append(Interface(f"eth{len(one.interfaces) - 1}", self.topology.mac(), owner=one.name))
                one.add_interface(ends[-1])
        return self.wiring.connect(*ends, **settings)

    def ping(self, host: HostEngine, target: IPAddress, count: int = 1) -> list[EchoResult]:
        self.topology.update()
        layer = host.icmp if isinstance(target, IPv4Address) else host.icmpv6
        endpoint = layer.open()
        for sequence in range(count):
            endpoint.send(target, sequence, self.scheduler.now, bytes(56))
            self.wiring.nodes[host.name].flush()
            end = self.scheduler.now + 5000 * MS
            while (time := self.scheduler.next_time()) is not None and time <= end:
                self.scheduler.step()
        results = []
        while (result := endpoint.receive()) is not None:
            results.append(result)
        return results


def address(host: HostEngine, kind: type[IPAddress]) -> IPAddress:
    return global_of(host.interfaces[1], kind)[0]


@pytest.mark.parametrize("wire", ["objects", "bytes"])
@pytest.mark.parametrize("kind", [IPv4Address, IPv6Address])
def test_a_ping_over_switches_and_routers(kind: type[IPAddress], wire: str) -> None:
    """a - s - r1 - r2 - t - b, and a switch that is joined to s twice."""
    net = Net(wire)
    a, b = net.host("a"), net.host("b")
    r1, r2 = net.host("r1", router=True), net.host("r2", router=True)
    s, spare, t = Switch("s"), Switch("spare"), Switch("t")
    for switch in (s, spare, t):
        net.wiring.add(switch)
    for one, other in ((a, s), (s, spare), (s, spare), (s, r1), (r1, r2), (r2, t), (t, b)):
        net.link(one, other, delay="1 ms")
    net.topology.update()
    first, second = net.ping(a, address(b, kind), 2)
    assert first.reply is not None
    assert first.reply.sender == address(b, kind)
    assert second.round_trip == 2 * 5 * MS, "five links each way, and no question left to ask"
    assert second.reply is not None
    assert second.reply.hop_limit == 62


def test_a_partition_and_an_outage_are_silence() -> None:
    net = Net()
    a, r, b = net.host("a"), net.host("r", router=True), net.host("b")
    net.link(a, r)
    link = net.link(r, b)
    net.topology.update()
    target = address(b, IPv4Address)
    assert net.ping(a, target)[0].reply is not None
    with net.wiring.partition([a], [b]):
        assert net.ping(a, target) == []
    with link.down():
        assert [result for result in net.ping(a, target) if result.reply] == []
    assert net.ping(a, target)[0].reply is not None


def test_what_no_router_knows_comes_back_as_unreachable() -> None:
    net = Net()
    a, r = net.host("a"), net.host("r", router=True)
    net.link(a, r)
    (result,) = net.ping(a, IPv4Address("192.0.2.1"))
    assert result.error is not None


def test_faults_lose_some_pings_and_only_some() -> None:
    net = Net()
    a, b = net.host("a"), net.host("b")
    net.link(a, b, loss="20%", corruption="10%", duplication="10%", reordering="10%")
    net.topology.update()
    results = net.ping(a, address(b, IPv4Address), 50)
    assert 10 < len([result for result in results if result.reply and not result.duplicate]) < 45
    assert any(result.duplicate for result in results)
