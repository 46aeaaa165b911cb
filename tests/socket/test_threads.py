"""Threads started on a host are its programs; locks, events and queues wait in virtual time and never hang the process."""

from __future__ import annotations

import _thread
import gc
import logging
import os
import queue
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stack.network.deadlock import Deadlock
from stack.network.place import current_node, inside
from stack.network.programs import Programs
from stack.socket import switch
from tests.network.places import Host, two_hosts

Two = tuple[Programs, Host, Host]


@pytest.fixture
def two() -> Iterator[Two]:
    switch.install()
    with two_hosts() as made:
        yield made


def test_a_thread_started_on_a_host_is_a_program_of_it(two: Two) -> None:
    _, a, _b = two
    seen: list[object] = []
    with a:

        def look() -> None:
            time.sleep(2)
            seen.append(current_node())

        threads = [threading.Thread(target=look, name=f"t{number}") for number in range(3)]
        for thread in threads:
            thread.start()
            assert thread.is_alive()
        threads[0].join(timeout=1)
        assert threads[0].is_alive()
    for thread in threads:                                   # joined outside: the network runs all the same
        thread.join()
        assert not thread.is_alive()
    assert seen == [a] * 3
    assert a.scheduler.now == 2_000_000_000


def test_a_thread_started_outside_is_a_thread_of_the_process(two: Two) -> None:
    thread = threading.Thread(target=time.sleep, args=(0.001,))
    thread.start()
    thread.join()
    assert two[1].scheduler.now == 0


