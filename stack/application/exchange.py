"""One datagram there and one back: the client of the simple UDP services, as an asyncio program."""

from __future__ import annotations

import asyncio
from typing import Any


async def exchange(host: str, port: int, data: bytes, timeout: float = 5.0) -> bytes:
    """What `host` answers to a datagram. Raises `TimeoutError` after so many seconds, or the `OSError` of a refusal."""
    loop = asyncio.get_running_loop()
    reply: asyncio.Future[bytes] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Asking(reply), remote_addr=(host, port))
    try:
        transport.sendto(data)
        async with asyncio.timeout(timeout):
            return await reply
    finally:
        transport.close()


class _Asking(asyncio.DatagramProtocol):
    def __init__(self, reply: asyncio.Future[bytes]) -> None:
        self._reply = reply

    def datagram_received(self, data: bytes, address: Any) -> None:
        if not self._reply.done():
            self._reply.set_result(data)

    def error_received(self, error: Exception) -> None:
        if not self._reply.done():
            self._reply.set_exception(error)
