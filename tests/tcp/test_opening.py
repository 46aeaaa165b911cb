import errno

import pytest

from stack.base.address import IPv6Address
from stack.tcp.connection import Connection
from stack.tcp.opening.isn import initial_sequence, timestamp_offset
from stack.tcp.segment import Segment
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSE_WAIT, CLOSED, ESTABLISHED, FIN_WAIT_1, LISTEN, SYN_RECEIVED, SYN_SENT
from tests.ledger import rfc
from tests.tcp.builders import MS, MSS_1000, PLAIN, A, B, Pair, Pen, client, established, pair, server

S = 1000 * MS
KEEPING = PLAIN.replace(keep_syn_text=True)  # as TcpSettings.rfc()


@rfc("9293", "3.5")
def test_the_three_way_handshake() -> None:
    both = pair(PLAIN)
    both.a.open_active(0)
    both.run()
    assert (both.a.state, both.b.state) == (ESTABLISHED, ESTABLISHED)
    assert [(sent.header.flags, sent.header.sequence, sent.header.acknowledgment) for sent in both.log] == [
        (2, 1000, 0), (18, 5000, 1001), (16, 1001, 5001),
    ]  # fmt: skip


@rfc("9293", "MUST-10")
def test_a_simultaneous_open() -> None:
    both = Pair(Connection(A, B, PLAIN, iss=100), Connection(B, A, PLAIN, iss=300))
    both.a.open_active(0)
    both.b.open_active(0)
    both.run()
    assert (both.a.state, both.b.state) == (ESTABLISHED, ESTABLISHED)
    both.a.send(b"here", both.now)
    both.run()
    assert both.b.recv(10, both.now) == b"here"


def test_a_simultaneous_open_whose_first_syns_are_lost() -> None:
    both = Pair(Connection(A, B, PLAIN, iss=100), Connection(B, A, PLAIN, iss=300), fate=lambda n, sent: None if n < 3 else [MS])
    both.a.open_active(0)
    both.b.open_active(0)
    both.run()
    assert (both.a.state, both.b.state) == (ESTABLISHED, ESTABLISHED)


@rfc("9293", "MUST-15")
@pytest.mark.parametrize(("address", "mss"), [(A[0], 536), (IPv6Address("fd00::1"), 1220)])
def test_without_an_mss_option_the_default_counts(address: bytes, mss: int) -> None:
    pen = Pen(Connection((address, 1), (address, 2), PLAIN, iss=0))
    pen.connection.open_active(0)
    pen.write("S", 0, ack=1)
    assert pen.connection.info()["snd_mss"] == mss


@rfc("9293", "MUST-16")
def test_the_segment_size_is_the_smaller_of_both() -> None:
    assert client(options=MSS_1000).connection.info()["snd_mss"] == 1000
    assert client(options=b"\2\4\x20\0").connection.info()["snd_mss"] == 1460
    small = client(PLAIN.replace(maximum_segment=700)).connection
    assert small.info()["snd_mss"] == 700
    small.configure(0, maximum_segment=600)
    assert small.info()["snd_mss"] == 700, "what was agreed on stays"
    assert established().a.info()["snd_mss"] == 1448


@rfc("2018", "2")
def test_options_that_one_side_lacks_are_not_used() -> None:
    for one, other in ((TcpSettings(), PLAIN), (PLAIN, TcpSettings())):
        both = established(one, other)
        for end in (both.a, both.b):
            info = end.info()
            assert (info["timestamps"], info["sack"], info["snd_wscale"], info["rcv_wscale"]) == (False, False, 0, 0)
    info = established(TcpSettings()).b.info()
    assert (info["timestamps"], info["sack"], info["snd_wscale"], info["rcv_wscale"]) == (True, True, 7, 7)


@rfc("6298", "2.1")
def test_a_syn_is_repeated_six_times_and_then_the_connection_times_out() -> None:
    pen = Pen(Connection(A, B, PLAIN.replace(syn_linear_timeouts=0), iss=0))
    pen.connection.open_active(0)
    pen.wait(126 * S)
    assert len(pen.read()) == 7
    assert pen.connection.state is SYN_SENT
    pen.wait(2 * S)
    assert (pen.connection.state, pen.connection.take_error()) == (CLOSED, errno.ETIMEDOUT)
    assert pen.connection.deadline is None


