"""Pacing: when data leaves, to the nanosecond (Linux's internal pacing)."""

from itertools import count, pairwise

from stack.tcp.connection import Connection
from stack.tcp.sending.pacing import rate
from stack.tcp.settings import TcpSettings
from tests.tcp.builders import MS, PLAIN, Pair, Sent, established

SECOND = 1000 * MS


def departures(both: Pair) -> list[tuple[int, int]]:
    """Times and octets of the data that the client sent."""
    return [(sent.time, len(sent.text)) for sent in both.log if sent.side == "a" and sent.text]


def test_without_a_rate_a_window_goes_at_once() -> None:
    both = established(PLAIN)
    both.transfer(bytes(14_600))
    times = [time for time, _ in departures(both)]
    assert len(set(times[:10])) == 1
    assert both.a.pacer is None


def test_fq_paces_every_control_after_ten_segments() -> None:
    both = established(PLAIN.replace(paced=True))
    both.transfer(bytes(29_200))
    times = [time for time, _ in departures(both)]
    assert len(set(times[:10])) == 1
    assert len(set(times[10:])) > 3


def test_so_max_pacing_rate_spreads_bursts_of_two_segments() -> None:
    """1 MB/s: after the first ten segments, which go at once, two of 1460 octets every 2.92 ms."""
    both = established(PLAIN.replace(maximum_pacing_rate=1_000_000))
    both.transfer(bytes(300_000))
    sent = departures(both)
    bursts = sorted({time for time, _ in sent})
    sizes = [sum(size for time, size in sent if time == burst) for burst in bursts]
    steady = [gap for gap, size in zip((b - a for a, b in pairwise(bursts)), sizes, strict=False) if size == 2920][8:-2]
    assert set(steady) <= {2_920_000}
    assert 0.97 * 300_000 <= (bursts[-1] - bursts[0]) * 1_000_000 / SECOND <= 1.01 * 300_000


def test_a_burst_that_is_late_is_followed_sooner_by_at_most_half_its_time() -> None:
    both = established(PLAIN.replace(maximum_pacing_rate=100_000))
    both.transfer(bytes(60_000))
    pacer = both.a.pacer
    assert pacer is not None
    pacer.at = both.now - SECOND
    both.log.clear()
    both.transfer(bytes(8760))
    times = sorted({time for time, _ in departures(both)})
    assert [b - a for a, b in pairwise(times)][:2] == [14_600_000, 29_200_000]


def test_the_rate_of_a_control_that_sets_none() -> None:
    """200 % of the window in a round trip in slow start, 120 % after it (tcp_update_pacing_rate)."""
    both = established(PLAIN)
    a: Connection = both.a
    assert a.rtt.srtt == 20 * MS
    assert rate(a) == 2 * 10 * 1460 * 50
    a.congestion.ssthresh = 10
    assert rate(a) == 12 * 10 * 1460 * 50 // 10
    a.settings = a.settings.replace(pacing_avoidance=100, maximum_pacing_rate=700_000)
    assert rate(a) == 700_000


def test_a_lost_segment_of_a_paced_connection_goes_again_in_its_time() -> None:
    """Repetitions are paced too, and the timer goes on with them."""
    data_segments = count(1)

    def fate(number: int, sent: Sent) -> list[int] | None:
        if sent.side == "a" and sent.text and next(data_segments) in (12, 15, 18):
            return None
        return [10 * MS]

    both = established(TcpSettings(congestion="reno", maximum_pacing_rate=200_000), fate=fate)
    data = bytes(range(256)) * 400
    assert both.transfer(data) == data
    times = sorted(sent.time for sent in both.log if sent.side == "a" and sent.text)[12:]
    assert (times[-1] - times[0]) * 200_000 // SECOND >= 0.75 * (len(data) - 12 * 1448)
    assert both.a.retransmitted == 3


def test_a_rate_that_is_set_on_an_open_connection_holds_from_then_on() -> None:
    both = established(PLAIN)
    assert both.a.pacer is None
    both.a.configure(both.now, maximum_pacing_rate=500_000)
    both.transfer(bytes(100_000))
    bursts = sorted({time for time, _ in departures(both)})
    assert (bursts[-1] - bursts[0]) * 500_000 // SECOND >= 0.85 * (100_000 - 14_600)
