"""What connections go through, with our TCP on one side and Linux's on the other: shut windows, ends, resets, urgent data."""

import errno
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest

from stack import TCP, Host, Network, TcpSettings
from stack.lab.tap import Tap
from stack.link.ecn_threshold import EcnThreshold
from stack.testing.namespace import Namespace
from tests.tap.conftest import Peer, dial
from tests.tap.peer import digest, pattern, read_all

Start = Callable[..., Peer]


@pytest.fixture
def members(net: Network, linux: Namespace) -> tuple[Host, Tap]:
    """A host of ours and the kernel, 2 ms apart."""
    host, tap = net.host("a"), net.tap("tap0", namespace=linux.name)
    net.link(host, tap, delay="1 ms")
    net.update()
    return host, tap


def test_a_window_that_linux_shuts(net: Network, members: tuple[Host, Tap], peer: Start) -> None:
    """It reads nothing for a second: we probe its window, and send the rest when it opens."""
    host, tap = members
    reader = peer("dawdle", wait=1.0, receive_buffer=8192)
    [link] = net.links.values()
    with link.capture(drain=False) as trace:
        with host, dial(tap.address, reader.port) as connection:
            for piece in pattern(300_000, seed=1):
                connection.sendall(piece)
        assert reader.result() == {"count": 300_000, "digest": digest(300_000, seed=1)}
    assert len(trace.filter(f"tcp.window_size_value == 0 && tcp.srcport == {reader.port}")) >= 2


def test_a_window_that_we_shut(net: Network, members: tuple[Host, Tap], peer: Start) -> None:
    host, _ = members
    [link] = net.links.values()
    with link.capture(drain=False) as trace:

        @host.program
        def server() -> tuple[int, str]:
            with socket.create_server(("", 80)) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                connection, _ = listener.accept()
                with connection:
                    time.sleep(1)
                    return read_all(connection)

        sender = peer("exchange", connect=[str(host.address), 80], send=300_000)
        sender.result()
        assert server.result() == (300_000, digest(300_000, seed=1))
    assert trace.filter("tcp.window_size_value == 0 && tcp.srcport == 80")


def test_half_closed_by_us(members: tuple[Host, Tap], peer: Start) -> None:
    host, tap = members
    other = peer("reply_at_end")
    with host, dial(tap.address, other.port) as connection:
        connection.sendall(bytes(100_000))
        connection.shutdown(socket.SHUT_WR)
        assert connection.makefile("rb").read() == b"100000 octets"
    other.wait()


def test_half_closed_by_linux(members: tuple[Host, Tap], peer: Start) -> None:
    host, _ = members

    @host.program
    def server() -> None:
        with socket.create_server(("", 80)) as listener, listener.accept()[0] as connection:
            count, _ = read_all(connection)
            connection.sendall(b"%d octets" % count)

    other = peer("ask_and_end", connect=[str(host.address), 80], send=100_000)
    assert other.result() == {"reply": "100000 octets"}
    server.result()


def test_linux_resets(members: tuple[Host, Tap], peer: Start) -> None:
    host, tap = members
    other = peer("reset")
    with host, dial(tap.address, other.port) as connection:
        connection.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    other.wait()


def test_we_reset(members: tuple[Host, Tap], peer: Start) -> None:
    host, tap = members
    other = peer("last_error")
    with host:
        connection = dial(tap.address, other.port)
        assert connection.recv(1) == b"x"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert other.result() == {"error": errno.ECONNRESET}


@pytest.mark.parametrize("version", [4, 6])
def test_both_refuse(members: tuple[Host, Tap], peer: Start, version: int) -> None:
    host, tap = members
    ours, theirs = (next(str(one) for one in each.addresses if (":" in str(one)) == (version == 6)) for each in (host, tap))
    with host, pytest.raises(ConnectionRefusedError):
        dial(theirs, 9)
    assert peer("last_error", connect=[ours, 9]).result() == {"error": errno.ECONNREFUSED}


def urgent(connection: socket.socket) -> tuple[bytes, bytes]:
    """What `peer.urgent` does."""
    connection.sendall(b"ab")
    connection.send(b"c", socket.MSG_OOB)
    connection.sendall(b"d")
    select.select([], [], [connection], 5)
    out_of_band = connection.recv(1, socket.MSG_OOB)
    ordinary = b""
    while len(ordinary) < 3:
        ordinary += connection.recv(3)
    connection.close()
    return ordinary, out_of_band


@pytest.mark.parametrize("serve", [False, True], ids=["client", "server"])
def test_urgent_data(members: tuple[Host, Tap], peer: Start, serve: bool) -> None:
    host, tap = members
    if serve:

        @host.program
        def server() -> Any:
            with socket.create_server(("", 80)) as listener, listener.accept()[0] as connection:
                return urgent(connection)

        other, program = peer("urgent", connect=[str(host.address), 80]), server
    else:
        other = peer("urgent")
        program = host.start(lambda: urgent(dial(tap.address, other.port)))
    assert other.result() == {"ordinary": "abd", "urgent": "c"}
    assert program.result() == (b"abd", b"c")


