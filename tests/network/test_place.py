"""Where am I? Nothing leaks out of a `with host:` block."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from queue import SimpleQueue
from types import FrameType
from typing import Any

import pytest

from stack.base.errors import StackError
from stack.network import place
from stack.network.place import current_node, inside
from tests.network.places import Host, hosts


def here() -> str:
    node = current_node()
    return "outside" if node is None else node.name


@pytest.fixture
def a() -> Host:
    return hosts()[1]


@pytest.fixture
def b() -> Host:
    return hosts()[2]


def test_a_block_is_on_its_host_and_the_inner_one_counts(a: Host, b: Host) -> None:
    assert here() == "outside"
    with a:
        with b, a:
            assert here() == "a"
        with b:
            assert here() == "b"
        assert here() == "a"
    assert here() == "outside"


def test_leaving_out_of_order_names_both_hosts_and_changes_nothing(a: Host, b: Host) -> None:
    with a:
        with b:
            with pytest.raises(StackError, match=r"leaving a while on b"):
                a.__exit__(None, None, None)
            assert here() == "b"
        assert here() == "a"
    with pytest.raises(StackError, match="not on any host"):
        a.__exit__(None, None, None)


def test_a_generator_that_is_suspended_in_a_block_does_not_take_its_caller_along(a: Host, b: Host) -> None:
    def generator() -> Iterator[str]:
        with a:
            yield here()
            yield here()

    one = generator()
    assert (next(one), here()) == ("a", "outside")
    with b:
        assert (next(one), here()) == ("a", "b")             # inside it is on a, though b was entered later
        assert list(one) == []
        assert here() == "b"
    assert here() == "outside"


def test_generators_may_end_in_any_order(a: Host, b: Host) -> None:
    def generator(host: Host) -> Iterator[None]:
        with host:
            yield
            assert here() == host.name

    one, two = generator(a), generator(b)
    next(one), next(two)
    assert here() == "outside"
    assert list(one) == []
    assert list(two) == []


def test_a_generator_delegating_to_another_is_on_the_host(a: Host) -> None:
    def inner() -> Iterator[str]:
        yield here()

    def outer() -> Iterator[str]:
        with a:
            yield from inner()

    steps = outer()
    assert next(steps) == "a"
    assert here() == "outside"
    steps.close()                                            # type: ignore[attr-defined]


def test_a_generator_that_is_dropped_leaves_its_block(a: Host) -> None:
    def generator() -> Iterator[None]:
        with a:
            yield

    next(generator())
    gc.collect()
    with a:
        assert here() == "a"
    assert here() == "outside"


@pytest.fixture
def entered(a: Host) -> Iterator[Host]:
    with a:
        yield a


def test_a_fixture_with_yield_does_not_put_the_test_on_its_host(entered: Host) -> None:
    assert here() == "outside"


def test_a_context_manager_made_of_a_generator_is_a_block_of_who_enters_it(a: Host) -> None:
    @contextmanager
    def on() -> Iterator[Host]:
        with a:
            yield a

    with on():
        assert here() == "a"
    assert here() == "outside"

    def generator() -> Iterator[str]:
        with on():
            yield here()

    one = generator()
    assert (next(one), here()) == ("a", "outside")
    one.close()                                              # type: ignore[attr-defined]


def test_an_exit_stack_is_a_block_of_who_enters_it(a: Host, b: Host) -> None:
    with ExitStack() as stack:
        stack.enter_context(a)
        stack.enter_context(b)
        assert here() == "b"
    assert here() == "outside"


def test_a_class_that_enters_a_host_is_a_block_of_who_enters_it(a: Host) -> None:
    class Session:
        def __enter__(self) -> None:
            a.__enter__()

        def __exit__(self, *_: object) -> None:
            a.__exit__(None, None, None)

    def generator() -> Iterator[str]:
        with Session():
            yield here()

    one = generator()
    assert (next(one), here()) == ("a", "outside")
    assert list(one) == []


def test_a_coroutine_that_waits_in_a_block_does_not_take_other_tasks_along(a: Host, b: Host) -> None:
    log = []

    async def on(host: Host) -> None:
        with host:
            for _ in range(3):
                log.append(here() == host.name)
                await asyncio.sleep(0)

    async def off() -> None:
        for _ in range(3):
            log.append(here() == "outside")
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(on(a), off(), on(b), on(a))

    asyncio.run(main())
    assert log == [True] * 12


def test_an_async_context_manager_is_a_block_of_who_enters_it(a: Host) -> None:
    @asynccontextmanager
    async def on() -> AsyncIterator[None]:
        await asyncio.sleep(0)
        with a:
            yield

    async def main() -> list[str]:
        async with on():
            await asyncio.sleep(0)
            seen = [here()]
        return [*seen, here()]

    assert asyncio.run(main()) == ["a", "outside"]


def test_other_threads_are_where_they_are(a: Host) -> None:
    asked: SimpleQueue[None] = SimpleQueue()
    seen: SimpleQueue[str] = SimpleQueue()

    def look() -> None:
        asked.get()
        seen.put(here())

    thread = threading.Thread(target=look)
    thread.start()
    with a:
        asked.put(None)
        while seen.empty():
            pass
        assert here() == "a"
    thread.join()
    assert seen.get() == "outside"


def test_a_block_that_is_left_in_another_thread_says_so(a: Host) -> None:
    def generator() -> Iterator[None]:
        with a:
            yield

    one = generator()
    next(one)
    raised: list[str] = []

    def finish() -> None:
        try:
            next(one)
        except StackError as error:
            raised.append(str(error))

    thread = threading.Thread(target=finish, name="other")
    thread.start()
    thread.join()
    assert "entered in thread 'MainThread' and left in 'other'" in raised[0]
    assert here() == "outside"


def test_whoever_asks_while_a_thread_begins_is_outside() -> None:
    """The collector may run, and its callbacks ask for the time, before the thread's own stack of blocks is there."""
    local = place._Local()
    del local.stack
    found: list[object] = []
    original, place._local = place._local, local
    try:
        thread = threading.Thread(target=lambda: found.append(place.current_node()))
        thread.start()
        thread.join()
        found.append(place.current_node())
    finally:
        place._local = original
    assert found == [None, None]


