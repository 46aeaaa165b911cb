"""Captures of an emulated network: from where, into what, how they end."""

from __future__ import annotations

import gzip
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stack import TCP, Network, StackError, Trace
from tests.lab.build import ask, chain, echo, pair


def octets(trace: Trace) -> list[tuple[int, bytes]]:
    return [(record.time, record.data) for record in trace]


def test_a_host_sees_each_of_its_frames_once() -> None:
    _, a, b, link = pair(loss="30%")
    with a.capture() as trace:
        a.ping(b, 20, interval="50 ms")
    out, back = link.directions
    assert len(trace) == out.entered + back.delivered
    assert {record.interface for record in trace} == {"a"}


def test_a_router_sees_a_packet_on_both_its_interfaces() -> None:
    net, a, b = chain(1)
    with net["r1"].capture() as trace:  # type: ignore[union-attr]
        a.ping(b, 1)
    assert [one.interface for one in trace.filter("icmp.type == 8")] == ["r1 eth0", "r1 eth1"]


def test_what_a_host_says_to_itself_is_on_loopback() -> None:
    _, a, _, _ = pair()
    with a.capture() as trace:
        a.ping("localhost", 1)
    assert [one.interface for one in trace] == ["a lo", "a lo"]


def test_a_link_is_seen_where_frames_enter_it() -> None:
    _, a, b, link = pair(loss="30%")
    with link.capture() as entered, link.capture(at=b) as at_b, link.capture(at="both") as both, link.capture(at="a") as at_a:
        a.ping(b, 20, interval="50 ms")
    out, back = link.directions
    lost = [one for one in entered if "fault: lost" in (one.comment or "")]
    assert len(entered) == out.entered + back.entered
    assert len(lost) == sum(out.drops.values()) + sum(back.drops.values()) > 0
    assert len(at_b) == out.delivered + back.entered
    assert len(both) == len(at_a) + len(at_b)
    assert [one.name for one in both.interfaces] == ["a", "b"]
    assert {one.interface for one in entered} == {"a-b"}


def test_the_network_is_seen_on_every_link() -> None:
    net, a, b = chain(2)
    with net.capture() as trace:
        a.ping(b, 1)
    requests = trace.filter("icmp.type == 8")
    assert [one.interface for one in requests] == ["a-r1", "r1-r2", "r2-b"]
    assert [one.packet.headers[1].time_to_live for one in requests] == [64, 63, 62]  # type: ignore[attr-defined]
    assert [one.name for one in trace.interfaces] == ["a-r1", "r1-r2", "r2-b"]
    with pytest.raises(StackError, match="no links to capture yet"):
        Network().capture()


@pytest.mark.parametrize("suffix", ["pcap", "pcapng", "pcap.gz", "pcapng.gz"])
def test_a_file_holds_what_memory_holds(suffix: str, tmp_path: Path) -> None:
    """Two captures at once of the same, one in a file: the same packets, times, and, in pcapng, reasons and names."""
    _, a, b, _ = pair()
    echo(b)
    path = tmp_path / f"a.{suffix}"
    with a.capture() as memory, a.capture(path) as filed:
        assert ask(a) == b"hello"
        assert len(filed) == len(memory) > 5, "it can be looked at while it runs"
    assert octets(filed) == octets(memory) == octets(Trace.read(path))
    if "pcapng" in suffix:
        again = Trace.read(path)
        assert [one.comment for one in again] == [one.comment for one in memory]
        assert again.names == {"10.0.0.1": ["a"], "fd00::1": ["a"], "10.0.0.2": ["b"], "fd00::2": ["b"]}
    data = gzip.decompress(path.read_bytes()) if suffix.endswith("gz") else path.read_bytes()
    assert data[:4] in (b"\x0a\x0d\x0d\x0a", bytes.fromhex("4d3cb2a1"), bytes.fromhex("a1b23c4d"))


def test_times_begin_at_the_epoch_of_the_hosts() -> None:
    _, a, b, _ = pair()
    with a.capture() as trace:
        a.ping(b, 1)
    with a:
        import time

        now = time.time_ns()
    assert now - trace[-1].time == 0
    assert trace[-1].time - trace[0].time == 40_000_000


def test_frames_can_be_cut() -> None:
    _, a, b, _ = pair()
    with a.capture(snaplen=60) as trace:
        a.ping(b, 1, size=1000)
    request = trace.filter("icmp.type == 8")[0]
    assert (request.captured_length, request.length) == (60, 1042)
    for wrong in (0, -1, "x"):
        with pytest.raises(ValueError, match=r"snaplen is .*; expected an integer of at least 1"):
            a.capture(snaplen=wrong)  # type: ignore[arg-type]


