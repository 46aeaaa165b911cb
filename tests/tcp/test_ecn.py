"""Explicit congestion notification: what is agreed on, who marks what, and what is echoed (RFC 3168, RFC 9768)."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from stack.tcp.congestion.accurate_ecn import Accurate
from stack.tcp.connection import Connection
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.settings import TcpSettings
from tests.ledger import rfc
from tests.tcp.builders import MS, MSS_1000, PLAIN, A, B

LETTERS = "FSRP.UEWA"
NOT_ECT, ECT_1, ECT_0, CE = range(4)
ASKING, GRANTING, OFF = (PLAIN.replace(ecn=mode) for mode in (1, 2, 0))
ACCURATE = PLAIN.replace(ecn=3)


@dataclass
class Marked:
    """One connection, and its peer by hand; segments with the ECN field of their datagrams: "SEW 0 noecn"."""

    settings: TcpSettings
    passive: bool = False
    now: int = 0
    sent: list[str] = field(default_factory=list)
    headers: list[TCP] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = Connection(A, B, self.settings, iss=1000, sink=self._sent)
        if self.passive:
            self.connection.open_passive(0)
        else:
            self.connection.open_active(0)

    def _sent(self, connection: Any, header: TCP, text: bytes, cause: str | None) -> None:
        letters = "".join(letter for bit, letter in enumerate(LETTERS) if header.flags & 1 << bit)
        self.headers.append(header)
        self.sent.append(f"{letters} {header.sequence - 1000}({len(text)}) {('noecn', 'ect1', 'ect0', 'ce')[connection.ect]}")

    def write(self, letters: str, seq: int, ack: int | None = None, size: int = 0, ecn: int = NOT_ECT, options: bytes = b"", win: int = 32768) -> list[str]:
        """A segment of the peer; what it brings about."""
        self.sent.clear()
        header = TCP(
            source=B[1], destination=A[1], sequence=seq, window=win, options=TCPOptions(options),
            acknowledgment=0 if ack is None else 1000 + ack,
        )  # fmt: skip
        flags = sum(1 << LETTERS.index(letter) for letter in letters) | (16 if ack is not None else 0)
        self.connection.arriving = ecn
        self.connection.receive(header.replace(flags=flags), bytes(size), self.now)
        return list(self.sent)

    def wait(self, duration: int) -> list[str]:
        """Time passes; what is sent."""
        self.sent.clear()
        until = self.now + duration
        while self.connection.deadline is not None and self.connection.deadline <= until:
            self.now = max(self.now, self.connection.deadline)
            self.connection.timeout(self.now)
        self.now = until
        return list(self.sent)

    def send(self, size: int) -> list[str]:
        """The program writes."""
        self.sent.clear()
        self.connection.send(bytes(size), self.now)
        return list(self.sent)

    @property
    def agreed(self) -> bool:
        return self.connection.ecn is not None and self.connection.ecn.agreed


def connected(settings: TcpSettings = ASKING, answer: str = "SE") -> Marked:
    """A client whose server grants ECN."""
    marked = Marked(settings)
    marked.write(answer, 0, ack=1, options=MSS_1000)
    return marked


def accepted(settings: TcpSettings = GRANTING, syn: str = "SEW") -> Marked:
    """A server whose client asked for ECN."""
    marked = Marked(settings, passive=True)
    marked.write(syn, 0, options=MSS_1000)
    marked.write("", 1, ack=1)
    return marked


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


# Accurate ECN


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
    server.connection.ecn.accurate.option = True  # type: ignore[union-attr]
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
    octets = accurate.beside(bytes(first), sack, blocks)
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


# What an echo does to the sender


def windows(client: Marked) -> tuple[int, int, str]:
    control: Any = client.connection.congestion
    return control.cwnd, control.ssthresh, client.connection.recovery.state.name


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


@rfc("3168", "6.1.6")
def test_a_window_probe_is_not_ect() -> None:
    client = connected()
    client.send(100)
    client.write(".", 1, ack=101, win=0)
    client.send(100)
    probes = client.wait(2000 * MS)
    assert probes
    assert all(line.endswith("(0) noecn") for line in probes)
