"""DCTCP, BBR, byte counting, and what every congestion control keeps."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.tcp.congestion.base import INFINITE, CongestionState, Happening
from stack.tcp.congestion.bbr import BBR, BW_UNIT, CYCLE, Mode
from stack.tcp.congestion.byte_counting import ByteCounting
from stack.tcp.congestion.dctcp import DCTCP
from stack.tcp.congestion.registry import available, congestion_control
from stack.tcp.congestion.windowed import WindowedMaximum, WindowedMinimum
from tests.ledger import rfc
from tests.tcp.controls import MS, Driven


def test_the_names() -> None:
    assert available() == ("bbr", "cubic", "cubic-hystart++", "dctcp", "reno", "reno-abc", "reno-hystart++")
    assert all(congestion_control(name).name == name for name in available())
    assert all(len(name) < 16 for name in available())  # TCP_CA_NAME_MAX


# DCTCP


@rfc("8257", "3.3")
def test_alpha_follows_the_share_of_marks() -> None:
    """alpha ← (1 − g) alpha + g F, once a window; g = 1/16, 1024 is 1."""
    flow = Driven(DCTCP)
    flow.control.ssthresh = 2
    flow.ack()
    assert flow.control.alpha == 960  # from 1, after a window without marks
    alphas = []
    for _ in range(3):
        flow.round()
        alphas.append(flow.control.alpha)
    assert alphas == [900, 844, 792]
    flow.control.alpha = 512
    flow.round(marked=5)
    flow.round()
    # one window with 5 of 10 or 11 segments marked: 480 + (5 * 64) // 11
    assert flow.control.alpha in (480 + 320 // 11 - (480 + 320 // 11 >> 4), 480 + 320 // 10 - (480 + 320 // 10 >> 4), 480 + 29, 480 + 32)


def test_alpha_without_marks_ends_at_zero_and_with_all_marked_at_one() -> None:
    flow = Driven(DCTCP)
    for _ in range(100):
        flow.round()
        flow.control.cwnd = 10
    assert flow.control.alpha == 0
    for _ in range(100):
        flow.round(marked=10**9)
        flow.control.cwnd = 10
    assert 1000 <= flow.control.alpha <= 1024


@rfc("8257", "3.3")
@pytest.mark.parametrize(("alpha", "left"), [(1024, 50), (512, 75), (64, 97), (0, 100)])
def test_a_mark_takes_half_of_alpha(alpha: int, left: int) -> None:
    flow = Driven(DCTCP, 100)
    flow.control.alpha = alpha
    assert flow.control.lost(flow.now) == left


@rfc("8257", "3.4")
def test_a_loss_halves_whatever_the_marks_said() -> None:
    flow = Driven(DCTCP, 100)
    flow.control.alpha = 0
    assert flow.lose() == 50
    flow.control.cwnd = 100
    flow.control.alpha = 0
    flow.time_out()
    assert flow.control.ssthresh == 50


# Byte counting


@rfc("3465", "2.2")
def test_slow_start_adds_two_segments_an_ack_at_most() -> None:
    flow = Driven(ByteCounting)
    assert [flow.ack(1), flow.ack(2), flow.ack(5)] == [11, 13, 15]


@rfc("3465", "2.3")
def test_after_a_timeout_one() -> None:
    flow = Driven(ByteCounting)
    flow.time_out()
    flow.una = flow.sent
    assert [flow.ack(2), flow.ack(2)] == [2, 3]
    flow.control.entered(CongestionState.OPEN, flow.now)
    assert flow.ack(2) == 5


@rfc("3465", "2.1")
def test_congestion_avoidance_counts_what_was_acknowledged_not_the_acks() -> None:
    flow = Driven(ByteCounting)
    flow.control.ssthresh = 10
    assert [flow.ack(5), flow.ack(5), flow.ack(11)] == [10, 11, 12]


# The filter


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1000)), min_size=1, max_size=200), st.integers(4, 100))
def test_the_windowed_maximum_is_no_less_than_what_came_now_and_no_more_than_the_window_had(steps: list[tuple[int, int]], window: int) -> None:
    greatest, least = WindowedMaximum(), WindowedMinimum()
    greatest.reset(0, 0)
    least.reset(0, 2000)
    time, seen = 0, [(0, 0)]
    for step, value in steps:
        time += step
        seen.append((time, value))
        recent = [v for t, v in seen if time - t <= 2 * window]
        assert value <= greatest.update(window, time, value) <= max(recent)
        assert min(recent) <= least.update(window, time, value) <= max(value, 0) or min(recent) == 0


def test_the_windowed_maximum_forgets() -> None:
    best = WindowedMaximum()
    assert [best.update(10, time, value) for time, value in [(0, 50), (4, 40), (8, 30), (11, 20), (15, 10), (19, 5)]] == [50, 50, 50, 40, 30, 20]


# BBR


class Path:
    """A bottleneck of `rate` segments a millisecond behind `rtt` ms, and a flow that paces perfectly: what BBR is to find."""

    def __init__(self, rate: int = 4, rtt: int = 20) -> None:
        self.flow = Driven(BBR, 10, rtt * MS)
        self.rate, self.rtt = rate, rtt
        self.modes: list[Mode] = []

    def run(self, milliseconds: int, segments: int | None = None, lost: int = 0) -> None:
        """Each ms delivers what the path carries, or what the window and the pacing let the flow send."""
        flow, control, sample = self.flow, self.flow.control, self.flow.sample
        for _ in range(milliseconds):
            paced = (control.pacing_rate or 0) // 1_000_000 + 1
            share = min(self.rate, max(1, control.cwnd // self.rtt), paced) if segments is None else segments
            queue = max(0, min(control.cwnd, paced * self.rtt) - self.rate * self.rtt)
            sample.rate_delivered, sample.interval = share * self.rtt, self.rtt * MS
            sample.prior_delivered = max(0, sample.delivered - share * self.rtt)
            sample.losses = lost
            flow.ack(share, after=MS, rtt=self.rtt * MS + queue * MS // self.rate)
            flow.sent = flow.una + min(control.cwnd, share * self.rtt * control.pacing_gain // 256 + (16 if control.pacing_gain > 256 else 0))  # a queue grows while it probes
            if not self.modes or self.modes[-1] is not control.mode:
                self.modes.append(control.mode)


def test_bbr_starts_up_drains_and_probes() -> None:
    path = Path()
    path.run(1000)
    control = path.flow.control
    assert path.modes == [Mode.STARTUP, Mode.DRAIN, Mode.PROBE_BW]
    assert control.bandwidth.value * 1000 // BW_UNIT in (3, 4)  # segments a millisecond
    assert control.min_rtt == 20_000
    assert control.cwnd_gain == 2 * 256


def test_bbr_looks_for_a_shorter_path_every_ten_seconds() -> None:
    path = Path()
    path.run(9_900)
    assert Mode.PROBE_RTT not in path.modes
    windows = []
    for _ in range(600):
        path.run(1)
        windows.append(path.flow.control.cwnd)
    assert path.modes.count(Mode.PROBE_RTT) == 1
    assert min(windows) == 4
    assert 200 <= windows.count(4) <= 280
    assert windows[-1] > 80  # as before


def test_bbr_goes_round_its_cycle_of_gains() -> None:
    path = Path()
    path.run(1000)
    gains = []
    for _ in range(400):
        path.run(1)
        gains.append(path.flow.control.pacing_gain)
    assert set(gains) == set(CYCLE)
    assert gains.count(256) > gains.count(320) > 0


def test_bbr_takes_a_loss_for_what_it_is() -> None:
    """A few losses change nothing; a fifth, at the same rate in two intervals, are a policer's."""
    path = Path()
    path.run(1000)
    before = path.flow.control.best
    path.run(200, lost=0)
    path.run(10, lost=1)
    assert path.flow.control.best == before
    path.run(600, segments=2, lost=1)
    assert path.flow.control.policer.bandwidth
    assert path.flow.control.pacing_gain == 256


