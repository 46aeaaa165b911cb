import errno
import itertools

import pytest

from stack.tcp.sending import send_space
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED, ESTABLISHED
from tests.ledger import rfc
from tests.tcp.builders import MS, PLAIN, Pen, client, established

S = 1000 * MS
SACKS = PLAIN.replace(sack=True)


@rfc("9293", "SHLD-7")
@rfc("9293", "MUST-17")
@rfc("9293", "MAY-16")
def test_nagle_holds_a_second_small_segment_back() -> None:
    pen = client()
    pen.connection.send(b"one", 0)
    pen.connection.send(b"two", 0)
    pen.connection.send(b"three", 0)
    assert pen.read() == ["P. 1:4(3) ack 1"]
    pen.write(".", 1, ack=4)
    assert pen.read() == ["P. 4:12(8) ack 1"]
    pen.connection.send(b"four", 0)
    pen.connection.configure(0, nodelay=True)
    assert pen.read() == ["P. 12:16(4) ack 1"]
    pen.connection.send(b"five", 0)
    assert pen.read() == ["P. 16:20(4) ack 1"]


@rfc("9293", "MUST-60")
@rfc("9293", "MUST-61")
@rfc("9293", "SHLD-27")
@rfc("9293", "SHLD-28")
def test_the_last_segment_that_is_queued_is_pushed() -> None:
    pen = client(PLAIN.replace(nodelay=True))
    pen.connection.send(bytes(2500), 0)
    assert pen.read() == [". 1:1001(1000) ack 1", ". 1001:2001(1000) ack 1", "P. 2001:2501(500) ack 1"]


def test_more_than_half_of_the_largest_window_is_pushed() -> None:
    """forced_push: what is exactly half of it is not (pushed_seq begins behind the SYN)."""
    pen = client(PLAIN, win=2000)
    pen.connection.send(bytes(3500), 0)
    assert pen.read() == [". 1:1001(1000) ack 1", "P. 1001:2001(1000) ack 1"]
    pen.write(".", 1, ack=2001, win=2000)
    assert pen.read() == [". 2001:3001(1000) ack 1", "P. 3001:3501(500) ack 1"]


def test_a_cork_holds_back_what_is_not_full_for_200_ms() -> None:
    pen = client(PLAIN.replace(cork=True))
    pen.connection.send(bytes(1500), 0)
    assert pen.read() == [". 1:1001(1000) ack 1"]
    pen.write(".", 1, ack=1001)
    pen.wait(199 * MS)
    assert pen.read() == []
    pen.wait(2 * MS)
    assert pen.read() == ["P. 1001:1501(500) ack 1"]
    pen.write(".", 1, ack=1501)
    pen.connection.send(b"x", pen.now)
    pen.connection.configure(pen.now, cork=False)
    assert pen.read() == ["P. 1501:1502(1) ack 1"]


@rfc("9293", "MUST-38")
def test_the_sender_does_not_fall_for_silly_windows() -> None:
    pen = client(win=3000)
    pen.connection.send(bytes(5000), 0)
    assert [line.split()[1] for line in pen.read()] == ["1:1001(1000)", "1001:2001(1000)", "2001:3001(1000)"]
    pen.write(".", 1, ack=3001, win=0)
    pen.write(".", 1, ack=3001, win=400)
    assert pen.read() == []
    pen.write(".", 1, ack=3001, win=1500)
    assert pen.read() == [". 3001:4001(1000) ack 1", "P. 4001:4501(500) ack 1"], "one buffer, whose end Nagle lets go, as Linux does"
    pen.write(".", 1, ack=4001, win=500)
    assert pen.read() == []  # what is outstanding fills it
    pen.write(".", 1, ack=4501, win=1000)
    assert pen.read() == ["P. 4501:5001(500) ack 1"]


