"""Ctrl-C, at whatever moment: it surfaces in the calling thread, and never leaves two threads running."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stack.network.place import current_node, inside
from stack.network.program import ProgramExit
from stack.network.programs import Programs
from stack.network.watchdog import look
from tests.network.places import SECOND, Host, Mailbox, hosts, sleep, two_hosts

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a test cannot press Ctrl-C on Windows")


@pytest.fixture(autouse=True)
def _untraced() -> Iterator[None]:
    """Signals are not to find a tracer at work: raised inside coverage's, what a handler raises is lost, or leaves the
    tracer's lock held; and the time-out that then comes late can end a `with host:` in the middle of its leaving.
    """
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)              # nothing rings in the next test
        sys.settrace(tracer)


@contextmanager
def ctrl_c(*after: float) -> Iterator[None]:
    """Press Ctrl-C some real seconds from now."""

    def press() -> None:
        for seconds in after:
            time.sleep(seconds)
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_a_network_that_never_comes_to_rest_can_be_interrupted_and_goes_on() -> None:
    with two_hosts() as (programs, a, b):
        boxes = [Mailbox(a), Mailbox(b)]
        count = 0

        def play(number: int) -> None:
            nonlocal count
            while True:
                count += 1
                boxes[1 - number].put(None)
                boxes[number].get()

        first, second = programs.start(a, play, 0), programs.start(b, play, 1)
        for _ in range(3):
            with ctrl_c(0.05), pytest.raises(KeyboardInterrupt):
                programs.run()
            seen = count
            time.sleep(0.02)
            assert count == seen                             # nobody runs now
        assert not first.done
        assert not second.done


def test_a_program_that_only_computes_is_ended_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with two_hosts() as (programs, a, b):
        count = 0

        def compute() -> None:
            nonlocal count
            sleep(a, 1)
            while True:
                count += 1

        program = programs.start(a, compute)
        programs.start(b, sleep, b, 2)
        with ctrl_c(0.05), pytest.raises(KeyboardInterrupt):
            programs.run()
        seen = count
        time.sleep(0.02)
        assert count == seen
        assert isinstance(program.exception, ProgramExit)
        programs.run()
        assert programs.scheduler.now == 2 * SECOND


def test_pressing_it_again_and_again_loses_no_turn() -> None:
    rounds = 2000
    programs, a, b = hosts()
    boxes = [Mailbox(a), Mailbox(b)]
    log: list[int] = []

    def play(number: int) -> None:
        for turn in range(rounds):
            boxes[1 - number].put(turn)
            if turn % 10 == 0:
                sleep(a, 0.001)
            assert boxes[number].get() == turn
            log.append(turn)

    players = [programs.start(host, play, number) for number, host in enumerate((a, b))]
    running = False
    interrupted = 0

    def interrupt(*_: object) -> None:
        nonlocal running
        if running:                                          # not while the test itself is handling the last one
            running = False
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with ctrl_c(*[0.003] * 20):
            while not all(player.done for player in players):
                try:
                    running = True
                    programs.run()
                    running = False
                except KeyboardInterrupt:
                    interrupted += 1
    finally:
        signal.signal(signal.SIGINT, before)
    assert interrupted > 5
    assert log.count(rounds - 1) == 2
    assert len(log) == 2 * rounds
    programs.close()


def test_an_exception_from_a_signal_handler_is_no_different() -> None:
    class Alarm(Exception):
        pass

    def ring(*_: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    try:
        with two_hosts() as (programs, a, _b):

            def busy() -> None:
                while True:
                    programs.scheduler.call_at(0, int)
                    sleep(a, 1)

            program = programs.start(a, busy)
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Alarm):
                programs.run()
            assert not program.done
    finally:
        signal.signal(signal.SIGALRM, before)


# The watchdog


@contextmanager
def watched(programs: Programs) -> Iterator[None]:
    """Look after it every 20 ms: the watchdog of the process sleeps for longer than a test."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            look(programs)
            time.sleep(0.02)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_real_lock_that_a_program_waits_for_does_not_hang_the_process(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stack.network.watchdog.patience", 0.1)
    lock = _thread.allocate_lock()                           # as made before the first network, or by a C module
    log: list[str] = []
    with two_hosts() as (programs, a, b), watched(programs):

        def work(host: Host) -> None:
            sleep(host, 1)
            with lock:
                sleep(host, 1)
                log.append(host.name)
            sleep(host, 1)
            log.append(f"{host.name} at {programs.scheduler.now // SECOND}")

        workers = [programs.start(host, work, host) for host in (a, b)]
        for worker in workers:
            worker.result()
        programs.run()
    assert log[:2] == ["a", "a at 3"]
    assert "b" in log
    assert log[-1].startswith("b at")
    told = capfd.readouterr().err
    assert "program work on b has had its turn for 0.1 real seconds and does nothing" in told
    assert "in work" in told
    assert "(has its turn)" in told


def test_a_program_that_computes_for_long_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stack.network.watchdog.patience", 0.3)
    with two_hosts() as (programs, a, _), watched(programs):

        def compute() -> int:
            end = time.process_time() + 0.6
            turns = 0
            while time.process_time() < end:
                turns += 1
            return turns

        assert programs.start(a, compute).result() > 0
    assert capfd.readouterr().err == ""


def test_interrupting_leaves_no_thread_on_a_host() -> None:
    class Alarm(Exception):
        pass

    def ring(*_: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    try:
        with two_hosts() as (programs, a, b):

            class Visitor:                                   # on a host and off it, all the time
                deadline = 0

                def timeout(self, now: int) -> None:
                    with inside(b):
                        pass

            programs.scheduler.poke(Visitor())
            for after in range(1, 40):
                with pytest.raises(Alarm):
                    signal.setitimer(signal.ITIMER_REAL, after / 10_000)
                    programs.run()
                assert current_node() is None
                with a, pytest.raises(Alarm):
                    try:
                        signal.setitimer(signal.ITIMER_REAL, after / 10_000)
                        Mailbox(a).get()
                    finally:
                        signal.setitimer(signal.ITIMER_REAL, 0)  # whatever ended the wait, the leaving is not disturbed
                assert current_node() is None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
