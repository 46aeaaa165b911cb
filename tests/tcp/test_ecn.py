"""Explicit congestion notification: what is agreed on, who marks what, and what is echoed (RFC 3168, RFC 8257)."""

from typing import Any

import pytest

from stack.tcp.settings import TcpSettings
from tests.ledger import rfc
from tests.tcp.builders import MS, MSS_1000, PLAIN
from tests.tcp.marked import ASKING, CE, ECT_0, ECT_1, GRANTING, NOT_ECT, OFF, Marked, accepted, connected, windows

# Negotiation


@rfc("3168", "6.1.1")
@pytest.mark.parametrize(("mode", "syn"), [(0, "S"), (1, "SEW"), (2, "S"), (3, "SEWA"), (4, "SEW"), (5, "S")])
def test_what_a_syn_asks_for(mode: int, syn: str) -> None:
    """tcp_ecn: 1 and 4 ask for classic ECN, 3 for accurate; 2, Linux's default, and 5 wait to be asked. A SYN is not ECT."""
    assert Marked(PLAIN.replace(ecn=mode)).sent == [f"{syn} 0(0) noecn"]


@rfc("3168", "6.1.1")
@pytest.mark.parametrize(
    ("mode", "syn", "ecn", "answer"),
    [
        (0, "SEW", NOT_ECT, "S."), (1, "SEW", NOT_ECT, "S.E"), (2, "SEW", NOT_ECT, "S.E"), (2, "S", NOT_ECT, "S."),
        (2, "SE", NOT_ECT, "S."), (2, "SW", NOT_ECT, "S."), (2, "SEW", ECT_0, "S."), (2, "SEWA", NOT_ECT, "S.E"),
        (2, "SEWA", ECT_0, "S.E"), (3, "SEW", NOT_ECT, "S.E"), (3, "SEWA", NOT_ECT, "S.W"), (3, "SEWA", ECT_1, "S.EW"),
        (5, "SEWA", ECT_0, "S.A"), (4, "SEWA", CE, "S.WA"),
    ],
)  # fmt: skip
def test_what_is_granted(mode: int, syn: str, ecn: int, answer: str) -> None:
    """A classic SYN that is ECT is a broken one; an accurate one is told how it arrived (RFC 9768 table 2)."""
    server = Marked(PLAIN.replace(ecn=mode), passive=True)
    assert server.write(syn, 0, options=MSS_1000, ecn=ecn) == [f"{answer} 0(0) noecn"]
    assert server.agreed == (answer != "S.")


@rfc("3168", "6.1.1")
@pytest.mark.parametrize(("answer", "agreed"), [("SE", True), ("S", False), ("SEW", False), ("SW", False)])
def test_what_an_answer_means(answer: str, agreed: bool) -> None:
    """Both bits come back from an old host that reflects what it does not know."""
    client = connected(answer=answer)
    assert client.agreed is agreed
    assert client.send(100) == [f"P. 1(100) {'ect0' if agreed else 'noecn'}"]


@rfc("3168", "6.1.1.1")
def test_a_syn_that_is_repeated_does_without() -> None:
    client = Marked(ASKING)
    assert client.wait(2500 * MS) == ["S 0(0) noecn", "S 0(0) noecn"]
    client.write("SE", 0, ack=1, options=MSS_1000)
    assert client.agreed, "the answer to the first SYN may still come"
    stubborn = Marked(ASKING.replace(ecn_fallback=False))
    assert stubborn.wait(1500 * MS) == ["SEW 0(0) noecn"]


def test_a_simultaneous_open_agrees_where_both_asked() -> None:
    client = Marked(ASKING)
    assert client.write("SEW", 0, options=MSS_1000) == ["S.E 0(0) noecn"]
    assert client.agreed
    other = Marked(ASKING)
    assert other.write("S", 0, options=MSS_1000) == ["S. 0(0) noecn"]
    assert not other.agreed


# Marks


@rfc("3168", "6.1.4")
@rfc("3168", "6.1.5")
@rfc("3168", "6.1.2")
def test_new_data_is_ect_0_and_acks_and_repetitions_are_not() -> None:
    client = connected()
    assert client.send(1000) == ["P. 1(1000) ect0"]
    assert client.write("P", 1, ack=1, size=10) + client.wait(100 * MS) == [". 1001(0) noecn"]
    repeated = client.wait(1500 * MS)
    assert repeated
    assert all(line.endswith("noecn") for line in repeated)


@rfc("9293", "SHLD-8")
@rfc("3168", "6.1.3")
def test_a_mark_is_echoed_until_the_sender_says_that_it_knows() -> None:
    server = accepted()
    server.write("P", 1, ack=1, size=100, ecn=ECT_0)
    server.wait(500 * MS)
    assert server.write("P", 101, ack=1, size=100, ecn=CE) == [".E 1(0) noecn"], "at once"
    assert server.write("P", 201, ack=1, size=100, ecn=ECT_0) == [".E 1(0) noecn"]
    assert server.send(50) == ["P.E 1(50) ect0"], "on data too"
    assert server.write("PW", 301, ack=51, size=100, ecn=ECT_0) == [". 51(0) noecn"], "its window may be down to this segment"
    server.write("P", 401, ack=51, size=100, ecn=ECT_0)
    assert server.send(50) == ["P. 51(50) ect0"]