def test_four_more_syns_go_out_a_second_apart() -> None:
    """Linux's tcp_syn_linear_timeouts: 1, 1, 1, 1, 1, 2, 4, ... s."""
    pen = Pen(Connection(A, B, PLAIN, iss=0))
    pen.connection.open_active(0)
    pen.read()
    times = []
    while pen.connection.deadline is not None:
        pen.wait(pen.connection.deadline - pen.now)
        times += [pen.now // S] * len(pen.read())
    assert times == [1, 2, 3, 4, 5, 7, 11, 19, 35, 67]
    assert (pen.now // S, pen.connection.take_error()) == (131, errno.ETIMEDOUT)


def test_few_syns_are_given_up_in_the_time_that_they_would_take_with_doubled_timeouts() -> None:
    """TCP_SYNCNT of 1 is 3 s, though four more SYNs would be due by number (retransmits_timed_out)."""
    pen = Pen(Connection(A, B, PLAIN.replace(syn_retries=1), iss=0))
    pen.connection.open_active(0)
    while pen.connection.deadline is not None:
        pen.wait(pen.connection.deadline - pen.now)
    assert (len(pen.read()), pen.now) == (3, 3 * S)


@rfc("9293", "MUST-23")
def test_three_minutes_of_syns_can_be_asked_for() -> None:
    pen = Pen(Connection(A, B, PLAIN.replace(syn_retries=7), iss=0))
    pen.connection.open_active(0)
    pen.wait(180 * S)
    assert pen.connection.state is SYN_SENT


@rfc("9293", "MUST-1")
def test_a_window_is_an_unsigned_number() -> None:
    pen = client(win=65535)
    assert pen.connection.snd.wnd == 65535


@rfc("9293", "REC-1")
def test_a_window_may_be_wider_than_16_bits() -> None:
    both = pair(PLAIN.replace(window_scaling=True, receive_buffer=1_000_000))
    both.a.open_active(0)
    both.run()
    both.b.send(b"x", both.now)
    both.run()
    assert both.a.snd.wnd > 65_535


@rfc("9293", "SHLD-5")
@rfc("9293", "MUST-67")
@rfc("9293", "MAY-3")
def test_every_syn_announces_the_segment_size() -> None:
    both = pair(PLAIN)
    both.a.open_active(0)
    both.run()
    assert [bytes(sent.header.options) for sent in both.log] == [b"\2\4\x05\xb4", b"\2\4\x05\xb4", b""]


def test_a_syn_ack_is_repeated_five_times() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=0))
    pen.connection.open_passive(0)
    pen.write("S", 0)
    pen.wait(64 * S)
    assert pen.read() == ["S. 0:0(0) ack 1"] * 6
    assert pen.connection.state is CLOSED


@rfc("6298", "5.7")
def test_after_a_repeated_syn_the_timer_is_three_seconds_and_the_window_one_segment() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=0))
    pen.connection.open_active(0)
    pen.wait(4 * S)
    pen.write("S", 0, ack=1, options=MSS_1000)
    assert pen.connection.info()["backoff_rto"] == 3 * S
    assert pen.connection.info()["snd_cwnd"] == 1


@rfc("9293", "3.10.7.3")
@pytest.mark.parametrize("ack", [0, 2, -5])
def test_syn_sent_refuses_the_ack_of_something_not_sent(ack: int) -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_active(0)
    pen.read()
    pen.write("S", 0, ack=ack)
    assert pen.read() == [f"R {ack & 0xFFFFFFFF}:{ack & 0xFFFFFFFF}(0)"]
    pen.write("R", 0, ack=ack)
    assert pen.read() == []
    assert pen.connection.state is SYN_SENT


@rfc("9293", "3.10.7.3")
def test_syn_sent_ignores_what_is_neither_syn_nor_rst() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_active(0)
    pen.read()
    pen.write("R", 0)
    pen.write(".", 0, ack=1)
    assert (pen.read(), pen.connection.state) == ([], SYN_SENT)


@rfc("9293", "MUST-12")
def test_a_reset_refuses_the_connection() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_active(0)
    pen.write("R", 0, ack=1)
    assert (pen.connection.state, pen.connection.take_error(), pen.connection.take_error()) == (CLOSED, errno.ECONNREFUSED, None)


def test_a_syn_ack_with_text_and_fin() -> None:
    pen = Pen(Connection(A, B, KEEPING, iss=1000))
    pen.connection.open_active(0)
    pen.read()
    pen.write("SF", 0, ack=1, text=b"early")
    assert pen.connection.recv(10, 0) == b"early"
    assert (pen.connection.state, pen.read()) == (CLOSE_WAIT, [". 1:1(0) ack 7"])


def test_linux_drops_text_that_comes_with_a_syn_or_its_answer() -> None:
    """But for fast open: the peer sends it again."""
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_active(0)
    pen.read()
    pen.write("SF", 0, ack=1, text=b"early")
    assert (pen.connection.state, pen.connection.recv(10, 0), pen.read()) == (ESTABLISHED, b"", [". 1:1(0) ack 1"])
    passive = Pen(Connection(A, B, PLAIN, iss=1000))
    passive.connection.open_passive(0)
    passive.write("S", 0, text=b"early")
    passive.write(".", 1, ack=1, text=b"later")
    assert passive.connection.recv(10, 0) == b"later"


