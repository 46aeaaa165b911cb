"""Accurate ECN: what is agreed on, counted, echoed and believed (RFC 9768)."""

from typing import Any

import pytest

from stack.tcp.congestion.accurate_echo import Echo, Seen
from stack.tcp.congestion.accurate_ecn import Accurate
from stack.tcp.formats.options import TCPOptions
from stack.tcp.segment import Segment
from tests.ledger import rfc
from tests.tcp.builders import MS, MSS_1000
from tests.tcp.marked import ACCURATE, CE, ECT_0, ECT_1, NOT_ECT, Marked, accepted, connected, windows


def ace(line: str) -> int:
    """The field's number in a line."""
    letters = line.split()[0]
    return 4 * ("A" in letters) + 2 * ("W" in letters) + ("E" in letters)


@rfc("9768", "3.2.2.1")
@pytest.mark.parametrize(("ecn", "bits"), [(NOT_ECT, 2), (ECT_1, 3), (ECT_0, 4), (CE, 6)])
def test_the_last_ack_of_the_handshake_says_how_the_syn_ack_came(ecn: int, bits: int) -> None:
    client = Marked(ACCURATE)
    (last,) = client.write("SW", 0, ack=1, ecn=ecn, options=MSS_1000)
    assert ace(last) == bits
    assert ace(client.send(10)[0]) == (6 if ecn == CE else 5)


@rfc("9768", "3.1.2")
@pytest.mark.parametrize(("answer", "kind"), [("SE", "classic"), ("SEA", "classic"), ("S", None), ("SEWA", None), ("SA", "accurate")])
def test_a_server_may_answer_for_less(answer: str, kind: str | None) -> None:
    client = connected(ACCURATE, answer)
    assert client.agreed is (kind is not None)
    if client.connection.ecn is not None:
        assert (client.connection.ecn.accurate is not None) is (kind == "accurate")


@rfc("9768", "3.2.2")
def test_every_mark_is_counted() -> None:
    server = accepted(ACCURATE, "SEWA")
    seen = []
    for number in range(10):
        lines = server.write("P", 1 + 100 * number, ack=1, size=100, ecn=CE)
        seen += [ace(line) for line in lines]
    assert seen == [6, 0, 2, 4, 6], "modulo 8; the first at once, then every other"


@rfc("9768", "3.2.3")
def test_the_option_counts_octets() -> None:
    server = accepted(ACCURATE, "SEWA")
    server.connection.ecn.accurate.echo.seen = Seen.EMPTY  # type: ignore[union-attr]
    server.write("P", 1, ack=1, size=100, ecn=ECT_0)
    server.write("P", 101, ack=1, size=30, ecn=ECT_1)
    server.write("P", 131, ack=1, size=7, ecn=CE)
    octets = bytes(server.headers[-1].options)
    assert octets == bytes((174, 11)) + (31).to_bytes(3, "big") + (7).to_bytes(3, "big") + (101).to_bytes(3, "big") + b"\1"


def test_a_peer_that_never_sends_the_option_gets_it_in_the_handshake_only() -> None:
    server = accepted(ACCURATE, "SEWA")
    assert bytes(server.headers[0].options)[-12] == 174
    server.write("P", 1, ack=1, size=7, ecn=CE)
    assert bytes(server.headers[-1].options) == b""
    assert bytes(accepted(ACCURATE.replace(ecn_option=0), "SEWA").headers[0].options) == b"\2\4\5\xb4"


@pytest.mark.parametrize(
    ("first", "blocks", "least", "fields", "left"),
    [(0, 0, 0, 3, 0), (12, 0, 0, 3, 0), (12, 1, 0, 3, 1), (12, 2, 0, 2, 2), (12, 3, 0, 0, 3), (12, 3, 1, 2, 2), (12, 3, 3, None, 3), (0, 4, 1, 1, 4)],
)
def test_the_option_has_as_many_counters_as_fit_beside_sack(first: int, blocks: int, least: int, fields: int | None, left: int) -> None:
    accurate = Accurate(NOT_ECT)
    accurate.least = least
    sack = b"\1\1\5" + bytes((2 + 8 * blocks,)) + bytes(8 * blocks) if blocks else b""
    octets = accurate.beside(bytes(first), sack, blocks, 0)
    assert len(octets) % 4 == 0
    assert len(octets) <= 40
    sizes = {bytes(each)[0]: len(bytes(each)) for each in TCPOptions(octets[first:])}
    assert sizes.get(174) == (2 + 3 * fields if fields is not None else None)
    assert sizes.get(5) == (2 + 8 * left if left else None)


