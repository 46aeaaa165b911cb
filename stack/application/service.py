"""What the servers of this room are: ordinary asyncio programs, which serve on an emulated host and on the real network alike."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from types import TracebackType
from typing import Any, ClassVar, Self


class Service:
    """A server over TCP and UDP. A subclass says what it does in `talk` and `answer`.

        await EchoServer().serve()               # in a program of a host, or under asyncio.run in the real world

        async with EchoServer(port=0) as server: # a free port, which `server.port` then is
            ...
    """

    #: The port that IANA gave it.
    well_known: ClassVar[int]

    def __init__(
        self, address: str | None = None, port: int | None = None, *, tcp: bool = True, udp: bool = True
    ) -> None:
        """`address` None: all addresses, of both IP versions; `port` None: the well-known one, 0: a free one."""
        self.address = address
        self.port = self.well_known if port is None else port
        self._tcp = tcp
        self._udp = udp
        self._server: asyncio.Server | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._busy: dict[asyncio.Task[None], None] = {}

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one TCP connection; it is closed afterwards."""
        raise NotImplementedError

    def answer(self, data: bytes) -> bytes | None:
        """The datagram that answers a datagram, or None."""
        raise NotImplementedError

    async def start(self) -> None:
        """Open the ports; raises the `OSError` that says why not."""
        try:
            if self._tcp:
                listener = self._open(socket.SOCK_STREAM)
                self.port = listener.getsockname()[1]
                self._server = await asyncio.start_server(self._connected, sock=listener)
            if self._udp:
                receiver = self._open(socket.SOCK_DGRAM)
                self.port = receiver.getsockname()[1]
                loop = asyncio.get_running_loop()
                self._transport, _ = await loop.create_datagram_endpoint(lambda: _Answering(self), sock=receiver)
        except BaseException:
            await self.close()
            raise

    async def serve(self) -> None:
        """Open the ports and serve until cancelled."""
        async with self:
            await asyncio.get_running_loop().create_future()

    async def close(self) -> None:
        """Close the ports, and the connections that are still open."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in list(self._busy):
            task.cancel()
        await asyncio.gather(*self._busy, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _open(self, kind: socket.SocketKind) -> socket.socket:
        if self.address is not None:
            family, _, _, _, where = socket.getaddrinfo(self.address, self.port, type=kind)[0]
        elif socket.has_dualstack_ipv6():
            family, where = socket.AF_INET6, ("::", self.port)
        else:
            family, where = socket.AF_INET, ("0.0.0.0", self.port)
        opened = socket.socket(family, kind)
        try:
            if kind == socket.SOCK_STREAM:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(self.address is not None))
            opened.setblocking(False)
            opened.bind(where)
        except BaseException:
            opened.close()
            raise
        return opened

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task: Any = asyncio.current_task()
        self._busy[task] = None
        try:
            with contextlib.suppress(ConnectionError):
                await self.talk(reader, writer)
        finally:
            del self._busy[task]
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class _Answering(asyncio.DatagramProtocol):
    """The UDP side of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        reply = self._service.answer(data)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, address)
