"""Draining: running a network until what is closing has closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.network.deadlock import Deadlock
from stack.tcp.state import CLOSING, FIN_WAIT_1, LAST_ACK

if TYPE_CHECKING:
    from stack.lab.network import Network

_CLOSING = (FIN_WAIT_1, CLOSING, LAST_ACK)


def drain(network: Network, limit: int) -> None:
    """Run until no connection waits for its FIN to be acknowledged, for `limit` nanoseconds at most."""
    over = network.scheduler.call_at(network.now + limit, lambda: None)
    end = network.now + limit
    try:
        network.run_until(lambda: network.now >= end or not _closing(network))
    except Deadlock:
        pass
    finally:
        over.cancel()


def _closing(network: Network) -> bool:
    return any(
        connection.state in _CLOSING
        for host in network.hosts.values()
        for connection in host.engine.tcp.connections.values()
    )
