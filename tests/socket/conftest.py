"""Each test runs in each world: the operating system's loopback, an emulated loopback, two emulated hosts."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.socket.emulated import Emulated, Linked
from tests.socket.worlds import System, World

WORLDS = {"system": System, "loopback": Emulated, "link": Linked}
WORLDS6 = {"system6": System, "link6": Linked}  # the same over IPv6, for what does not name addresses
BOTH_VERSIONS = ("test_same_stream", "test_same_datagram", "test_same_flags", "test_same_select", "test_same_nonblocking", "test_same_messages")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "world" in metafunc.fixturenames:
        both = metafunc.module.__name__.rpartition(".")[2] in BOTH_VERSIONS and "world6" not in metafunc.fixturenames
        metafunc.parametrize("world", [*WORLDS, *(WORLDS6 if both else ())], indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = WORLDS[request.param]() if request.param in WORLDS else over_ipv6(WORLDS6[request.param]())
    yield made
    made.close()


@pytest.fixture
def world6(world: World) -> World:
    """The same world, over IPv6."""
    six = type(world).__new__(type(world))
    six.__dict__.update(world.__dict__)
    return over_ipv6(six)


def over_ipv6(world: World) -> World:
    if isinstance(world, System) and not world.has_ipv6():
        pytest.skip("the operating system has no IPv6")
    world.family = socket.AF_INET6
    world.here_address, world.there_address = world.addresses6
    return world


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
