from hypothesis import given
from hypothesis import strategies as st

from stack.tcp.sack import Scoreboard
from tests.ledger import rfc

MSS = 10
EVENT = st.one_of(
    st.tuples(st.just("sack"), st.integers(0, 300), st.integers(1, 60)),
    st.tuples(st.just("ack"), st.integers(0, 40), st.just(0)),
    st.tuples(st.just("resend"), st.just(0), st.just(0)),
)


@rfc("6675", "4")
@given(st.lists(EVENT, max_size=40))
def test_the_counters_say_what_a_walk_would(events: list[tuple[str, int, int]]) -> None:
    """Pipe, IsLost and NextSeg, octet by octet as RFC 6675 writes them, against the counters."""
    board, una, nxt = Scoreboard(0, 100), 0, 300
    held: set[int] = set()
    lost, resent = 0, 0
    for kind, first, size in events:
        if kind == "sack":
            right = min(first + size, nxt)
            if right > una and first < right:
                held |= set(range(max(first, una), right))
            board.update([(first, right)], una, nxt)
            board.find_losses(MSS)
        elif kind == "ack":
            una = min(una + first, nxt)
            held = {n for n in held if n >= una}
            board.advance(una)
            resent = max(resent, una)
            lost = max(lost, una)
        elif (hole := board.next_hole()) is not None:
            expected = next(n for n in range(resent, lost) if n not in held)
            assert hole[0] == expected
            assert not held & set(range(*hole))
            resent = min(hole[1], hole[0] + MSS)
            board.mark_resent(resent)
        lost = board.lost
        pipe = sum((n not in held and n >= lost) + (n not in held and n < resent) for n in range(una, nxt))
        assert board.pipe(una, nxt) == pipe
        assert board.total == len(held)
        for n in range(una, nxt):
            if n not in held and is_lost(n, held, nxt):
                assert n < board.lost


def is_lost(seq: int, held: set[int], nxt: int) -> bool:
    """RFC 6675 IsLost, literally."""
    above = sorted(n for n in held if n > seq)
    runs = sum(1 for n in above if n - 1 not in held)
    return runs >= 3 or len(above) > 2 * MSS


def test_blocks_outside_the_outstanding_data_are_not_believed() -> None:
    board = Scoreboard(100, 100)
    assert board.update([(50, 100), (50, 90), (300, 500), (150, 150), (180, 120)], 100, 400) == 0
    assert board.update([(90, 120)], 100, 400) == 20
    assert board.highest == 120
    assert board.ranges() == [(100, 120)]


def test_the_number_of_ranges_is_bounded() -> None:
    board = Scoreboard(0, 5)
    board.update([(2 * n + 1, 2 * n + 2) for n in range(50)], 0, 1000)
    assert len(board) == 5
    assert board.total == 5
