"""TCP_INFO in full: one layout and, where both can say, one content on the emulation and on the operating system."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from stack.tcp.tcp_info import OPT_SACK, OPT_TIMESTAMPS, OPT_WSCALE, SIZE, TcpInfo
from tests.socket.worlds import World

TCP = socket.IPPROTO_TCP
UNLIMITED = (1 << 64) - 1


def information(s: socket.socket) -> TcpInfo:
    return TcpInfo.parse(s.getsockopt(TCP, socket.TCP_INFO, 512))


def test_the_layout_is_that_of_linux(world: World) -> None:
    octets = world.new().getsockopt(TCP, socket.TCP_INFO, 512)
    if len(octets) < SIZE:
        pytest.skip(f"this kernel is older than 6.18: its struct tcp_info has {len(octets)} octets")
    assert len(octets) == SIZE
    assert TcpInfo.parse(octets).pack() == octets


def test_a_socket_without_a_connection(world: World) -> None:
    info = replace(information(world.new()), last_data_sent=0, last_data_recv=0, last_ack_recv=0)  # since the machine began
    assert info == TcpInfo(
        state=7, snd_mss=536, rto=1_000_000, rttvar=250_000, snd_cwnd=10, snd_ssthresh=0x7FFFFFFF, reordering=3,
        min_rtt=0xFFFFFFFF, pacing_rate=UNLIMITED, max_pacing_rate=UNLIMITED, delivery_rate_app_limited=1,
    )  # fmt: skip


def test_a_listener_tells_of_its_queue(world: World) -> None:
    listener = world.listener(backlog=5)
    world.client(listener)
    world.wait_for(listener, read=True)
    assert information(listener) == TcpInfo(
        state=10, unacked=1, sacked=5, snd_cwnd=10, reordering=3, pacing_rate=UNLIMITED, max_pacing_rate=UNLIMITED
    )


def test_what_was_sent_and_received_is_counted(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"x" * 1000)
    server.recv(1000, socket.MSG_WAITALL)
    server.sendall(b"y" * 300)
    client.recv(300, socket.MSG_WAITALL)
    time.sleep(0.3)
    one, other = information(client), information(server)
    for info in (one, other):
        assert (info.state, info.ca_state, info.retransmits, info.probes, info.backoff) == (1, 0, 0, 0, 0)
        assert (info.unacked, info.sacked, info.lost, info.retrans, info.total_retrans) == (0, 0, 0, 0, 0)
        assert info.options == OPT_TIMESTAMPS | OPT_SACK | OPT_WSCALE
        assert (info.notsent_bytes, info.bytes_retrans, info.rcv_ooopack, info.reord_seen) == (0, 0, 0, 0)
        assert (info.total_rto, info.total_rto_recoveries, info.total_rto_time) == (0, 0, 0)
        assert (info.snd_ssthresh, info.reordering, info.delivered_ce) == (0x7FFFFFFF, 3, 0)
        assert info.snd_cwnd in (10, 11)  # over its loopback, Linux counts the one segment as use of the window
        assert info.advmss == info.pmtu - 52
        assert info.delivered == 2  # the SYN and the data
        assert (info.last_ack_sent, info.fackets) == (0, 0)
        assert 0 < info.min_rtt <= 100_000
        assert info.rtt > 0
        assert 200_000 <= info.rto < 1_000_000
        assert 250 <= info.last_data_recv < 5000
        assert 250 <= info.last_data_sent < 5000
        assert info.ato == 40_000
        assert info.rcv_space > 0
        assert info.rcv_ssthresh > 0
    assert (one.bytes_sent, one.bytes_received, one.data_segs_out, one.data_segs_in) == (1000, 300, 1, 1)
    assert (other.bytes_sent, other.bytes_received, other.data_segs_out, other.data_segs_in) == (300, 1000, 1, 1)
    assert (one.bytes_acked, other.bytes_acked) == (1001, 300)
    assert one.segs_out == other.segs_in
    assert one.segs_in == other.segs_out + 1  # the SYN,ACK was the listener's
    assert (one.snd_wnd, other.snd_wnd) == (other.rcv_wnd, one.rcv_wnd)
    assert (one.snd_wscale, one.rcv_wscale) == (other.rcv_wscale, other.snd_wscale)


def test_the_end_counts_for_an_octet(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"x" * 10)
    client.shutdown(socket.SHUT_WR)
    server.recv(10, socket.MSG_WAITALL)
    assert server.recv(10) == b""
    time.sleep(0.3)
    one, other = information(client), information(server)
    assert (one.state, other.state) == (5, 8)  # FIN-WAIT-2, CLOSE-WAIT
    assert (one.bytes_acked, one.bytes_sent, one.delivered) == (12, 10, 3)
    assert (other.bytes_received, other.data_segs_in) == (11, 1)
    server.shutdown(socket.SHUT_WR)
    assert client.recv(10) == b""
    time.sleep(0.3)
    one, other = information(client), information(server)
    assert (one.state, other.state) == (7, 7)  # TIME-WAIT is no socket's state
    assert (one.bytes_received, other.bytes_acked) == (1, 1)
