"""Nodes joined by links: frames go out of one and into the other, and nothing differs when only their bytes travel."""

from typing import Any

import pytest

from stack.base.errors import StackError
from stack.base.event import Drop, DropReason
from stack.codec.packet import Packet
from stack.link.interface import Interface
from tests.link.build import frame, number
from tests.network.build import Net, Station

MS = 1_000_000


def test_frames_go_there_and_back() -> None:
    net = Net()
    a, b = net.station("a"), net.station("b", answer=True)
    net.link(a, b, rate="8 Mbit", delay="10 ms")
    net.send(a, frame(1, 1000), frame(2, 1000))
    net.run()
    assert [time for time, _, _ in b.got] == [11 * MS, 12 * MS]
    assert [(time, number(packet)) for time, _, packet in a.got] == [(22 * MS, 1), (23 * MS, 2)]
    assert counters(b.interfaces[0]) == (2, 2000, 2, 2000)


def test_each_frame_of_an_interface_is_tapped_once() -> None:
    net = Net()
    a, b = net.station("a"), net.station("b", answer=True)
    link = net.link(a, b, delay="1 ms")
    seen: list[Any] = []
    a.interfaces[0].taps.append(lambda time, packet, interface, outgoing: seen.append((time, interface.owner, outgoing)))
    for direction in link.directions:
        direction.taps.append(lambda time, packet, direction: seen.append((time, direction.name)))
    net.send(a, frame(1))
    net.run()
    assert seen == [(0, "a", True), (0, "a>b"), (1 * MS, "b>a"), (2 * MS, "a", False)]


@pytest.mark.parametrize("faults", [{}, {"loss": 0.1, "duplication": 0.1, "corruption": 0.1, "reordering": 0.1}])
def test_bytes_and_objects_are_the_same_network(faults: dict[str, float]) -> None:
    def story(wire: str) -> list[tuple[int, bytes, str | None]]:
        net = Net(wire=wire)
        a, b = net.station("a"), net.station("b", answer=True)
        net.link(a, b, rate="1 Mbit", delay="5 ms", **faults)
        net.send(a, *(Packet.parse(bytes(frame(n)), cause=f"number {n}") for n in range(100)))
        net.run()
        return [(time, bytes(packet), packet.cause) for time, _, packet in a.got + b.got]

    assert story("objects") == story("bytes")
    assert story("objects")


def test_in_bytes_mode_only_the_bytes_and_the_cause_travel() -> None:
    packet = Packet.parse(bytes(frame(1)), cause="because")
    for wire, same in (("objects", True), ("bytes", False)):
        net = Net(wire=wire)
        a, b = net.stations("a b")
        net.link(a, b)
        net.send(a, packet)
        net.run()
        (_, _, got), = b.got
        assert (got is packet) == same
        assert (got, got.cause) == (packet, "because")


def test_the_environment_chooses_the_wire_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK_WIRE", "bytes")
    assert Net().wiring.wire_mode == "bytes"
    assert Net(wire="objects").wiring.wire_mode == "objects"
    monkeypatch.setenv("STACK_WIRE", "pigeons")
    with pytest.raises(StackError, match="'pigeons'; expected one of objects, bytes"):
        Net()


def test_names_are_unique_and_second_links_are_numbered() -> None:
    net = Net()
    a, b = net.stations("a b")
    assert [net.link(a, b).name for _ in range(3)] == ["a-b", "a-b 2", "a-b 3"]
    with pytest.raises(StackError, match="a node 'a' already"):
        net.station("a")
    with pytest.raises(StackError, match="on a link already"):
        net.wiring.connect(a.interfaces[0], b.interface())


def test_a_link_needs_two_ends() -> None:
    net = Net()
    (a,) = net.stations("a")
    loop = a.interface()
    with pytest.raises(StackError, match="cannot be both ends"):
        net.wiring.connect(loop, loop)
    net.wiring.connect(a.interface(), a.interface())  # a cable from a host to itself is its own business
    net.send(a, frame(1), port=1)
    net.run()
    assert [interface.name for _, interface, _ in a.got] == ["eth2"]


