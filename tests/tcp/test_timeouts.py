import errno

from stack.tcp.recovery.rtt import RoundTrip
from stack.tcp.settings import DEFAULT, TcpSettings
from stack.tcp.state import CLOSED, ESTABLISHED
from tests.ledger import rfc
from tests.tcp.builders import MS, PLAIN, SENDER, client, established, sender

S = 1000 * MS


@rfc("6298", "2.5")
@rfc("6298", "2.2")
@rfc("6298", "2.3")
def test_the_timeout_follows_the_measurements() -> None:
    rtt = RoundTrip(S)
    rtt.sample(100 * MS, 1, 10, DEFAULT)
    assert (rtt.srtt, rtt.rttvar, rtt.rto) == (100 * MS, 50 * MS, 300 * MS)
    rtt.sample(180 * MS, 2, 10, DEFAULT)
    assert (rtt.srtt, rtt.rttvar) == (110 * MS, 50 * MS + (80 * MS - 50 * MS >> 2))
    assert rtt.rto == rtt.srtt + 4 * rtt.rttvar
    rtt.sample(20 * MS, 3, 10, DEFAULT)
    assert (rtt.srtt, rtt.rttvar * 4) == (98_750_000, 4 * 57_500_000 + (90 * MS - 57_500_000 >> 3)), "a fall counts for an eighth"
    assert rtt.rto > rtt.srtt + 4 * 57_500_000, "the largest deviation of this round trip"
    for _ in range(30):
        rtt.back_off(DEFAULT)
    assert rtt.rto == 120 * S
    for n in range(100):
        rtt.sample(20 * MS, 10 + 2 * n, 11 + 2 * n, DEFAULT)
    assert rtt.rto // MS == 220, "the floor stands under the variance"


def test_the_smallest_round_trip_is_forgotten_after_five_minutes() -> None:
    rtt = RoundTrip(S)
    for second, measured in enumerate([50, 20, 40, 60] + [30] * 320):
        rtt.observe(measured * MS, second * S)
        if second == 200:
            assert rtt.minimum == 20 * MS
    assert rtt.minimum == 30 * MS


@rfc("9293", "MUST-20")
@rfc("9293", "SHLD-9")
@rfc("9293", "SHLD-10")
@rfc("9293", "SHLD-11")
def test_fifteen_retries_then_the_connection_times_out() -> None:
    pen = client()
    pen.connection.watch()
    pen.connection.send(b"hello?", 0)
    pen.read()
    pen.wait(700 * S)
    assert pen.connection.state is ESTABLISHED
    pen.wait(300 * S)
    pen.wait(100 * S)
    assert len(pen.read()) == 16, "924.6 s after the first repetition, at the next timeout"
    assert (pen.connection.state, pen.connection.take_error()) == (CLOSED, errno.ETIMEDOUT)
    assert [what for _, what, _ in pen.connection.take_events() if what != "cwnd"] == ["negative advice", "state"]


@rfc("9293", "MUST-21")
def test_r2_can_be_set() -> None:
    pen = client(PLAIN.replace(data_retries=2))
    pen.connection.send(b"hello?", 0)
    pen.wait(4 * S)
    assert pen.connection.take_error() == errno.ETIMEDOUT


def test_an_orphan_is_given_up_sooner() -> None:
    pen = client()
    pen.connection.send(b"hello?", 0)
    pen.connection.close(0)
    pen.wait(205 * S)
    assert pen.connection.state is CLOSED


@rfc("5482", "3.1")
def test_the_user_timeout_ends_a_silent_connection_to_the_millisecond() -> None:
    pen = client(PLAIN.replace(user_timeout=3 * S))
    pen.connection.send(b"hello?", 0)
    pen.wait(3200 * MS)  # it counts from the first repetition
    assert pen.connection.state is ESTABLISHED
    pen.wait(1 * MS)
    assert (pen.connection.state, pen.connection.error) == (CLOSED, errno.ETIMEDOUT)


def test_the_error_of_an_icmp_message_is_given_when_the_connection_times_out() -> None:
    pen = client(PLAIN.replace(data_retries=1))
    pen.connection.send(b"hello?", 0)
    pen.connection.icmp_error(errno.EHOSTUNREACH, False, 0)
    pen.wait(5 * S)
    assert pen.connection.error == errno.EHOSTUNREACH


@rfc("9293", "MUST-25")
@rfc("9293", "MUST-28")
def test_no_keep_alive_unless_asked_for() -> None:
    assert (DEFAULT.keepalive, DEFAULT.keepalive_idle) == (False, 7200 * S)
    pen = client()
    pen.wait(100_000 * S)
    assert (pen.read(), pen.connection.deadline) == ([], None)


