"""Segments larger than the path is known to carry, and smaller ones where everything vanishes (RFC 4821)."""

from __future__ import annotations

from stack.tcp.settings import TcpSettings
from tests.ledger import rfc
from tests.tcp.builders import MS, Pair, Sent, established

S = 1000 * MS
SEARCHING = TcpSettings(mtu_probing=2, base_mss=512, timestamps=False, delayed_ack=0)


def sizes(both: Pair) -> list[int]:
    """Of the segments with text that a has sent, each size once, as they came."""
    return list(dict.fromkeys(len(sent.text) for sent in both.log if sent.side == "a" and sent.text))


def carries(most: int) -> object:
    """A path that loses what is larger, without a word."""
    return lambda n, sent: None if len(sent.text) > most else [10 * MS]


@rfc("4821", "7.3")
def test_the_search_halves_what_is_unknown_until_it_is_small() -> None:
    both = established(SEARCHING)
    data = bytes(range(256)) * 16_000
    assert both.transfer(data) == data
    assert both.a.mtu_search is not None
    assert both.a.mtu_search.low > 1460 - 8
    probes = [sent for sent in both.log if sent.cause and sent.cause.startswith("path MTU probe")]
    assert [len(sent.text) for sent in probes] == [986, 1223, 1341, 1400, 1430, 1445, 1452, 1456][: len(probes)]
    assert len(probes) >= 6


@rfc("4821", "7.4")
def test_a_lost_probe_is_no_congestion_and_its_text_goes_in_smaller_segments() -> None:
    both = established(SEARCHING)
    both.fate = carries(1000)  # type: ignore[assignment]
    data = bytes(range(256)) * 24000
    assert both.transfer(data) == data
    search = both.a.mtu_search
    assert search is not None
    assert 1000 - 2 * 8 <= search.low <= 1000
    assert search.high - search.low < 8
    assert both.a.congestion.ssthresh == 0x7FFFFFFF
    assert both.now < 3 * S


@rfc("4821", "7.7")
def test_a_black_hole_is_found_once_nothing_arrives() -> None:
    """tcp_mtu_probing=1: after R1 the segments are small, and from there on the search goes up."""
    for probing, arrives in ((1, True), (0, False)):
        both = established(TcpSettings(mtu_probing=probing, timestamps=False))
        both.fate = carries(1100)  # type: ignore[assignment]
        both.a.send(bytes(200_000), both.now)
        both.run(120 * S)
        got = both.b.recv(1 << 20, both.now)
        assert (len(got) > 50_000) is arrives
        if arrives:
            assert sizes(both)[:2] == [1460, 1024]


def test_what_routers_say_bounds_the_search() -> None:
    both = established(SEARCHING)
    both.a.path_mtu(840, both.now)
    data = bytes(600_000)
    assert both.transfer(data) == data
    assert max(sizes(both)) <= 800
    assert both.a.snd.mss > 800 - 8


def test_after_a_while_it_looks_again() -> None:
    both = established(SEARCHING)
    both.fate = carries(700)  # type: ignore[assignment]
    assert both.transfer(bytes(200_000)) == bytes(200_000)
    assert both.a.snd.mss <= 700
    both.fate = None
    both.run(601 * S)
    assert both.transfer(bytes(6_000_000)) == bytes(6_000_000)
    assert both.a.snd.mss > 1400


def test_a_probe_needs_data_behind_it_and_a_window() -> None:
    def none_is_sent(n: int, sent: Sent) -> list[int] | None:
        assert not (sent.cause or "").startswith("path MTU probe")
        return [10 * MS]

    both = established(SEARCHING, fate=none_is_sent)
    assert both.transfer(bytes(2500)) == bytes(2500)
    few = established(SEARCHING.replace(initial_segments=5), fate=none_is_sent)
    few.a.congestion.clamp = 8
    assert few.transfer(bytes(20_000)) == bytes(20_000)
