"""The worlds in which one test runs: the operating system's loopback, an emulated loopback, two emulated hosts."""

from __future__ import annotations

import contextlib
import select
import socket
import threading

import pytest

STREAM, DATAGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
PATIENCE = 10  # seconds, real or virtual, before a test that hangs is given up


class World:
    """Sockets of one kind, with a `here` and a `there` (the server's place), which may be the same."""

    here_address = there_address = "127.0.0.1"
    addresses6 = "::1", "::1"
    family = socket.AF_INET

    def __init__(self):
        self._kept = []

    def here(self):
        return contextlib.nullcontext()

    def there(self):
        return contextlib.nullcontext()

    def run(self, function):
        """Start `function` as a program `there`; what is returned waits for its end and raises what it raised."""
        raise NotImplementedError

    def close(self):
        for kept in self._kept:
            kept.close()

    def keep(self, kept):
        self._kept.append(kept)
        return kept

    def forget(self, kept):
        self._kept.remove(kept)

    def socket(self, kind=STREAM):
        s = self.keep(socket.socket(self.family, kind))
        s.settimeout(PATIENCE)
        return s

    def listener(self, backlog=8):
        with self.there():
            listener = self.socket()
            listener.bind((self.there_address, 0))
            listener.listen(backlog)
        return listener

    def client(self, server):
        client = self.socket()
        client.connect(server if isinstance(server, tuple) else server.getsockname())
        return client

    def accept(self, listener):
        connection, address = listener.accept()
        connection.settimeout(PATIENCE)
        return self.keep(connection), address

    def pair(self):
        listener = self.listener()
        client = self.client(listener)
        server, _ = self.accept(listener)
        return client, server

    def datagrams(self, connected=False):
        with self.there():
            server = self.socket(DATAGRAM)
            server.bind((self.there_address, 0))
        client = self.socket(DATAGRAM)
        client.bind((self.here_address, 0))
        if connected:
            client.connect(server.getsockname())
        return client, server

    def closed_port(self, kind=STREAM):
        """An address there at which nobody listens."""
        with self.there(), socket.socket(self.family, kind) as s:
            s.bind((self.there_address, 0))
            return s.getsockname()

    def wait_for(self, s, read=False, write=False):
        return select.select([s] if read else [], [s] if write else [], [], PATIENCE) != ([], [], [])

    def writable(self, s):
        return bool(select.select([], [s], [], 0)[1])

    def error_of(self, function, *arguments):
        """The errno with which the call fails, or None."""
        try:
            function(*arguments)
        except OSError as error:
            assert error.errno is not None, error
            return error.errno
        return None


class System(World):
    """The operating system's own sockets over its loopback."""

    def run(self, function):
        trouble = []

        def guarded():
            try:
                function()
            except BaseException as error:  # handed over to whoever waits
                trouble.append(error)

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()

        def done():
            thread.join(PATIENCE)
            assert not thread.is_alive()
            if trouble:
                raise trouble[0]

        return done


WORLDS = {"system": System}


@pytest.fixture(params=list(WORLDS))
def world(request):
    made = WORLDS[request.param]()
    yield made
    made.close()


@pytest.fixture
def world6(world):
    """The same world, over IPv6."""
    if not isinstance(world, System):
        pass
    elif not socket.has_ipv6:
        pytest.skip("the operating system has no IPv6")
    six = type(world).__new__(type(world))
    six.__dict__.update(world.__dict__)
    six.family = socket.AF_INET6
    six.here_address, six.there_address = world.addresses6
    return six


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run the body of a test that asks for a world inside it, and nothing else of pytest."""
    world = pyfuncitem.funcargs.get("world")
    if world is None:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    with world.here():
        pyfuncitem.obj(**arguments)
    return True