@rfc("9293", "3.8.6.2.1")
def test_half_of_the_largest_window_is_worth_a_segment() -> None:
    pen = client(win=800)
    pen.connection.send(bytes(2000), 0)
    assert [line.split()[1] for line in pen.read()] == ["1:401(400)", "401:801(400)"], "no more than half is, as on Linux"
    pen.write(".", 1, ack=801, win=300)
    assert pen.read() == []
    pen.write(".", 1, ack=801, win=400)
    assert pen.read() == [". 801:1201(400) ack 1"]
    pen.write(".", 1, ack=1201, win=800)
    assert pen.read() == [". 1201:1601(400) ack 1", "P. 1601:2001(400) ack 1"], "what was written in two pieces goes as one"


@rfc("9293", "MUST-36")
@rfc("9293", "MUST-37")
@rfc("9293", "SHLD-29")
@rfc("9293", "SHLD-30")
def test_a_shut_window_is_probed_less_and_less_often() -> None:
    for settings, size in ((PLAIN, 0), (PLAIN.replace(window_probe_octet=True), 1)):
        pen = client(settings, win=2000)
        pen.connection.send(bytes(2500), 0)
        pen.write(".", 1, ack=2001, win=0)
        pen.read()
        times, sent = [], []
        for _ in range(40):
            pen.now = pen.connection.deadline or 0
            pen.connection.timeout(pen.now)
            if made := pen.connection.take_output():
                times.append(pen.now)
                sent.append(made[0])
                pen.write(".", 1, ack=2001, win=0)
        assert {len(text) for _, text, _ in sent} == {size}
        assert sent[0][2] == "zero-window probe 1"
        gaps = [b - a for a, b in itertools.pairwise(times)]
        assert gaps[1] == 2 * gaps[0]
        assert gaps[-1] == 120 * S
        assert pen.connection.state is ESTABLISHED
        pen.write(".", 1, ack=2001 + size, win=1000)
        assert pen.read() == [f"P. {2001 + size}:2501({500 - size}) ack 1"]
        pen.write(".", 1, ack=2501, win=1000)
        assert pen.connection.info()["unacked"] == 0


def test_a_probe_whose_octet_is_taken() -> None:
    pen = client(PLAIN.replace(window_probe_octet=True), win=2000)
    pen.connection.send(bytes(2500), 0)
    pen.write(".", 1, ack=2001, win=0)
    pen.read()
    pen.wait(S)
    assert pen.read()[0] == "P. 2001:2002(1) ack 1"
    pen.write(".", 1, ack=2002, win=0)
    pen.wait(2 * S)
    assert "P. 2002:2003(1) ack 1" in pen.read()
    pen.write(".", 1, ack=2003, win=5000)
    assert pen.read() == ["P. 2003:2501(498) ack 1"]


def test_probes_that_nobody_answers_end_the_connection() -> None:
    pen = client(win=1000)
    pen.connection.send(bytes(1500), 0)
    pen.write(".", 1, ack=1001, win=0)
    pen.wait(3000 * S)
    assert pen.connection.take_error() == errno.ETIMEDOUT


def test_a_fin_behind_a_shut_window() -> None:
    for octet, probe in ((False, ". 1000:1000(0) ack 1"), (True, "F. 1001:1001(0) ack 1")):
        pen = client(PLAIN.replace(window_probe_octet=octet), win=1000)
        pen.connection.send(bytes(1000), 0)
        pen.write(".", 1, ack=1001, win=0)
        pen.connection.shutdown_write(0)
        pen.read()
        pen.wait(S)
        assert pen.read()[0] == probe
        pen.write(".", 1, ack=1001 + octet, win=1)
        pen.write(".", 1, ack=1002, win=1)
        assert pen.connection.fin_acknowledged


