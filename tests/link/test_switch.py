"""A learning switch: it floods what it does not know, learns who is where, forgets, and cannot be filled up."""

from stack.base.event import DropReason
from stack.codec.packet import Packet
from stack.link.interface import Interface
from stack.link.switch import Switch

SECOND = 1_000_000_000
A, B, C = (bytes([2, 0, 0, 0, 0, n]) for n in (1, 2, 3))
ALL = b"\xff" * 6


def switch(ports: int = 3, **options: int) -> Switch:
    made = Switch("s", **options)
    for _ in range(ports):
        made.port().wire = made  # type: ignore[assignment]  # some link
    return made


def raw(destination: bytes, source: bytes, type: bytes = b"\x88\xb5") -> Packet:
    return Packet.parse(destination + source + type + bytes(46))


def ways(made: Switch, port: int, packet: Packet, now: int = 0) -> list[str]:
    made.receive((made.interfaces[port], packet), now)
    return [interface.name for interface, _ in made.take_output()]


def test_it_learns_who_is_where() -> None:
    made = switch()
    assert ways(made, 0, raw(B, A)) == ["port2", "port3"], "nobody knows b"
    assert ways(made, 1, raw(A, B)) == ["port1"]
    assert ways(made, 0, raw(B, A)) == ["port2"]
    assert made.lookup("02:00:00:00:00:01", 0) is made.interfaces[0]
    assert (len(made), repr(made)) == (2, "<Switch s, 3 ports, 2 addresses>")


def test_broadcast_and_groups_go_everywhere_but_back() -> None:
    made = switch()
    assert ways(made, 1, raw(ALL, A)) == ["port1", "port3"]
    assert ways(made, 1, raw(b"\x01\x00\x5e\x00\x00\x01", A)) == ["port1", "port3"]


def test_one_who_moves_is_followed() -> None:
    made = switch()
    ways(made, 0, raw(ALL, A))
    ways(made, 2, raw(ALL, A))
    assert ways(made, 1, raw(A, B)) == ["port3"]


def test_an_address_is_forgotten_after_300_seconds_of_silence() -> None:
    made = switch()
    ways(made, 0, raw(ALL, A), now=0)
    ways(made, 0, raw(ALL, A), now=100 * SECOND)
    assert ways(made, 1, raw(A, B), now=400 * SECOND - 1) == ["port1"]
    assert ways(made, 1, raw(A, B), now=400 * SECOND) == ["port1", "port3"]
    assert made.lookup(A.hex(":"), 400 * SECOND) is None


def test_a_frame_for_someone_behind_the_same_port_stays_there() -> None:
    made = switch()
    ways(made, 0, raw(ALL, A))
    assert ways(made, 0, raw(A, B)) == []
    assert [drop.reason for drop in made.take_events()] == [DropReason.NO_PORT]


def test_tags_and_lengths_do_not_matter() -> None:
    made = switch()
    ways(made, 0, raw(ALL, A, b"\x81\x00"))
    assert ways(made, 1, raw(A, B, b"\x00\x2e")) == ["port1"]
    assert made.lookup(B.hex(":"), 0) is made.interfaces[1]


def test_what_bridges_keep_to_themselves_is_not_forwarded() -> None:
    made = switch()
    assert ways(made, 0, raw(b"\x01\x80\xc2\x00\x00\x0f", A)) == []
    assert ways(made, 0, raw(b"\x01\x80\xc2\x00\x00\x10", A)) == ["port2", "port3"]


def test_frames_that_are_none_are_dropped() -> None:
    made = switch()
    assert ways(made, 0, Packet.parse(b"")) == ways(made, 0, Packet.parse(bytes(11))) == ways(made, 0, raw(B, ALL)) == []
    assert made.drops == {DropReason.MALFORMED: 3}
    assert len(made) == 0


def test_a_flood_of_addresses_does_not_fill_it() -> None:
    made = switch(limit=1000)
    ways(made, 1, raw(ALL, B))
    for n in range(50_000):
        made.receive((made.interfaces[0], raw(ALL, b"\x06\0" + n.to_bytes(4, "big"))), SECOND)
    made.take_output()
    assert (len(made), made.table_full) == (1000, 49_001)
    assert ways(made, 2, raw(B, C), SECOND) == ["port2"], "who was there before is still known"
    assert ways(made, 2, raw(ALL, C), 302 * SECOND) == ["port1", "port2"]
    assert made.lookup(C.hex(":"), 302 * SECOND), "the flood has aged, there is room again"
    assert len(made) == 1000


def test_a_table_of_no_size_learns_nothing() -> None:
    made = switch(limit=0)
    ways(made, 0, raw(ALL, A))
    assert (len(made), made.table_full) == (0, 1)


def test_nothing_goes_through_a_blocked_port() -> None:
    made = switch()
    ways(made, 2, raw(ALL, A))
    made.block([made.interfaces[2]])
    assert ways(made, 0, raw(A, B)) == ["port2"], "what was learned is forgotten"
    assert ways(made, 2, raw(B, A)) == []
    made.block([])
    assert ways(made, 0, raw(A, B)) == ["port2", "port3"]
    assert made.deadline is None
    made.timeout(0)


def test_a_port_without_a_link_gets_nothing() -> None:
    made = switch()
    made.interfaces.append(Interface("loose"))
    assert ways(made, 0, raw(ALL, A)) == ["port2", "port3"]
