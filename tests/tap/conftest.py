"""A namespace for each test that wants one; tests of this folder are skipped, with the reason, where there can be none."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stack import Network
from stack.testing.namespace import Namespace, missing

PEER = Path(__file__).with_name("peer.py")


class Peer:
    """A program of `peer.py` that runs on Linux."""

    def __init__(self, network: Network, namespace: Namespace, what: str, given: dict[str, Any]) -> None:
        self.network = network
        self.program = namespace.start(sys.executable, str(PEER), what, json.dumps(given), stdout=subprocess.PIPE)
        self.port = 0 if "connect" in given else int(self.line()["port"])

    def line(self) -> dict[str, Any]:
        assert self.program.stdout is not None
        return dict(json.loads(self.program.stdout.readline()))

    def result(self) -> dict[str, Any]:
        """What it printed last, when it has ended well. The network runs until then."""
        self.network.run_until(lambda: self.program.poll() is not None)
        assert self.program.returncode == 0
        return self.line()

    def wait(self) -> None:
        self.network.run_until(lambda: self.program.poll() is not None)
        assert self.program.returncode == 0


@pytest.fixture
def linux() -> Iterator[Namespace]:
    lacking = missing()
    if lacking:
        pytest.skip(f"a TAP in a network namespace: {lacking}")
    with Namespace() as namespace:
        yield namespace


@pytest.fixture
def net(linux: Namespace) -> Iterator[Network]:
    with Network(seed=1) as network:
        yield network


@pytest.fixture
def peer(linux: Namespace, net: Network) -> Callable[..., Peer]:
    """Start a program of `peer.py` on Linux: `peer("exchange", send=1000)`."""
    return lambda what, **given: Peer(net, linux, what, given)


def dial(address: Any, port: int) -> socket.socket:
    """A blocking connection of the host that we are on."""
    return socket.create_connection((str(address), port), timeout=60)
