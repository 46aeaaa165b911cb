import itertools

from hypothesis import given
from hypothesis import strategies as st

from stack.tcp.buffers import ReceiveBuffer, SendBuffer
from stack.tcp.receiving.reassembly import Reassembly
from tests.ledger import rfc

CHUNKS = st.lists(st.one_of(st.binary(min_size=1, max_size=10), st.integers(3000, 9000).map(bytes)), min_size=1, max_size=12)


@given(CHUNKS, st.data())
def test_a_send_buffer_is_the_stream_between_two_numbers(chunks: list[bytes], data: st.DataObject) -> None:
    buffer, stream, una = SendBuffer(100), b"".join(chunks), 0
    for chunk in chunks:
        buffer.append(chunk)
    for _ in range(8):
        at = data.draw(st.integers(una, len(stream)))
        size = data.draw(st.integers(0, len(stream) - at))
        if size:
            assert buffer.slice(100 + at, size) == stream[at : at + size]
        una = data.draw(st.integers(una, len(stream)))
        buffer.release(100 + una)
        assert len(buffer) == len(stream) - una


@given(CHUNKS, st.lists(st.tuples(st.integers(1, 12000), st.booleans()), max_size=20))
def test_a_receive_buffer_gives_what_was_put_in(chunks: list[bytes], reads: list[tuple[int, bool]]) -> None:
    buffer, stream, at = ReceiveBuffer(chunks[0]), b"".join(chunks), 0
    for chunk in chunks[1:]:
        buffer.append(chunk)
    for limit, peek in reads:
        assert buffer.take(limit, peek) == stream[at : at + limit]
        at += 0 if peek else min(limit, len(stream) - at)
        assert buffer.size == len(stream) - at


def test_many_small_writes_make_few_chunks() -> None:
    buffer, received = SendBuffer(0), ReceiveBuffer(b"x")
    for _ in range(10_000):
        buffer.append(b"x")
        received.append(b"x")
    assert len(buffer._chunks) < 5
    assert len(received._chunks) < 50
    assert received.memory < 50 * 896


STREAM = bytes(range(256)) * 2


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(1, 60)), max_size=40), st.integers(1, 500))
def test_reassembly_keeps_the_octets_of_the_stream(pieces: list[tuple[int, int]], nxt: int) -> None:
    held, have = Reassembly(), set()
    for seq, size in pieces:
        text = STREAM[seq : seq + size]
        assert held.insert(seq, text, 100)
        have |= set(range(seq, seq + len(text)))
    runs = list(zip(held._starts, held._ends, strict=True))
    assert all(a[1] < b[0] for a, b in itertools.pairwise(runs))
    assert {n for left, right in runs for n in range(left, right)} == have
    assert set(held.blocks(4)) <= set(runs)
    taken = b"".join(held.take(nxt))
    end = nxt
    while end in have:
        end += 1
    if nxt in have:
        assert taken == STREAM[nxt:end]


@rfc("2018", "4")
def test_the_block_that_changed_last_comes_first() -> None:
    held = Reassembly()
    for seq in (100, 300, 500, 700, 310):
        held.insert(seq, bytes(10), 10)
        held.note(seq, seq + 10)
    assert held.blocks(3) == [(300, 320), (700, 710), (500, 510)]
    held.note(700, 710)
    assert held.blocks(1) == [(700, 710)]


def test_the_number_of_runs_is_bounded() -> None:
    held = Reassembly()
    assert [held.insert(2 * n, b"x", 5) for n in range(7)] == [True] * 5 + [False] * 2
    assert held.insert(1, b"x", 5)
    assert len(held) == 4
