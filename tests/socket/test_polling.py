"""Programs that look again and again and never wait: the network goes on all the same."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from stack.network.programs import Programs
from stack.socket import switch
from tests.network.places import Host, two_hosts


@pytest.fixture
def two() -> Iterator[tuple[Programs, Host, Host]]:
    switch.install()
    with two_hosts() as made:
        yield made


def got(box: queue.Queue[int]) -> bool:
    try:
        box.get_nowait()
    except queue.Empty:
        return False
    return True


def test_sleeping_for_no_time_at_all_lets_time_go_on(two: tuple[Programs, Host, Host]) -> None:
    _, a, _b = two
    with a:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            time.sleep(0)
        assert 0.5 <= time.monotonic() < 0.52


@pytest.mark.parametrize(("kind", "look"), [
    ("Queue", lambda box: not box.empty()),
    ("Queue", lambda box: box.qsize() > 0),
    ("Queue", lambda box: got(box)),
    ("SimpleQueue", lambda box: got(box)),
])  # fmt: skip
def test_who_looks_into_a_queue_gets_what_is_put_later(
    two: tuple[Programs, Host, Host], kind: str, look: Callable[[queue.Queue[int]], bool]
) -> None:
    programs, a, b = two
    with a:
        box = getattr(queue, kind)()

    def put() -> None:
        time.sleep(0.003)
        box.put(1)

    def wait() -> str:
        while not look(box):
            pass
        return "seen"

    programs.start(b, put)
    assert programs.start(a, wait).result() == "seen"


def test_a_lock_that_cannot_be_had_at_once_is_a_look_too(two: tuple[Programs, Host, Host]) -> None:
    _, a, _b = two
    with a:
        lock = threading.Lock()

        def hold() -> None:
            with lock:
                time.sleep(0.01)

        threading.Thread(target=hold).start()
        time.sleep(0)
        while not lock.acquire(blocking=False):
            pass
        lock.release()
        assert a.scheduler.now == 10_000_000