# What holds for all


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(available()),
    st.lists(st.tuples(st.sampled_from("aaaaaAArlti"), st.integers(1, 30), st.integers(0, 300)), max_size=150),
)
def test_the_window_is_never_less_than_one_and_never_runs_away(name: str, steps: list[tuple[str, int, int]]) -> None:
    """Whatever comes: and the same comes out again."""

    def run() -> list[tuple[int, int, int | None]]:
        flow = Driven(congestion_control(name))
        most = flow.control.cwnd
        seen = []
        for kind, segments, milliseconds in steps:
            before = flow.control.cwnd
            if kind in "aA":
                flow.ack(segments, after=milliseconds * MS, rtt=(milliseconds + 1) * MS, marked=segments if kind == "A" else 0)
                # BBR gives back what a timeout took, and what it let down itself to measure the round trip
                back = most + segments if flow.control.owns_window else 0
                assert flow.control.cwnd <= max(2 * before, before + 30, back)
            elif kind == "r":
                flow.sample.rate_delivered, flow.sample.interval = segments, milliseconds * MS
                flow.ack(segments, after=MS, rtt=None)
            elif kind == "l":
                flow.lose()
            elif kind == "t":
                flow.time_out()
            else:
                flow.now += milliseconds * 1000 * MS
                flow.control.event(Happening.TRANSMIT_START, flow.now)
            most = max(most, flow.control.cwnd)
            assert 1 <= flow.control.cwnd <= 0xFFFFFFFF
            assert 2 <= flow.control.ssthresh <= INFINITE
            seen.append((flow.control.cwnd, flow.control.ssthresh, flow.control.pacing_rate))
        return seen

    assert run() == run()