@pytest.mark.parametrize("kind", [172, 174])
def test_a_mangled_option_is_no_harm(kind: int) -> None:
    server = accepted(ACCURATE, "SEWA")
    for size in (0, 3, 6, 9):
        server.write("", 1, ack=1, options=bytes((kind, 2 + size)) + bytes(size) + b"\1" * (-(2 + size) % 4))
    assert server.agreed


@rfc("9768", "3.2.2.5")
def test_accurate_marks_reduce_the_window_without_any_cwr() -> None:
    client = connected(ACCURATE, "SW")
    assert len(client.send(30_000)) == 10
    client.now += 50 * MS
    client.write("WA", 1, ack=2001)  # ACE is 6: one mark beyond the five that counting begins with
    assert windows(client)[1:] == (5, "CWR")
    assert client.connection.rtx.delivered_ce == 1
    client.write("WA", 1, ack=3001)
    assert client.connection.rtx.delivered_ce == 1, "the same count"
    client.write("EA", 1, ack=8001)  # 5 after 6: seven more, or fewer than were delivered?
    assert client.connection.rtx.delivered_ce == 8


def test_a_server_that_sees_zeros_in_the_last_ack_does_not_use_ect() -> None:
    """A middlebox clears the bits: marks would never be heard of (RFC 9768 section 3.2.2.1)."""
    assert accepted(ACCURATE, "SEWA").send(100) == ["P.EA 1(100) noecn"]
    server = Marked(ACCURATE, passive=True)
    server.write("SEWA", 0, options=MSS_1000)
    server.write("W", 1, ack=1)
    assert server.send(100) == ["P.EA 1(100) ect0"]




# Where the handshake is not what it should be


@rfc("9768", "3.1.3")
@pytest.mark.parametrize("syn", ["SA", "SE", "SW", "SEA", "SWA"])
def test_a_combination_of_the_future_asks_for_accurate_ecn(syn: str) -> None:
    assert Marked(ACCURATE, passive=True).write(syn, 0, options=MSS_1000) == ["S.W 0(0) noecn"]


def test_a_simultaneous_open_may_be_accurate() -> None:
    client = Marked(ACCURATE)
    assert client.write("SEWA", 0, options=MSS_1000, ecn=ECT_1) == ["S.EW 0(0) noecn"]
    assert client.agreed
    other = Marked(ACCURATE)
    assert other.write("SEW", 0, options=MSS_1000) == ["S.E 0(0) noecn"]


@rfc("9768", "3.1.5")
def test_who_sent_or_received_zeros_in_the_handshake_sends_no_ect() -> None:
    server = Marked(ACCURATE, passive=True)
    server.write("SEWA", 0, options=MSS_1000)
    assert server.wait(3500 * MS) == ["S.W 0(0) noecn", "S. 0(0) noecn"]
    server.write("W", 1, ack=1)
    assert server.send(100) == ["P.EA 1(100) noecn"], "but it goes on counting"
    client = Marked(ACCURATE)
    assert client.wait(2500 * MS) == ["SEWA 0(0) noecn", "S 0(0) noecn"]
    client.write("SW", 0, ack=1, options=MSS_1000)
    assert client.send(100) == ["P.EA 1(100) noecn"]
    server = Marked(ACCURATE, passive=True)
    server.write("SEWA", 0, options=MSS_1000)
    server.connection.listener = None
    client = Marked(ACCURATE)
    client.write("SW", 0, ack=1, options=MSS_1000)
    assert client.send(100) == ["P.EA 1(100) ect0"]


@rfc("9768", "3.2.2.3")
@pytest.mark.parametrize(("bits", "ect"), [("W", "ect0"), ("A", "noecn"), ("EW", "noecn"), ("WA", "noecn"), ("", "noecn"), ("EA", "ect0"), ("E", "ect0")])
def test_an_impossible_field_of_our_syn_ack_ends_ect(bits: str, ect: str) -> None:
    """It was sent as Not-ECT, and nothing on a path may change that; the values without meaning say nothing."""
    server = Marked(ACCURATE, passive=True)
    server.write("SEWA", 0, options=MSS_1000)
    server.write(bits, 1, ack=1)
    assert server.send(100)[0].split()[2] == ect
    assert server.connection.rtx.delivered_ce == 0
    believing = Marked(ACCURATE.replace(ecn_fallback=False), passive=True)
    believing.write("SEWA", 0, options=MSS_1000)
    believing.write(bits, 1, ack=1)
    assert believing.connection.rtx.delivered_ce == (bits == "WA")


