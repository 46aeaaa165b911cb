import struct

from stack.tcp.connection import Connection
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED, TIME_WAIT
from tests.ledger import rfc
from tests.tcp.builders import MS, MSS_1000, PLAIN, A, B, Pen, established

S = 1000 * MS
STAMPED = PLAIN.replace(timestamps=True)


def stamp(value: int, echo: int = 0) -> bytes:
    return b"\1\1\x08\n" + struct.pack(">II", value, echo)


def stamped(value: int = 1000, prediction: bool = True, required: bool = False) -> Pen:
    """A client that agreed on timestamps; the peer's clock stands at `value`."""
    settings = STAMPED.replace(prediction=prediction, timestamps_required=required)
    pen = Pen(Connection(A, B, settings, iss=1000, ts_offset=5))
    pen.connection.open_active(0)
    pen.write("S", 0, ack=1, options=MSS_1000 + stamp(value))
    pen.read()
    return pen


@rfc("7323", "5.3")
def test_text_from_the_past_is_dropped_and_acknowledged() -> None:
    pen = stamped()
    assert pen.write("P", 1, ack=1, text=b"old", options=stamp(998)) == "check_sequence_number"
    assert (pen.connection.available, pen.read()) == (0, [". 1:1(0) ack 1"])
    pen.write("P", 1, ack=1, text=b"new", options=stamp(1000))
    assert pen.connection.available == 3


@rfc("7323", "4.3")
def test_a_segment_with_an_unacceptable_ack_leaves_no_timestamp() -> None:
    pen = stamped()
    pen.write("P", 1, ack=5000, text=b"forged", options=stamp(9000))
    assert pen.connection.available == 0
    assert pen.connection.ts_recent == 1000


@rfc("7323", "5.3")
def test_the_clock_may_wrap() -> None:
    pen = stamped(2**32 - 1)
    pen.write("P", 1, ack=1, text=b"new", options=stamp(3))
    assert pen.connection.available == 3


@rfc("7323", "5.5")
def test_after_24_days_a_clock_says_nothing() -> None:
    pen = stamped()
    pen.now = 25 * 86400 * S
    pen.write("P", 1, ack=1, text=b"late", options=stamp(500))
    assert pen.connection.available == 4


@rfc("7323", "3.2")
def test_a_segment_without_timestamps_is_dropped_in_silence_but_for_a_reset() -> None:
    pen = stamped(required=True)  # as TcpSettings.rfc()
    pen.write("P", 1, ack=1, text=b"bare")
    assert (pen.connection.available, pen.read()) == (0, [])
    pen.write("R", 1)
    assert pen.connection.state is CLOSED


@rfc("7323", "4.3")
def test_the_echo_is_of_the_segment_that_the_ack_answers() -> None:
    pen = stamped()
    pen.write("P", 1, ack=1, text=b"a", options=stamp(1010))
    pen.write("P", 3, ack=1, text=b"c", options=stamp(1020))  # above a gap: its time is not remembered
    (header, _, _), = pen.connection.take_output()
    assert struct.unpack(">II", header.options[4:12]) == (5, 1010)


@rfc("7323", "4.1")
def test_timestamps_time_what_was_sent_again() -> None:
    for prediction in (True, False):
        pen = stamped(prediction=prediction)
        pen.connection.send(b"x", 0)
        pen.wait(300 * MS)
        pen.now += 100 * MS
        pen.write(".", 1, ack=2, options=stamp(1400, 5 + 200))
        assert pen.connection.info()["rtt"] > 20 * MS
        before = pen.connection.info()["rtt"]
        pen.connection.send(b"z", pen.now)
        pen.wait(1000 * MS)
        pen.write(".", 1, ack=3, options=stamp(1500, 5 + 10_000))  # an echo from the future
        assert pen.connection.info()["rtt"] == before