def test_another_link_does_not_shift_the_draws() -> None:
    def story(more: bool) -> list[int]:
        net = Net()
        a, b, c = net.stations("a b c")
        if more:
            net.link(a, c, loss=0.5)
        net.link(a, b, loss=0.5)
        for n in range(100):
            net.send(a, frame(n), port=0)
            if more:
                net.send(a, frame(n), port=1)
        net.run()
        return [number(packet) for _, _, packet in b.got]

    assert story(False) == story(True)


def test_a_bare_interface_may_be_an_end() -> None:
    """As a probe is: whoever sets `handler` gets what arrives."""
    net = Net()
    (a,) = net.stations("a")
    probe = Interface("probe")
    got: list[Packet] = []
    probe.handler = lambda interface, packet, now: got.append(packet)
    link = net.wiring.connect(probe, a.interface())
    assert (link.name, link.toward("a").name) == ("probe-a", "probe>a")
    net.send(a, frame(1))
    net.run()
    assert len(got) == 1


def test_a_drop_is_told_with_its_reason() -> None:
    net = Net()
    told: list[Any] = []
    net.wiring.listeners.append(told.append)
    a, b = net.stations("a b")
    link = net.link(a, b)
    link.faults([])
    with link.down():
        net.send(a, frame(1))
    net.send(a, frame(2))
    net.run()
    assert [(one.reason, one.where, number(one.packet)) for one in told if isinstance(one, Drop)] == [
        (DropReason.LINK_DOWN, "link a-b a>b", 1)
    ]
    assert [number(packet) for _, _, packet in b.got] == [2]


def counters(interface: Interface) -> tuple[int, int, int, int]:
    return interface.packets_out, interface.octets_out, interface.packets_in, interface.octets_in


def test_an_interface_that_is_down_or_on_no_link_drops() -> None:
    net = Net()
    a, b = net.stations("a b")
    alone = a.interface()
    net.send(a, frame(1))
    assert alone.drops == {DropReason.LINK_DOWN: 1}
    net.link(a, b)
    b.interfaces[0].up = False
    net.send(a, frame(1), port=1)
    net.run()
    assert b.got == []
    assert b.interfaces[0].drops == {DropReason.LINK_DOWN: 1}
    b.interfaces[0].up = True
    net.send(a, frame(1, 70), port=1)
    net.run()
    assert counters(b.interfaces[0]) == (0, 0, 1, 70)
    assert counters(a.interfaces[1]) == (2, 170, 0, 0)
    assert counters(alone) == (0, 0, 0, 0)


def test_an_engine_is_woken_at_its_deadline() -> None:
    net = Net()
    a = Station("a")
    net.wiring.add(a)
    a.deadline = 5 * MS
    net.node(a).flush()
    net.run()
    assert net.scheduler.now == 5 * MS
    assert a.woken == [5 * MS]


def test_the_mtu_of_a_new_link_is_that_of_its_ends() -> None:
    net = Net()
    a, b = net.stations("a b")
    link = net.link(a, b, mtu=1400)
    assert [end.mtu for end in link.ends] == [1400, 1400]
    link.mtu = 1000
    assert [end.mtu for end in link.ends] == [1400, 1400], "a black hole for the frames between"


def test_a_link_is_found_by_its_interface() -> None:
    net = Net()
    a, b = net.stations("a b")
    link = net.link(a, b)
    assert net.wiring.link_of(a.interfaces[0]) is link
    assert net.wiring.link_of(a.interface()) is None


def test_what_an_engine_tells_goes_to_the_listeners() -> None:
    net = Net()
    told: list[Any] = []
    net.wiring.listeners.append(told.append)
    switch, (a,) = net.switch("s"), net.stations("a")
    net.link(a, switch)
    net.send(a, Packet.parse(b"short"))
    net.run()
    assert [(one.reason, one.where) for one in told] == [(DropReason.MALFORMED, "s")]
    node = net.node(switch)
    assert (repr(node), node.now, node.housekeeping) == ("<Node s>", 0, False)
