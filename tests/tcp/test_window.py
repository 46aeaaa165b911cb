"""The receive window as Linux has it: what the SYN offers, how it grows, what lies beyond it, and the host's rations."""

from stack.tcp.receiving.challenge import ChallengeLimit
from stack.tcp.receiving.memory import truesize
from stack.tcp.settings import TcpSettings
from stack.tcp.state import ESTABLISHED
from tests.ledger import rfc
from tests.tcp.builders import MS, PLAIN, client

S = 1000 * MS
SACK = b"\2\4\x03\xe8\4\2"
SACKING = TcpSettings(timestamps=False, window_scaling=False, offload_segment=1000)


def blocks(pen: object) -> list[list[tuple[int, int]]]:
    return [[(left, right) for left, right in header.options.sack] for header, _, _ in pen.connection.take_output()]  # type: ignore[attr-defined]


def test_memory_is_counted_as_linux_counts_it() -> None:
    assert [truesize(size) for size in (1, 500, 1460, 4000, 20_000)] == [896, 1280, 2304, 8448, 20_736]


def test_a_syn_offers_whole_segments_of_half_the_buffer() -> None:
    for buffer, window in ((131_072, 64_240), (40_000, 18_980), (20_000, 8760)):
        pen = client(PLAIN.replace(receive_buffer=buffer, fixed_receive_buffer=True))
        assert pen.connection.rcv.offered == window


def test_the_scale_allows_for_the_largest_buffer() -> None:
    for most, scale in ((6_291_456, 7), (15_728_640, 8), (33_554_432, 10)):
        pen = client(TcpSettings(receive_buffer_max=most), b"\2\4\5\xb4\1\3\3\7")
        assert pen.connection.rcv.scale == scale


def test_text_beyond_the_window_is_taken_only_while_everything_is_read() -> None:
    pen = client(PLAIN.replace(receive_buffer=20_000, fixed_receive_buffer=True, offload_segment=1000, quick_acks=16))
    pen.write("P", 1, ack=1, text=bytes(4000))
    assert [header.window for header, _, _ in pen.connection.take_output()] == [5000]
    pen.write("P", 4001, ack=1, text=bytes(50_000))
    pen.write("P", 70_001, ack=1, text=bytes(10_000))
    assert pen.read() == [". 1:1(0) ack 4001"] * 2
    assert len(pen.connection.recv(100_000, pen.now)) == 4000
    pen.connection.take_output()
    pen.write("P", 4001, ack=1, text=bytes(50_000))
    (header, _, _), = pen.connection.take_output()
    assert (header.acknowledgment, header.window) == (54_001, 0)


def test_a_fin_goes_with_the_text_for_which_there_is_no_memory() -> None:
    pen = client(PLAIN.replace(receive_buffer=4096, fixed_receive_buffer=True, offload_segment=1000, quick_acks=16))
    connection = pen.connection
    while not connection.counters.TCPRcvQDrop and connection.state is ESTABLISHED:  # in small pieces text takes more memory than the window says
        pen.read()
        taken = connection.rcv.nxt
        pen.write("FP" if taken == 851 else "P", taken, ack=1, text=bytes(10))
    assert (taken, connection.state, connection.rcv.nxt) == (851, ESTABLISHED, 851)
    assert pen.read() == [". 1:1(0) ack 851"]


def test_text_that_finds_the_window_shut_is_counted() -> None:
    pen = client(PLAIN.replace(receive_buffer=4096, fixed_receive_buffer=True, offload_segment=1000, quick_acks=16))
    for _ in range(5):
        pen.write("P", pen.connection.rcv.nxt, ack=1, text=bytes(600))
    assert (pen.connection.rcv.nxt, pen.connection.counters.TCPZeroWindowDrop) == (1801, 2)


@rfc("2883", "4")
def test_one_duplicate_is_reported_before_the_blocks() -> None:
    pen = client(SACKING, SACK)
    for seq in (1001, 2001, 4001, 7001):
        pen.write("P", seq, ack=1, text=bytes(1000))
    assert len(pen.connection.outbox or []) == 3
    pen.wait(1 * MS)  # the fourth waits for others, no longer than a twentieth of the round-trip time
    assert blocks(pen)[-1] == [(7001, 8001), (4001, 5001), (1001, 3001)]
    pen.write("P", 1, ack=1, text=bytes(6000))
    assert blocks(pen) == [[(1001, 3001), (7001, 8001)]]
    pen.write("P", 6001, ack=1, text=bytes(2000))
    assert blocks(pen) == [[(7001, 8001)]]


def test_a_fin_takes_a_report_back_and_its_ack_waits() -> None:
    pen = client(SACKING, SACK)
    pen.write(".", 1, ack=1, text=bytes(1000))
    pen.connection.recv(1000, pen.now)
    pen.read()
    pen.write("F", 1, ack=1, text=bytes(1000))
    assert pen.read() == []
    pen.wait(40 * MS)
    assert blocks(pen) == [[]]


@rfc("5961", "7")
def test_a_host_rations_its_challenges() -> None:
    limit = ChallengeLimit(lambda: 0.5)
    assert [limit.take(4, 0) for _ in range(5)] == [True] * 4 + [False]  # half of the limit, and what was drawn
    assert limit.take(4, 1 * S)
    pen = client(PLAIN.replace(challenge_limit=1))
    pen.connection.challenges = ChallengeLimit(lambda: 0.0)
    pen.write("R", 5)
    pen.wait(600 * MS)
    pen.write("R", 5)
    assert (pen.read(), pen.connection.state) == ([". 1:1(0) ack 1"], ESTABLISHED)