@rfc("9293", "MUST-34")
@rfc("9293", "SHLD-15")
@rfc("9293", "SHLD-16")
@rfc("9293", "SHLD-17")
@rfc("9293", "MUST-35")
def test_a_window_that_shrinks() -> None:
    pen = client(win=5000)
    pen.connection.send(bytes(9000), 0)
    pen.read()
    pen.write(".", 1, ack=1001, win=500)
    assert pen.read() == []
    pen.wait(300 * MS)
    assert pen.read() == [". 1001:1501(500) ack 1"]
    pen.write(".", 1, ack=1501, win=0)
    pen.wait(S)
    assert pen.read()[0] == ". 1501:2001(500) ack 1", "what was in flight is its own probe"
    for _ in range(30):  # it answers, so it may take its time
        pen.wait(120 * S)
        pen.write(".", 1, ack=1501, win=0)
    assert pen.connection.state is ESTABLISHED
    pen.write(".", 1, ack=5001, win=5000)
    assert ". 5001:6001(1000) ack 1" in pen.read()


@rfc("5681", "4.2")
@rfc("9293", "SHLD-18")
@rfc("9293", "SHLD-19")
@rfc("9293", "MUST-40")
def test_acknowledgments_are_delayed_or_for_every_second_segment() -> None:
    pen = client()
    pen.write("P", 1, ack=1, text=b"x")
    assert pen.read() == []
    pen.wait(39 * MS)
    assert pen.read() == []
    pen.wait(2 * MS)
    made = pen.connection.take_output()
    assert made[0][2] == "delayed ACK, 40 ms"
    pen.connection.recv(1, pen.now)
    pen.write(".", 2, ack=1, text=bytes(1000))
    pen.connection.recv(1000, pen.now)
    assert pen.read() == []
    pen.write(".", 1002, ack=1, text=bytes(1000))
    pen.connection.recv(1000, pen.now)
    assert pen.read() == [". 1:1(0) ack 2002"]
    pen.write(".", 2002, ack=1, text=b"x")
    pen.connection.send(b"reply", pen.now)
    assert pen.read() == ["P. 1:6(5) ack 2003"]  # carries the acknowledgment
    pen.write(".", 2003, ack=6)
    pen.wait(S)
    assert pen.read() == []


def test_the_first_acknowledgments_are_quick_until_data_flows_both_ways() -> None:
    pen = client(PLAIN.replace(quick_acks=2))
    for at in (1, 2, 3):
        pen.write("P", at, ack=1, text=b"x")
    assert len(pen.read()) == 2
    pen = client(PLAIN.replace(quick_acks=16))
    pen.write("P", 1, ack=1, text=b"x")
    assert pen.read() == [". 1:1(0) ack 2"]
    pen.connection.send(b"answer", 0)
    assert pen.read() == ["P. 1:7(6) ack 2"]
    pen.write("P", 2, ack=7, text=b"x")
    assert pen.read() == []  # data is answered by data: the ACK rides on the next answer
    pen.wait(40 * MS)
    assert pen.read() == [". 7:7(0) ack 3"]
    pen.write("P", 3, ack=7, text=b"x")
    assert pen.read() == [". 7:7(0) ack 4"]  # it was not answered: no longer so
    pen = client(PLAIN.replace(delayed_ack=0))
    pen.write("P", 1, ack=1, text=b"x")
    assert len(pen.read()) == 1


@rfc("9293", "MUST-39")
@rfc("9293", "SHLD-14")
def test_the_right_window_edge_moves_in_large_steps_and_never_back() -> None:
    pen = client(PLAIN.replace(receive_buffer=20_000, fixed_receive_buffer=True))
    seq = 1
    edges = []
    while (size := min(1000, pen.connection.rcv.wnd)) and seq < 20_000:
        pen.write("P", seq, ack=1, text=bytes(size))
        pen.wait(S)
        edges += [h.window + (h.acknowledgment - pen.irs) for h, _, _ in pen.connection.take_output()]
        seq += size
    assert seq == 8761  # what the SYN offered, and no more
    opened = []
    for _ in range(8):
        assert len(pen.connection.recv(1000, pen.now)) == 1000
        made = pen.connection.take_output()
        opened += [(h.window, cause) for h, _, cause in made]
        edges += [h.window + (h.acknowledgment - pen.irs) for h, _, _ in made]
    assert all(cause == "window update" and not window % 1000 for window, cause in opened)
    assert 1 <= len(opened) <= 4  # each at least twice the one before
    assert edges == sorted(edges)


