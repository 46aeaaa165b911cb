"""On a host the library's functions are the host's; outside they are what they were, also while networks exist."""

from __future__ import annotations

import datetime
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from time import monotonic  # bound before the first network: replaced here, too

import pytest

from stack.socket import switch as switching
from stack.socket.clock import EPOCH
from tests.network.places import SECOND, Host, hosts


@pytest.fixture
def a() -> Iterator[Host]:
    switching.install()
    programs, a, _ = hosts()
    yield a
    programs.close()


def test_clocks_are_virtual_on_a_host_and_real_outside(a: Host) -> None:
    real = switching.original("time", "time")
    with a:
        assert time.time() == EPOCH / 1e9
        assert (time.monotonic(), time.perf_counter_ns()) == (0, 0)
        time.sleep(1.5)
        assert (time.monotonic(), monotonic(), time.time_ns()) == (1.5, 1.5, EPOCH + 1_500_000_000)
    assert abs(time.time() - real()) < 1
    assert monotonic() == pytest.approx(time.monotonic(), abs=1)
    before = time.perf_counter()
    time.sleep(0.01)
    assert time.perf_counter() - before >= 0.01


def test_calendars_are_in_utc_on_a_host(a: Host) -> None:
    with a:
        time.sleep(3661)
        assert time.gmtime()[:6] == time.localtime()[:6] == (2025, 1, 1, 1, 1, 1)
        assert time.strftime("%H:%M:%S") == "01:01:01"
        assert time.strftime("%Y", (1999, 1, 1, 0, 0, 0, 0, 1, 0)) == "1999"
        assert time.ctime() == time.asctime() == "Wed Jan  1 01:01:01 2025"
        assert time.mktime(time.localtime(86_400.0)) == 86_400
    assert time.gmtime()[0] == datetime.datetime.now(datetime.UTC).year


def test_sleep_refuses_what_the_library_refuses(a: Host) -> None:
    for place in (a, None):
        with switching_to(place):
            with pytest.raises(ValueError, match="non-negative"):
                time.sleep(-1)
            with pytest.raises(TypeError):
                time.sleep("1")                              # type: ignore[arg-type]


class switching_to:  # noqa: N801
    def __init__(self, place: Host | None) -> None:
        self.place = place

    def __enter__(self) -> None:
        if self.place is not None:
            self.place.__enter__()

    def __exit__(self, *_: object) -> None:
        if self.place is not None:
            self.place.__exit__(None, None, None)


def test_reading_the_clock_for_ever_lets_time_go_on(a: Host) -> None:
    with a:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            pass
        assert 2 <= time.monotonic() < 2.5


def test_what_replaces_a_function_behaves_as_a_built_in_function(a: Host) -> None:
    class Holder:
        clock = time.monotonic                               # must not become a method

    assert isinstance(Holder().clock(), float)               # type: ignore[misc]
    assert pickle.loads(pickle.dumps(time.sleep)) is time.sleep
    assert time.sleep.__name__ == "sleep"
    assert time.sleep.__module__ == "time"
    assert isinstance(threading.Lock(), type(threading.Lock()))


def test_everything_can_be_put_back() -> None:
    script = """
import random, sys, threading, time, asyncio, os, queue, select, socket
modules = (random, threading, time, asyncio, os, queue, select, socket, socket.socket, threading.Thread)
before = [dict(vars(module)) for module in modules]
from stack.socket import switch
switch.install()
assert time.sleep is not before[2]["sleep"] and threading._time is not before[1]["_time"]
switch.uninstall()
for module, names in zip(modules, before):
    changed = [name for name, value in names.items() if vars(module).get(name) is not value]
    assert not changed, (module, changed)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


def test_randomness_is_the_hosts_stream_and_the_same_every_time() -> None:
    switching.install()
    import os
    import random
    import secrets
    import uuid

    def draw(seed: int) -> list[object]:
        programs, a, b = hosts(seed=seed)
        with a:
            drawn: list[object] = [random.random(), os.urandom(8), secrets.token_hex(4), uuid.uuid4(), random.Random().random()]
            drawn.append(random.sample(range(100), 5))
        with b:
            drawn.append(random.random())
        programs.close()
        return drawn

    assert draw(1) == draw(1)
    assert not any(mine == other for mine, other in zip(draw(1), draw(2), strict=True))
    assert len({str(value) for value in draw(1)}) == 7
    with_state = random.getstate()
    draw(3)
    assert random.getstate() == with_state                   # the process's own generator is not touched


def test_a_seed_that_a_program_sets_is_its_own(a: Host) -> None:
    import random

    with a:
        random.seed(7)
        mine = random.random()
    assert mine == random.Random(7).random()
    assert a.scheduler.now < SECOND
