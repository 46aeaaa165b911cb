"""A seeded sample of `tests.tcp.chaos`: whatever the path does, all arrives, or an error tells why not, and nothing is left."""

import pytest

from tests.tcp.chaos import Run


@pytest.mark.parametrize("first", range(0, 60, 10))
def test_streams_both_ways_over_a_path_that_does_everything_wrong(first: int) -> None:
    for seed in range(first, first + 10):
        run = Run(seed)
        try:
            run.run()
            run.check()
        except Exception as error:
            error.add_note(f"{run.shown()}\nagain: python -m tests.tcp.chaos {seed} {seed + 1}")
            raise
        finally:
            run.net.close()


def test_the_check_can_fail() -> None:
    run = Run(1)
    run.run()
    run.check()
    run.a.read += b"more than was written"
    with pytest.raises(AssertionError, match="something else"):
        run.check()
    run.net.close()
