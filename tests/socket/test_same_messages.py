"""Control messages, the error queue and the flags beside them: one verdict on the emulation and on the operating system."""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from typing import Any

import pytest

from stack.socket import numbers as n
from tests.socket.worlds import World

SOL, TCP, IP = socket.SOL_SOCKET, socket.IPPROTO_TCP, socket.IPPROTO_IP
ROOM = 512

Extended = tuple[int, int, int, int, int, int]


def extended(control: list[tuple[int, int, bytes]]) -> Extended:
    """errno, origin, type, code, info and data of the message's struct sock_extended_err."""
    octets = next(data for level, kind, data in control if (level, kind) in ((IP, n.IP_RECVERR), (41, n.IPV6_RECVERR)))
    number, origin, kind, code, _, info, data = struct.unpack_from("=IBBBBII", octets)
    return number, origin, kind, code, info, data


def notice(s: socket.socket) -> tuple[int, Extended, list[tuple[int, int]]]:
    """The flags, the extended error and the kinds of the control messages of what is next on the error queue."""
    s.settimeout(None)  # with a time-out the library would wait for data first
    for _ in range(100):
        try:
            _, control, flags, _ = s.recvmsg(0, ROOM, socket.MSG_ERRQUEUE)
            return flags, extended(control), [(level, kind) for level, kind, _ in control]
        except BlockingIOError:
            time.sleep(0.01)
    raise AssertionError("nothing came on the error queue")


def test_an_empty_error_queue_never_waits(world: World) -> None:
    client, _ = world.pair()
    client.settimeout(None)
    assert world.error_of(client.recvmsg, 1, ROOM, socket.MSG_ERRQUEUE) == errno.EAGAIN
    datagram = world.new(kind=socket.SOCK_DGRAM)
    datagram.settimeout(None)
    assert world.error_of(datagram.recv, 1, socket.MSG_ERRQUEUE) == errno.EAGAIN


def test_trunc_throws_octets_of_a_stream_away(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"0123456789")
    assert len(server.recv(4, socket.MSG_TRUNC | socket.MSG_WAITALL)) == 4
    assert len(server.recv(4, socket.MSG_TRUNC | socket.MSG_PEEK)) == 4
    assert server.recv(100) == b"456789"


def test_trunc_tells_how_large_a_datagram_was(world: World) -> None:
    client, server = world.datagrams(connected=True)
    client.send(b"0123456789")
    buffer = bytearray(4)
    assert server.recv_into(buffer, 0, socket.MSG_TRUNC | socket.MSG_PEEK) == 10
    assert buffer == b"0123"
    assert server.recvmsg(4)[2] == socket.MSG_TRUNC


def test_zero_copies_complete_in_order(world: World) -> None:
    client, server = world.pair()
    client.setsockopt(SOL, n.SO_ZEROCOPY, 1)
    for _ in range(3):
        assert client.send(b"x" * 4000, n.MSG_ZEROCOPY) == 4000
    assert len(server.recv(12000, socket.MSG_WAITALL)) == 12000
    done = -1
    while done < 2:
        flags, (number, origin, _, code, first, last), _ = notice(client)
        assert (flags, number, origin) == (socket.MSG_ERRQUEUE, 0, n.SO_EE_ORIGIN_ZEROCOPY)
        assert code == n.SO_EE_CODE_ZEROCOPY_COPIED  # over a loopback Linux copies, too
        assert first == done + 1
        done = last
    assert done == 2
    assert world.error_of(client.recvmsg, 1, ROOM, socket.MSG_ERRQUEUE) == errno.EAGAIN


def test_zero_copies_are_told_only_where_they_were_wanted(world: World) -> None:
    client, server = world.pair()
    client.settimeout(None)
    client.send(b"plain", n.MSG_ZEROCOPY)  # without SO_ZEROCOPY the flag is passed over
    client.setsockopt(SOL, n.SO_ZEROCOPY, 1)
    client.send(b"plain")
    assert server.recv(10, socket.MSG_WAITALL | socket.MSG_PEEK)
    time.sleep(0.05)
    assert world.error_of(client.recvmsg, 1, ROOM, socket.MSG_ERRQUEUE) == errno.EAGAIN
    assert world.error_of(client.setsockopt, SOL, n.SO_ZEROCOPY, 2) == errno.EINVAL


TX = n.SOF_TIMESTAMPING_TX_SCHED | n.SOF_TIMESTAMPING_TX_SOFTWARE | n.SOF_TIMESTAMPING_TX_ACK
REPORT = n.SOF_TIMESTAMPING_SOFTWARE | n.SOF_TIMESTAMPING_OPT_ID


