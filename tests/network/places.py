"""A network of places only: hosts with a name and a clock, for tests of who runs when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from stack.base.randomness import Randomness
from stack.network import place
from stack.network.programs import Programs
from stack.network.scheduler import Scheduler
from stack.network.waiting import Source, wait

SECOND = 1_000_000_000


class Host:
    """The least that a program can be on; `with host:` as the public face has it."""

    def __init__(self, name: str, scheduler: Scheduler) -> None:
        self.name = name
        self.scheduler = scheduler
        self.descriptors: dict[int, object] = {}

    def __enter__(self) -> Host:
        place.enter(self, self)
        return self

    @place.leaving
    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        place.leave(self, kind)


class Mailbox(Source):
    """Something to wait for, with a message that arrives at a time."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.messages: list[object] = []

    def put(self, message: object) -> object:
        self.messages.append(message)
        self.wake()
        return message

    def put_at(self, seconds: float, message: object) -> None:
        self.host.scheduler.call_at(round(seconds * SECOND), self.put, message)

    def get(self, timeout: float | None = None) -> object:
        deadline = None if timeout is None else self.host.scheduler.now + round(timeout * SECOND)
        while not self.messages:
            if not wait([self], deadline, self.host, "get"):
                raise TimeoutError
        return self.messages.pop(0)

    def describe(self) -> str:
        return f"the mailbox of {self.host.name}"


def hosts(seed: int = 0) -> tuple[Programs, Host, Host]:
    """Two hosts and their programs; the caller closes them."""
    scheduler = Scheduler()
    programs = Programs(scheduler, Randomness(seed))
    return programs, Host("a", scheduler), Host("b", scheduler)


@contextmanager
def two_hosts() -> Iterator[tuple[Programs, Host, Host]]:
    programs, a, b = hosts()
    try:
        yield programs, a, b
    finally:
        programs.close()


def sleep(host: Host, seconds: float) -> int:
    """As `time.sleep`, but with a value that `or` passes over."""
    wait((), host.scheduler.now + round(seconds * SECOND), host, "sleep")
    return 0
