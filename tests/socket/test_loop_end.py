"""The end of a host's loop: a task whose next step Ctrl-C took from the queue ends with it."""

from __future__ import annotations

import asyncio

from stack import Network


def test_a_task_that_has_lost_its_next_step_is_closed() -> None:
    ended = []

    async def spin() -> None:
        try:
            while True:
                await asyncio.sleep(0)
        finally:
            ended.append("closed")

    with Network() as net:
        host = net.host("host")
        host.start(spin)
        for _ in range(5):
            net.step()
        loop = net.programs.resident(host.node)
        loop._ready.clear()                                  # type: ignore[attr-defined]
    assert ended == ["closed"]