@pytest.mark.parametrize("only", [0, n.SOF_TIMESTAMPING_OPT_TSONLY])
def test_transmit_time_stamps_of_a_stream(world: World, only: int) -> None:
    client, server = world.pair()
    client.setsockopt(SOL, n.SO_TIMESTAMPING, TX | REPORT | only)
    begin = time.time()
    client.send(b"x" * 1000)
    client.send(b"y" * 500)
    server.recv(1500, socket.MSG_WAITALL)
    seen = []
    for _ in range(6):
        flags, (number, origin, kind, code, info, data), kinds = notice(client)
        assert (number, origin, kind, code) == (errno.ENOMSG, n.SO_EE_ORIGIN_TIMESTAMPING, 0, 0)
        assert flags == socket.MSG_ERRQUEUE | (0 if only else socket.MSG_TRUNC)
        assert kinds[0] == (SOL, n.SCM_TIMESTAMPING)
        seen.append((info, data))
    assert sorted(seen) == [(info, key) for info in (n.SCM_TSTAMP_SND, n.SCM_TSTAMP_SCHED, n.SCM_TSTAMP_ACK) for key in (999, 1499)]
    assert time.time() - begin < 5


def test_time_stamps_are_asked_for_one_send(world: World) -> None:
    client, _ = world.pair()
    client.setsockopt(SOL, n.SO_TIMESTAMPING, REPORT)
    client.send(b"not this")
    client.sendmsg([b"this"], [(SOL, n.SO_TIMESTAMPING, struct.pack("I", n.SOF_TIMESTAMPING_TX_ACK))])
    assert notice(client)[1][4:] == (n.SCM_TSTAMP_ACK, 11)
    assert world.error_of(client.recvmsg, 1, ROOM, socket.MSG_ERRQUEUE) == errno.EAGAIN


def test_flags_of_time_stamping_that_do_not_go_together(world: World) -> None:
    client, _ = world.pair()
    for flags in (1 << 25, n.SOF_TIMESTAMPING_OPT_ID_TCP, n.SOF_TIMESTAMPING_OPT_STATS):
        assert world.error_of(client.setsockopt, SOL, n.SO_TIMESTAMPING, flags) == errno.EINVAL
    assert world.error_of(world.new().setsockopt, SOL, n.SO_TIMESTAMPING, n.SOF_TIMESTAMPING_OPT_ID) == errno.EINVAL
    client.setsockopt(SOL, n.SO_TIMESTAMPING, TX)
    assert client.getsockopt(SOL, n.SO_TIMESTAMPING) == TX


@pytest.mark.parametrize(
    ("option", "kind", "form"),
    [(n.SO_TIMESTAMP, n.SCM_TIMESTAMP, "qq"), (n.SO_TIMESTAMPNS, n.SCM_TIMESTAMPNS, "qq")],
)
def test_time_stamps_of_what_arrives(world: World, option: int, kind: int, form: str) -> None:
    before = int(time.time())
    stream, served = world.pair()
    datagram, receiver = world.datagrams(connected=True)
    for other in (served, receiver):
        other.setsockopt(SOL, option, 1)
    time.sleep(0.1)  # Linux begins to look at its clock a little later
    for one, other in ((stream, served), (datagram, receiver)):
        one.send(b"x")
        _, control, _, _ = other.recvmsg(10, ROOM)
        assert [each[:2] for each in control] == [(SOL, kind)]
        assert before <= struct.unpack(form, control[0][2])[0] <= before + 10


def test_one_kind_of_time_stamp_turns_the_other_off(world: World) -> None:
    s = world.new()
    s.setsockopt(SOL, n.SO_TIMESTAMP, 1)
    s.setsockopt(SOL, n.SO_TIMESTAMPNS, 1)
    assert (s.getsockopt(SOL, n.SO_TIMESTAMP), s.getsockopt(SOL, n.SO_TIMESTAMPNS)) == (0, 1)


def inq(s: socket.socket, size: int) -> list[int]:
    control = s.recvmsg(size, ROOM)[1]
    return [struct.unpack("i", data)[0] for level, kind, data in control if (level, kind) == (TCP, n.TCP_CM_INQ)]


def test_what_is_left_to_read_is_told(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"0123456789")
    server.recv(10, socket.MSG_PEEK | socket.MSG_WAITALL)
    assert inq(server, 1) == []
    server.setsockopt(TCP, n.TCP_INQ, 1)
    seen = [inq(server, 4), inq(server, 5)]
    client.close()
    time.sleep(0.05)
    seen += [inq(server, 1), inq(server, 1)]
    assert seen == [[5], [0], [], []] or seen == [[5], [0], [1], [1]]
    assert world.error_of(server.setsockopt, TCP, n.TCP_INQ, 2) == errno.EINVAL