@rfc("3168", "6.1.3")
def test_a_marked_segment_that_says_cwr_is_a_new_mark() -> None:
    server = accepted()
    server.write("P", 1, ack=1, size=100, ecn=CE)
    assert server.write("PW", 101, ack=1, size=100, ecn=CE) == [".E 1(0) noecn"]


def test_without_ecn_marks_mean_nothing() -> None:
    server = Marked(OFF, passive=True)
    server.write("SEW", 0, options=MSS_1000)
    server.write("", 1, ack=1)
    server.write("P", 1, ack=1, size=100, ecn=CE)
    server.wait(500 * MS)
    assert server.send(100) == ["P. 1(100) noecn"]


# DCTCP's receiver


@rfc("8257", "3.5")
@rfc("8257", "3.2")
def test_each_change_of_the_mark_is_told_at_once() -> None:
    server = accepted(GRANTING.replace(congestion="dctcp"))
    server.write("P", 1, ack=1, size=100, ecn=ECT_0)
    server.wait(500 * MS)
    seq = 101
    server.connection.acks.quick = 0
    assert server.write("P", seq, ack=1, size=100, ecn=ECT_0) == [], "delayed"
    first, second = server.write("P", seq + 100, ack=1, size=100, ecn=CE)
    assert (first, second) == (". 1(0) ect0", ".E 1(0) ect0"), "what came before was not marked; all segments are ECT"
    assert [header.acknowledgment for header in server.headers[-2:]] == [seq + 100, seq + 200]
    assert server.write("P", seq + 200, ack=1, size=100, ecn=CE) == [], "no change: delayed"
    assert server.write("PW", seq + 300, ack=1, size=100, ecn=CE) == [".E 1(0) ect0"], "CWR does not end the echo"
    assert server.write("P", seq + 400, ack=1, size=100, ecn=CE) == []
    first, second = server.write("P", seq + 500, ack=1, size=100, ecn=ECT_0)
    assert (first, second) == (".E 1(0) ect0", ". 1(0) ect0")


@rfc("8257", "3.5")
def test_dctcp_asks_for_ecn_and_marks_its_syn() -> None:
    assert Marked(GRANTING.replace(congestion="dctcp")).sent == ["SEW 0(0) ect0"]
    server = Marked(OFF.replace(congestion="dctcp"), passive=True)
    assert server.write("SEW", 0, options=MSS_1000, ecn=ECT_0) == ["S.E 0(0) ect0"]


# What an echo does to the sender


def full(settings: TcpSettings = ASKING) -> Marked:
    """A client whose window is full: ten segments of 1000 octets are on their way."""
    client = connected(settings)
    assert len(client.send(30_000)) == 10
    client.now += 50 * MS
    return client


@rfc("3168", "6.1.2")
def test_an_echo_halves_the_window_once_in_a_round_trip_and_is_answered() -> None:
    client = full()
    first = client.write("E", 1, ack=2001)
    assert windows(client)[1:] == (5, "CWR")
    assert [line.split()[0] for line in first] == [".W"], "new data that says CWR"
    for ack in range(4001, 10_001, 2000):
        client.write("E", 1, ack=ack)
        assert windows(client)[1:] == (5, "CWR"), "more of the same round trip"
    client.now += 50 * MS
    client.write("", 1, ack=client.connection.snd.nxt - 1000)
    assert windows(client) == (6, 5, "OPEN"), "the reduction is over: half, and it grows again by a segment in a round trip"
    assert client.connection.retransmitted == 0
    client.write("E", 1, ack=client.connection.snd.nxt - 1000)
    assert windows(client)[1] == 3, "the next round trip is another one"


@rfc("3168", "6.1.2")
def test_cwr_is_said_once_and_on_new_data_only() -> None:
    client = full()
    said = []
    for ack in range(1001, 11_001, 1000):
        said += [line for line in client.write("E", 1, ack=ack) if "W" in line]
    assert len(said) == 1
    assert said[0].endswith("ect0")


def test_an_echo_before_any_mark_could_be_is_no_reason_without_ecn() -> None:
    client = connected(OFF, "S")
    client.send(30_000)
    client.write("E", 1, ack=2001)
    assert windows(client)[2] == "OPEN"


@rfc("8257", "3.3")
def test_dctcp_gives_up_half_of_the_share_that_was_marked() -> None:
    client = full(GRANTING.replace(congestion="dctcp"))
    control: Any = client.connection.congestion
    control.alpha = 256  # a quarter
    control.next_seq = client.connection.snd.nxt + 10**6
    client.write("E", 1, ack=2001)
    assert windows(client)[1:] == (10 - 10 * 256 // 2048, "CWR")
    assert client.connection.rtx.delivered_ce == 2


@rfc("3168", "6.1.6")
def test_a_window_probe_is_not_ect() -> None:
    client = connected()
    client.send(100)
    client.write(".", 1, ack=101, win=0)
    client.send(100)
    probes = client.wait(2000 * MS)
    assert probes
    assert all(line.endswith("(0) noecn") for line in probes)
