"""While a network runs the garbage collector looks at new objects less often; afterwards it is as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.network.places import Host, sleep, two_hosts


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize(("outside", "inside"), [
    ((700, 10, 10), (5_000, 50, 10)),
    ((50_000, 20, 100), (50_000, 20, 100)),                  # someone has thought about it
    ((0, 10, 10), (0, 10, 10)),                              # switched off
])  # fmt: skip
def test_thresholds_are_raised_while_it_runs(outside: tuple[int, int, int], inside: tuple[int, int, int]) -> None:
    def look(host: Host) -> tuple[int, int, int]:
        sleep(host, 1)
        return gc.get_threshold()

    gc.set_threshold(*outside)
    with two_hosts() as (programs, a, _b):
        assert programs.start(a, look, a).result() == inside
        assert gc.get_threshold() == outside

        def fail() -> None:
            raise LookupError

        programs.start(a, fail)
        with pytest.raises(LookupError):
            programs.run()
        assert gc.get_threshold() == outside
