import errno

import pytest

from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSE_WAIT, CLOSED, CLOSING, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, TIME_WAIT
from tests.ledger import rfc
from tests.tcp.builders import MS, PLAIN, Pen, client, established

S = 1000 * MS
WND = 65535


def small_window() -> Pen:
    """A client whose receive window is 1000 octets wide, and shut if `full`."""
    return client(PLAIN.replace(receive_buffer=2000, fixed_receive_buffer=True))


@rfc("9293", "3.4")
@pytest.mark.parametrize(
    ("seq", "size", "acceptable"),
    [
        (1, 0, True), (0, 0, False), (1000, 0, True), (1001, 0, True), (1002, 0, False),
        (1, 10, True), (0, 1, True), (-1, 1, False), (0, 2, True), (1000, 10, True), (1001, 10, False), (-5, 2000, True),
    ],
)  # fmt: skip
def test_table_6_with_an_open_window(seq: int, size: int, acceptable: bool) -> None:
    pen = small_window()
    ended = pen.write(".", seq, ack=1, text=bytes(size))
    assert (ended != "check_sequence_number") == acceptable


@rfc("9293", "3.4")
@rfc("9293", "MUST-66")
def test_table_6_with_a_shut_window() -> None:
    pen = small_window()
    pen.write(".", 1, ack=1, text=bytes(1000))
    pen.wait(S)
    pen.read()
    assert pen.connection.rcv.wnd == 0
    assert pen.write(".", 1001, ack=1) is None
    assert pen.write(".", 1002, ack=1) == "check_sequence_number"
    pen.connection.send(b"more", pen.now)
    pen.read()
    pen.write(".", 1001, ack=5, text=b"x")  # the text is not accepted, its acknowledgment is
    assert pen.connection.info()["unacked"] == 0
    assert pen.read() == [". 5:5(0) ack 1001"]
    pen.write("R", 1001)
    assert pen.connection.state is CLOSED


def test_a_fin_is_taken_though_the_window_is_shut() -> None:
    pen = small_window()
    pen.write(".", 1, ack=1, text=bytes(1000))
    pen.write("F", 1001, ack=1)
    assert pen.connection.state is CLOSE_WAIT
    assert pen.read()[-1] == ". 1:1(0) ack 1002"


@rfc("5961", "3.2")
def test_a_reset_must_hit_rcv_nxt_exactly() -> None:
    pen = client()
    assert pen.write("R", 2) == "check_rst_bit"
    assert pen.read() == [". 1:1(0) ack 1"]
    pen.write("R", 0)
    pen.write("R", 1 + WND + 5000)
    assert (pen.read(), pen.connection.state) == ([], ESTABLISHED)
    pen.write("R", 1)
    assert (pen.connection.state, pen.connection.error) == (CLOSED, errno.ECONNRESET)


@rfc("5961", "4.2")
def test_a_syn_on_a_connection_is_challenged() -> None:
    pen = client()
    assert pen.write("S", 50) == "check_syn_bit"
    assert pen.read() == [". 1:1(0) ack 1"]
    pen.write("S", 60)
    assert pen.read() == []  # rationed
    pen.now += 600 * MS
    pen.write("S", 0, ack=1)
    assert pen.read() == [". 1:1(0) ack 1"]


def test_answers_are_rationed_in_whole_milliseconds() -> None:
    """A clock that is a little ahead makes 499.9 ms of a peer's 500: Linux, which counts ticks, does not mind."""
    pen = client()
    pen.now = 10 * MS + 900_000
    pen.write("S", 50)
    pen.now = 509 * MS + 999_999
    pen.write("S", 50)
    assert len(pen.read()) == 1
    pen.now += 1
    pen.write("S", 50)
    assert len(pen.read()) == 1


@rfc("9293", "MAY-12")
@rfc("5961", "5.2")
@pytest.mark.parametrize(("ack", "passes"), [(1, True), (2, False), (0, True), (-1, False)])
def test_an_ack_is_held_to_the_window(ack: int, passes: bool) -> None:
    pen = client(win=32768)  # its SYN is all that was sent: an ACK of less, too, is of something never sent
    ended = pen.write(".", 1, ack=ack, text=b"x")
    assert (ended is None) == passes
    assert pen.connection.available == passes