def test_sack_fills_the_holes_of_both(net: Network, members: tuple[Host, Tap], peer: Start) -> None:
    """Every tenth of a hundred segments is lost, once each, both ways: only what was lost is sent again."""
    host, tap = members
    [link] = net.links.values()
    for direction in link.directions:
        seen: list[int] = []

        def lossy(packet: Any, seen: list[int] = seen) -> bool:
            seen.append(len(packet))
            return len(packet) > 1000 and sum(size > 1000 for size in seen) in range(20, 100, 10)

        direction.drop(lossy, times=8)
    other = peer("exchange", send=1_000_000, congestion="cubic")
    with link.capture(drain=False) as trace, host, dial(tap.address, other.port) as connection:
        for piece in pattern(1_000_000, seed=2):
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == (1_000_000, digest(1_000_000, seed=1))
    result = other.result()
    assert result["digest"] == digest(1_000_000, seed=2)
    assert 8 <= result["retransmitted"] <= 16
    assert trace.filter(f"tcp.options.sack_le && tcp.srcport == {other.port}")
    assert trace.filter(f"tcp.options.sack_le && tcp.dstport == {other.port}")


@pytest.mark.parametrize("serve", [False, True], ids=["client", "server"])
def test_explicit_congestion_notification(net: Network, linux: Namespace, peer: Start, serve: bool) -> None:
    """Marks instead of losses, both ways: negotiated, echoed, answered, and nothing is sent again."""
    linux.sysctl("net.ipv4.tcp_ecn", 1)
    host, tap = net.host("a", tcp=TcpSettings(ecn=1)), net.tap("tap0", namespace=linux.name)
    link = net.link(host, tap, rate="100 Mbit", delay="1 ms", queue=lambda: EcnThreshold(20))
    net.update()

    def program() -> tuple[int, str]:
        if serve:
            with socket.create_server(("", 80)) as listener:
                connection, _ = listener.accept()
        else:
            connection = dial(tap.address, other.port)
        with connection:
            for piece in pattern(3_000_000, seed=2):
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

    given = {"send": 3_000_000, "congestion": "cubic"}
    with link.capture(drain=False) as trace:
        if serve:
            ours = host.start(program)
            other = peer("exchange", connect=[str(host.address), 80], **given)
        else:
            other = peer("exchange", **given)
            ours = host.start(program)
        result = other.result()
        assert ours.result() == (3_000_000, digest(3_000_000, seed=1))
    assert result["options"] & 8, "TCPI_OPT_ECN"
    for direction, address in zip(link.directions, (host.address, tap.address), strict=True):
        assert not direction.drops
        assert trace.filter(f"tcp.flags.ece == 1 && tcp.flags.syn == 0 && ip.src == {address}")
        assert trace.filter(f"tcp.flags.cwr == 1 && tcp.flags.syn == 0 && ip.src == {address}")
    assert result["retransmitted"] == 0


def test_fast_open_to_linux(net: Network, linux: Namespace, peer: Start) -> None:
    """The first connection gets a cookie, the second one's SYN carries data, which Linux takes at once."""
    linux.sysctl("net.ipv4.tcp_fastopen", 3)
    host, tap = net.host("a"), net.tap("tap0", namespace=linux.name)
    link = net.link(host, tap, delay="10 ms")
    net.update()
    port = 0
    with link.capture(drain=False) as trace:
        for _ in range(2):
            other = peer("reply_at_end", fast_open=True, **({"port": port} if port else {}))
            port = other.port
            with host, socket.socket() as connection:
                connection.sendto(b"hello", socket.MSG_FASTOPEN, (str(tap.address), port))
                connection.shutdown(socket.SHUT_WR)
                assert connection.makefile("rb").read() == b"5 octets"
            other.wait()
    first, second = trace.filter(f"tcp.flags.syn == 1 && tcp.dstport == {port}")
    assert (len(first.packet.after(TCP)), len(second.packet.after(TCP))) == (0, 5)
    [_, answer] = trace.filter(f"tcp.flags.syn == 1 && tcp.srcport == {port}")
    assert answer.packet[TCP].acknowledgment == second.packet[TCP].sequence + 6


def test_fast_open_from_linux(net: Network, linux: Namespace, peer: Start) -> None:
    linux.sysctl("net.ipv4.tcp_fastopen", 1)
    host, tap = net.host("a", tcp=TcpSettings(fast_open=3)), net.tap("tap0", namespace=linux.name)
    link = net.link(host, tap, delay="10 ms")
    net.update()

    @host.program
    def server() -> None:
        with socket.create_server(("", 80)) as listener:
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
            for _ in range(2):
                with listener.accept()[0] as connection:
                    count, _ = read_all(connection)
                    connection.sendall(b"%d octets" % count)

    with link.capture(drain=False) as trace:
        for _ in range(2):
            assert peer("send_with_syn", connect=[str(host.address), 80]).result() == {"reply": "5 octets"}
        server.result()
    sizes = [len(one.packet.after(TCP)) for one in trace.filter("tcp.flags.syn == 1 && tcp.dstport == 80")]
    assert sizes == [0, 5]
