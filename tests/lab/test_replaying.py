"""Replay: the frames of a capture sent into a link at their recorded times."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack import ICMP, MAC, CaptureError, Ethernet, IPv4, IPv4Address, Network, Packet, Sealed, StackError, Trace
from stack.capture.recorder import Recorder
from stack.codec.registry import LinkType
from tests.lab.build import pair


@pytest.fixture
def pings(tmp_path: Path) -> Path:
    """Three echo requests and their answers, as a capture at a."""
    _, a, b, _ = pair()
    with a.capture(tmp_path / "pings.pcapng"):
        a.ping(b, 3, interval="100 ms")
    return tmp_path / "pings.pcapng"


def arrivals(trace: Trace) -> list[int]:
    """When echo requests arrived, in ms after the first."""
    times = [record.time for record in trace.filter("icmp.type == 8")]
    return [(time - times[0]) // 1_000_000 for time in times]


def test_frames_come_at_their_recorded_times_and_are_answered(pings: Path) -> None:
    net, _, b, _link = pair()
    with b.capture() as trace:
        replay = net.replay(pings, b, only="icmp.type == 8")
        assert not replay.done
        net.run()
    assert (replay.sent, replay.done) == (3, True)
    assert arrivals(trace) == [0, 80, 180], "the first request had waited for ARP"
    assert len(trace.filter("icmp.type == 0")) == 3


def test_speed_and_when_it_begins(pings: Path) -> None:
    net, _, b, _ = pair()
    net.run("1 s")
    with b.capture() as trace:
        net.replay(pings, b, only="icmp.type == 8", speed=2)
        net.run()
    assert arrivals(trace) == [0, 40, 90]
    assert trace[0].time - 1_010_000_000 == Trace.read(pings)[0].time, "one second, and the link's delay"
    with pytest.raises(ValueError, match="speed 0 is not above 0"):
        net.replay(pings, b, speed=0)


def test_frames_can_be_rewritten_or_left_out(pings: Path) -> None:
    def to_another(packet: Packet) -> Packet | None:
        if packet.get(ICMP) is None or packet[ICMP].type != 8:
            return None
        ping = Packet(*packet.headers[1:], payload=packet.payload).replace(packet[IPv4].replace(source="10.0.0.77", checksum=Sealed))
        return Ethernet(destination=b.mac, source=MAC("02:00:00:00:00:77")) / ping  # type: ignore[no-any-return]

    net, _, b, _ = pair()
    with b.capture() as trace:
        replay = net.replay(pings, b, rewrite=to_another)
        net.run("1 s")
    assert replay.sent == 3
    assert len(trace.filter("ip.src == 10.0.0.77")) == 3
    assert len(trace.filter("arp.dst.proto_ipv4 == 10.0.0.77")) >= 1, "b asks who that is"


def test_a_trace_can_be_replayed_into_a_direction(pings: Path) -> None:
    net, a, _b, link = pair()
    with a.capture() as trace:
        net.replay(Trace.read(pings).filter("icmp.type == 0"), link.toward(a))  # type: ignore[arg-type]
        net.run()
    assert len(trace) == 3
    link.toward(a).loss = 1
    with a.capture() as nothing:
        net.replay(pings, "a")
        net.run()
    assert len(nothing) == 0, "the link's faults are met"


def test_a_damaged_file_gives_its_good_frames_and_then_its_error(pings: Path) -> None:
    pings.write_bytes(pings.read_bytes()[:-30])
    net, _, b, _ = pair()
    with b.capture() as trace:
        net.replay(pings, b)
        with pytest.raises(CaptureError):
            net.run()
        net.run()  # what was sent before that arrives
    assert len(trace.filter("icmp.type == 8")) == 3


def test_what_is_no_capture(tmp_path: Path) -> None:
    (tmp_path / "not.pcap").write_bytes(b"hello, this is text")
    net, _, b, _ = pair()
    with pytest.raises(CaptureError):
        net.replay(tmp_path / "not.pcap", b)
    with pytest.raises(FileNotFoundError):
        net.replay(tmp_path / "none.pcap", b)
    with pytest.raises(StackError, match="None is no member of a network"):
        net.replay(tmp_path / "none.pcap", None)  # type: ignore[arg-type]
    with pytest.raises(StackError, match="lonely is on no link yet"):
        net.replay(tmp_path / "none.pcap", net.host("lonely"))


def test_frames_that_are_not_ethernet() -> None:
    recorder = Recorder()
    recorder.record(0, Packet.parse(bytes(IPv4(source=IPv4Address("10.0.0.9"), destination=IPv4Address("10.0.0.2")) / ICMP(type=8)), LinkType.RAW))
    net, _, b, _ = pair()
    net.replay(recorder.close(), b)  # type: ignore[arg-type]
    with pytest.raises(StackError, match=r"frame 1 has link type .*; expected Ethernet"):
        net.run()


def test_a_host_in_another_network(pings: Path) -> None:
    _, a, _, _ = pair()
    with pytest.raises(StackError, match="a is in another network"):
        Network().replay(pings, a)
