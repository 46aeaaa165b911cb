"""Replay: a capture's frames at their times, faster, fewer or changed."""

from pathlib import Path

import pytest

from stack.base.address import IPv4Address
from stack.capture.error import CaptureError
from stack.capture.replay import plan
from stack.codec.packet import Packet
from stack.ip.formats.ipv4 import IPv4
from tests.capture.build import MILLISECOND, handshake, trace_of, write


def test_times_are_kept_from_the_first_on(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", handshake())
    found = list(plan(path, start=7))
    assert [time for time, _ in found] == [7, 7 + MILLISECOND, 7 + 2 * MILLISECOND]
    assert [bytes(packet) for _, packet in found] == [bytes(packet) for packet in handshake()]


def test_faster_fewer_and_changed(tmp_path: Path) -> None:
    trace = trace_of(tmp_path / "a.pcapng", handshake())
    assert [time for time, _ in plan(trace, speed=4)] == [0, MILLISECOND // 4, MILLISECOND // 2]

    def elsewhere(packet: Packet) -> Packet:
        return packet.replace(packet[IPv4].replace(source=IPv4Address("192.0.2.1")))

    found = list(plan(trace, only="tcp.srcport == 4000", rewrite=elsewhere))
    assert [(time, str(packet[IPv4].source)) for time, packet in found] == [(0, "192.0.2.1"), (2 * MILLISECOND, "192.0.2.1")]
    assert list(plan(trace, rewrite=lambda packet: None)) == []


def test_a_speed_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="speed 0 is not above 0"):
        next(plan(trace_of(tmp_path / "a.pcap", handshake()), speed=0))


def test_a_damaged_capture_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.pcap", handshake())
    path.write_bytes(path.read_bytes()[:-1])
    for only in (None, "tcp"):
        found: list[int] = []
        with pytest.raises(CaptureError, match="the file ends inside a packet"):
            found.extend(time for time, _ in plan(path, only=only))
        assert found == [] or len(found) == 2


def test_a_clock_that_was_set_back_sends_at_once(tmp_path: Path) -> None:
    trace = trace_of(tmp_path / "a.pcapng", handshake())
    assert [time for time, _ in plan(trace[::-1])] == [0, 0, 0]
