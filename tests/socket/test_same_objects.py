"""The socket as a Python object: files, duplicates, numbers, subclasses; one verdict on the emulation and the system."""

from __future__ import annotations

import errno
import io
import pickle
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.socket.worlds import World


def test_it_is_a_socket(world: World) -> None:
    s = world.new()
    assert isinstance(s, socket.socket)
    assert isinstance(s, socket.SocketType)
    assert (s.family, s.type, s.proto) == (socket.AF_INET, socket.SOCK_STREAM, 0)
    assert s.family is socket.AF_INET


def test_its_repr_says_its_state_and_address(world: World) -> None:
    s = world.new()
    s.bind((world.here_address, 0))
    text = repr(s)
    assert text.startswith(f"<socket.socket fd={s.fileno()}, family=")
    assert f"laddr={s.getsockname()}" in text
    s.close()
    assert repr(s).startswith("<socket.socket [closed] fd=-1")


def test_a_closed_socket_is_a_bad_descriptor(world: World) -> None:
    client, _ = world.pair()
    client.close()
    client.close()
    codes = [
        world.error_of(client.recv, 1),
        world.error_of(client.send, b"x"),
        world.error_of(client.getsockname),
        world.error_of(client.getsockopt, socket.SOL_SOCKET, socket.SO_ERROR),
        world.error_of(client.listen),
    ]
    assert codes == [errno.EBADF] * 5
    assert client.fileno() == -1


def test_with_closes(world: World) -> None:
    with world.new() as s:
        assert s.fileno() >= 0
    assert s.fileno() == -1


def test_files_over_a_connection(world: World) -> None:
    client, server = world.pair()
    with server.makefile("rw", newline="\n") as talk, client.makefile("rwb") as ask:
        ask.write(b"first line\nsecond line\n")
        ask.flush()
        assert [talk.readline(), talk.readline()] == ["first line\n", "second line\n"]
        talk.write("answer\n")
        talk.flush()
        assert ask.readline() == b"answer\n"


def test_a_file_keeps_the_connection_open(world: World) -> None:
    client, server = world.pair()
    reader = client.makefile("rb")
    client.close()
    assert client.fileno() != -1
    server.sendall(b"still here\n")
    assert reader.readline() == b"still here\n"
    reader.close()
    assert client.fileno() == -1
    assert server.recv(10) == b""


def test_a_raw_file(world: World) -> None:
    client, server = world.pair()
    with client.makefile("rb", buffering=0) as raw:
        assert isinstance(raw, socket.SocketIO)
        assert isinstance(raw, io.RawIOBase)
        server.sendall(b"abc")
        assert raw.read(10) == b"abc"


def test_a_duplicate_is_the_same_connection(world: World) -> None:
    client, server = world.pair()
    twin = world.keep(client.dup())
    assert twin.fileno() != client.fileno()
    assert twin.getpeername() == client.getpeername()
    client.close()
    twin.sendall(b"through the twin")
    assert server.recv(100) == b"through the twin"
    twin.close()
    assert server.recv(100) == b""


def test_shutdown_reaches_through_duplicates(world: World) -> None:
    client, server = world.pair()
    world.keep(client.dup())
    client.shutdown(socket.SHUT_RDWR)
    client.close()
    assert server.recv(10) == b""


def test_detach_gives_the_number_away(world: World) -> None:
    client, server = world.pair()
    number = client.detach()
    assert client.fileno() == -1
    assert world.error_of(client.send, b"x") == errno.EBADF
    again = world.keep(socket.socket(fileno=number))
    again.sendall(b"found")
    assert (again.fileno(), again.family, again.type) == (number, socket.AF_INET, socket.SOCK_STREAM)
    assert server.recv(10) == b"found"


def test_close_by_number(world: World) -> None:
    client, server = world.pair()
    socket.close(client.detach())
    assert server.recv(10) == b""


def test_a_bad_number_is_no_socket(world: World) -> None:
    with pytest.raises(OSError) as trouble:
        socket.socket(fileno=(1 << 30) + 7)
    assert trouble.value.errno == errno.EBADF


def test_a_subclass_keeps_working(world: World) -> None:
    class Counting(socket.socket):
        sent = 0

        def __init__(self, label: str, family: int = socket.AF_INET) -> None:
            super().__init__(family, socket.SOCK_STREAM)
            self.label = label

        def send(self, data: Any, flags: int = 0, /) -> int:
            self.sent += len(data)
            return super().send(data, flags)

    listener = world.listener()
    client = world.keep(Counting("mine"))
    client.connect(listener.getsockname())
    client.send(b"counted")
    assert (client.sent, client.label, isinstance(client, Counting)) == (7, "mine", True)
    assert world.accept(listener)[0].recv(100) == b"counted"


def test_an_old_style_subclass_keeps_working(world: World) -> None:
    class Old(socket.socket):
        def __init__(self) -> None:
            socket.socket.__init__(self, socket.AF_INET, socket.SOCK_DGRAM)

    old = world.keep(Old())
    old.bind((world.here_address, 0))
    assert old.getsockname()[1] != 0
    assert old.type == socket.SOCK_DGRAM


def test_arguments_by_name(world: World) -> None:
    s = world.keep(socket.socket(family=socket.AF_INET, type=socket.SOCK_DGRAM, proto=socket.IPPROTO_UDP))
    assert (s.type, s.proto) == (socket.SOCK_DGRAM, socket.IPPROTO_UDP)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_UDP), errno.EPROTONOSUPPORT),
        ((socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_TCP), errno.EPROTONOSUPPORT),
        ((999, socket.SOCK_STREAM), errno.EAFNOSUPPORT),
        ((socket.AF_INET, socket.SOCK_SEQPACKET), errno.ESOCKTNOSUPPORT),
    ],
)
def test_sockets_that_there_are_not(world: World, arguments: Any, code: int) -> None:
    assert world.error_of(socket.socket, *arguments) == code


def test_it_cannot_be_pickled(world: World) -> None:
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(world.new())


def test_it_is_not_inheritable_until_told(world: World) -> None:
    s = world.new()
    seen = [s.get_inheritable()]
    s.set_inheritable(True)
    seen.append(s.get_inheritable())
    assert seen == [False, True]


def test_create_connection_and_create_server(world: World) -> None:
    with world.there():
        server = world.keep(socket.create_server((world.there_address, 0)))
    client = world.keep(socket.create_connection(server.getsockname(), timeout=5))
    assert client.gettimeout() == 5
    assert world.accept(server)[1] == client.getsockname()


def test_create_connection_is_refused(world: World) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(world.closed_port(), timeout=5)


def test_a_dual_stack_server(world6: World, world: World) -> None:
    with world.there():
        server = world.keep(socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True))
    client = world.client((world.there_address, server.getsockname()[1]))
    assert world.accept(server)[1][0] == f"::ffff:{client.getsockname()[0]}"


def test_a_pair_out_of_nothing(world: World) -> None:
    one, two = socket.socketpair()
    with one, two:
        one.sendall(b"across")
        assert two.recv(10) == b"across"
        one.shutdown(socket.SHUT_WR)
        assert two.recv(10) == b""


def test_sendfile(world: World, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(range(256)) * 20)
    client, server = world.pair()
    with path.open("rb") as file:
        assert client.sendfile(file, offset=256) == 256 * 19
    client.close()
    assert server.recv(10_000, socket.MSG_WAITALL) == bytes(range(256)) * 19


def test_a_forgotten_socket_closes_with_a_warning(world: World) -> None:
    client, server = world.pair()
    world.forget(client)
    with pytest.warns(ResourceWarning, match="unclosed"):
        del client
    assert server.recv(1) == b""
