from hypothesis import given
from hypothesis import strategies as st

from stack.tcp.seq import unwrap, wrap
from tests.ledger import rfc


@given(st.integers(-(2**31) + 1, 2**31 - 1), st.integers(0, 2**40))
def test_a_number_comes_back_from_the_wire(distance: int, near: int) -> None:
    assert unwrap(wrap(near + distance), near) == near + distance


@rfc("9293", "3.4")
def test_comparison_goes_round_the_circle() -> None:
    una = 2**32 - 10
    assert unwrap(5, una) == 2**32 + 5 > una
    assert unwrap(2**32 - 20, una) < una
    assert unwrap(2**32 - 1, 5) == -1
