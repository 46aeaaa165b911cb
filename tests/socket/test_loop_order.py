"""What asyncio keeps in sets comes in one order on a host, whatever the hashes of texts are in this process."""

from __future__ import annotations

import asyncio

from stack import Network


def test_a_server_listens_on_its_addresses_in_their_order() -> None:
    addresses = ["127.0.0.3", "127.0.0.1", "::1", "127.0.0.4", "127.0.0.1"]

    async def listening(where: list[str] | str) -> list[str]:
        async with await asyncio.start_server(lambda reader, writer: None, where, 80) as server:
            return [one.getsockname()[0] for one in server.sockets]

    with Network() as net:
        host = net.host("host")
        assert host.start(listening, addresses).result() == addresses[:-1]
        assert host.start(listening, "").result() == ["0.0.0.0", "::"]