def test_an_exception_in_a_thread_is_reported_as_the_library_does(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    _programs, a, _b = two
    reported: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    with a:
        thread = threading.Thread(target=lambda: 1 // 0)
        thread.start()
        thread.join()
    assert reported[0].exc_type is ZeroDivisionError
    assert reported[0].thread is thread


def test_events_conditions_and_queues_wait_in_virtual_time(two: Two) -> None:
    programs, a, b = two
    event, numbers = threading.Event(), queue.Queue[int](maxsize=1)  # made outside, shared by both

    def produce() -> None:
        time.sleep(1)
        event.set()
        for number in range(4):
            numbers.put(number)
            time.sleep(1)

    def consume() -> list[int]:
        assert not event.wait(0.5)
        assert event.wait()
        taken = [numbers.get() for _ in range(4)]
        with pytest.raises(queue.Empty):
            numbers.get(timeout=10)
        return taken

    programs.start(a, produce)
    assert programs.start(b, consume).result() == [0, 1, 2, 3]
    assert a.scheduler.now == 14_000_000_000


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_a_lock_held_while_its_holder_sleeps_makes_others_wait_in_virtual_time(two: Two, kind: str) -> None:
    programs, a, b = two
    lock = getattr(threading, kind)()
    log: list[tuple[str, float]] = []

    def work(name: str) -> None:
        with lock:
            time.sleep(1)
            log.append((name, time.monotonic()))

    programs.start(a, work, "one")
    programs.start(b, work, "two")
    programs.run(until=500_000_000)
    with lock:                                               # outside every host, but it is a program that holds it
        log.append(("three", a.scheduler.now / 1e9))
    assert log == [("one", 1), ("two", 2), ("three", 2)]
    with a:
        assert lock.acquire(timeout=5)
        assert kind != "Lock" or not lock.acquire(timeout=5)


def test_a_thread_of_the_process_waits_in_real_time_for_a_lock_that_a_program_holds(two: Two) -> None:
    """It cannot run the network: another thread does, and lets the program go on."""
    programs, a, _b = two
    lock, held = threading.Lock(), _thread.allocate_lock()
    held.acquire()
    log: list[object] = []

    def other() -> None:
        held.acquire()
        try:
            with lock:
                log.append(current_node())
        except BaseException as error:
            log.append(error)

    def work() -> None:
        with lock:
            held.release()
            with inside(None):
                time.sleep(0.05)                             # really: the other one tries meanwhile
            time.sleep(1)
            assert log == []

    thread = threading.Thread(target=other)
    thread.start()
    programs.start(a, work).result()
    thread.join()
    assert log == [None]


def test_a_thread_that_begins_needs_no_lock_of_its_starter(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells its starter, which may be stopped at any line, that it runs; that once was by a lock that waits in virtual time."""
    programs, a, _b = two
    made: list[object] = []

    def make() -> object:
        made.append(_thread.allocate_lock())
        return made[-1]

    monkeypatch.setattr(threading, "Lock", make)
    monkeypatch.setattr(threading, "_allocate_lock", make)

    def start() -> None:
        thread = threading.Thread(target=int)
        made.clear()
        thread.start()
        assert made == []
        assert thread._started.is_set()  # type: ignore[attr-defined]
        thread.join()

    programs.start(a, start).result()


def test_a_real_deadlock_of_programs_is_told(two: Two) -> None:
    programs, a, b = two
    one, other = threading.Lock(), threading.Lock()

    def cross(first: threading.Lock, second: threading.Lock) -> None:
        with first:
            time.sleep(1)
            second.acquire()

    programs.start(a, cross, one, other, name="left")
    right = programs.start(b, cross, other, one, name="right")
    with pytest.raises(Deadlock, match="b, program right: acquire on a lock that program left on a holds"):
        right.result()


def test_a_pool_of_threads(two: Two) -> None:
    programs, a, b = two
    outside = ThreadPoolExecutor(2)                          # made outside, its threads are the host's

    def work(number: int) -> int:
        time.sleep(number)
        return number * number

    def program() -> tuple[list[int], float]:
        with ThreadPoolExecutor(3) as pool:
            squares = list(pool.map(work, [3, 2, 1, 1]))
        return squares, time.monotonic()

    assert programs.start(a, program).result() == ([9, 4, 1, 1], 3)
    with b:
        assert outside.submit(work, 5).result() == 25
    outside.shutdown()
    assert a.scheduler.now == 8_000_000_000


def test_a_handler_of_the_log_may_wait_while_it_holds_its_lock(two: Two) -> None:
    programs, a, b = two
    lines: list[str] = []

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            time.sleep(1)
            lines.append(record.getMessage())

    logger = logging.Logger("slow")
    logger.addHandler(Slow())
    programs.start(a, lambda: logger.warning("from a"))
    programs.start(b, lambda: logger.warning("from b"))
    programs.run()
    assert lines == ["from a", "from b"]
    assert a.scheduler.now == 2_000_000_000


def test_a_module_that_waits_while_it_is_imported(two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, a, b = two
    (tmp_path / "waits_when_imported.py").write_text("import time\ntime.sleep(1)\nvalue = time.monotonic()\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def program() -> float:
        import waits_when_imported  # type: ignore[import-not-found]

        value: float = waits_when_imported.value
        return value

    first, second = programs.start(a, program), programs.start(b, program)
    assert (first.result(), second.result()) == (1, 1)
    del sys.modules["waits_when_imported"]


def test_programs_that_import_each_others_modules_do_not_wait_for_ever(
    two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library detects the circle, and one of them gets the module as far as it is."""
    programs, a, b = two
    monkeypatch.syspath_prepend(str(tmp_path))
    names = ["packetstack_hither", "packetstack_thither"]
    for name, other in zip(names, reversed(names), strict=True):
        (tmp_path / f"{name}.py").write_text(f"import time\ntime.sleep(1)\nimport {other}\nVALUE = {name!r}\n")

    def load(name: str) -> object:
        return __import__(name).VALUE

    started = [programs.start(host, load, name) for host, name in zip((a, b, a), [*names, names[0]], strict=True)]
    try:
        assert [program.result() for program in started] == [*names, names[0]]
    finally:
        for name in names:
            sys.modules.pop(name, None)


def test_networks_with_threads_leave_nothing_behind() -> None:
    switch.install()

    def used() -> weakref.ref[Programs]:
        with two_hosts() as (programs, a, _b):
            with a:
                threading.Thread(target=time.sleep, args=(1000,)).start()
            programs.run(until=1)
            return weakref.ref(programs)

    before = threading.active_count()
    networks = [used() for _ in range(20)]
    gc.collect()
    assert [one() for one in networks] == [None] * 20
    assert threading.active_count() <= before + 1            # the watchdog, which stays


def test_a_pool_has_as_many_threads_on_every_machine(two: Two) -> None:
    _, a, _b = two
    with a:
        assert os.cpu_count() == 4
        with ThreadPoolExecutor() as pool:
            list(pool.map(time.sleep, [1] * 24))
        assert time.monotonic() == 3


def test_closing_ends_threads_too(two: Two) -> None:
    programs, a, _b = two
    with a:
        thread = threading.Thread(target=threading.Event().wait)
        thread.start()
        timer = threading.Timer(3600, print)
        timer.start()
    programs.run(until=1)
    programs.close()
    assert not thread.is_alive()
    assert not timer.is_alive()


def test_the_process_ends_though_programs_wait(tmp_path: Path) -> None:
    import subprocess

    script = """
import threading, concurrent.futures
from tests.network.places import hosts
from stack.socket import switch
switch.install()
programs, a, b = hosts()
programs.start(a, threading.Event().wait)
with b:
    threading.Thread(target=threading.Event().wait).start()
    pool = concurrent.futures.ThreadPoolExecutor()
    pool.submit(threading.Event().wait)
programs.run()
print("end")
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20)
    assert (run.returncode, run.stdout, run.stderr) == (0, "end\n", "")
