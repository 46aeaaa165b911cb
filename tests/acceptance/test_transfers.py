"""Twenty megabytes over links that lose, double, reorder and damage frames: they arrive intact, in both IP versions."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from tests.acceptance.scene import MB, network, transfer

SIZE = 20 * MB
FAULTS = [
    {"loss": "1%"}, {"loss": "5%"}, {"loss": "20%"}, {"duplication": "5%"}, {"reordering": "5%"}, {"corruption": "1%"},
    {"loss": "2%", "duplication": "2%", "reordering": "2%", "corruption": "1%", "jitter": "100 us"},
]  # fmt: skip


def named(faults: dict[str, Any]) -> str:
    return "+".join(faults) if len(faults) > 1 else "{}-{}".format(*next(iter(faults.items())))


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("faults", FAULTS, ids=named)
def test_twenty_megabytes_arrive_intact(faults: dict[str, Any], version: int) -> None:
    found = transfer(SIZE, version, **faults)
    assert (found.received, found.error) == (SIZE, None)
    assert found.intact
    done: dict[str, int] = {}
    for direction in found.link.directions:
        for what, count in [*direction.faults_done.items(), *((one.value, many) for one, many in direction.drops.items())]:
            done[what] = done.get(what, 0) + count
    for fault in faults:
        if fault != "jitter":
            kinds = {"loss": "lost on the link", "duplication": "duplicated", "reordering": "reordered", "corruption": "corrupted"}
            assert done.get(kinds[fault], 0) > 50, f"the link has done what it was told: {done}"


@pytest.mark.parametrize("faults", FAULTS[-1:], ids=named)
def test_another_wire_mode_is_the_same_transfer(faults: dict[str, Any]) -> None:
    runs = [transfer(2 * MB, wire=wire, **faults) for wire in ("objects", "bytes")]
    assert all(run.intact for run in runs)
    assert runs[0].net.now == runs[1].net.now
    assert [[way.entered, way.delivered] for way in runs[0].link.directions] == [
        [way.entered, way.delivered] for way in runs[1].link.directions
    ]


def test_a_link_that_was_down_for_a_while_is_waited_for() -> None:
    net, client, server, link = network()
    data = net.randomness.at("file").bytes(4 * MB)

    @server.program
    def serve() -> None:
        with socket.create_server(("", 80)) as listener, listener.accept()[0] as connection:
            connection.sendall(data)

    @client.program
    def fetch() -> bytes:
        with socket.create_connection(("server", 80)) as connection:
            return b"".join(iter(lambda: connection.recv(1 << 16), b""))

    @server.program
    def weather() -> None:
        time.sleep(0.01)
        with link.down():
            time.sleep(60)

    assert fetch.result() == data
    assert 60e9 < net.now < 200e9
