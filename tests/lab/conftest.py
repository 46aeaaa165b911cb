"""Networks that a test has left open are closed after it, so that their programs' threads end."""

from collections.abc import Iterator

import pytest

from stack.network.programs import opened


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    before = opened()
    yield
    for programs in opened():
        if programs not in before:
            programs.close()