@rfc("9768", "3.2.2.1")
def test_a_marked_syn_is_told_once_and_not_counted() -> None:
    server = Marked(ACCURATE, passive=True)
    assert server.write("SEWA", 0, options=MSS_1000, ecn=CE) == ["S.WA 0(0) noecn"]
    server.write("W", 1, ack=1)
    assert ace(server.send(10)[0]) == 5
    client = connected(ACCURATE, "SWA")
    client.send(100)
    client.write("EA", 1, ack=101)
    assert client.connection.rtx.delivered_ce == 0


@rfc("9768", "3.2.2.1")
def test_a_repeated_syn_ack_is_told_of_again() -> None:
    client = connected(ACCURATE, "SW")
    client.now += 1000 * MS
    (again,) = client.write("SW", 0, ack=1, options=MSS_1000, ecn=CE)
    assert ace(again) == 6
    assert ace(client.send(10)[0]) == 5


def test_text_that_goes_instead_of_the_last_ack_has_the_count() -> None:
    client = Marked(ACCURATE)
    client.connection.configure(0, defer_accept=1)
    assert client.write("SW", 0, ack=1, options=MSS_1000, ecn=ECT_0) == [], "it waits for the text"
    assert client.send(10) == ["P.EA 1(10) ect0"]


# Which marks are believed


def option(kind: int, e0b: int, ceb: int, e1b: int) -> bytes:
    fields = (e0b, ceb, e1b) if kind == 172 else (e1b, ceb, e0b)
    return bytes((kind, 11)) + b"".join(field.to_bytes(3, "big") for field in fields) + b"\1"


def segment(ace_: int, kind: int = 0, *counters: int) -> Segment:
    flags = (256 if ace_ & 4 else 0) | (128 if ace_ & 2 else 0) | (64 if ace_ & 1 else 0)
    read = Segment(1, 1, 16 | flags, 0)
    if kind:
        read.accurate = kind, b"".join(each.to_bytes(3, "big") for each in counters)
    return read


@rfc("9768", "A.2.1")
def test_an_ack_of_more_than_the_field_holds_may_hide_a_round_of_it() -> None:
    """ACE shows 0 marks after 12 segments: it may have gone round, unless ACKs always cover as many."""
    echo = Echo()
    for _ in range(200):
        assert echo.marked(segment(5), 0, 2, 2000, 1000, True, 10_000) == 0
    assert echo.marked(segment(5), 0, 12, 12_000, 1000, True, 10_000) == 8
    for _ in range(200):
        echo.marked(segment(5), 0, 12, 12_000, 1000, True, 10_000)
    assert echo.marked(segment(5), 0, 12, 12_000, 1000, True, 10_000) == 0
    assert echo.marked(segment(7), 0, 12, 12_000, 1000, True, 10_000) == 2


@rfc("9768", "A.2.2")
@pytest.mark.parametrize("kind", [172, 174])
@pytest.mark.parametrize(("ceb", "delivered", "marks"), [(0, 12, 1), (1000, 12, 1), (9000, 12, 9), (9000, 24, 9), (24_000, 24, 17), (2000, 24, 1)])
def test_the_option_says_whether_it_has(kind: int, ceb: int, delivered: int, marks: int) -> None:
    """ACE shows one mark more; the octets marked tell whether it is 1, 9 or 17."""
    echo, octets = Echo(), delivered * 1000
    echo.seen, echo.field = Seen.COUNTERS, 3
    counters = (1, ceb, 1)
    assert echo.marked(segment(6, kind, *counters), 0, delivered, octets, 1000, True, 10_000) == marks


@rfc("9768", "3.2.3.2.4")
@pytest.mark.parametrize("kind", [172, 174])
def test_a_first_option_of_zeros_is_not_believed(kind: int) -> None:
    for counters, seen in (((), Seen.EMPTY), ((0,), Seen.SPOILT), ((1, 0, 0), Seen.SPOILT), ((1,), Seen.COUNTERS), ((1, 0, 1), Seen.COUNTERS)):
        echo = Echo()
        echo.option_came(segment(5, kind, *counters))
        assert echo.seen is seen
    client = Marked(ACCURATE)
    client.write("SW", 0, ack=1, options=MSS_1000 + option(kind, 0, 0, 0))
    client.send(1000)
    client.write("EA", 1, ack=1001, options=option(kind, 1001, 0, 1))
    assert client.connection.ecn.accurate.echo.octets == [0, 0, 0, 0]  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", [172, 174])