def test_text_in_a_syn_waits_for_the_connection() -> None:
    pen = Pen(Connection(A, B, KEEPING, iss=1000))
    pen.connection.open_passive(0)
    pen.write("S", 0, text=b"early")
    assert pen.read() == ["S. 0:0(0) ack 1"]
    pen.write(".", 6, ack=1)
    assert pen.connection.recv(10, 0) == b"early"
    both = Pen(Connection(A, B, KEEPING, iss=1000))
    both.connection.open_active(0)
    both.write("S", 0, text=b"both")
    both.write(".", 5, ack=1)
    assert both.connection.recv(10, 0) == b"both"


@rfc("9293", "3.10.7.2")
def test_listen_answers_an_ack_by_a_reset_and_a_rst_by_nothing() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_passive(0)
    for flags in ("R", "F", "P", "SF"):
        assert pen.write(flags, 0) == "listen_state"
    assert pen.read() == []
    pen.write(".", 0, ack=77)
    assert pen.read() == ["R 77:77(0)"]
    assert pen.connection.state is LISTEN


@rfc("9293", "MUST-11")
def test_a_passive_open_goes_back_to_listen() -> None:
    for reset in ("R", "S"):
        pen = Pen(Connection(A, B, PLAIN, iss=1000))
        pen.connection.open_passive(0)
        pen.write("S", 0)
        assert pen.connection.state is SYN_RECEIVED
        pen.write(reset, 1)
        assert (pen.connection.state, pen.connection.error) == (LISTEN, None)


def test_an_active_open_in_syn_received_is_ended_by_a_reset() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_active(0)
    pen.write("S", 0)
    assert pen.read() == ["S 0:0(0)", "S. 0:0(0) ack 1"]
    pen.write("R", 1)
    assert pen.connection.error == errno.ECONNRESET


def test_a_syn_that_comes_again_is_answered_again() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_passive(0)
    pen.write("S", 0)
    pen.write("S", 0)
    assert pen.read() == ["S. 0:0(0) ack 1"] * 2
    pen.write(".", 1, ack=9)
    assert pen.read() == ["R 9:9(0)"]


@rfc("9293", "3.10.4")
def test_close_while_opening() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_active(0)
    pen.read()
    pen.connection.close(0)
    assert (pen.connection.state, pen.read()) == (CLOSED, [])
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_passive(0)
    pen.write("S", 0)
    pen.read()
    pen.connection.shutdown_write(0)
    assert pen.read() == []
    pen.write(".", 1, ack=1)
    assert (pen.connection.state, pen.read()) == (FIN_WAIT_1, ["F. 1:1(0) ack 1"])
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_passive(0)
    pen.connection.close(0)
    assert pen.connection.state is CLOSED


def test_open_twice_or_to_nowhere_is_an_error() -> None:
    pen = client()
    for call in (pen.connection.open_active, pen.connection.open_passive):
        with pytest.raises(OSError) as caught:
            call(0)
        assert caught.value.errno == errno.EISCONN
    nowhere = Connection(A, None, PLAIN, iss=0)
    with pytest.raises(OSError) as caught:
        nowhere.open_active(0)
    assert caught.value.errno == errno.EDESTADDRREQ
    assert repr(nowhere) == "<Connection 10.0.0.1:40000 – * CLOSED>"


@rfc("9293", "3.10.1")
def test_a_listening_connection_can_open_actively() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_passive(0)
    pen.connection.open_active(0)
    assert (pen.connection.state, pen.read()) == (SYN_SENT, ["S 0:0(0)"])


@rfc("9293", "3.10.2")
def test_data_sent_while_opening_goes_out_when_the_connection_stands() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_active(0)
    assert pen.connection.send(b"soon", 0) == 4
    pen.read()
    pen.write("S", 0, ack=1)
    assert pen.read() == ["P. 1:5(4) ack 1"]


@rfc("9293", "MUST-8")
@rfc("9293", "MUST-9")
@rfc("9293", "SHLD-1")
def test_initial_numbers_count_four_microseconds_from_a_secret_place() -> None:
    first = initial_sequence(b"secret", A, B, 0)
    assert initial_sequence(b"secret", A, B, 4_000_000) == first + 1000 & 0xFFFFFFFF
    others = {initial_sequence(b"secret", A, (B[0], port), 0) for port in range(100)}
    others |= {initial_sequence(b"other", A, B, 0), initial_sequence(b"secret", B, A, 0), timestamp_offset(b"secret", A, B)}
    assert len(others | {first}) == 103


def test_numbers_may_wrap_at_once() -> None:
    both = established(iss=(2**32 - 1, 2**32 - 2000))
    data = bytes(range(256)) * 100
    assert both.transfer(data) == data
    assert both.transfer(data, forward=False) == data


@rfc("9293", "MUST-10")
def test_a_server_sees_its_peer_connect() -> None:
    pen = server()
    assert pen.connection.state is ESTABLISHED
    assert Segment(0, None, 0, 0).len == 0
