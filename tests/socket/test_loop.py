"""One asyncio loop per host, driven by the network; and `asyncio.run` wherever a program may block."""

from __future__ import annotations

import asyncio
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest

from stack.base.errors import StackError
from stack.network.deadlock import Deadlock
from stack.network.place import current_node, inside
from stack.network.program import Program, ProgramExit
from stack.socket.loop import HostLoop
from tests.socket.emulated import Linked

SECOND = 1_000_000_000


@pytest.fixture
def net() -> Iterator[Linked]:
    net = Linked()
    net.programs.loops = lambda node: HostLoop(node, resident=True)
    yield net
    net.close()


async def serve(port: int = 7) -> None:
    """An echo server, as the documentation of asyncio has it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(handle, None, port)
    async with server:
        await server.serve_forever()


async def ask(text: bytes, host: str = "server", port: int = 7) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(text)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


def served(net: Linked) -> Program:
    return net.programs.start_async(net.server_node, serve)


# The loop of a host


def test_client_and_server_on_the_loops_of_their_hosts(net: Linked) -> None:
    server = served(net)
    clients = [net.programs.start_async(net.client_node, ask, b"hello %d" % number) for number in range(20)]
    assert [client.result() for client in clients] == [b"hello %d" % number for number in range(20)]
    net.programs.run()
    assert not server.done


def test_an_hour_of_sleep_takes_no_time_and_tasks_run_in_order(net: Linked) -> None:
    log: list[tuple[str, float]] = []

    async def program() -> None:
        async def child(name: str, period: float) -> None:
            for _ in range(2):
                await asyncio.sleep(period)
                log.append((name, time.monotonic()))

        async with asyncio.TaskGroup() as group:
            group.create_task(child("slow", 3600))
            group.create_task(child("quick", 0.1))
        assert asyncio.get_running_loop().time() == time.monotonic() == 7200

    net.programs.start_async(net.client_node, program).result()
    assert log == [("quick", 0.1), ("quick", 0.2), ("slow", 3600), ("slow", 7200)]


def test_timeouts_are_in_virtual_time(net: Linked) -> None:
    served(net)

    async def program() -> float:
        reader, writer = await asyncio.open_connection("server", 7)
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await reader.read()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 600)
        writer.close()
        await writer.wait_closed()
        return time.monotonic() - start

    assert net.programs.start_async(net.client_node, program).result() == pytest.approx(630)


def test_a_program_is_on_its_host_through_its_tasks_and_callbacks(net: Linked) -> None:
    seen: list[object] = []

    async def program() -> None:
        asyncio.get_running_loop().call_later(1, lambda: seen.append(current_node()))
        await asyncio.create_task(asyncio.sleep(2))
        seen.append(current_node())
        with inside(net.server_node):
            await asyncio.sleep(0)
        seen.append(socket.gethostname())

    net.programs.start_async(net.client_node, program).result()
    assert seen == [net.client_node, net.client_node, "client"]
    assert current_node() is None


def test_work_in_other_threads_and_what_they_tell_the_loop(net: Linked) -> None:
    async def program() -> tuple[object, ...]:
        loop = asyncio.get_running_loop()
        told = loop.create_future()

        def tell() -> None:
            time.sleep(3)
            loop.call_soon_threadsafe(told.set_result, "told")

        threading.Thread(target=tell).start()
        slept = await asyncio.gather(*(asyncio.to_thread(time.sleep, 2) for _ in range(3)))
        at = time.monotonic()
        return slept, at, await told, time.monotonic(), await loop.run_in_executor(None, socket.gethostname)

    assert net.programs.start_async(net.client_node, program).result() == ([None] * 3, 2, "told", 3, "client")


def test_names_and_signals_and_generators(net: Linked) -> None:
    async def program() -> list[object]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, print)
        assert loop.remove_signal_handler(signal.SIGTERM)
        assert not loop.remove_signal_handler(signal.SIGTERM)

        async def numbers() -> AsyncIterator[int]:
            for number in range(3):
                await asyncio.sleep(1)
                yield number

        found = await loop.getaddrinfo("server", 80, type=socket.SOCK_STREAM)
        return [found[0][4][0], [number async for number in numbers()]]

    assert net.programs.start_async(net.client_node, program).result() == [net.there_address, [0, 1, 2]]


def test_datagrams(net: Linked) -> None:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: object) -> None:
            self.transport.sendto(data, address)             # type: ignore[attr-defined]

    class Ask(asyncio.DatagramProtocol):
        def __init__(self, answer: asyncio.Future[bytes]) -> None:
            self.answer = answer

        def datagram_received(self, data: bytes, address: object) -> None:
            self.answer.set_result(data)

    async def server() -> None:
        await asyncio.get_running_loop().create_datagram_endpoint(Echo, ("0.0.0.0", 7))
        await asyncio.Event().wait()

    async def client() -> bytes:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(lambda: Ask(answer), remote_addr=("server", 7))
        transport.sendto(b"ping")
        try:
            return await answer
        finally:
            transport.close()

    net.programs.start_async(net.server_node, server)
    assert net.programs.start_async(net.client_node, client).result() == b"ping"


def test_a_loop_that_spins_lets_the_network_go_on(net: Linked) -> None:
    async def program() -> int:
        loop = asyncio.get_running_loop()
        turns = 0
        while loop.time() < 1:
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert net.programs.start_async(net.client_node, program).result() < 200_000
    assert SECOND <= net.scheduler.now < 1.2 * SECOND


def test_a_loop_that_only_ticks_is_idle(net: Linked) -> None:
    async def tick() -> None:
        while True:
            await asyncio.sleep(1)

    served(net)
    net.programs.start_async(net.client_node, tick)
    net.programs.run()
    assert net.scheduler.now < 1100 * SECOND


def test_a_blocking_call_in_a_task_stops_its_own_host_only(net: Linked) -> None:
    served(net)

    async def program() -> tuple[bytes, float]:
        other = asyncio.create_task(asyncio.sleep(0.001))
        with socket.create_connection(("server", 7)) as connection:
            connection.sendall(b"blocking")
            answer = connection.recv(100)
            time.sleep(2)
        before = time.monotonic()
        assert not other.done()
        await other
        return answer, before

    answer, before = net.programs.start_async(net.client_node, program).result()
    assert answer == b"blocking"
    assert before > 2


# Errors and the end


def test_what_a_task_raises_surfaces_from_the_call_that_runs_the_network(net: Linked) -> None:
    async def broken() -> None:
        await asyncio.sleep(1)
        raise ZeroDivisionError

    net.programs.start_async(net.client_node, broken)
    with pytest.raises(ZeroDivisionError) as raised:
        net.programs.run()
    assert [entry.name for entry in raised.traceback][-1] == "broken"
    assert "program 'broken' on host 'client'" in raised.value.__notes__[0]


def test_a_deadlock_shows_the_tasks_and_where_they_wait(net: Linked) -> None:
    served(net)

    async def wait_in_vain() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match=r"client, task wait_in_vain: in Event.wait \(locks.py, line \d+\)"):
        net.programs.start_async(net.client_node, wait_in_vain).result()


def test_closing_cancels_tasks_which_may_clean_up_and_names_those_that_refuse(net: Linked) -> None:
    log: list[str] = []

    async def tidy() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            log.append("tidy")

    async def refuse() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                log.append("no")

    tidied = net.programs.start_async(net.client_node, tidy)
    net.programs.start_async(net.client_node, refuse)
    served(net)
    clients = net.programs.start_async(net.client_node, ask, b"x")
    net.programs.run_until(lambda: clients.done)
    with pytest.raises(StackError, match=r"still running .*: task refuse: in Event.wait .* on client"):
        net.programs.close()
    assert sorted(log) == ["no", "no", "tidy"]               # asked twice
    assert isinstance(tidied.exception, ProgramExit)


def test_closing_ends_asyncio_run_in_programs_without_a_word(net: Linked, capsys: pytest.CaptureFixture[str]) -> None:
    log: list[str] = []

    async def serve_with_care() -> None:
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, 1)
        try:
            await serve()
        finally:
            log.append("closed")

    server = net.programs.start(net.server_node, lambda: asyncio.run(serve_with_care()), name="server")

    async def hold() -> None:
        reader, writer = await asyncio.open_connection("server", 7)
        writer.write(b"x")
        await reader.read()

    client = net.programs.start(net.client_node, lambda: sleep_then(hold), name="client")
    net.programs.run(until=5 * SECOND)
    net.programs.close()
    assert log == ["closed"]
    assert isinstance(server.exception, ProgramExit)
    assert isinstance(client.exception, ProgramExit)
    assert capsys.readouterr() == ("", "")


def sleep_then(function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    time.sleep(2)
    asyncio.run(function())


# Loops of programs


def test_asyncio_run_in_the_calling_thread(net: Linked) -> None:
    served(net)
    with inside(net.client_node):
        assert asyncio.run(ask(b"from the block")) == b"from the block"
        with asyncio.Runner() as runner:
            assert runner.run(ask(b"once")) == b"once"
            assert runner.run(ask(b"again")) == b"again"
        loop = asyncio.new_event_loop()
        assert loop.run_until_complete(asyncio.wait_for(ask(b"by hand"), 10)) == b"by hand"
        loop.close()


def test_asyncio_run_in_a_program(net: Linked) -> None:
    net.programs.start(net.server_node, lambda: asyncio.run(serve()), name="server")

    async def many() -> list[bytes]:
        return await asyncio.gather(*(ask(b"%d" % number) for number in range(10)))

    program = net.programs.start(net.client_node, lambda: asyncio.run(many()))
    assert program.result() == [b"%d" % number for number in range(10)]


def test_asyncio_run_outside_is_what_it_was(net: Linked) -> None:
    async def main() -> type:
        await asyncio.sleep(0.001)
        return type(asyncio.get_running_loop())

    assert not issubclass(asyncio.run(main()), HostLoop)
    assert net.scheduler.now == 0


def test_inside_a_loop_that_is_running_already(net: Linked) -> None:
    """As in the kernel of a notebook: cells run in a task of the kernel's loop."""
    served(net)

    async def cell() -> bytes:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        answer = net.programs.start_async(net.client_node, ask, b"async").result()
        with inside(net.client_node):
            answer += asyncio.run(ask(b" run"))
            with socket.create_connection(("server", 7)) as connection:
                connection.sendall(b" blocking")
                answer += connection.recv(100)
        assert (asyncio.get_running_loop(), asyncio.current_task()) == (loop, task)
        await asyncio.sleep(0)
        assert (asyncio.get_running_loop(), asyncio.current_task()) == (loop, task)
        return bytes(answer)

    assert asyncio.run(cell()) == b"async run blocking"


def test_awaiting_in_a_block_of_a_loop_outside_says_what_to_do_instead(net: Linked) -> None:
    async def cell() -> None:
        with inside(net.client_node):
            await asyncio.open_connection("server", 7)

    with pytest.raises(RuntimeError, match=r"no running event loop on client.* Use asyncio.run\(...\) in the block"):
        asyncio.run(cell())


def test_the_loop_of_a_host_is_run_by_the_network_only(net: Linked) -> None:
    loop = net.programs.resident(net.client_node)
    assert isinstance(loop, HostLoop)
    with pytest.raises(StackError, match="is run by the network"):
        loop.run_forever()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer that presses Ctrl-C")
def test_ctrl_c_surfaces_once_and_ends_the_task_that_it_hits_at_most(net: Linked) -> None:
    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    program = net.programs.start_async(net.client_node, spin)
    other = net.programs.start_async(net.server_node, asyncio.sleep, 10**9)
    before = signal.signal(signal.SIGALRM, press)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt):
            other.result()
    finally:
        signal.signal(signal.SIGALRM, before)
    net.programs.run(until=net.scheduler.now + SECOND)
    assert program.exception is None or isinstance(program.exception, KeyboardInterrupt)
    assert not other.done
