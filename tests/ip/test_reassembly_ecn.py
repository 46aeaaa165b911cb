"""The ECN field of a datagram that came in fragments (RFC 3168 section 5.3)."""

import pytest

from stack.ip.reassembly import FragmentStore, Verdict, combined_ecn
from tests.ledger import rfc


@rfc("3168", "5.3")
@pytest.mark.parametrize(
    ("fields", "whole"),
    [((0, 0), 0), ((2, 2), 2), ((1, 1), 1), ((2, 3), 3), ((3, 1), 3), ((3, 3), 3), ((1, 2), 2), ((0, 3), None), ((0, 2), None), ((1, 0), None)],
)
def test_a_mark_on_one_fragment_marks_the_datagram(fields: tuple[int, int], whole: int | None) -> None:
    store = FragmentStore()
    store.add("key", "source", 0, True, bytes(8), 0, ecn=fields[0])  # type: ignore[arg-type]
    verdict, partial = store.add("key", "source", 8, False, bytes(8), 0, ecn=fields[1])  # type: ignore[arg-type]
    assert verdict is Verdict.COMPLETE
    assert partial is not None
    assert combined_ecn(partial) == whole