@rfc("2883", "4")
def test_an_ack_of_a_duplicate_ends_the_backoff_but_is_no_measurement() -> None:
    both = established(TcpSettings(quick_acks=0))
    both.fate = lambda n, sent: None if sent.side == "b" and len(both.log) < 6 else [10 * MS]
    both.a.send(b"x", both.now)
    both.run(10 * S)
    assert both.a.info()["unacked"] == 0
    assert both.a.info()["rtt"] < 30 * MS
    assert both.a.info()["backoff_rto"] < 300 * MS


def in_time_wait(settings: TcpSettings) -> Pen:
    pen = stamped() if settings.timestamps else Pen(Connection(A, B, settings, iss=1000))
    if not settings.timestamps:
        pen.connection.open_active(0)
        pen.write("S", 0, ack=1, options=MSS_1000)
    options = stamp(2000) if settings.timestamps else b""
    pen.connection.shutdown_write(0)
    pen.write("F", 1, ack=2, options=options)
    assert pen.connection.state is TIME_WAIT
    return pen


def syn(seq: int, options: bytes = b"", **more: bool) -> object:
    from stack.tcp.formats.options import TCPOptions
    from stack.tcp.formats.tcp import TCP

    return TCP(source=80, destination=40000, sequence=seq & 0xFFFFFFFF, syn=True, options=TCPOptions(options), **more)


@rfc("9293", "MAY-2")
def test_a_new_syn_above_the_old_numbers_may_replace_time_wait() -> None:
    pen = in_time_wait(PLAIN)
    takes = pen.connection.takes_new_syn
    assert takes(syn(3))  # type: ignore[arg-type]
    assert not takes(syn(2))  # type: ignore[arg-type]  # RCV.NXT: not above what was used
    assert not takes(syn(1))  # type: ignore[arg-type]
    assert not takes(syn(100, ack=True))  # type: ignore[arg-type]
    pen.wait(100 * S)
    assert not takes(syn(2))  # type: ignore[arg-type]


@rfc("6191", "2")
@rfc("9293", "SHLD-4")
def test_a_new_syn_with_a_later_timestamp_may_replace_time_wait() -> None:
    takes = in_time_wait(STAMPED).connection.takes_new_syn
    assert takes(syn(-5000, stamp(2001)))  # type: ignore[arg-type]
    assert not takes(syn(5000, stamp(1999)))  # type: ignore[arg-type]
    assert takes(syn(5000, stamp(2000)))  # type: ignore[arg-type]
    assert not takes(syn(-5000, stamp(2000)))  # type: ignore[arg-type]


def test_linux_takes_a_segment_without_timestamps() -> None:
    pen = stamped()
    pen.write("P", 1, ack=1, text=b"bare")
    assert pen.connection.recv(10, 0) == b"bare"


@rfc("1337", "3")
def test_a_reset_ends_time_wait_unless_that_is_not_wanted() -> None:
    for stays in (False, True):
        pen = in_time_wait(PLAIN.replace(rfc1337=stays))
        pen.write("R", 2)
        assert (pen.connection.state is TIME_WAIT) == stays


@rfc("7323", "2.3")
def test_the_window_of_a_syn_is_not_scaled_and_those_after_it_are() -> None:
    pen = Pen(Connection(A, B, PLAIN.replace(window_scaling=True), iss=1000))
    pen.connection.open_active(0)
    (syn_, _, _), = pen.connection.take_output()
    scale = pen.connection.rcv.scale
    assert (scale, syn_.window) == (7, 64240)
    pen.write("S", 0, ack=1, win=1000, options=MSS_1000 + b"\1\3\3\x05")
    assert (pen.connection.snd.wnd, pen.connection.snd.scale) == (1000, 5)
    (answer, _, _), = pen.connection.take_output()
    assert answer.window << scale == 64256, "rounded up to the scale"
    pen.write("P", 1, ack=1, win=1000, text=b"x")
    assert pen.connection.snd.wnd == 32_000