def test_leaving_the_block_drains_what_is_closing() -> None:
    def fins(**options: Any) -> int:
        _, a, b, _ = pair()
        echo(b)
        with a.capture(**options) as trace:
            ask(a)
        return len(trace.filter("tcp.flags.fin == 1"))

    assert fins() == 2
    assert fins(drain=False) <= 2
    _, a, b, _ = pair()
    with a, socket.create_server(("", 80)):
        with b:
            peer = socket.create_connection(("a", 80))
        with b.capture(drain=False) as cut:
            peer.close()
        peer = None  # type: ignore[assignment]
    assert len(cut.filter("tcp.flags.fin == 1")) == 1, "the answer is not waited for"


def test_draining_is_bounded() -> None:
    net, a, b, link = pair()
    echo(b)
    with a.capture(drain="3 s"):
        with a:
            connection = socket.create_connection(("b", 7))
            outage = link.down()
            connection.close()
        before = net.now
    assert 2_900_000_000 <= net.now - before <= 3_000_000_000
    outage.remove()
    with pytest.raises(ValueError, match="'soon' is not a time"):
        a.capture(drain="soon")


def test_an_exception_ends_the_capture_and_leaves_the_file_whole(tmp_path: Path) -> None:
    net, a, b, _ = pair()
    with pytest.raises(ZeroDivisionError), a.capture(tmp_path / "cut.pcapng") as trace:
        a.ping(b, 1)
        now = net.now
        raise ZeroDivisionError
    assert net.now == now, "nothing is drained"
    assert len(trace) == len(Trace.read(tmp_path / "cut.pcapng")) == 4
    a.ping(b, 1)
    assert len(trace) == 4, "it is over"
    assert net.captures == []


def test_closing_the_network_finishes_its_captures(tmp_path: Path) -> None:
    with Network(seed=1) as net:
        a, b = net.host("a"), net.host("b")
        net.link(a, b)
        capture = a.capture(tmp_path / "a.pcap")
        a.ping(b, 1)
        assert repr(capture) == f"<Capturing {tmp_path / 'a.pcap'}: 4 packets>"
    assert repr(capture).endswith("4 packets, closed>")
    assert len(Trace.read(tmp_path / "a.pcap")) == 4
    assert capture.close() is capture.trace


def test_where_a_capture_cannot_go(tmp_path: Path) -> None:
    net, a, _, link = pair()
    with pytest.raises(ValueError, match=r"'a.txt' does not say a format; expected a name that ends in .pcap"):
        a.capture("a.txt")
    with pytest.raises(FileNotFoundError):
        a.capture(tmp_path / "none" / "a.pcap")
    with pytest.raises(ValueError, match="'c' is not one end of link a-b, which joins a"):
        link.capture(at="c")
    assert net.captures == []


def test_links_that_are_made_during_a_capture_are_captured(tmp_path: Path) -> None:
    net, a, b, link = pair()
    with net.capture(tmp_path / "net.pcapng") as everything, a.capture() as at_a, b.capture() as at_b, link.capture() as first:
        net.link(a, net.host("c"))
        a.ping("c", 1)
    assert {record.interface for record in everything} == {"a-c"}
    assert {record.interface for record in at_a} == {"a eth1"}
    assert len(everything) == len(at_a) == 4
    assert len(at_b) == len(first) == 0


def test_two_captures_into_one_file_are_refused(tmp_path: Path) -> None:
    _, a, b, _ = pair()
    path = tmp_path / "a.pcap"
    with a.capture(path) as trace:
        with pytest.raises(StackError, match=r"a\.pcap' is being captured into already"):
            b.capture(str(path))
        a.ping(b, 1)
    assert len(Trace.read(path)) == len(trace) == 4
    with a.capture(path) as trace:
        a.ping(b, 1)
    assert len(trace) == 2, "written anew"


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_wireshark_reads_names_and_reasons(tmp_path: Path) -> None:
    _, a, b, _ = pair()
    echo(b)
    with a.capture(tmp_path / "a.pcapng"):
        ask(a)
    said = subprocess.run(
        ["tshark", "-r", tmp_path / "a.pcapng", "-N", "n", "-T", "fields", "-e", "ip.dst_host", "-e", "frame.interface_name", "-e", "frame.comment"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "b\ta\t" in said


def test_a_trace_prints_filters_and_shows_itself() -> None:
    _, a, b, _ = pair()
    echo(b)
    with a.capture() as trace:
        ask(a)
    assert repr(trace) == f"<Trace of {len(trace)} packets>"
    assert len(str(trace).splitlines()) >= len(trace)
    syn = trace.filter("tcp.flags.syn == 1")
    assert isinstance(syn, Trace)
    assert [record.packet[TCP].ack for record in syn] == [False, True]
    assert "SYN" in str(syn.ladder())
    assert trace._repr_html_().count("<details") >= len(trace), "each packet opens"
    assert len(trace.text(causes=True)) > len(trace.text())
    with pytest.raises(ValueError, match="'speed' is not a plot; expected one of sequence, throughput, window"):
        trace.plot("speed")
