"""Discard: what comes is thrown away (RFC 863)."""

from __future__ import annotations

import asyncio

from stack.application.service import Service

PORT = 9
_PIECE = 1 << 16


class DiscardServer(Service):
    """Throws away what it receives, and answers nothing. `octets` counts what came."""

    well_known = PORT
    octets = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_PIECE):
            self.octets += len(data)

    def answer(self, data: bytes) -> None:
        self.octets += len(data)


async def discard(host: str, data: bytes, port: int = PORT) -> None:
    """Send `data` over TCP to be thrown away; returns when the server has seen the end."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(data)
        await writer.drain()
        writer.write_eof()
        await reader.read(-1)
    finally:
        writer.close()