def test_control_messages_without_room_are_cut(world: World) -> None:
    client, server = world.pair()
    server.setsockopt(TCP, n.TCP_INQ, 1)
    client.sendall(b"abc")
    assert server.recvmsg(1, 0)[1:3] == ([], socket.MSG_CTRUNC)
    assert server.recvmsg(1, socket.CMSG_LEN(2))[1:3] == ([(TCP, n.TCP_CM_INQ, b"\1\0")], socket.MSG_CTRUNC)
    assert server.recvmsg(1, socket.CMSG_LEN(4))[1:3] == ([(TCP, n.TCP_CM_INQ, bytes(4))], 0)


def test_what_the_header_of_a_datagram_said(world: World) -> None:
    client, server = world.datagrams(connected=True)
    six = world.family == socket.AF_INET6
    level = n.SOL_IPV6 if six else n.SOL_IP
    client.setsockopt(level, n.IPV6_UNICAST_HOPS if six else n.IP_TTL, 33)
    client.setsockopt(level, n.IPV6_TCLASS if six else n.IP_TOS, 0x28)
    wanted = (n.IPV6_RECVHOPLIMIT, n.IPV6_RECVTCLASS) if six else (n.IP_RECVTTL, n.IP_RECVTOS)
    for option in wanted:
        server.setsockopt(level, option, 1)
    client.send(b"x")
    tos = struct.pack("i", 0x28) if six else b"\x28"
    kinds = (n.IPV6_HOPLIMIT, n.IPV6_TCLASS) if six else (n.IP_TTL, n.IP_TOS)
    assert server.recvmsg(10, ROOM)[1] == [(level, kinds[0], struct.pack("i", 33)), (level, kinds[1], tos)]
    client.sendmsg([b"y"], [(level, kinds[0], struct.pack("i", 44))])
    client.send(b"z")
    assert [struct.unpack("i", server.recvmsg(10, ROOM)[1][0][2])[0] for _ in "yz"] == [44, 33]


def test_where_a_datagram_went(world: World) -> None:
    client, server = world.datagrams(connected=True)
    six = world.family == socket.AF_INET6
    level, option, kind = (41, n.IPV6_RECVPKTINFO, n.IPV6_PKTINFO) if six else (0, n.IP_PKTINFO, n.IP_PKTINFO)
    server.setsockopt(level, option, 1)
    client.send(b"x")
    [(found, number, octets)] = server.recvmsg(10, ROOM)[1]
    assert (found, number) == (level, kind)
    address = socket.inet_pton(world.family, world.there_address)
    assert (octets[:16] if six else octets[8:]) == address


def test_an_icmp_error_is_queued(world: World) -> None:
    client = world.new(kind=socket.SOCK_DGRAM)
    six = world.family == socket.AF_INET6
    client.setsockopt(n.SOL_IPV6 if six else n.SOL_IP, n.IPV6_RECVERR if six else n.IP_RECVERR, 1)
    there = world.closed_port(socket.SOCK_DGRAM)
    client.sendto(b"anybody?", there)
    time.sleep(0.05)
    data, control, flags, address = client.recvmsg(100, ROOM, socket.MSG_ERRQUEUE)
    assert (data, flags, address[:2]) == (b"anybody?", socket.MSG_ERRQUEUE, there[:2])
    origin = n.SO_EE_ORIGIN_ICMP6 if six else n.SO_EE_ORIGIN_ICMP
    assert extended(control) == (errno.ECONNREFUSED, origin, 1 if six else 3, 4 if six else 3, 0, 0)
    offender = control[0][2][16:]
    place = slice(8, 24) if six else slice(4, 8)
    assert offender[place] == socket.inet_pton(world.family, world.there_address)
    assert client.getsockopt(SOL, socket.SO_ERROR) == 0


def test_unknown_control_messages_are_refused(world: World) -> None:
    client, _ = world.pair()
    assert world.error_of(client.sendmsg, [b"x"], [(SOL, 9999, bytes(4))]) == errno.EINVAL
    assert client.sendmsg([b"x"], [(9999, 1, bytes(4))]) == 1


def test_low_water_makes_reads_wait(world: World) -> None:
    client, server = world.pair()
    server.settimeout(None)
    server.setsockopt(SOL, socket.SO_RCVLOWAT, 6)

    def sender() -> None:
        for part in (b"abc", b"def", b"ghi"):
            client.sendall(part)
            time.sleep(0.05)

    world.run(sender)
    got = server.recv(100)
    assert 6 <= len(got) <= 9
    server.setsockopt(SOL, socket.SO_RCVLOWAT, 1)
    got += server.recv(9 - len(got), socket.MSG_WAITALL) if len(got) < 9 else b""
    assert got == b"abcdefghi"