# Whatever interrupts


class Interrupt(Exception):
    pass


@contextmanager
def interrupted(step: int) -> Iterator[list[int]]:
    """Raise `Interrupt` at this step of what runs: an event of the tracer, every instruction being one."""
    taken = [0]

    def trace(frame: FrameType, event: str, _: object) -> Any:
        frame.f_trace_opcodes = True
        if event == "return":                                # no place for a signal; CPython 3.11 loses a generator there
            return trace
        taken[0] += 1
        if taken[0] == step:
            raise Interrupt(f"{event} at line {frame.f_lineno} of {frame.f_code.co_qualname}")
        return trace

    tracer = sys.gettrace()
    gc.disable()                                             # what is raised in its callbacks (Hypothesis has one) is lost
    try:
        sys.settrace(trace)
        yield taken
    finally:
        sys.settrace(tracer)
        gc.enable()


def nested(a: Host, b: Host) -> None:
    with a:
        try:
            with inside(None):
                raise ValueError
        except ValueError:
            pass
        assert here() == "a"
    assert here() == "outside"


def resumed(a: Host, b: Host) -> None:
    def generator() -> Iterator[str]:
        with a:
            yield here()

    with b:
        one = generator()
        assert (next(one), here()) == ("a", "b")
        assert list(one) == []
    assert here() == "outside"


def managed(a: Host, b: Host) -> None:
    @contextmanager
    def on() -> Iterator[None]:
        with a:
            yield

    with on():
        assert here() == "a"
    assert here() == "outside"


@pytest.mark.parametrize("visit", [nested, resumed, managed])
def test_a_block_that_is_left_is_left_whatever_interrupts(visit: Callable[[Host, Host], None], a: Host, b: Host) -> None:
    """As a handler of a signal does, at every instruction of entering, of being inside, and of leaving in turn."""
    for step in itertools.count(1):
        error = None
        try:
            with interrupted(step) as taken:
                visit(a, b)
        except Interrupt as raised:
            error, seen = str(raised), here()
            # Interrupted in contextlib's own code, a generator stays in its block for as long as the traceback has it.
            assert seen == "outside" or visit is managed, error
        assert here() == "outside", error
        if error is None:
            break
        with b:
            assert here() == "b"
            with a:
                assert here() == "a"
            assert here() == "b"
        assert here() == "outside", error
    assert taken[0] == step - 1 > 800                        # each of them came through
    assert place._local.stack.blocks == ()


def test_a_block_that_is_entered_by_hand_lasts_until_it_is_left(a: Host, b: Host) -> None:
    def enter() -> None:
        a.__enter__()

    enter()
    gc.collect()
    with b:
        assert here() == "b"
    assert here() == "a"
    a.__exit__(None, None, None)
    assert here() == "outside"
    leave = a.__exit__
    a.__enter__()
    assert here() == "a"
    leave(None, None, None)
    assert here() == "outside"