@rfc("9293", "MUST-24")
@rfc("9293", "MUST-26")
@rfc("9293", "MUST-27")
@rfc("9293", "MUST-29")
@rfc("9293", "SHLD-12")
@rfc("9293", "MAY-5")
def test_keep_alive_probes_until_there_is_an_answer() -> None:
    both = established(PLAIN)
    both.a.configure(both.now, keepalive=True, keepalive_idle=10 * S, keepalive_interval=2 * S, keepalive_probes=3)
    assert both.a.housekeeping
    both.run(11 * S)
    assert [(sent.cause, len(sent.text)) for sent in both.log if sent.side == "a"] == [("keep-alive probe 1", 0)]
    assert both.log[1].side == "b"
    both.fate = lambda n, sent: None if sent.side == "b" and n < 5 else [10 * MS]
    both.run(20 * S)
    assert (both.a.state, both.a.housekeeping) == (ESTABLISHED, True)
    both.a.configure(both.now, keepalive=False)
    both.log.clear()
    both.run(100 * S)
    assert both.log == []


def test_probes_that_nobody_answers_end_the_connection() -> None:
    pen = client(PLAIN.replace(keepalive=True, keepalive_idle=10 * S, keepalive_interval=2 * S, keepalive_probes=3))
    pen.wait(10 * S)
    assert not pen.connection.housekeeping
    pen.wait(5 * S)
    assert pen.connection.state is ESTABLISHED
    pen.wait(2 * S)
    assert (pen.connection.state, pen.connection.error) == (CLOSED, errno.ETIMEDOUT)
    assert pen.read() == [". 0:0(0) ack 1"] * 3 + ["R. 1:1(0) ack 1"]
    short = client(PLAIN.replace(keepalive=True, keepalive_idle=10 * S, keepalive_interval=2 * S, user_timeout=12 * S))
    short.wait(13 * S)
    assert short.connection.state is CLOSED


def test_a_keep_alive_timer_that_was_early_waits_the_rest() -> None:
    """Idle counts from what was heard last: the answer to a probe puts the next one off by its round trip (tcp_keepalive_timer)."""
    pen = client(PLAIN.replace(keepalive=True, keepalive_idle=S, keepalive_interval=S))
    for probe in range(4):
        pen.wait(S - 1)
        assert pen.read() == []
        pen.wait(1)
        assert (pen.read(), pen.now) == ([". 0:0(0) ack 1"], (probe + 1) * S + probe * 20 * MS)
        pen.wait(20 * MS)
        pen.write(".", 1, ack=1)


def test_answered_probes_do_not_add_up() -> None:
    """Though the interval is longer than the idle time, so that the timer finds the connection idle each time."""
    pen = client(PLAIN.replace(keepalive=True, keepalive_idle=S, keepalive_interval=5 * S, keepalive_probes=2))
    pen.wait(S)
    for _ in range(5):
        assert pen.read() == [". 0:0(0) ack 1"]
        pen.write(".", 1, ack=1)
        pen.wait(5 * S)
    assert pen.connection.state is ESTABLISHED
    pen.wait(10 * S)
    assert pen.connection.state is CLOSED


def test_keep_alive_waits_while_data_is_outstanding() -> None:
    pen = client(PLAIN.replace(keepalive=True, keepalive_idle=S, keepalive_interval=S))
    pen.connection.send(b"x", 0)
    pen.wait(5 * S)
    assert not any("keep-alive" in (cause or "") for _, _, cause in pen.connection.take_output())


@rfc("6298", "5.2")
def test_a_deadline_that_was_early_costs_one_look() -> None:
    pen = client(TcpSettings(quick_acks=0))
    pen.connection.send(b"x", 0)
    early = pen.connection.deadline or 0
    pen.write(".", 1, ack=2)
    pen.read()
    pen.now = early
    pen.connection.timeout(early)
    assert (pen.read(), pen.connection.deadline) == ([], None)


@rfc("6298", "2.4")
def test_the_least_timeout_of_the_rfcs_is_a_second() -> None:
    rtt = RoundTrip(S)
    rtt.sample(10 * MS, 1, 10, TcpSettings.rfc())
    assert rtt.rto >= S
    rtt.sample(10 * MS, 2, 10, DEFAULT)
    assert DEFAULT.minimum_rto == 200 * MS


@rfc("6298", "5.3")
def test_an_ack_of_new_data_starts_the_timer_again() -> None:
    pen = sender(SENDER.replace(loss_probe=False, rack=False), 2)  # 100 ms ago; the RTO is 300 ms
    pen.write(".", 1, ack=1001)
    pen.wait(250 * MS)
    assert pen.read() == []
    pen.wait(60 * MS)
    assert pen.read() == ["P. 1001:2001(1000) ack 1"]
