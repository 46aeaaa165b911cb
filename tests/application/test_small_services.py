"""Echo, discard and daytime in the real world: the same objects as on emulated hosts (RFC 862, 863, 867)."""

from __future__ import annotations

import asyncio
import calendar
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from stack.application.daytime import DaytimeServer, daytime, daytime_datagram, line
from stack.application.discard import DiscardServer, discard
from stack.application.echo import EchoServer, echo, echo_datagram
from stack.application.service import Service

Result = TypeVar("Result")
LOOPBACK = "127.0.0.1"


def against(server: Service, client: Callable[[int], Awaitable[Result]]) -> Result:
    async def both() -> Result:
        async with server:
            return await asyncio.wait_for(client(server.port), 5)

    return asyncio.run(both())


def test_echo_over_a_stream() -> None:
    data = bytes(range(256)) * 4000
    assert against(EchoServer(port=0), lambda port: echo(LOOPBACK, data, port)) == data


def test_echo_over_datagrams() -> None:
    assert against(EchoServer(LOOPBACK, 0), lambda port: echo_datagram(LOOPBACK, b"once", port)) == b"once"


def test_a_datagram_without_an_answer_times_out() -> None:
    with pytest.raises(TimeoutError):
        against(DiscardServer(LOOPBACK, 0), lambda port: echo_datagram(LOOPBACK, b"x", port, timeout=0.05))


def test_nobody_listening_is_a_refusal() -> None:
    with pytest.raises(ConnectionRefusedError):
        against(EchoServer(LOOPBACK, 0, udp=False), lambda port: echo_datagram(LOOPBACK, b"x", port))


def test_discard_counts_and_keeps_silent() -> None:
    server = DiscardServer(port=0)
    against(server, lambda port: discard(LOOPBACK, bytes(100_000), port))
    assert server.octets == 100_000


def test_daytime_says_the_same_over_both() -> None:
    async def ask(port: int) -> list[str]:
        return [await daytime(LOOPBACK, port), await daytime_datagram(LOOPBACK, port)]

    form = r"\w+day, [A-Z][a-z]+ \d{1,2}, \d{4} \d\d:\d\d:\d\d-UTC"
    assert all(re.fullmatch(form, text) for text in against(DaytimeServer(port=0), ask))


def test_the_line_of_rfc_867() -> None:
    moment = calendar.timegm((1982, 2, 22, 17, 37, 43))  # the RFC's example, but for its day of the week, which is wrong
    assert line(moment) == b"Monday, February 22, 1982 17:37:43-UTC\r\n"


def test_a_server_that_closes_ends_its_connections() -> None:
    async def both() -> bytes:
        server = EchoServer(LOOPBACK, 0)
        await server.start()
        reader, writer = await asyncio.open_connection(LOOPBACK, server.port)
        writer.write(b"x")
        assert await reader.read(1) == b"x"
        await server.close()
        rest = await reader.read()
        writer.close()
        return rest

    assert asyncio.run(both()) == b""
