"""Flags of sending and receiving, urgent data among them: one verdict on the emulation and on the operating system."""

from __future__ import annotations

import errno
import fcntl
import socket
import struct
import termios
import time
from typing import Any

import pytest

from tests.socket.worlds import World

SIOCATMARK = 0x8905


def at_mark(s: socket.socket) -> int:
    return int(struct.unpack("i", fcntl.ioctl(s, SIOCATMARK, bytes(4)))[0])


def test_peek_leaves_the_data(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"look")
    assert server.recv(2, socket.MSG_PEEK) == b"lo"
    assert server.recv(10, socket.MSG_PEEK) == b"look"
    assert server.recv(10) == b"look"


def test_dontwait_does_not_block_a_blocking_socket(world: World) -> None:
    client, _ = world.pair()
    client.settimeout(None)
    with pytest.raises(BlockingIOError):
        client.recv(10, socket.MSG_DONTWAIT)


def test_waitall_waits_for_all(world: World) -> None:
    client, server = world.pair()

    def sender() -> None:
        for part in (b"abc", b"def", b"ghi"):
            client.sendall(part)
            time.sleep(0.02)

    world.run(sender)
    server.settimeout(None)
    assert server.recv(9, socket.MSG_WAITALL) == b"abcdefghi"


def test_waitall_ends_at_the_end_of_file(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"short")
    client.close()
    assert server.recv(100, socket.MSG_WAITALL) == b"short"


def test_nosignal_is_taken(world: World) -> None:
    client, server = world.pair()
    assert client.send(b"quiet", socket.MSG_NOSIGNAL) == 5
    assert server.recv(10) == b"quiet"


def test_recv_into_a_buffer(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"0123456789")
    buffer = bytearray(b"-" * 8)
    assert server.recv_into(buffer, 4) == 4
    assert server.recv_into(memoryview(buffer)[4:]) == 4
    assert buffer == b"01234567"


def test_recv_into_refuses_a_short_buffer(world: World) -> None:
    client, _ = world.pair()
    with pytest.raises(ValueError, match="buffer too small"):
        client.recv_into(bytearray(3), 4)


def test_recv_of_a_negative_size(world: World) -> None:
    client, _ = world.pair()
    with pytest.raises(ValueError, match="negative buffersize in recv"):
        client.recv(-1)


def test_recv_of_nothing_returns_at_once(world: World) -> None:
    client, _ = world.pair()
    assert client.recv(0) == b""


def test_recvfrom_on_a_stream_tells_no_address(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"x")
    assert server.recvfrom(10) == (b"x", None)


def test_sendto_on_a_connected_stream(world: World) -> None:
    client, server = world.pair()
    assert client.sendto(b"x", server.getsockname()) == 1
    assert server.recv(1) == b"x"


def test_sendmsg_and_recvmsg(world: World) -> None:
    client, server = world.pair()
    assert client.sendmsg([b"one", bytearray(b"two"), memoryview(b"three")]) == 11
    assert server.recv(11, socket.MSG_WAITALL | socket.MSG_PEEK) == b"onetwothree"
    assert server.recvmsg(100) == (b"onetwothree", [], 0, None)


def test_recvmsg_into_scatters(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"abcdefg")
    server.recv(7, socket.MSG_WAITALL | socket.MSG_PEEK)
    one, two = bytearray(3), bytearray(10)
    assert server.recvmsg_into([one, two])[0] == 7
    assert bytes(one + two[:4]) == b"abcdefg"


def test_send_takes_every_kind_of_buffer(world: World) -> None:
    import array

    client, server = world.pair()
    client.sendall(array.array("H", [1, 2]))
    client.sendall(memoryview(b"abcdef")[::1])
    assert server.recv(10, socket.MSG_WAITALL) == array.array("H", [1, 2]).tobytes() + b"abcdef"


def test_text_is_not_bytes(world: World) -> None:
    client, _ = world.pair()
    text: Any = "text"
    with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
        client.send(text)


def test_sending_nothing_sends_nothing(world: World) -> None:
    client, server = world.pair()
    assert client.send(b"") == 0
    client.sendall(b"x")
    assert server.recv(10) == b"x"


def test_urgent_data_goes_around_the_stream(world: World) -> None:
    client, server = world.pair()
    client.send(b"abc")
    client.send(b"!", socket.MSG_OOB)
    client.send(b"def")
    time.sleep(0.05)
    assert server.recv(1, socket.MSG_OOB) == b"!"
    assert server.recv(100) == b"abc"
    assert server.recv(100) == b"def"


def test_the_last_octet_of_an_urgent_send_is_the_urgent_one(world: World) -> None:
    client, server = world.pair()
    client.send(b"abc!", socket.MSG_OOB)
    time.sleep(0.05)
    assert server.recv(10, socket.MSG_OOB) == b"!"
    assert server.recv(10) == b"abc"


def test_no_urgent_data_is_an_invalid_argument(world: World) -> None:
    client, server = world.pair()
    client.send(b"x")
    time.sleep(0.05)
    assert world.error_of(server.recv, 1, socket.MSG_OOB) == errno.EINVAL


def test_urgent_data_is_read_once(world: World) -> None:
    client, server = world.pair()
    server.settimeout(None)
    client.send(b"!", socket.MSG_OOB)
    time.sleep(0.05)
    assert server.recv(1, socket.MSG_OOB | socket.MSG_PEEK) == b"!"
    assert server.recv(1, socket.MSG_OOB) == b"!"
    assert world.error_of(server.recv, 1, socket.MSG_OOB) == errno.EINVAL


def test_urgent_data_in_line(world: World) -> None:
    client, server = world.pair()
    server.settimeout(None)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    client.send(b"abc!", socket.MSG_OOB)
    client.send(b"def")
    time.sleep(0.05)
    assert server.recv(100) == b"abc"
    assert server.recv(100) == b"!def"
    assert world.error_of(server.recv, 1, socket.MSG_OOB) == errno.EINVAL


def test_the_mark_is_where_the_urgent_octet_was(world: World) -> None:
    client, server = world.pair()
    client.send(b"abc!", socket.MSG_OOB)
    client.send(b"def")
    time.sleep(0.05)
    seen = [at_mark(server)]
    server.recv(100)
    seen.append(at_mark(server))
    server.recv(100)
    seen.append(at_mark(server))
    assert seen == [0, 1, 0]


def test_fionread_counts_what_can_be_read(world: World) -> None:
    client, server = world.pair()
    client.sendall(b"seven..")
    time.sleep(0.05)
    assert struct.unpack("i", fcntl.ioctl(server, termios.FIONREAD, bytes(4)))[0] == 7