def test_low_water_decides_what_is_readable(world: World) -> None:
    client, server = world.pair()
    server.setsockopt(SOL, socket.SO_RCVLOWAT, 6)
    client.sendall(b"abc")
    time.sleep(0.05)
    server.settimeout(0)
    import select

    seen = [select.select([server], [], [], 0)[0]]
    client.sendall(b"def")
    time.sleep(0.05)
    seen.append(select.select([server], [], [], 0)[0])
    assert seen == [[], [server]]
    assert server.recv(2) == b"ab"
    assert server.recv(100) == b"cdef"  # what is there, however little


def test_a_time_limit_of_the_socket_ends_a_call(world: World) -> None:
    client, _ = world.pair()
    client.settimeout(None)
    client.setsockopt(SOL, socket.SO_RCVTIMEO, struct.pack("ll", 0, 30_000))
    assert world.error_of(client.recv, 1) == errno.EAGAIN
    assert world.error_of(client.setsockopt, SOL, socket.SO_RCVTIMEO, struct.pack("ll", 0, 1_000_000)) == errno.EDOM


def test_more_waits_for_the_next_call(world: World) -> None:
    client, server = world.pair()
    client.send(b"head", socket.MSG_MORE)
    server.settimeout(0.05)
    with pytest.raises(TimeoutError):
        server.recv(100)
    client.send(b"body")
    server.settimeout(5)
    assert server.recv(100) == b"headbody"


def test_numbers_are_read_and_written(world: World) -> None:
    client, server = world.pair()
    client.settimeout(None)
    server.settimeout(None)
    number = client.fileno()
    assert os.write(number, b"abc") == 3
    assert os.writev(number, [b"d", b"", b"ef"]) == 3
    server.recv(6, socket.MSG_PEEK | socket.MSG_WAITALL)
    with world.there():
        assert os.read(server.fileno(), 2) == b"ab"
        one, two = bytearray(3), bytearray(3)
        assert os.readv(server.fileno(), [one, two]) == 4
    assert (bytes(one), bytes(two)) == (b"cde", b"f\0\0")


def test_the_system_calls_of_files(world: World, tmp_path: Any) -> None:
    import fcntl

    client, server = world.pair()
    client.settimeout(None)
    number = client.fileno()
    flags = fcntl.fcntl(number, fcntl.F_GETFL)
    assert flags & (os.O_NONBLOCK | os.O_RDWR) == os.O_RDWR
    fcntl.fcntl(number, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    assert world.error_of(client.recv, 1) == errno.EAGAIN
    assert world.error_of(os.read, number, 1) == errno.EAGAIN
    fcntl.ioctl(number, n.FIONBIO, struct.pack("i", 0))
    assert fcntl.fcntl(number, fcntl.F_GETFL) & os.O_NONBLOCK == 0
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with open(path, "rb") as file:
        assert os.sendfile(number, file.fileno(), 2, 5) == 5
    assert server.recv(5, socket.MSG_WAITALL) == b"23456"
    client.settimeout(3)
    assert fcntl.fcntl(number, fcntl.F_GETFL) & os.O_NONBLOCK


@pytest.mark.skipif(not hasattr(os, "splice"), reason="this system or this Python has no splice")
def test_octets_are_spliced_through_a_pipe(world: World) -> None:
    client, server = world.pair()
    client.settimeout(None)
    server.settimeout(None)
    reading, writing = os.pipe()
    try:
        client.sendall(b"0123456789")
        server.recv(10, socket.MSG_PEEK | socket.MSG_WAITALL)
        with world.there():
            assert os.splice(server.fileno(), writing, 6) == 6
        assert os.splice(reading, client.fileno(), 100) == 6
        assert server.recv(10, socket.MSG_WAITALL) == b"6789012345"
    finally:
        os.close(reading)
        os.close(writing)


def test_what_was_not_acknowledged_is_counted(world: World) -> None:
    import fcntl

    client, server = world.pair()

    def count(request: int) -> int:
        return int(struct.unpack("i", fcntl.ioctl(client, request, bytes(4)))[0])

    client.sendall(b"x" * 100)
    server.recv(100, socket.MSG_WAITALL)
    time.sleep(0.1)
    assert (count(n.SIOCOUTQ), count(n.SIOCOUTQNSD), count(n.SIOCINQ)) == (0, 0, 0)
    server.send(b"four")
    time.sleep(0.05)
    assert count(n.SIOCINQ) == 4
    listener = world.listener()
    assert world.error_of(fcntl.ioctl, listener, n.SIOCINQ, bytes(4)) == errno.EINVAL
    assert world.error_of(fcntl.ioctl, listener, n.SIOCOUTQ, bytes(4)) == errno.EINVAL
