"""Programs in threads of their own, one at a time, in virtual time; and the calls that run the network."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from stack.base.errors import StackError
from stack.network.deadlock import Deadlock
from stack.network.place import current_node, inside
from stack.network.program import ProgramExit
from stack.network.programs import Programs
from stack.network.waiting import polled, wait
from tests.network.places import SECOND, Host, Mailbox, hosts, sleep, two_hosts

Two = tuple[Programs, Host, Host]


@pytest.fixture
def two() -> Iterator[Two]:
    with two_hosts() as made:
        yield made


# Running


def test_programs_sleep_in_virtual_time_and_take_turns(two: Two) -> None:
    programs, a, b = two
    log: list[tuple[float, str]] = []

    def program(host: Host, period: float) -> None:
        for _ in range(3):
            sleep(host, period)
            log.append((programs.scheduler.now / SECOND, host.name))

    programs.start(a, program, a, 2)
    programs.start(b, program, b, 3)
    programs.run()
    assert log == [(2, "a"), (3, "b"), (4, "a"), (6, "b"), (6, "a"), (9, "b")]


def test_the_same_programs_run_the_same_way_every_time() -> None:
    def once() -> list[tuple[int, str]]:
        programs, a, b = hosts()
        log: list[tuple[int, str]] = []
        boxes = [Mailbox(a), Mailbox(b)]

        def program(number: int) -> None:
            for step in range(20):
                boxes[1 - number].put(step)
                if step % 3 == 0:
                    sleep(boxes[number].host, step / 7)
                boxes[number].get()
                log.append((programs.scheduler.now, boxes[number].host.name))

        programs.start(a, program, 0)
        programs.start(b, program, 1)
        programs.run()
        programs.close()
        return log

    assert len(once()) == 40
    assert once() == once()


def test_a_program_has_a_result(two: Two) -> None:
    programs, a, _b = two
    program = programs.start(a, lambda x, y: x + y, 3, 4)
    assert not program.done
    assert program.result() == 7
    assert (program.done, program.value, program.exception) == (True, 7, None)


def test_a_program_is_on_its_host_and_knows_its_thread_by_its_name(two: Two) -> None:
    programs, _a, b = two

    def web() -> tuple[object, str]:
        return current_node(), threading.current_thread().name

    assert programs.start(b, web).result() == (b, "web")
    assert current_node() is None


def test_programs_wait_for_each_other_by_join_and_result(two: Two) -> None:
    programs, a, b = two
    slow = programs.start(b, lambda: sleep(b, 5) or "done")
    joined = programs.start(a, lambda: (slow.join(timeout=1), slow.result(), programs.scheduler.now))
    assert joined.result() == (False, "done", 5 * SECOND)


def test_a_wait_in_the_calling_thread_runs_the_network(two: Two) -> None:
    programs, a, b = two
    box = Mailbox(a)
    programs.start(b, lambda: sleep(b, 3) or box.put("hello"))
    with a:
        assert box.get() == "hello"
        assert programs.scheduler.now == 3 * SECOND
        with pytest.raises(TimeoutError):
            box.get(timeout=4)
    assert programs.scheduler.now == 7 * SECOND


def test_run_stops_at_an_instant_and_goes_on_from_there(two: Two) -> None:
    programs, a, _b = two
    log: list[int] = []

    def tick() -> None:
        while True:
            sleep(a, 1)
            log.append(programs.scheduler.now // SECOND)

    programs.start(a, tick)
    programs.run(until=3 * SECOND)
    assert log == [1, 2, 3]
    programs.run(until=4 * SECOND + SECOND // 2)
    assert log == [1, 2, 3, 4]
    assert programs.scheduler.now == 4 * SECOND + SECOND // 2


def test_run_until_a_condition_and_step_by_step(two: Two) -> None:
    programs, a, _b = two
    log: list[int] = []

    def count() -> None:
        for turn in range(10):
            sleep(a, 1)
            log.append(turn)

    programs.start(a, count)
    programs.run_until(lambda: len(log) == 4)
    assert log == [0, 1, 2, 3]
    while len(log) < 6:
        assert programs.step()
    assert log == [0, 1, 2, 3, 4, 5]
    with pytest.raises(Deadlock, match="the calling thread: a miracle"):
        programs.run_until(lambda: False, "a miracle")
    assert not programs.step()


def test_a_program_cannot_run_its_own_network(two: Two) -> None:
    programs, a, _b = two
    with pytest.raises(StackError, match="a program cannot run the network"):
        programs.start(a, programs.run).result()


def test_a_thread_that_is_no_program_is_told_that_another_runs_the_network(two: Two) -> None:
    programs, a, _b = two
    told: list[str] = []

    def outsider() -> None:
        try:
            programs.run()
        except StackError as error:
            told.append(str(error))

    def program() -> None:
        thread = threading.Thread(target=outsider)
        with inside(None):                                   # a thread of the process, not of the host
            thread.start()
            thread.join()

    programs.start(a, program).result()
    assert "another thread is running this network" in told[0]


# Quiescence


def test_run_ends_when_only_idle_programs_are_left(two: Two) -> None:
    programs, a, b = two
    box = Mailbox(a)
    served: list[object] = []

    def serve_forever() -> None:
        while True:
            try:
                served.append(box.get(timeout=0.5))
            except TimeoutError:
                pass

    programs.start(a, serve_forever)
    programs.start(b, lambda: sleep(b, 60) or box.put("late"))
    programs.run()
    assert served == ["late"]                                # a program that sleeps is not idle, however long
    assert 60 * SECOND < programs.scheduler.now < 64 * SECOND


def test_a_program_that_tries_a_few_times_is_not_idle(two: Two) -> None:
    programs, a, _b = two

    def patient() -> str:
        for _ in range(4):
            with pytest.raises(TimeoutError):
                Mailbox(a).get(timeout=1)
        return "gave up"

    program = programs.start(a, patient)
    programs.run()
    assert program.value == "gave up"


def test_housekeeping_does_not_keep_a_network_running(two: Two) -> None:
    programs, _a, _b = two
    programs.scheduler.call_at(SECOND, lambda: None)
    programs.scheduler.call_at(7200 * SECOND, lambda: None).housekeeping = True
    programs.run()
    assert programs.scheduler.now == SECOND
    programs.run(until=8000 * SECOND)
    assert not programs.step()


def test_an_untimed_wait_with_nothing_left_is_a_deadlock_and_says_who_waits_for_what(two: Two) -> None:
    programs, a, b = two
    box = Mailbox(b)
    programs.start(b, box.get, name="server")
    programs.start(a, lambda: [wait([box], programs.scheduler.now + SECOND, a, "poll") for _ in range(10**6)], name="poller")
    with a, pytest.raises(Deadlock) as raised:
        Mailbox(a).get()
    text = str(raised.value)
    assert "a, the calling thread: get on the mailbox of a" in text
    assert "b, program server: get on the mailbox of b" in text
    assert "a, program poller: poll on the mailbox of b, until" in text


def test_waiting_for_a_program_that_cannot_end_is_a_deadlock(two: Two) -> None:
    programs, _a, b = two
    with pytest.raises(Deadlock, match="b, program get: get on the mailbox of b"):
        programs.start(b, Mailbox(b).get).result()


def test_who_polls_without_waiting_lets_the_network_go_on(two: Two) -> None:
    programs, a, _b = two
    box = Mailbox(a)
    box.put_at(2, "at last")

    def poll() -> int:
        looks = 0
        while not box.messages:
            polled(a)
            looks += 1
        return looks

    assert programs.start(a, poll).result() < 30_000
    assert programs.scheduler.now == 2 * SECOND
    box.messages.clear()
    box.put_at(3, "again")
    with a:
        poll()
    assert programs.scheduler.now == 3 * SECOND


def test_polling_for_an_instant_does_not_jump_over_it(two: Two) -> None:
    programs, a, _b = two
    programs.scheduler.call_at(3600 * SECOND, lambda: None)

    def until(instant: int) -> None:
        while programs.scheduler.now < instant:
            polled(a)

    programs.start(a, until, 5 * SECOND).result()
    assert 5 * SECOND <= programs.scheduler.now < 6 * SECOND


# Errors


def test_what_a_program_raises_surfaces_from_the_call_that_runs_the_network(two: Two) -> None:
    programs, a, b = two

    def broken() -> None:
        sleep(b, 1)
        raise ZeroDivisionError("as planned")

    program = programs.start(b, broken)
    programs.start(a, sleep, a, 5)
    with pytest.raises(ZeroDivisionError, match="as planned") as raised:
        programs.run()
    assert [entry.name for entry in raised.traceback][-1] == "broken"
    assert "program 'broken' on host 'b'" in raised.value.__notes__[0]
    assert programs.scheduler.now == SECOND
    programs.run()                                           # once is enough, and the others go on
    assert programs.scheduler.now == 5 * SECOND
    with pytest.raises(ZeroDivisionError):
        program.result()


def test_it_surfaces_from_a_wait_of_the_calling_thread_too_but_not_if_someone_waits_for_the_program(two: Two) -> None:
    programs, a, b = two

    def broken() -> None:
        sleep(b, 1)
        raise ZeroDivisionError

    programs.start(b, broken)
    with a, pytest.raises(ZeroDivisionError):
        Mailbox(a).get()

    def careful() -> str:
        with pytest.raises(ZeroDivisionError):
            programs.start(b, broken).result()
        return "caught"

    assert programs.start(a, careful).result() == "caught"


def test_an_error_of_the_network_itself_is_not_raised_in_the_program_that_happens_to_wait(two: Two) -> None:
    programs, a, _b = two
    programs.scheduler.call_at(SECOND, lambda: 1 // 0)
    program = programs.start(a, lambda: sleep(a, 2) or "unharmed")
    with pytest.raises(ZeroDivisionError):
        programs.run()
    assert program.result() == "unharmed"


def test_a_program_may_exit(two: Two) -> None:
    programs, a, _b = two
    program = programs.start(a, exit, 3)
    programs.run()
    assert isinstance(program.exception, SystemExit)


# Closing


def test_closing_ends_programs_by_what_they_cannot_mistake_for_an_ordinary_error() -> None:
    programs, a, b = hosts()
    log: list[str] = []

    def stubborn() -> None:
        while True:
            try:
                Mailbox(a).get()
            except Exception:
                log.append("swallowed")
            finally:
                log.append("cleaned up")

    program = programs.start(a, stubborn)
    programs.run()
    never = programs.start(b, log.append, "never ran")
    before = threading.active_count()
    programs.close()
    assert log == ["cleaned up"]
    assert never.done
    assert isinstance(program.exception, ProgramExit)
    while threading.active_count() >= before:
        time.sleep(0.001)
    with pytest.raises(StackError, match="closed"):
        programs.run()
    programs.close()


def test_what_survives_closing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    programs, a, b = hosts()

    def immortal() -> None:
        while True:
            try:
                Mailbox(a).get()
            except BaseException:
                pass

    programs.start(a, immortal)
    programs.start(b, Mailbox(b).get, name="mortal")
    programs.run()
    with pytest.raises(StackError, match=r"after the network was closed: program immortal on a$"):
        programs.close()


def test_a_program_that_computes_for_ever_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stack.network.ending.PATIENCE", 0.05)
    programs, a, _b = hosts()

    def spin() -> None:
        try:
            Mailbox(a).get()
        finally:
            while True:
                pass

    programs.start(a, spin)
    programs.run()
    programs.close()
    assert not programs.live