@rfc("9293", "3.10.7.4")
def test_a_segment_without_ack_is_dropped() -> None:
    pen = client()
    pen.write("P", 1, text=b"x")
    pen.write("P", 100_000, text=b"x")  # nor is it answered, wherever it stands
    assert pen.connection.available == 0
    assert pen.read() == []


@rfc("5961", "5.2")
def test_an_ack_of_what_was_not_sent_is_answered() -> None:
    """And its text is not taken: Linux does so since 6.18.y."""
    pen = client()
    pen.write("P", 1, ack=2, text=b"x")
    assert pen.read() == [". 1:1(0) ack 1"]
    assert pen.connection.available == 0
    pen.connection.shutdown_write(pen.now)
    pen.read()
    pen.now += 600 * MS
    pen.write(".", 1, ack=3)
    assert pen.read() == [". 2:2(0) ack 1"]


@rfc("9293", "SHLD-2")
def test_a_reset_may_carry_text() -> None:
    pen = client()
    pen.write("R", 1, text=b"because")
    assert pen.connection.state is CLOSED


@rfc("9293", "3.10.7.1")
def test_a_closed_connection_answers_by_a_reset() -> None:
    pen = client()
    pen.connection.abort(0)
    pen.read()
    assert pen.write(".", 1, ack=9) == "closed_state"
    pen.write("S", 7)
    pen.write("R", 7)
    assert pen.read() == ["R 9:9(0)", "R. 0:0(0) ack 8"]


@rfc("9293", "3.6")
def test_we_close_first() -> None:
    pen = client()
    pen.connection.shutdown_write(0)
    assert (pen.connection.state, pen.read()) == (FIN_WAIT_1, ["F. 1:1(0) ack 1"])
    pen.write(".", 1, ack=2)
    assert pen.connection.state is FIN_WAIT_2
    pen.write("P", 1, ack=2, text=b"half closed")
    assert pen.connection.recv(100, 0) == b"half closed"
    pen.write("F", 12, ack=2)
    assert (pen.connection.state, pen.read()[-1]) == (TIME_WAIT, ". 2:2(0) ack 13")
    assert pen.connection.eof
    assert pen.connection.housekeeping


@rfc("9293", "MUST-13")
def test_time_wait_lasts_two_msl_and_a_fin_prolongs_it() -> None:
    pen = client()
    pen.connection.shutdown_write(0)
    pen.write("F", 1, ack=2)
    assert pen.connection.state is TIME_WAIT
    pen.wait(50 * S)
    pen.read()
    pen.write("F", 1, ack=2)
    assert pen.read() == [". 2:2(0) ack 2"]
    pen.write("F", 2, ack=2)  # not a repetition: there cannot be another
    assert pen.read() == [". 2:2(0) ack 2"]
    pen.wait(59 * S)
    assert pen.connection.state is TIME_WAIT
    pen.wait(2 * S)
    assert (pen.connection.state, pen.connection.error) == (CLOSED, None)


@rfc("9293", "3.6")
def test_the_peer_closes_first() -> None:
    pen = client()
    pen.write("F", 1, ack=1, text=b"bye")
    assert (pen.connection.state, pen.connection.recv(10, 0), pen.connection.eof) == (CLOSE_WAIT, b"bye", True)
    pen.connection.send(b"you too", 0)
    pen.connection.shutdown_write(0)
    assert (pen.connection.state, pen.read()[-2:]) == (LAST_ACK, ["P. 1:8(7) ack 5", "F. 8:8(0) ack 5"])
    pen.write(".", 5, ack=9)
    assert (pen.connection.state, pen.connection.error) == (CLOSED, None)


