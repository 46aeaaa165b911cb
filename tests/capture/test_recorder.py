"""Recording: each frame once, where it was asked for, with its cause and what the link did to it."""

from pathlib import Path

import pytest

from stack.base.address import MAC
from stack.capture.recorder import Recorder, faults_of
from stack.capture.trace import Trace
from stack.codec.packet import Packet
from stack.link.faults import Drop
from stack.link.interface import Interface
from tests.capture.build import MILLISECOND, handshake, segment
from tests.link.build import Bench

HELLO = segment("c", "PA", 1001, 5001, b"hello", cause="data 1:6")


class Wire:
    """Takes what is sent, and loses it."""

    entered = octets_entered = delivered = octets_delivered = 0

    def send(self, packet: Packet, now: int) -> None:
        pass


def interface(name: str, loopback: bool = False) -> Interface:
    made = Interface(name, MAC(2), loopback=loopback)
    made.wire = Wire()
    made.handler = lambda interface, packet, now: None
    return made


each_place = pytest.mark.parametrize("name", [None, "a.pcap", "a.pcapng", "a.pcapng.gz"])


def path_of(tmp_path: Path, name: str | None) -> Path | None:
    return None if name is None else tmp_path / name


@each_place
def test_every_frame_of_an_interface_once(tmp_path: Path, name: str | None) -> None:
    recorder = Recorder(path_of(tmp_path, name))
    eth0 = interface("eth0")
    recorder.attach(eth0)
    eth0.send(HELLO, 5)
    eth0.receive(handshake()[1], 7)
    trace = recorder.close()
    eth0.send(HELLO, 9)
    assert [(record.time, record.data) for record in trace] == [(5, bytes(HELLO)), (7, bytes(handshake()[1]))]
    assert eth0.taps == []
    if name != "a.pcap":
        assert [(record.interface, record.comment) for record in trace] == [("eth0", "data 1:6"), ("eth0", None)]


@each_place
def test_the_trace_grows_while_it_is_recorded(tmp_path: Path, name: str | None) -> None:
    recorder = Recorder(path_of(tmp_path, name))
    trace = recorder.trace
    assert len(trace) == 0
    assert trace.interfaces == []
    for number in range(1, 4):
        recorder.record(number, HELLO, "eth0")
        assert [record.time for record in trace] == list(range(1, number + 1))
    assert trace.fields("frame.number", "tcp.stream") == [("1", "0"), ("2", "0"), ("3", "0")]
    assert recorder.close() is trace
    assert recorder.close() is trace
    assert len(trace) == 3
    if name is not None:
        assert [record.data for record in Trace.read(tmp_path / name)] == [record.data for record in trace]


def test_only_what_arrives_is_the_other_end_of_a_link() -> None:
    recorder = Recorder()
    eth0 = interface("eth0")
    recorder.attach(eth0, "link a–b", outgoing=False)
    eth0.send(HELLO, 1)
    eth0.receive(HELLO, 2)
    assert [(record.time, record.interface) for record in recorder.close()] == [(2, "link a–b")]


def test_loopback_shows_a_frame_once() -> None:
    recorder = Recorder()
    lo = interface("lo", loopback=True)
    recorder.attach(lo)
    lo.send(HELLO, 1)
    lo.receive(HELLO, 1)
    assert len(recorder.close()) == 1


def test_a_link_notes_what_it_does_to_a_frame() -> None:
    bench = Bench()
    there, back = bench.direction(), bench.direction()
    there.faults([Drop(2)])
    recorder = Recorder()
    recorder.attach_direction(there, "link")
    recorder.attach_direction(back, "link")
    for place, packet in enumerate(handshake()):
        there.send(packet, place * MILLISECOND)
    back.send(HELLO, 9 * MILLISECOND)
    trace = recorder.close()
    assert [bool(list(faults_of(record.comment))) for record in trace] == [False, True, False, False]
    assert trace[3].comment == "data 1:6"
    assert [one.name for one in trace.interfaces] == ["link"]
    assert there.taps == back.taps == there.on_fault == back.on_fault == []


def test_a_cut_frame_says_how_long_it_was(tmp_path: Path) -> None:
    with Recorder(tmp_path / "a.pcapng", snaplen=40, epoch=1_000) as recorder:
        recorder.record(1, HELLO)
    (record,) = recorder.trace
    assert (record.time, record.captured_length, record.length) == (1_001, 40, len(bytes(HELLO)))


def test_names_and_secrets_are_in_the_capture(tmp_path: Path) -> None:
    for path in (None, tmp_path / "a.pcapng"):
        recorder = Recorder(path, {"10.0.0.1": ["client"]})
        recorder.add_tls_secrets("CLIENT_RANDOM 00 11\n")
        trace = recorder.close()
        assert (trace.names, trace.secrets) == ({"10.0.0.1": ["client"]}, [b"CLIENT_RANDOM 00 11\n"])


def test_packets_that_are_not_ethernet_have_an_interface_of_their_own() -> None:
    recorder = Recorder()
    recorder.record(1, Packet.parse(bytes(HELLO)[14:], 101), "tun0")
    recorder.record(2, HELLO, "eth0")
    trace = recorder.close()
    assert trace.fields("ip.src", "eth.src") == [("10.0.0.1", ""), ("10.0.0.1", "00:00:00:00:00:00")]
