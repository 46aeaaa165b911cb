"""Each test runs in each world: the operating system's loopback, an emulated loopback, two emulated hosts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.socket.emulated import Emulated, Linked
from tests.socket.worlds import System, World

WORLDS = {"system": System, "loopback": Emulated, "link": Linked}


@pytest.fixture(params=list(WORLDS))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = WORLDS[request.param]()
    yield made
    made.close()


@pytest.fixture
def world6(world: World) -> World:
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
def pytest_pyfunc_call(pyfuncitem: Any) -> bool | None:
    """Run the body of a test that asks for a world inside it, and nothing else of pytest."""
    world = pyfuncitem.funcargs.get("world")
    if world is None:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    with world.here():
        pyfuncitem.obj(**arguments)
    return True
