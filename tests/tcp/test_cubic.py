"""CUBIC and its slow start, against the numbers of RFC 9438 and of Linux."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from stack.tcp.congestion.base import INFINITE, Happening
from stack.tcp.congestion.cubic import Cubic, cubic_root
from stack.tcp.congestion.hystart_plus_plus import CubicHyStartPlusPlus, NewRenoHyStartPlusPlus
from tests.ledger import rfc
from tests.tcp.controls import MS, Driven


class Plain(Cubic):
    hystart = None


def after_loss(window: int, rtt: int = 100 * MS, kind: type[Cubic] = Plain) -> Driven:
    """A flow that lost at this window."""
    flow = Driven(kind, window, rtt)
    flow.control.ssthresh = 2
    flow.ack(0, rtt=rtt, limited=False)
    flow.lose()
    return flow


@given(st.integers(0, 2**63))
def test_the_cube_root_is_near(a: int) -> None:
    """Linux: an average error of 0.195 %; never more than 3.4 % above small numbers."""
    root = cubic_root(a)
    exact = a ** (1 / 3)
    assert abs(root - exact) <= max(1.0, 0.034 * exact)


def test_the_cube_root_of_small_numbers_and_cubes() -> None:
    assert [cubic_root(n) for n in (0, 1, 8, 27, 64)] == [0, 1, 2, 3, 4]
    assert sum(abs(cubic_root(n**3) / n - 1) for n in range(10, 5000)) / 4990 < 0.002


@rfc("9438", "4.6")
def test_a_loss_leaves_seven_tenths() -> None:
    assert [after_loss(window).control.cwnd for window in (3, 10, 100, 1000)] == [2, 7, 70, 700]


@rfc("9438", "4.7")
def test_fast_convergence_gives_way_where_the_peak_falls() -> None:
    flow = after_loss(100)
    assert flow.control.last_max_cwnd == 100
    flow.lose()  # at 70, lower than the peak before
    assert flow.control.last_max_cwnd == 70 * 1741 // 2048 == 59
    flow.control.cwnd = 80
    flow.lose()
    assert flow.control.last_max_cwnd == 80


@rfc("9438", "4.2")
def test_the_window_comes_back_to_where_the_loss_was_after_k() -> None:
    """W_max = 1000: K = cbrt(1000 · 0.3 / 0.4) = 9.086 s. Concave before, a plateau there, convex after."""
    flow = after_loss(1000)
    windows = [flow.round(each=2) for _ in range(160)]
    assert abs(flow.control.k / 1024 - 9.086) < 0.05
    assert 960 <= windows[80] <= windows[90] <= 1004
    for seconds in (2, 4, 6, 8):
        exact = 0.4 * (seconds + 0.1 - 9.086) ** 3 + 1000  # W_cubic(t + RTT)
        assert abs(windows[10 * seconds] / exact - 1) < 0.025
    steps = [after - before for before, after in pairwise(windows)]
    assert sum(steps[:10]) > sum(steps[30:40]) > sum(steps[75:85]) < sum(steps[120:130]) < sum(steps[140:150])


@rfc("9438", "4.3")
def test_where_reno_would_be_faster_cubic_is_as_fast() -> None:
    """RTT 10 ms, window 20: the cubic function would take 2.4 s to the old window; alpha = 0.53 segments a round, 120 ms."""
    flow = after_loss(20, rtt=10 * MS)
    start = flow.control.cwnd
    windows = [flow.round(rtt=10 * MS) for _ in range(40)]
    gained = windows[-1] - start
    assert 0.45 * 40 <= gained <= 0.60 * 40


@rfc("9438", "4.4")
def test_the_window_never_grows_by_more_than_half_in_a_round_trip() -> None:
    flow = after_loss(1000)
    before = flow.control.cwnd
    flow.control.epoch_start, flow.control.origin_point, flow.control.k = 0, 10**6, 0
    assert flow.round() <= before * 3 // 2


@rfc("9438", "4.8")
def test_after_a_timeout_the_old_peak_is_forgotten_and_the_window_grows_by_a_twentieth() -> None:
    """google/packetdrill's cubic-rto-ss-ca-cwnd-bump: one segment for 20 acknowledged."""
    flow = Driven(Plain, 10)
    flow.time_out()
    assert (flow.control.ssthresh, flow.control.last_max_cwnd) == (7, 0)
    flow.una = flow.sent
    flow.fill()
    while flow.control.cwnd < 7:
        flow.ack(after=2 * MS)
    acks = 0
    while flow.ack(after=2 * MS) == 7:
        acks += 1
    assert 12 <= acks + 1 <= 20  # 20, or sooner where the Reno-friendly window says so


@rfc("9438", "5.8")
def test_idle_time_does_not_count() -> None:
    """Half a minute without data: the function goes on where it was."""
    flow, busy = after_loss(1000), after_loss(1000)
    for each in (flow, busy):
        for _ in range(30):
            each.round(each=2)
    flow.control.last_sent = flow.now
    flow.now += 30_000 * MS
    flow.control.event(Happening.TRANSMIT_START, flow.now)
    assert [flow.round(each=2) for _ in range(20)] == [busy.round(each=2) for _ in range(20)]


