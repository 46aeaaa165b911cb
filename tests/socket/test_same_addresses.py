"""Binding, naming and reusing addresses: one verdict on the emulation and on the operating system."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from tests.socket.worlds import World


def test_a_new_socket_has_no_address(world: World) -> None:
    assert world.new().getsockname() == ("0.0.0.0", 0)


def test_a_new_ipv6_socket_has_no_address(world6: World) -> None:
    assert world6.new().getsockname() == ("::", 0, 0, 0)


def test_port_zero_means_any_free_port(world: World) -> None:
    first, second = world.new(), world.new()
    first.bind((world.here_address, 0))
    second.bind((world.here_address, 0))
    ports = {first.getsockname()[1], second.getsockname()[1]}
    assert len(ports) == 2
    assert min(ports) >= 1024


def test_listening_without_bind_takes_a_port(world: World) -> None:
    listener = world.new()
    listener.listen()
    assert listener.getsockname()[0] == "0.0.0.0"
    assert listener.getsockname()[1] != 0


def test_binding_twice_is_invalid(world: World) -> None:
    s = world.new()
    s.bind((world.here_address, 0))
    assert world.error_of(s.bind, (world.here_address, 0)) == errno.EINVAL


def test_an_address_of_somebody_else_is_not_available(world: World) -> None:
    assert world.error_of(world.new().bind, ("192.0.2.77", 0)) == errno.EADDRNOTAVAIL


def test_a_bound_port_is_in_use(world: World) -> None:
    first = world.new()
    first.bind((world.here_address, 0))
    assert world.error_of(world.new().bind, first.getsockname()) == errno.EADDRINUSE


def test_the_wildcard_collides_with_an_address(world: World) -> None:
    first = world.new()
    first.bind((world.here_address, 0))
    assert world.error_of(world.new().bind, ("", first.getsockname()[1])) == errno.EADDRINUSE


def test_a_listening_port_is_in_use_even_with_reuseaddr(world: World) -> None:
    first, second = world.new(), world.new()
    for s in (first, second):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    first.bind((world.here_address, 0))
    first.listen()
    assert world.error_of(second.bind, first.getsockname()) == errno.EADDRINUSE


def test_reuseport_lets_two_listen(world: World) -> None:
    first, second = world.new(), world.new()
    for s in (first, second):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    first.bind((world.here_address, 0))
    second.bind(first.getsockname())
    first.listen()
    second.listen()
    assert first.getsockname() == second.getsockname()


def test_a_port_in_time_wait_needs_reuseaddr(world: World) -> None:
    with world.there():
        listener = world.keep(socket.create_server((world.there_address, 0)))  # sets SO_REUSEADDR, as Linux wants
    address = listener.getsockname()
    client = world.client(listener)
    server, _ = world.accept(listener)
    listener.close()
    server.close()
    assert client.recv(1) == b""
    client.close()
    with world.there():
        again = world.new()
        assert world.error_of(again.bind, address) == errno.EADDRINUSE
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(address)
        again.listen()
    assert again.getsockname() == address


def test_a_closed_port_is_free_again(world: World) -> None:
    first = world.new()
    first.bind((world.here_address, 0))
    address = first.getsockname()
    first.close()
    second = world.new()
    second.bind(address)
    assert second.getsockname() == address


def test_a_client_may_choose_its_port(world: World) -> None:
    client, listener = world.new(), world.listener()
    client.bind((world.here_address, 0))
    chosen = client.getsockname()
    client.connect(listener.getsockname())
    assert world.accept(listener)[1] == chosen


def test_the_wildcard_listens_on_every_address(world: World) -> None:
    with world.there():
        listener = world.new()
        listener.bind(("", 0))
        listener.listen()
    client = world.client((world.there_address, listener.getsockname()[1]))
    server, _ = world.accept(listener)
    assert listener.getsockname()[0] == "0.0.0.0"
    assert server.getsockname() == client.getpeername() == (world.there_address, listener.getsockname()[1])


def test_connecting_to_the_wildcard_reaches_this_host(world: World) -> None:
    listener = world.new()
    listener.bind(("", 0))
    listener.listen()
    client = world.client(("", listener.getsockname()[1]))
    assert client.getpeername() == ("127.0.0.1", listener.getsockname()[1])


def test_a_name_may_stand_for_the_address(world: World) -> None:
    s = world.new()
    s.bind(("localhost", 0))
    assert s.getsockname()[0] == "127.0.0.1"


def test_an_ipv6_connection(world6: World) -> None:
    client, server = world6.pair()
    client.sendall(b"six")
    assert server.recv(10) == b"six"
    assert client.getpeername() == server.getsockname()
    assert len(client.getpeername()) == 4


def test_a_dual_stack_listener_shows_mapped_addresses(world6: World, world: World) -> None:
    with world.there():
        listener = world.keep(socket.socket(socket.AF_INET6))
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", 0))
        listener.listen()
    port = listener.getsockname()[1]
    client = world.client((world.there_address, port))
    server, address = world.accept(listener)
    assert address == (f"::ffff:{client.getsockname()[0]}", client.getsockname()[1], 0, 0)
    assert server.getsockname() == (f"::ffff:{world.there_address}", port, 0, 0)
    server.sendall(b"four in six")
    assert client.recv(100) == b"four in six"


def test_v6only_leaves_the_ipv4_port_free(world6: World, world: World) -> None:
    six = world.keep(socket.socket(socket.AF_INET6))
    six.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    six.bind(("::", 0))
    four = world.new()
    four.bind(("", six.getsockname()[1]))
    assert four.getsockname() == ("0.0.0.0", six.getsockname()[1])


def test_a_mapped_destination_is_reached_over_ipv4(world6: World, world: World) -> None:
    listener = world.listener()
    client = world.keep(socket.socket(socket.AF_INET6))
    client.settimeout(5)
    client.connect((f"::ffff:{world.there_address}", listener.getsockname()[1]))
    assert world.accept(listener)[1] == (world.here_address, client.getsockname()[1])
    assert client.getsockname()[0] == f"::ffff:{world.here_address}"


@pytest.mark.parametrize(
    ("address", "kind", "message"),
    [
        (("127.0.0.1",), TypeError, "pair|tuple|argument"),
        ("127.0.0.1", TypeError, "AF_INET address must be tuple, not str"),
        (("127.0.0.1", "80"), TypeError, "str"),
        (("127.0.0.1", 65536), OverflowError, r"bind\(\): port must be 0-65535."),
        (("127.0.0.1", -1), OverflowError, r"bind\(\): port must be 0-65535."),
        (("no such host", 80), socket.gaierror, "not known|resolution"),
    ],
)
def test_malformed_addresses(world: World, address: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        world.new().bind(address)
