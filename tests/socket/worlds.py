"""The worlds in which one test runs: the operating system's loopback, an emulated loopback, two emulated hosts."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar

Kept = TypeVar("Kept", bound=socket.socket)
Address = tuple[Any, ...]

STREAM, DATAGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
PATIENCE = 10  # seconds, real or virtual, before a test that hangs is given up


class World:
    """Sockets of one kind, with a `here` and a `there` (the server's place), which may be the same."""

    here_address = there_address = "127.0.0.1"
    addresses6 = "::1", "::1"
    family = socket.AF_INET

    def __init__(self) -> None:
        self._kept: list[socket.socket] = []

    def here(self) -> AbstractContextManager[object]:
        return contextlib.nullcontext()

    def there(self) -> AbstractContextManager[object]:
        return contextlib.nullcontext()

    def run(self, function: Callable[[], object]) -> Callable[[], None]:
        """Start `function` as a program `there`; what is returned waits for its end and raises what it raised."""
        raise NotImplementedError

    def close(self) -> None:
        for kept in self._kept:
            kept.close()

    def keep(self, kept: Kept) -> Kept:
        self._kept.append(kept)
        return kept

    def forget(self, kept: socket.socket) -> None:
        self._kept.remove(kept)

    def new(self, kind: socket.SocketKind = STREAM) -> socket.socket:
        s = self.keep(socket.socket(self.family, kind))
        s.settimeout(PATIENCE)
        return s

    def listener(self, backlog: int = 8) -> socket.socket:
        with self.there():
            listener = self.new()
            listener.bind((self.there_address, 0))
            listener.listen(backlog)
        return listener

    def client(self, server: socket.socket | Address) -> socket.socket:
        client = self.new()
        client.connect(server if isinstance(server, tuple) else server.getsockname())
        return client

    def accept(self, listener: socket.socket) -> tuple[socket.socket, Address]:
        connection, address = listener.accept()
        connection.settimeout(PATIENCE)
        return self.keep(connection), address

    def pair(self) -> tuple[socket.socket, socket.socket]:
        listener = self.listener()
        client = self.client(listener)
        server, _ = self.accept(listener)
        return client, server

    def datagrams(self, connected: bool = False) -> tuple[socket.socket, socket.socket]:
        with self.there():
            server = self.new(DATAGRAM)
            server.bind((self.there_address, 0))
        client = self.new(DATAGRAM)
        client.bind((self.here_address, 0))
        if connected:
            client.connect(server.getsockname())
        return client, server

    def closed_port(self, kind: socket.SocketKind = STREAM) -> Address:
        """An address there at which nobody listens."""
        with self.there(), socket.socket(self.family, kind) as s:
            s.bind((self.there_address, 0))
            address: Address = s.getsockname()
        return address

    def wait_for(self, s: socket.socket, read: bool = False, write: bool = False) -> bool:
        return select.select([s] if read else [], [s] if write else [], [], PATIENCE) != ([], [], [])

    def writable(self, s: socket.socket) -> bool:
        return bool(select.select([], [s], [], 0)[1])

    def error_of(self, function: Callable[..., object], *arguments: Any) -> int | None:
        """The errno with which the call fails, or None."""
        try:
            function(*arguments)
        except OSError as error:
            code: int | None = error.errno
            if code is None:
                raise
            return code
        return None


class System(World):
    """The operating system's own sockets over its loopback."""

    def has_ipv6(self) -> bool:
        try:
            with socket.socket(socket.AF_INET6) as s:
                s.bind(("::1", 0))
        except OSError:
            return False
        return True

    def run(self, function: Callable[[], object]) -> Callable[[], None]:
        trouble: list[BaseException] = []

        def guarded() -> None:
            try:
                function()
            except BaseException as error:  # handed over to whoever waits
                trouble.append(error)

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()

        def done() -> None:
            thread.join(PATIENCE)
            assert not thread.is_alive()
            if trouble:
                raise trouble[0]

        return done
