"""Echo: what comes is sent back (RFC 862)."""

from __future__ import annotations

import asyncio

from stack.application.exchange import exchange
from stack.application.service import Service

PORT = 7
_PIECE = 1 << 16


class EchoServer(Service):
    """Sends back what it receives, over TCP until the caller ends, over UDP one datagram for each."""

    well_known = PORT

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_PIECE):
            writer.write(data)
            await writer.drain()

    def answer(self, data: bytes) -> bytes:
        return data


async def echo(host: str, data: bytes, port: int = PORT) -> bytes:
    """Send `data` over TCP, end, and return all that comes back."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        sending = asyncio.ensure_future(_send(writer, data))
        reply = await reader.read(-1)
        await sending
        return reply
    finally:
        writer.close()


async def _send(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
    writer.write_eof()


async def echo_datagram(host: str, data: bytes, port: int = PORT, timeout: float = 5.0) -> bytes:
    """Send `data` in one UDP datagram and return the one that comes back; raises `TimeoutError` if none does."""
    return await exchange(host, port, data, timeout)
