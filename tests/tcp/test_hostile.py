"""What a peer can do that nobody expects of it, and what may come of it: nothing."""

import pytest

from stack.base.quantity import SECOND
from stack.tcp.receiving.timestamps import OUTDATED
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED
from tests.ledger import rfc
from tests.tcp.builders import MS, PLAIN, Pen, Sent, client, established, server

S = 1000 * MS
SACK_AND_STAMPS = b"\4\2\x08\n" + bytes(8)


def stamps(value: int) -> bytes:
    return b"\1\1\x08\n" + value.to_bytes(4, "big") + bytes(4)


@pytest.mark.parametrize("mss", [1, 20, 40, 47])
def test_a_tiny_segment_size_leaves_room_for_text_though_blocks_are_reported(mss: int) -> None:
    pen = client(TcpSettings(), bytes((2, 4, 0, mss)) + SACK_AND_STAMPS)
    for seq in (1001, 3001, 5001):
        pen.write(".", seq, ack=1, text=b"x" * 10, options=stamps(1))
    pen.read()
    assert pen.connection.send(b"y" * 100, pen.now) == 100
    assert pen.read() == [". 1:37(36) ack 1", ". 37:73(36) ack 1", "P. 73:101(28) ack 1"]


def test_no_segment_is_larger_than_the_path_carries_though_both_sides_lose_some() -> None:
    """A repetition that carries SACK blocks, too, and the segment that reports a duplicate (RFC 9293 section 3.7.1)."""
    both = established(TcpSettings())

    def fate(number: int, sent: Sent) -> list[int] | None:
        return None if number % 11 == 3 else [10 * MS, 11 * MS] if number % 13 == 5 else [10 * MS]

    both.fate = fate
    ends = (both.a, both.b)
    written, read = [0, 0], [0, 0]
    while min(read) < 200_000:
        for side, end in enumerate(ends):
            if end.writable and written[side] < 200_000:
                written[side] += end.send(bytes(min(30_000, 200_000 - written[side])), both.now)
            read[side] += len(end.recv(1 << 20, both.now))
        assert both.step(1000 * S)
    assert max(len(sent.text) + len(sent.header.options) for sent in both.log) == 1460
    assert any(len(sent.header.options) > 12 and sent.text and sent.cause for sent in both.log)


@rfc("9293", "3.10.7.4")
def test_text_in_a_reset_does_not_make_its_number_the_right_one() -> None:
    """RFC 5961 section 3.2: what counts is its own number; else one in many thousands would do."""
    pen = client()
    pen.write("R", -100, text=bytes(200))
    assert pen.connection.state is ESTABLISHED
    pen.write("R", 1)
    assert pen.connection.state is CLOSED


def test_an_ack_from_the_right_edge_of_the_window_counts() -> None:
    """A peer that has used the whole window, part of it lost, acknowledges from there; table 6 would have none of it."""
    pen = client(PLAIN.replace(receive_buffer=6000, fixed_receive_buffer=True))
    pen.connection.send(b"hello", pen.now)
    pen.read()
    assert pen.connection.rcv.wnd == 2920
    for seq in (1001, 1961):
        pen.write(".", seq, ack=1, text=bytes(960))
    pen.write(".", 2921, ack=6)
    assert pen.connection.info()["unacked"] == 0
    pen.write("R", 2922)  # but a reset there is outside the window
    assert pen.connection.state is ESTABLISHED


def test_tiny_segments_do_not_fill_the_buffer_without_end() -> None:
    """Each acknowledgment rounds the window up to the scale; no more than another buffer is given away so."""
    settings = TcpSettings(timestamps=False, sack=False, delayed_ack=0, receive_buffer=16_384, fixed_receive_buffer=True)
    pen = client(settings, b"\2\4\5\xb4\1\3\3\7")
    seq = 1
    while pen.connection.rcv.wnd and seq < 100_000:
        pen.write(".", seq, ack=1, text=b"x")
        pen.connection.take_output()
        seq += 1
    assert 8192 <= pen.connection.info()["unread"] <= 2 * 16_384


def test_text_in_a_syn_is_kept_as_far_as_the_window_reaches() -> None:
    settings = PLAIN.replace(receive_buffer=2000, fixed_receive_buffer=True, keep_syn_text=True)
    pen = Pen(server(settings).connection.__class__(("10.0.0.2", 80), ("10.0.0.1", 40000), settings, iss=1000))
    pen.connection.open_passive(0)
    pen.write("S", 0, text=b"x" * 5000)
    pen.write(".", 1, ack=1)
    assert pen.connection.recv(9999, 0) == b"x" * 1000
    answered = Pen(pen.connection.__class__(("10.0.0.2", 80), ("10.0.0.1", 40000), settings, iss=1000))
    answered.connection.open_active(0)
    answered.write("S", 0, ack=1, text=b"x" * 5000)
    assert answered.connection.recv(9999, 0) == b"x" * 1000


@rfc("9293", "3.10.7.3")
def test_a_fin_in_the_syn_of_a_simultaneous_open_is_kept() -> None:
    """ "If there are other controls or text in the segment, queue them for processing after ESTABLISHED"."""
    pen = client()
    settings = PLAIN.replace(keep_syn_text=True)
    pen = Pen(pen.connection.__class__(pen.connection.local, pen.connection.remote, settings, iss=1000))
    pen.connection.open_active(0)
    pen.write("SF", 0, text=b"all")
    assert pen.connection.state is SYN_RECEIVED
    pen.write(".", 5, ack=1)
    assert (pen.connection.recv(10, 0), pen.connection.eof, pen.connection.state.value) == (b"all", True, "CLOSE-WAIT")


def test_timestamps_that_wrapped_while_nobody_spoke_are_believed_again() -> None:
    """RFC 7323 section 5.5: after 24 days TS.Recent says nothing, and the next segment begins anew."""
    pen = client(TcpSettings(), b"\2\4\5\xb4\4\2\x08\n\0\0\0\1\0\0\0\0")
    pen.write(".", 1, ack=1, text=b"x", options=stamps(5))
    pen.now = OUTDATED + 1 * SECOND
    new = 5 + (1 << 31) + 1000
    pen.write(".", 2, ack=1, text=b"x", options=stamps(new))
    assert (pen.connection.ts_recent, pen.connection.info()["unread"]) == (new, 2)
    assert pen.write(".", 3, ack=1, text=b"x", options=stamps(new - 2)) == "check_sequence_number"