@rfc("7661", "4.3")
def test_a_window_that_is_not_used_does_not_grow() -> None:
    flow = Driven(Cubic)
    for _ in range(50):
        flow.ack(limited=False, after=MS)
    assert flow.control.cwnd == 10


def test_hystart_by_delay_to_the_segment() -> None:
    """google/packetdrill's cubic-hystart-delay-rtt-jumps-upward: the ninth sample that is an eighth longer ends slow start."""
    flow = Driven(Cubic, 10, 200 * MS)
    for _ in range(5):
        flow.ack(2, after=40 * MS, rtt=200 * MS)
    assert flow.control.cwnd == 20
    seen = [(flow.ack(2, after=240 * MS, rtt=240 * MS), flow.control.ssthresh)]
    seen += [(flow.ack(2, after=3 * MS, rtt=241 * MS), flow.control.ssthresh) for _ in range(9)]
    assert seen == [(window, INFINITE) for window in range(22, 38, 2)] + [(36, 36), (36, 36)]


def test_hystart_does_not_mind_an_eighth_less_or_a_short_path() -> None:
    flow = Driven(Cubic, 20, 200 * MS)
    flow.ack(1, rtt=200 * MS)
    for _ in range(40):
        flow.ack(1, after=3 * MS, rtt=215 * MS)  # 16 ms at most are tolerated
    assert flow.control.ssthresh == INFINITE
    short = Driven(Cubic, 20, 2 * MS)
    short.ack(1, rtt=2 * MS)
    for _ in range(40):
        short.ack(1, after=3 * MS, rtt=6 * MS)  # 4 ms at least
    assert short.control.ssthresh == INFINITE


def test_hystart_by_trains_of_acks() -> None:
    """ACKs no more than 2 ms apart for longer than half of the path: what is in flight fills it."""
    flow = Driven(Cubic, 64, 100 * MS)
    flow.ack(1, after=100 * MS)  # the round before ends here
    windows = [(flow.ack(1, after=MS), flow.control.ssthresh) for _ in range(60)]
    ended = next(at for at, (_, ssthresh) in enumerate(windows) if ssthresh != INFINITE)
    assert ended == 50  # 51 ms after the round began: more than (100 + 1)/2
    apart = Driven(Cubic, 64, 100 * MS)
    for _ in range(60):
        apart.ack(1, after=3 * MS)
    assert apart.control.ssthresh == INFINITE


def test_hystart_rests_below_sixteen_segments() -> None:
    flow = Driven(Cubic, 2, 100 * MS)
    flow.ack(1)
    for _ in range(13):
        flow.ack(1, after=MS, rtt=300 * MS)
    assert flow.control.cwnd == 16
    assert flow.control.ssthresh == INFINITE


def test_samples_right_after_recovery_do_not_count() -> None:
    flow = after_loss(100, kind=Cubic)
    flow.ack(1, after=100 * MS, rtt=90 * MS)  # an epoch begins
    flow.ack(1, after=999 * MS, rtt=5 * MS)
    assert flow.control.delay_min == 90 * MS
    flow.ack(1, after=MS, rtt=6 * MS)
    assert flow.control.delay_min == 6 * MS


@rfc("9406", "4.2")
def test_hystart_plus_plus_slows_down_and_ends_slow_start_five_rounds_later() -> None:
    flow = Driven(CubicHyStartPlusPlus, 10)
    assert [flow.round(), flow.round()] == [20, 40]  # doubling
    assert flow.round(rtt=113 * MS) == 80  # a round begins with ACKs of the one before: 12.5 % more is certain in the next
    assert 100 <= flow.round(rtt=113 * MS) <= 107  # from the eighth sample on it grows a quarter as fast
    for _ in range(3):
        before = flow.control.cwnd
        assert flow.control.ssthresh == INFINITE
        assert flow.round(rtt=113 * MS) in (before + before // 4, before + before // 4 + 1)
    end = flow.round(rtt=113 * MS)
    assert end - 5 <= flow.control.ssthresh <= end


@rfc("9406", "4.2")
def test_hystart_plus_plus_goes_on_where_the_delay_did_not_last() -> None:
    flow = Driven(NewRenoHyStartPlusPlus, 10)
    windows = [flow.round(rtt=rtt * MS) for rtt in (100, 100, 120, 120, 120, 110, 110)]
    assert windows[:3] == [20, 40, 80]
    assert windows[4] < 1.6 * 80
    assert windows[6] > 1.9 * windows[5]
    assert flow.control.ssthresh == INFINITE


@rfc("9406", "4.3")
def test_hystart_plus_plus_limits_what_one_ack_adds() -> None:
    flow = Driven(NewRenoHyStartPlusPlus, 40)
    assert flow.ack(30) == 48


@rfc("9406", "4.3")
def test_hystart_plus_plus_is_for_the_first_slow_start() -> None:
    flow = Driven(CubicHyStartPlusPlus, 64)
    flow.time_out()
    flow.una = flow.sent
    for _ in range(4):
        flow.round(rtt=100 * MS)
    assert flow.control.ssthresh == 44
