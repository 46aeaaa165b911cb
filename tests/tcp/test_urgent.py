import errno

from stack.tcp.settings import TcpSettings
from tests.ledger import rfc
from tests.tcp.builders import PLAIN, Pen, client, established


def code(pen: Pen, peek: bool = False) -> int | bytes:
    try:
        return pen.connection.recv_urgent(peek)
    except OSError as error:
        return error.errno or 0


@rfc("9293", "MUST-30")
@rfc("9293", "MUST-32")
@rfc("9293", "MUST-33")
def test_an_urgent_octet_goes_out_of_band_and_leaves_a_mark() -> None:
    both = established()
    both.b.watch()
    both.a.send(b"normal", both.now)
    both.a.send(b"!", both.now, urgent=True)
    both.a.send(b"after", both.now)
    both.run()
    b = both.b
    assert (b.exceptional, b.at_mark, b.available) == (True, False, 12)
    assert b.recv(100, both.now) == b"normal"
    assert b.at_mark
    assert b.recv_urgent(peek=True) == b"!"
    assert b.recv_urgent() == b"!"
    assert not b.exceptional
    assert b.recv(2, both.now, peek=True) == b"af"
    assert b.recv(100, both.now) == b"after"
    assert not b.at_mark
    assert [what for _, what, _ in b.take_events() if what != "cwnd"] == ["urgent"]


@rfc("6093", "4")
@rfc("9293", "MUST-62")
def test_the_pointer_names_the_octet_after_the_urgent_data() -> None:
    pen = client(PLAIN.replace(nodelay=True))
    pen.connection.send(b"abc", 0, urgent=True)
    (header, _, _), = pen.connection.take_output()
    assert (header.urg, header.urgent_pointer) == (True, 3)
    pen.write(".", 1, ack=4)
    pen.connection.send(b"d", 0)
    (header, _, _), = pen.connection.take_output()
    assert not header.urg


@rfc("9293", "MUST-31")
def test_urgent_data_of_any_length() -> None:
    pen = client(PLAIN.replace(initial_segments=200, send_buffer=200_000), win=65535)
    pen.connection.send(bytes(150_000), 0, urgent=True)
    made = pen.connection.take_output()
    assert [header.urgent_pointer for header, _, _ in made[:2]] == [65535, 65535]
    pen.write(".", 1, ack=65001)
    pen.write(".", 1, ack=130001)
    last = pen.connection.take_output()[-1][0]
    assert (last.urg, last.urgent_pointer) == (True, 1000)


def test_without_urgent_data_msg_oob_is_an_error() -> None:
    pen = client()
    assert code(pen) == errno.EINVAL
    pen.write("U", 1, ack=1, text=b"ab", urgent=5)
    assert code(pen) == errno.EAGAIN
    pen.write("P", 3, ack=1, text=b"cdefg")
    assert code(pen, peek=True) == b"e"
    assert (code(pen), code(pen)) == (b"e", errno.EINVAL)
    assert pen.connection.recv(100, 0) == b"abcd"
    assert pen.connection.recv(100, 0) == b"fg"


@rfc("6093", "6")
def test_in_line_the_octet_stays_in_the_stream() -> None:
    pen = client(TcpSettings(urgent_inline=True))
    pen.write("U", 1, ack=1, text=b"abc", urgent=2)
    assert code(pen) == errno.EINVAL
    assert pen.connection.recv(100, 0) == b"a"
    assert (pen.connection.at_mark, pen.connection.available) == (True, 2)
    assert pen.connection.recv(100, 0) == b"bc"
    assert not pen.connection.at_mark


def test_a_lonely_urgent_octet_is_nothing_to_read() -> None:
    pen = client()
    pen.write("U", 1, ack=1, text=b"!", urgent=1)
    assert (pen.connection.readable, pen.connection.exceptional) == (False, True)
    assert pen.connection.recv(100, 0) == b""
    assert pen.connection.recv(100, 0, peek=True) == b""


def test_a_pointer_that_goes_back_is_ignored_and_one_that_advances_is_not() -> None:
    pen = client()
    pen.write("U", 1, ack=1, text=b"abcdef", urgent=5)
    pen.write("U", 1, ack=1, text=b"abcdefg", urgent=3)
    assert code(pen, peek=True) == b"e"
    pen.write("U", 8, ack=1, text=b"h", urgent=1)
    assert code(pen) == b"h"
    assert pen.connection.recv(100, 0) == b"abcdefg"
    pen.write("F", 9, ack=1)
    pen.write("U", 10, ack=1, urgent=9)
    assert pen.connection.eof


def test_the_octet_before_leaves_the_stream_where_it_is_next() -> None:
    pen = client()
    pen.write("U", 1, ack=1, text=b"abcdef", urgent=3)
    assert pen.connection.recv(100, 0) == b"ab"
    pen.write("U", 7, ack=1, urgent=2)
    pen.write("P", 7, ack=1, text=b"gh")
    assert pen.connection.recv(100, 0) == b"defg"


def test_an_urgent_octet_above_a_gap_can_be_read_at_once() -> None:
    pen = client()
    pen.write("U", 4, ack=1, text=b"d!", urgent=2)
    assert code(pen) == b"!"
    pen.write("P", 1, ack=1, text=b"abc")
    assert pen.connection.recv(100, 0) == b"abcd"


@rfc("9293", "MUST-66")
def test_an_urgent_pointer_counts_though_the_window_is_shut() -> None:
    pen = client(PLAIN.replace(receive_buffer=1000, fixed_receive_buffer=True))
    pen.write(".", 1, ack=1, text=bytes(1000))
    pen.write("U", 1001, ack=1, text=b"x", urgent=1)
    assert pen.connection.urgent is not None


def test_urgent_data_is_not_held_back_by_nagle() -> None:
    pen = client()
    pen.connection.send(b"a", 0)
    pen.connection.send(b"b", 0, urgent=True)
    assert len(pen.read()) == 2


def test_where_it_is_asked_for_the_pointer_names_the_urgent_octet_itself() -> None:
    for settings, octet in ((PLAIN, b"b"), (PLAIN.replace(standard_urgent=True), b"c")):
        pen = client(settings)
        pen.write("U", 1, ack=1, text=b"abc", urgent=2)
        assert code(pen) == octet
