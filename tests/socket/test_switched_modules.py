"""`socket`, `select` and `selectors` mean the host's on a host, and the real ones everywhere else."""

from __future__ import annotations

import errno
import os
import select
import selectors
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from socket import socket as bound_before
from typing import Any

import pytest

from stack.network.place import inside
from stack.socket.description import FIRST_NUMBER
from tests.socket.emulated import Linked


@pytest.fixture
def net() -> Iterator[Linked]:
    made = Linked()
    yield made
    made.close()


def test_outside_a_host_sockets_are_real(net: Linked) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"real")
            assert client.recv(10) == b"real"
        assert type(client) is socket.socket
        assert client.fileno() < FIRST_NUMBER
        assert select.select([client], [], [], 5)[0] == [client]
        with selectors.DefaultSelector() as selector:
            assert type(selector) is selectors.DefaultSelector


def test_a_real_server_serves_while_the_network_runs(net: Linked) -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(connection.recv(10))

    thread = threading.Thread(target=serve)
    thread.start()
    with net.here():
        net.pair()
    with socket.create_connection(server.getsockname(), timeout=5) as client:
        client.sendall(b"still")
        assert client.recv(10) == b"still"
    thread.join()
    server.close()


def test_a_name_bound_before_the_network_is_covered(net: Linked) -> None:
    with net.here(), bound_before() as s:
        assert s.fileno() >= FIRST_NUMBER
        assert isinstance(s, bound_before)


def test_a_socket_of_a_host_can_be_used_outside(net: Linked) -> None:
    with net.here():
        client, server = net.pair()
    client.sendall(b"from outside")
    assert server.recv(100) == b"from outside"


def test_a_subclass_made_outside_is_real(net: Linked) -> None:
    class Mine(socket.socket):
        pass

    with Mine() as real:
        assert real.fileno() < FIRST_NUMBER
        assert type(real) is Mine
    with net.here(), Mine() as emulated:
        assert emulated.fileno() >= FIRST_NUMBER
        assert isinstance(emulated, Mine)


def test_a_subclass_with_slots_is_refused_on_a_host(net: Linked) -> None:
    class Slotted(socket.socket):
        __slots__ = ("label",)

    Slotted().close()
    with net.here(), pytest.raises(TypeError, match="Slotted has __slots__ of its own"):
        Slotted()


def test_real_and_emulated_files_do_not_mix(net: Linked) -> None:
    reading, writing = os.pipe()
    with net.here():
        s = net.new()
        both: list[Any] = [s, reading]
        asks: list[Callable[[], object]] = [
            lambda: select.select(both, [], [], 0),
            lambda: select.poll().register(reading),
            lambda: selectors.DefaultSelector().register(reading, selectors.EVENT_READ),
        ]
        for ask in asks:
            with pytest.raises(ValueError, match=f"file descriptor {reading} is the operating system's: on host client"):
                ask()
    os.close(reading)
    os.close(writing)


def test_other_families_are_refused(net: Linked) -> None:
    with net.here():
        assert net.error_of(socket.socket, getattr(socket, "AF_UNIX", 1)) == errno.EAFNOSUPPORT


def test_tls_over_a_blocking_socket_is_refused_in_words(net: Linked) -> None:
    with inside(net.client_node), socket.socket() as plain:
        with pytest.raises(OSError, match="TLS over its blocking sockets is not supported yet"):
            ssl.create_default_context().wrap_socket(plain, server_hostname="server")
        assert plain.fileno() > 0


def test_names_of_the_network(net: Linked) -> None:
    with net.here():
        found = socket.getaddrinfo("server", "http", type=socket.SOCK_STREAM)
        assert [entry[4][:2] for entry in found] == [(net.there_address, 80), (net.addresses6[1], 80)]
        assert socket.getaddrinfo("SERVER.", 80, socket.AF_INET6, socket.SOCK_STREAM)[0][4][0] == net.addresses6[1]
        assert socket.gethostbyname("server") == net.there_address
        assert socket.gethostbyname_ex("server") == ("server", [], [net.there_address])
        assert socket.gethostbyaddr(net.there_address)[0] == "server"
        assert socket.getnameinfo((net.addresses6[1], 53), 0) == ("server", "domain")
        assert (socket.gethostname(), socket.getfqdn()) == ("client", "client")


def test_unknown_names_are_errors(net: Linked) -> None:
    with net.here():
        with pytest.raises(socket.gaierror) as trouble:
            socket.getaddrinfo("nobody", 80)
        assert trouble.value.errno == socket.EAI_NONAME
        net.names.add("four-only", "10.0.0.9")
        with pytest.raises(socket.gaierror) as trouble:
            socket.getaddrinfo("four-only", 80, socket.AF_INET6)
        assert trouble.value.errno == socket.EAI_NODATA
        with pytest.raises(socket.herror):
            socket.gethostbyaddr("10.0.0.77")
        with pytest.raises(socket.gaierror):
            socket.create_connection(("nobody", 80))


def test_a_zone_is_an_interface(net: Linked) -> None:
    with net.here():
        assert socket.getaddrinfo("fe80::1%eth0", 80, type=socket.SOCK_STREAM)[0][4] == ("fe80::1", 80, 0, 2)
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo("fe80::1%none", 80)


def test_a_duplicate_name_is_removed_with_its_addresses(net: Linked) -> None:
    net.names.add("alias", net.there_address)
    assert [str(address) for address in net.names.addresses("alias") or []] == [net.there_address]
    net.names.remove("alias")
    assert "alias" not in net.names
    assert net.names.name(next(iter(net.names.addresses("server") or []))) == "server"
    assert list(net.names) == ["client", "server"]


def test_the_same_program_on_two_hosts_has_two_stacks(net: Linked) -> None:
    def port() -> int:
        with socket.socket() as s:
            s.bind(("", 8080))
            s.listen()
            return int(s.getsockname()[1])

    with inside(net.client_node):
        held = socket.create_server(("", 8080))
        with inside(net.server_node):
            assert port() == 8080
        assert net.error_of(port) == errno.EADDRINUSE
        held.close()
