"""Running code on hosts: the three forms of a program, `with host:`, run, step, close, partition."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from http.server import HTTPServer, SimpleHTTPRequestHandler
from typing import Any

import pytest

from stack import Deadlock, Network, ProgramExit, StackError
from tests.lab.build import ask, chain, echo, pair


def test_a_program_is_a_decorated_function() -> None:
    _net, a, b, _ = pair()
    echo(b)

    @a.program
    def client() -> bytes:
        with socket.create_connection(("b", 7)) as connection:
            connection.sendall(b"one")
            return connection.recv(10)

    assert repr(client) == "<Program client on a: running>"
    assert client.result() == b"one"
    assert repr(client) == "<Program client on a: returned>"


def test_a_program_has_a_name_and_arguments() -> None:
    _, a, b, _ = pair()
    named = a.program(name="adder")(lambda: 1 + 1)
    assert (named.name, named.result()) == ("adder", 2)
    assert a.start(pow, 2, 10, name="power").result() == 1024
    assert str(b.start(socket.gethostname).result()) == "b"


def test_a_program_is_a_coroutine_function() -> None:
    net, a, b, _ = pair()

    @b.program
    async def server() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.read(100)).upper())
            writer.close()

        await (await asyncio.start_server(serve, "", 7)).serve_forever()

    @a.program
    async def client() -> bytes:
        reader, writer = await asyncio.open_connection("b", 7)
        writer.write(b"hello")
        answer = await reader.read()
        writer.close()
        return answer

    assert client.result() == b"HELLO"
    assert asyncio.run is not None
    with a:
        assert asyncio.run(fetch()) == b"HI"
    net.close()


async def fetch() -> bytes:
    reader, writer = await asyncio.open_connection("b", 7)
    writer.write(b"hi")
    answer = await reader.read()
    writer.close()
    return answer


def test_what_is_no_function_is_refused_at_once() -> None:
    _net, a, _b, _ = pair()
    for wrong in (5, "web", None):
        with pytest.raises(TypeError, match="is not a function to run"):
            a.start(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="has been called already; pass the function"):
        a.start(fetch())  # type: ignore[arg-type]
    gc.collect()  # a coroutine that nobody awaited would warn
    assert a.start(lambda: 42).result() == 42, "and what comes after it runs"


def test_an_error_of_a_program_surfaces_where_the_network_is_run() -> None:
    net, a, _b, _ = pair()

    @a.program
    def broken() -> None:
        time.sleep(1)
        raise LookupError("in the program")

    with pytest.raises(LookupError, match="in the program") as raised:
        net.run()
    assert raised.value.__notes__ == ["(raised by program 'broken' on host 'a')"]
    net.run()
    assert net.now == 1_000_000_000


def test_run_goes_to_an_instant_and_stands_there() -> None:
    net, a, _b, _ = pair()
    ticks: list[float] = []

    @a.program
    def clock() -> None:
        while True:
            time.sleep(1)
            ticks.append(time.monotonic())

    net.run("2.5 s")
    assert (len(ticks), net.now) == (2, 2_500_000_000)
    net.run(until=1)
    assert net.now == 2_500_000_000, "an instant that is over"
    net.run(until=10)
    assert (len(ticks), net.now) == (10, 10_000_000_000)
    net.close()


def test_run_until_something_is_so_or_nothing_is_left() -> None:
    net, _a, b, _ = pair()
    b.start(time.sleep, 5)
    net.run_until(lambda: net.now >= 5_000_000_000)
    with pytest.raises(Deadlock, match="nothing is left that could happen"):
        net.run_until(lambda: False)


def test_step_by_step() -> None:
    net, _a, b, _ = pair()
    b.start(time.sleep, 5)
    instants = [net.now]
    while net.step():
        instants.append(net.now)
    assert instants[0] == 0
    assert 5_000_000_000 in instants
    assert instants == sorted(instants)
    assert not net.step()


def test_code_outside_a_block_is_not_on_a_host() -> None:
    _net, a, b, _ = pair()
    outside = socket.gethostname()
    with a:
        assert socket.gethostname() == "a"
        with b:
            assert socket.gethostname() == "b"
        assert socket.gethostname() == "a"
    assert socket.gethostname() == outside


def test_a_wait_that_nothing_can_end_is_a_deadlock() -> None:
    _, a, _b, _ = pair()
    with a, socket.create_server(("", 80)) as listener, pytest.raises(Deadlock, match=r"accept on .*:80"):
        listener.accept()


def test_closing_ends_programs_and_connections() -> None:
    ended: list[str] = []
    before = threading.active_count()
    with Network(seed=1) as net:
        a, b = net.host("a"), net.host("b")
        net.link(a, b)

        @b.program
        def server() -> None:
            try:
                with socket.create_server(("", 80)) as listener:
                    listener.accept()
            except ProgramExit:
                ended.append("server")
                raise

        @a.program
        async def waiter() -> None:
            try:
                await asyncio.sleep(1e9)
            finally:
                ended.append("waiter")

        net.run("1 s")
        assert not server.done
    assert sorted(ended) == ["server", "waiter"]
    assert server.done
    for _ in range(100):
        if threading.active_count() <= before + 1:  # the watchdog of all networks may be there
            break
        time.sleep(0.01)
    assert threading.active_count() <= before + 1
    net.close()
    with pytest.raises(StackError, match="the network is closed"):
        net.run()
    with pytest.raises(StackError, match="the network is closed"):
        a.start(print)


def test_what_a_closed_network_had_open_is_no_leak() -> None:
    """The standard library's servers, unmodified, do not close their sockets when they are ended."""
    with Network(seed=1) as net:
        a, b = net.host("a"), net.host("b")
        net.link(a, b)

        @b.program
        def web() -> None:
            HTTPServer(("", 80), SimpleHTTPRequestHandler).serve_forever()

        with a:
            left_open = socket.create_connection(("b", 80))
    del left_open, web
    gc.collect()  # a ResourceWarning would be an error


def test_a_network_that_is_dropped_without_a_word_is_no_leak() -> None:
    net, a, b, _ = pair()
    a.start(asyncio.sleep, 1).result()
    del net, a, b, _
    gc.collect()  # a ResourceWarning would be an error


def test_a_partition_separates_groups_until_its_block_ends() -> None:
    net, a, b = chain(1)
    with net.partition([a, "r1"], [b]):
        assert not a.ping(b, 1)
        assert a.ping("r1", 1)
    assert a.ping(b, 1)
    cut = net.partition(["a"], ["b"])
    assert not a.ping(b, 1)
    cut.remove()
    assert a.ping(b, 1)


def test_a_link_that_is_down_and_up() -> None:
    _net, a, b, link = pair()
    echo(b)
    with link.down():
        assert not link.is_up
        assert not a.ping(b, 1)
    assert ask(a) == b"hello"
    assert repr(link).startswith("<Link a-b: ")


def test_listeners_are_told_of_each_drop() -> None:
    net, a, b, link = pair(loss="50%")
    told: list[Any] = []
    net.listen(told.append)
    a.ping(b, 20, interval="10 ms")
    lost = [one for one in told if getattr(one, "reason", None) is not None and one.reason.value.startswith("lost")]
    assert len(lost) == sum(sum(direction.drops.values()) for direction in link.directions)
    assert lost


def test_two_networks_do_not_know_of_each_other() -> None:
    net, a, b, _ = pair()
    other, c, d, _ = pair()
    echo(b)
    echo(d)
    with a:
        assert ask(c) == b"hello"
        assert time.monotonic() == 0
    assert ask(a) == b"hello"
    assert net.now == other.now
