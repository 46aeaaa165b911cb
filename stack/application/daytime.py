"""Daytime: the date and time as a line of text (RFC 867)."""

from __future__ import annotations

import asyncio
import time

from stack.application.exchange import exchange
from stack.application.service import Service

PORT = 13
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def line(seconds: float) -> bytes:
    """A time, in seconds since 1970 in UTC, in the first of the forms that RFC 867 suggests."""
    t = time.gmtime(seconds)
    day = f"{_DAYS[t.tm_wday]}, {_MONTHS[t.tm_mon - 1]} {t.tm_mday}, {t.tm_year}"
    return f"{day} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}-UTC\r\n".encode()


class DaytimeServer(Service):
    """Says the time: over TCP to each that connects, over UDP to each datagram, whatever is in it."""

    well_known = PORT

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(line(time.time()))
        await writer.drain()

    def answer(self, data: bytes) -> bytes:
        return line(time.time())


async def daytime(host: str, port: int = PORT) -> str:
    """The time at `host`, asked over TCP, without the end of the line."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        return (await reader.read(-1)).decode("ascii").rstrip("\r\n")
    finally:
        writer.close()


async def daytime_datagram(host: str, port: int = PORT, timeout: float = 5.0) -> str:
    """The time at `host`, asked over UDP; raises `TimeoutError` if nothing comes."""
    return (await exchange(host, port, b"\n", timeout)).decode("ascii").rstrip("\r\n")