def test_the_receive_buffer_grows_with_what_is_read() -> None:
    both = established()
    before = both.b.rcv.buff
    both.transfer(bytes(3_000_000))
    assert both.b.rcv.buff > 4 * before
    assert both.b.info()["rcv_wnd"] > 65535
    fixed = established(TcpSettings(receive_buffer=20_000, fixed_receive_buffer=True))
    fixed.transfer(bytes(300_000))
    assert fixed.b.rcv.buff == 20_000
    assert max(sent.header.window for sent in fixed.log if sent.side == "b") <= 20_000


def test_the_send_buffer_is_bounded_and_tells_when_there_is_room() -> None:
    both = established(TcpSettings(send_buffer=30_000, fixed_send_buffer=True))
    told = []
    both.a.notify = lambda: told.append(both.a.writable)
    taken = both.a.send(bytes(200_000), both.now)
    piece = send_space.piece_size(both.a, both.a.snd.mss)
    assert (taken - 10 * both.a.snd.mss) % both.a.snd.mss == 0
    buffers = 5 + len(both.a.pieces or ())  # what was sent went as five pairs
    assert 60_000 <= taken + buffers * 896 < 60_000 + piece + 896  # twice what was asked for; the last piece is filled
    assert both.a.send(bytes(200_000), both.now) < piece  # what the last piece, of which some went out, still holds
    assert both.a.send(b"more", both.now) == 0
    assert not both.a.writable
    both.run()
    assert told == [True]
    assert both.a.flushed


def test_an_autotuned_send_buffer_is_twice_the_congestion_window_of_frames() -> None:
    auto = established(TcpSettings(send_buffer=16_384, timestamps=False))
    assert auto.a.snd.mss == 1460
    assert send_space.limit(auto.a) == 2 * 10 * (4096 + 256)  # what Linux has after any handshake
    taken = auto.a.send(bytes(10_000_000), auto.now)
    assert 87_040 <= taken + (5 + len(auto.a.pieces or ())) * 896 == send_space.queued(auto.a)
    assert auto.a.send(b"more", auto.now) == 0
    auto.transfer(bytes(2_000_000))
    assert 500_000 < send_space.limit(auto.a) <= 2 * auto.a.congestion.cwnd * 4352


def test_a_low_water_mark_is_looked_at_once_for_each_piece() -> None:
    both = established(TcpSettings(not_sent_low_water=1000))
    piece = send_space.piece_size(both.a, both.a.snd.mss)
    window = both.a.congestion.cwnd * both.a.snd.mss
    assert both.a.send(bytes(window), both.now) == window
    assert both.a.send(bytes(2 * piece), both.now) == piece
    assert not both.a.writable
    assert both.a.send(b"more", both.now) == 0


def test_sending_on_what_is_closed_is_an_error() -> None:
    pen = client()
    pen.connection.shutdown_write(0)
    pen.connection.shutdown_write(0)
    for number in (errno.EPIPE, errno.ECONNRESET, errno.EPIPE):
        if number == errno.ECONNRESET:
            pen.write("R", 1)
        with pytest.raises(OSError) as caught:
            pen.connection.send(b"x", 0)
        assert caught.value.errno == number
    with pytest.raises(OSError) as caught:
        pen.connection.shutdown_write(0)
    assert caught.value.errno == errno.ENOTCONN
    waiting = client()
    waiting.connection.error = errno.EHOSTUNREACH
    with pytest.raises(OSError) as caught:
        waiting.connection.send(b"x", 0)
    assert caught.value.errno == errno.EHOSTUNREACH
    assert waiting.connection.send(b"", 0) == 0