def test_the_counters_of_octets_go_round(kind: int) -> None:
    client = Marked(ACCURATE)
    client.write("SW", 0, ack=1, options=MSS_1000 + option(kind, 1, 0, 1))
    echo = client.connection.ecn.accurate.echo  # type: ignore[union-attr]
    echo.octets[2] = 0xFFFFF0
    client.send(1000)
    client.write("EA", 1, ack=1001, options=option(kind, 0x000100, 0, 1))
    assert echo.octets == [0, 0, 0x10000FF, 0]


def test_octets_that_no_option_tells_of_arrive_as_those_before() -> None:
    client = Marked(ACCURATE)
    client.write("SW", 0, ack=1, options=MSS_1000 + option(174, 1, 0, 1))
    echo = client.connection.ecn.accurate.echo  # type: ignore[union-attr]
    client.send(3000)
    client.write("EA", 1, ack=1001, options=option(174, 1001, 0, 1))
    client.write("EA", 1, ack=2001)
    assert echo.octets == [0, 0, 2000, 0]
    client.write("EA", 1, ack=3001, options=option(174, 2001, 500, 501))
    assert echo.octets == [0, 500, 2000, 500], "two other fields grew: from now on nobody knows"
    assert echo.field is None


@rfc("9768", "3.2.2.5.2")
def test_an_ack_that_may_be_an_old_one_is_not_believed() -> None:
    client = full_accurate()
    client.write("WA", 1, ack=1)
    assert client.connection.rtx.delivered_ce == 0, "neither new data nor a new timestamp"
    client.write("WA", 1, ack=1001)
    assert client.connection.rtx.delivered_ce == 1


def full_accurate() -> Marked:
    client = connected(ACCURATE, "SW")
    assert len(client.send(30_000)) == 10
    return client


# When the option goes


def kinds(header: Any) -> list[int]:
    return [bytes(each)[0] for each in header.options]


@rfc("9768", "3.2.3.3")
def test_the_beacon_is_three_options_in_a_round_trip() -> None:
    server = accepted(ACCURATE.replace(ecn_option=1, delayed_ack=0), "SEWA")
    accurate = server.connection.ecn.accurate  # type: ignore[union-attr]
    server.connection.rtt.srtt = 90 * MS
    server.write("P", 1, ack=1, size=100, ecn=ECT_0, options=option(174, 1, 0, 1))
    server.write("P", 101, ack=1, size=100, ecn=ECT_0)
    accurate.demand = 0  # type: ignore[union-attr]
    seen = []
    for number in range(10):
        server.now += 10 * MS
        server.write("P", 201 + 100 * number, ack=1, size=100, ecn=ECT_0)
        seen.append(174 in kinds(server.headers[-1]))
    assert seen == [False, False, True, False, False, True, False, False, True, False]
    server.connection.configure(server.now, ecn_option_beacon=0)
    server.now += 100 * MS
    server.write("P", 1201, ack=1, size=100, ecn=ECT_0)
    assert kinds(server.headers[-1]) == []


@rfc("9768", "3.2.3.2.2")
def test_the_option_is_given_up_where_the_ack_that_had_it_was_lost_twice() -> None:
    server = Marked(ACCURATE.replace(sack=True), passive=True)
    server.write("SEWA", 0, options=MSS_1000 + b"\4\2\1\1")
    server.write("W", 1, ack=1, options=option(174, 1, 0, 1))
    for _ in range(3):
        server.now += 200 * MS
        server.write("P", 1, ack=1, size=100, ecn=ECT_0)
    found = [174 in kinds(header) for header in server.headers[-3:]]
    assert found == [True, True, False]


def test_a_duplicate_counts_too() -> None:
    """What was marked was marked, whether or not its text is new (section 3.2.1)."""
    server = accepted(ACCURATE, "SEWA")
    server.write("P", 1, ack=1, size=100, ecn=ECT_0)
    server.write("P", 1, ack=1, size=150, ecn=CE)
    assert server.connection.ecn.accurate.octets == [0, 1, 101, 150]  # type: ignore[union-attr]