@rfc("9293", "3.6")
def test_both_close_at_once() -> None:
    pen = client()
    pen.connection.shutdown_write(0)
    pen.write("F", 1, ack=1)
    assert (pen.connection.state, pen.read()[-1]) == (CLOSING, ". 2:2(0) ack 2")
    pen.write(".", 2, ack=1)
    assert pen.connection.state is CLOSING
    pen.write(".", 2, ack=2)
    assert pen.connection.state is TIME_WAIT


def test_a_fin_above_a_gap_waits() -> None:
    pen = client()
    pen.write("F", 4, ack=1, text=b"def")
    pen.write("F", 7, ack=1)
    assert (pen.connection.state, pen.connection.available) == (ESTABLISHED, 0)
    pen.write(".", 1, ack=1, text=b"abc")
    assert (pen.connection.state, pen.connection.recv(10, 0)) == (CLOSE_WAIT, b"abcdef")
    assert pen.read()[-1] == ". 1:1(0) ack 8"


def test_a_fin_that_came_before_its_ack() -> None:
    pen = client()
    pen.connection.shutdown_write(0)
    pen.read()
    pen.write(".", 2, ack=2)
    pen.write("F", 1, ack=1)
    assert (pen.connection.state, pen.read()) == (TIME_WAIT, [". 2:2(0) ack 2"])


@pytest.mark.parametrize(("state", "number"), [(FIN_WAIT_2, errno.ECONNRESET), (CLOSE_WAIT, errno.EPIPE), (TIME_WAIT, None)])
def test_a_reset_ends_every_state_with_the_error_of_linux(state: object, number: int | None) -> None:
    pen = client()
    rcv_nxt = 1
    if state is not CLOSE_WAIT:
        pen.connection.shutdown_write(0)
        pen.write(".", 1, ack=2)
    if state is not FIN_WAIT_2:
        pen.write("F", 1, ack=2 if state is TIME_WAIT else 1)
        rcv_nxt = 2
    assert pen.connection.state is state
    pen.write("R", rcv_nxt)
    assert (pen.connection.state, pen.connection.error) == (CLOSED, number)


def test_text_before_a_reset_can_still_be_read() -> None:
    pen = client()
    pen.write("P", 1, ack=1, text=b"last words")
    pen.write("R", 11)
    assert pen.connection.readable
    assert pen.connection.recv(100, 0) == b"last words"
    assert pen.connection.take_error() == errno.ECONNRESET
    assert pen.connection.eof


@rfc("2018", "4")
@rfc("5681", "4.2")
@rfc("9293", "SHLD-31")
@rfc("9293", "MAY-13")
def test_text_above_a_gap_is_held_and_answered_at_once() -> None:
    pen = client()
    pen.write("P", 4, ack=1, text=b"def")
    pen.write("P", 7, ack=1, text=b"ghi")
    assert pen.read() == [". 1:1(0) ack 1"] * 2
    pen.write("P", 1, ack=1, text=b"abcdefgh")
    assert pen.read() == [". 1:1(0) ack 10"]
    assert pen.connection.recv(100, 0) == b"abcdefghi"


@rfc("2883", "4")
def test_a_duplicate_is_reported_by_dsack() -> None:
    pen = client(TcpSettings(timestamps=False, quick_acks=0), options=b"\2\4\x03\xe8\4\2")
    pen.write("P", 1, ack=1, text=b"abc")
    pen.wait(S)
    pen.connection.take_output()
    pen.write("P", 1, ack=1, text=b"abc")
    (header, _, cause), = pen.connection.take_output()
    assert cause == "old text"
    assert header.options[2:4] == b"\5\n"
    assert int.from_bytes(header.options[4:8], "big") == 1
    assert int.from_bytes(header.options[8:12], "big") == 4


@rfc("9293", "SHLD-3")
def test_data_after_close_is_answered_by_a_reset() -> None:
    pen = client()
    pen.connection.close(0)
    pen.read()
    pen.write("P", 1, ack=2, text=b"anyone there?")
    assert (pen.read(), pen.connection.state) == (["R 2:2(0)"], CLOSED)


