"""The fuzzer's own parts, without a kernel: what it draws, writes, reads and compares."""

from dataclasses import replace

from tests.tap.fuzz.compare import difference
from tests.tap.fuzz.emulator import Emulator
from tests.tap.fuzz.peer import Peer
from tests.tap.fuzz.scenario import DEFAULTS, Maker
from tests.tap.fuzz.wire import Flow, Segment, read
from tests.tap.fuzz.world import Record, Step

REMOTE = bytes([10, 0, 0, 1])


def test_a_seed_draws_one_scenario() -> None:
    drawn = [Maker(str(seed)).scenario() for seed in range(200)]
    assert drawn == [Maker(str(seed)).scenario() for seed in range(200)]
    assert {step["op"] for one in drawn for step in one["steps"]} >= {"listen", "connect", "write", "read", "ack", "icmp", "reset", "info", "close"}


def played(window: int) -> list[Record]:
    """A connection of ours that a peer opens, writes to, and acknowledges."""
    world = Emulator(Flow(REMOTE, 50000), DEFAULTS)
    peer = Peer({"syn": {"sack": True}, "window": window})
    world.heard = peer.hear
    steps: list[Step] = [
        {"op": "listen", "options": []}, {"op": "syn", "flags": "S", "said": {"mss": 1000, "sack": True}}, {"op": "ack", "upto": "all"}, {"op": "accept"},
        {"op": "write", "length": 5000, "flags": 0}, {"op": "ack", "upto": 1, "sack": [[1, 2]], "length": 10}, {"op": "info"},
    ]  # fmt: skip
    with world.network, world.host:
        world.began = world.network.now
        for number, step in enumerate(steps):
            world.wait(number * 10_000_000)
            world.do(peer.settle(step, world.now()))
        world.finish()
    return world.log


def test_a_scenario_plays_and_its_log_tells_what_happened() -> None:
    log = played(20_000)
    segments = [what for _, kind, what in log if kind == "packet"]
    assert [(one.flags, one.seq, one.length) for one in segments[:3]] == [("S.", 0, 0), (".", 1, 1000), ("P.", 1001, 1000)]
    assert segments[-1].ack == 11
    info = next(what for _, kind, what in log if kind == "info")
    assert (info["unacked"], info["sacked"], info["snd_wnd"]) == (4, 1, 20_000)


def test_the_first_difference_is_named() -> None:
    log = played(20_000)
    assert difference(log, played(20_000)) is None
    at = next(index for index, (_, kind, what) in enumerate(log) if kind == "packet" and what.length)
    time, kind, segment = log[at]
    changed = [*log[:at], (time, kind, replace(segment, flags="P.")), *log[at + 1 :]]
    found = difference(log, changed)
    assert found is not None
    assert (found.at, found.signature) == (at, "packet . text: flags ours P.")
    assert difference(log, log[:-1]) is not None
    late = [*log[:at], (time + 1, kind, segment), *log[at + 1 :]]
    assert difference(log, late) is not None
    assert difference(log, late, times=False) is None


def test_segments_are_written_as_they_are_read() -> None:
    flow = Flow(REMOTE, 50000, local_port=8080, iss=7, first_timestamp=99)
    segment = Segment("P.", 1, 4, 12, 500, [("ts", 5, 0), ("sack", 20, 30)])
    octets = segment.build(flow)
    back = octets[:12] + octets[16:20] + octets[12:16] + octets[20:]  # as if the host had sent it
    seen = read(back, Flow(REMOTE, 8080, iss=flow.irs, first_timestamp=0, irs=7))
    assert seen is not None
    assert (seen.flags, seen.seq, seen.length, seen.ack, seen.window) == ("P.", 1, 4, 12, 500)
    assert ("sack", 20, 30) in seen.options
