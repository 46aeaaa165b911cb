"""50 MB both ways between our TCP and Linux's, as client and as server, over IPv4 and IPv6, whatever the link does to them."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from stack import Network
from stack.testing.namespace import Namespace
from tests.tap.conftest import Peer, dial
from tests.tap.peer import digest, pattern, read_all

SIZE = 50_000_000
FAULTS = {"delay": "1 ms", "loss": "0.1%", "reordering": "0.1%", "duplication": "0.1%", "queue": None}


def exchange(connection: socket.socket) -> tuple[int, str]:
    """What `peer.exchange` does, on a host of ours."""

    def push() -> None:
        for piece in pattern(SIZE, seed=2):
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=push)
    sender.start()
    found = read_all(connection)
    sender.join()
    connection.close()
    return found


def run(net: Network, linux: Namespace, start: Callable[..., Peer], *, version: int, serve: bool) -> Any:
    host, tap = net.host("a"), net.tap("tap0", namespace=linux.name)
    link = net.link(host, tap, **FAULTS)
    ours, theirs = (next(one for one in each.addresses if (":" in str(one)) == (version == 6)) for each in (host, tap))
    given = {"send": SIZE, "seed": 1, "congestion": "cubic"}
    if serve:

        @host.program
        def server() -> tuple[int, str]:
            family = socket.AF_INET6 if version == 6 else socket.AF_INET
            with socket.create_server(("", 80), family=family) as listener:
                return exchange(listener.accept()[0])

        peer, program = start("exchange", connect=[str(ours), 80], **given), server
    else:
        peer = start("exchange", **given)
        program = host.start(lambda: exchange(dial(theirs, peer.port)))
    result = peer.result()
    assert program.result() == (SIZE, digest(SIZE, seed=1))
    assert (result["count"], result["digest"]) == (SIZE, digest(SIZE, seed=2))
    assert all(direction.faults_done.keys() == {"reordered", "duplicated"} for direction in link.directions)
    assert all(direction.drops for direction in link.directions)
    return result


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("serve", [False, True], ids=["client", "server"])
def test_50_mb_both_ways_under_loss_reordering_and_duplication(
    net: Network, linux: Namespace, peer: Callable[..., Peer], version: int, serve: bool
) -> None:
    result = run(net, linux, peer, version=version, serve=serve)
    assert result["options"] & 7 == 7  # timestamps, SACK, window scale
    assert result["retransmitted"] > 10