def test_a_fin_rides_on_the_last_data() -> None:
    pen = client()
    pen.connection.send(b"x", 0)
    pen.connection.send(b"last", 0)
    pen.connection.shutdown_write(0)
    assert pen.read() == ["P. 1:2(1) ack 1", "FP. 2:6(4) ack 1"]
    exact = client(win=5)
    exact.connection.send(b"x", 0)
    exact.connection.send(b"last", 0)
    exact.read()
    exact.connection.shutdown_write(0)
    assert exact.read() == []  # the window has no room for the FIN
    exact.write(".", 1, ack=2, win=4)
    exact.wait(S)
    assert exact.read()[0] == "P. 2:6(4) ack 1", "it was waited for long enough"
    exact.write(".", 1, ack=6, win=4)
    assert exact.read() == ["F. 6:6(0) ack 1"]


def test_sack_blocks_take_room_from_the_text() -> None:
    pen = client(SACKS, options=b"\2\4\x03\xe8\4\2")
    pen.write("P", 5, ack=1, text=b"above")
    pen.read()
    pen.connection.send(bytes(2000), 0)
    assert [line.split()[1] for line in pen.read()] == ["1:989(988)", "989:1977(988)", "1977:2001(24)"]


def test_shut_down_reading_is_the_end_for_the_reader() -> None:
    pen = client()
    told: list[int] = []
    pen.connection.notify = lambda: told.append(1)
    assert not pen.connection.readable
    pen.connection.shutdown_read()
    assert (pen.connection.eof, pen.connection.readable, told) == (True, True, [1])
    pen.connection.shutdown_write(0)
    pen.write(".", 1, ack=2)
    pen.write("P", 1, ack=2, text=b"too late")
    assert pen.connection.state is CLOSED


def test_what_can_be_waited_for_while_opening() -> None:
    from stack.tcp.connection import Connection
    from tests.tcp.builders import A, B

    pen = Pen(Connection(A, B, PLAIN, iss=0))
    pen.connection.open_active(0)
    assert (pen.connection.opening, pen.connection.writable, pen.connection.readable) == (True, False, False)
    pen.write("S", 0, ack=1)
    assert (pen.connection.opening, pen.connection.writable) == (False, True)
    pen.connection.error = 5
    assert pen.connection.writable
    assert pen.connection.readable


def test_buffers_are_set_and_read_back() -> None:
    pen = client()
    pen.connection.configure(0, receive_buffer=5000, fixed_receive_buffer=True)
    info = pen.connection.info()
    assert (pen.connection.rcv.buff, info["notsent"], info["recovery"]) == (5000, 0, "open")
    with pytest.raises(ValueError, match="send_buffer is 0"):
        pen.connection.configure(0, send_buffer=0)
    for bad in ({"delayed_ack": 500 * MS}, {"maximum_segment": 0}):
        with pytest.raises(ValueError, match="expected"):
            TcpSettings(**bad)  # type: ignore[arg-type]


def test_a_window_too_small_for_a_segment_is_filled_when_the_sender_has_waited() -> None:
    pen = client(win=2000)
    pen.connection.send(bytes(5000), 0)
    assert len(pen.read()) == 2
    pen.write(".", 1, ack=2001, win=300)
    assert pen.read() == [], "less than half of the largest window, and less than a segment"
    pen.wait(S)
    assert pen.read()[0] == "P. 2001:2301(300) ack 1", "the override timeout of section 3.8.6.2.1"


@rfc("7323", "2.4")
@rfc("9293", "SHLD-14")
def test_the_scale_of_the_window_takes_nothing_back() -> None:
    """An edge that was offered stays offered, whatever its distance to RCV.NXT modulo the scale; and 0 means 0."""
    settings = TcpSettings(receive_buffer=5000, receive_buffer_max=5000, fixed_receive_buffer=True)
    both = established(settings)
    both.a.send(bytes(20_000), both.now)
    both.run(both.now + 20 * S)
    edges = [sent.header.acknowledgment + (sent.header.window << both.b.rcv.scale) for sent in both.log if sent.side == "b"]
    assert edges == sorted(edges)
    assert both.log[-1].header.window == 0
    refused = [sent for sent in both.log if sent.cause and "probe" in sent.cause and not sent.text]
    assert len({sent.header.sequence for sent in refused}) == 1, "no probe's octet was taken"