@rfc("9293", "SHLD-3")
@rfc("9293", "MAY-1")
def test_close_with_unread_data_resets() -> None:
    pen = client()
    pen.write("P", 1, ack=1, text=b"unread")
    pen.connection.close(0)
    pen.connection.close(0)
    assert (pen.read()[-1], pen.connection.state) == ("R. 1:1(0) ack 7", CLOSED)


def test_close_with_a_linger_time_of_zero_resets() -> None:
    pen = client(PLAIN.replace(linger=0))
    pen.connection.close(0)
    assert pen.read() == ["R. 1:1(0) ack 1"]


def test_a_reset_of_our_own_has_window_and_timestamps() -> None:
    """As Linux's tcp_send_active_reset; one that answers a segment has neither (tcp_v4_send_reset)."""
    both = established(TcpSettings())
    both.b.send(b"unread", both.now)
    both.run()
    both.log.clear()
    both.a.close(both.now)
    both.flush()
    reset = both.log[-1].header
    assert (reset.rst, reset.ack, reset.window) == (True, True, both.a.rcv.offered >> both.a.rcv.scale)
    assert reset.window > 0
    assert bytes(reset.options)[:4] == bytes([1, 1, 8, 10])
    late = established(TcpSettings())
    late.a.close(late.now)
    late.run()
    late.log.clear()
    late.b.send(b"too late", late.now)
    late.run()
    answer = late.log[-1].header
    assert (answer.rst, answer.ack, answer.window, bytes(answer.options)) == (True, False, 0, b"")


def test_an_orphan_does_not_wait_for_ever_in_fin_wait_2() -> None:
    pen = client()
    pen.connection.close(0)
    pen.write(".", 1, ack=2)
    assert pen.connection.state is FIN_WAIT_2
    assert pen.connection.housekeeping
    pen.wait(61 * S)
    assert pen.connection.state is CLOSED
    pen = client()
    pen.connection.shutdown_write(0)
    pen.write(".", 1, ack=2)
    pen.wait(61 * S)
    assert pen.connection.state is FIN_WAIT_2  # the program still reads
    pen.connection.close(pen.now)
    pen.wait(61 * S)
    assert pen.connection.state is CLOSED


@rfc("9293", "3.10.5")
def test_abort_in_each_group_of_states() -> None:
    pen = client()
    pen.connection.abort(0)
    pen.connection.abort(0)
    assert (pen.read(), pen.connection.error) == (["R. 1:1(0) ack 1"], errno.ECONNRESET)
    pen = client()
    pen.connection.shutdown_write(0)
    pen.write("F", 1, ack=2)
    pen.read()
    pen.connection.abort(0)
    assert (pen.read(), pen.connection.state) == ([], CLOSED)


@rfc("9293", "MUST-58")
@rfc("9293", "MUST-59")
def test_one_acknowledgment_answers_all_that_a_segment_sets_off() -> None:
    pen = client()
    pen.write("P", 2, ack=1, text=b"bcd")
    pen.read()
    pen.write("F", 5, ack=1)
    pen.read()
    pen.write("P", 1, ack=1, text=b"a")
    assert pen.read() == [". 1:1(0) ack 6"]


def test_a_fin_above_a_gap_tells_of_data_after_close() -> None:
    pen = client()
    pen.connection.close(pen.now)
    pen.read()
    pen.write("F", 11, ack=2)
    assert pen.read() == ["R 2:2(0)"]
    assert pen.connection.state is CLOSED


def test_old_text_is_not_answered_if_its_own_ack_is_bad() -> None:
    pen = client()
    pen.write(".", 1, ack=1, text=b"text")
    pen.wait(S)
    pen.read()
    pen.write(".", 1, ack=9, text=b"text")
    pen.write(".", 1, ack=9, text=b"text")
    assert pen.read() == [". 1:1(0) ack 5"], "the challenge, which is rationed"


def test_the_fin_that_comes_again_in_closing_with_the_ack_that_ends_it_is_not_answered() -> None:
    pen = client()
    pen.connection.shutdown_write(pen.now)
    pen.write("F", 1, ack=1)
    pen.read()
    pen.write("F", 1, ack=2)
    assert pen.connection.state is TIME_WAIT
    assert pen.read() == []
