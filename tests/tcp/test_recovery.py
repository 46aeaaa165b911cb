import pytest

from stack.tcp.congestion.base import CongestionControl, Sample
from stack.tcp.congestion.newreno import NewReno
from stack.tcp.connection import Connection
from stack.tcp.settings import TcpSettings
from tests.ledger import rfc
from tests.tcp.builders import MS, PLAIN, SACK_OK, SENDER, A, B, Pair, Pen, Sent, client, established, sacks, sender

S = 1000 * MS
BIG = PLAIN.replace(initial_segments=20)
SACKS = BIG.replace(sack=True)


def sending(settings: TcpSettings, segments: int = 10, options: bytes = SACK_OK) -> Pen:
    """A client that has `segments` of 1000 octets outstanding, for 100 ms, which is the round-trip time."""
    return sender(settings, segments, options)


@rfc("5681", "3.2")
def test_three_duplicates_send_the_first_segment_again() -> None:
    pen = sending(BIG)
    for _ in range(2):
        pen.write(".", 1, ack=1, win=32768)
    assert pen.read() == []
    pen.write(".", 1, ack=1, win=32768)
    made = pen.connection.take_output()
    assert [(h.sequence - 1000, len(text), cause) for h, text, cause in made] == [(1, 1000, "fast retransmit of 1:1001")]
    info = pen.connection.info()
    assert (info["snd_cwnd"], info["snd_ssthresh"], info["recovery"]) == (7, 10, "recovery"), "six in flight, and the repetition"


@rfc("5681", "2")
def test_what_is_no_duplicate_does_not_count_as_one() -> None:
    pen = sending(BIG)
    for n in range(6):
        pen.write(".", 1 + n, ack=1, win=40000 - n)  # a window update
        pen.write("P", 1 + n, ack=1, text=b"x", win=32767 - n)  # has text
    assert not [text for _, text, _ in pen.connection.take_output() if text]
    idle = client(BIG)
    for _ in range(5):
        idle.write(".", 1, ack=1, win=32768)  # nothing is outstanding
    assert idle.connection.info()["recovery"] == "open"


@rfc("3042", "2")
def test_limited_transmit() -> None:
    pen = client(BIG.replace(initial_segments=4))
    pen.connection.send(bytes(9000), 0)
    pen.read()
    pen.write(".", 1, ack=1, win=32768)
    pen.wait(2 * MS)  # else the second waits for company, as in Linux (tcp_tso_should_defer)
    pen.write(".", 1, ack=1, win=32768)
    assert pen.read() == [". 4001:5001(1000) ack 1", ". 5001:6001(1000) ack 1"]


@rfc("6582", "3.2")
def test_a_partial_ack_sends_the_next_segment_again() -> None:
    pen = sending(PLAIN)
    for _ in range(3):
        pen.write(".", 1, ack=1, win=65535)
    assert pen.read() == [". 1:1001(1000) ack 1"]
    for _ in range(5):
        pen.write(".", 1, ack=1, win=65535)  # eight of ten arrived
    pen.wait(100 * MS)
    pen.write(".", 1, ack=4001, win=65535)
    assert pen.read() == [". 4001:5001(1000) ack 1"]
    pen.wait(100 * MS)
    pen.write(".", 1, ack=10001, win=65535)
    assert pen.connection.info()["recovery"] == "recovery", "until something above the point is acknowledged"
    for _ in range(4):
        pen.write(".", 1, ack=10001, win=65535)
    assert pen.read() == []
    pen.connection.send(bytes(1000), pen.now)
    pen.write(".", 1, ack=11001, win=65535)
    info = pen.connection.info()
    assert (info["recovery"], info["snd_cwnd"], info["snd_ssthresh"]) == ("open", 5, 5)


@rfc("6582", "3.2")
def test_duplicates_that_our_own_repetitions_cause_are_no_loss() -> None:
    pen = sending(BIG, 4)
    pen.wait(300 * MS)
    pen.write(".", 1, ack=4001, win=32768)
    pen.connection.send(bytes(4000), pen.now)
    pen.read()
    for _ in range(4):
        pen.write(".", 1, ack=4001, win=32768)
    assert not any("fast" in (cause or "") for _, _, cause in pen.connection.take_output())


@rfc("6675", "5")
@rfc("2018", "5")
def test_only_the_holes_are_sent_again() -> None:
    pen = sending(SENDER)
    pen.write(".", 1, ack=1, options=sacks(pen, (1001, 2001)))
    pen.write(".", 1, ack=1, options=sacks(pen, (3001, 4001), (1001, 2001)))
    assert pen.read() == []
    pen.write(".", 1, ack=1, options=sacks(pen, (5001, 6001), (3001, 4001), (1001, 2001)))
    assert pen.read() == [". 1:1001(1000) ack 1"]
    assert pen.connection.info()["sacked"] == 3
    pen.write(".", 1, ack=1, options=sacks(pen, (5001, 10001), (3001, 4001)))
    assert pen.read() == [". 2001:3001(1000) ack 1", ". 4001:5001(1000) ack 1"]
    pen.wait(100 * MS)
    pen.write(".", 1, ack=10001)
    info = pen.connection.info()
    assert (info["recovery"], info["snd_cwnd"], info["total_retrans"]) == ("open", 5, 3)


def test_losses_beyond_the_recovery_point_begin_another_recovery() -> None:
    pen = sending(SENDER.replace(initial_segments=20), 20)
    pen.write(".", 1, ack=1, options=sacks(pen, (1001, 9001)))
    assert pen.read() == [". 1:1001(1000) ack 1"]
    pen.connection.send(bytes(10_000), pen.now)
    pen.wait(100 * MS)
    pen.read()
    pen.write(".", 1, ack=20001)
    assert pen.connection.info()["recovery"] == "open"
    point = pen.connection.snd.nxt - pen.connection.iss
    pen.wait(100 * MS)
    pen.read()
    pen.write(".", 1, ack=20001, options=sacks(pen, (21001, point)))
    assert pen.connection.info()["recovery"] == "recovery"
    assert ". 20001:21001(1000) ack 1" in pen.read()


def test_blocks_that_tell_nothing_change_nothing() -> None:
    pen = sending(SENDER, 3)
    pen.write(".", 1, ack=1001, options=sacks(pen, (1, 1001)))  # the report of a duplicate that we did not cause
    pen.write(".", 1, ack=1001, options=sacks(pen, (5001, 6001)))  # what was never sent
    pen.write(".", 1, ack=1001, options=sacks(pen, (2001, 1001)))  # nonsense
    assert (pen.connection.info()["recovery"], pen.connection.info()["sacked"]) == ("open", 0)
    without = sending(PLAIN, 3, b"\2\4\x03\xe8")
    without.write(".", 1, ack=1, options=sacks(without, (1001, 3001)))
    assert without.connection.info()["sacked"] == 1, "a duplicate ACK, and no more"


@rfc("5681", "3.1")
@rfc("6298", "5.5")
@rfc("9293", "MUST-19")
def test_a_timeout_goes_back_to_one_segment_and_doubles() -> None:
    pen = sending(BIG, 8)
    pen.wait(210 * MS)
    (header, text, cause), = pen.connection.take_output()
    assert (header.sequence, len(text), cause) == (1001, 1000, "retransmission timeout 1 of 1:1001")
    info = pen.connection.info()
    assert (info["snd_cwnd"], info["snd_ssthresh"], info["retransmits"]) == (1, 10, 1)
    pen.wait(600 * MS)
    assert pen.read() == [". 1:1001(1000) ack 1"]
    pen.write(".", 1, ack=1001, win=32768)
    assert pen.read() == [". 1001:2001(1000) ack 1", ". 2001:3001(1000) ack 1"]
    pen.write(".", 1, ack=8001, win=32768)
    pen.connection.send(bytes(2000), pen.now)
    assert [line.split()[1] for line in pen.read()] == ["8001:9001(1000)", "9001:10001(1000)"]


@rfc("2018", "8")
def test_a_peer_that_takes_its_word_back() -> None:
    pen = sending(SACKS, 3)
    pen.write(".", 1, ack=1, win=32768, options=sacks(pen, (1001, 3001)))
    pen.write(".", 1, ack=1001, win=32768)  # and yet 1001 to 3001 is not acknowledged
    pen.wait(S)
    assert ". 1001:2001(1000) ack 1" in pen.read()
    pen.write(".", 1, ack=2001, win=32768)
    assert "P. 2001:3001(1000) ack 1" in pen.read()


def test_with_sack_a_timeout_spares_what_the_peer_holds() -> None:
    pen = sending(SENDER.replace(rack=False, loss_probe=False), 4)
    pen.write(".", 1, ack=1, options=sacks(pen, (2001, 4001)))
    pen.wait(200 * MS)
    assert pen.read() == [". 1:1001(1000) ack 1"]
    pen.wait(100 * MS)
    pen.write(".", 1, ack=1001, options=sacks(pen, (2001, 4001)))
    assert pen.read() == [". 1001:2001(1000) ack 1"]
    pen.wait(100 * MS)
    pen.write(".", 1, ack=4001)
    assert pen.connection.info()["total_retrans"] == 2


@rfc("9293", "MUST-18")
@rfc("6298", "3")
def test_a_segment_that_was_sent_again_is_not_timed() -> None:
    pen = sending(BIG, 1)
    before = pen.connection.info()["rtt"]
    pen.wait(210 * MS)
    pen.write(".", 1, ack=1001, win=32768)
    assert pen.connection.info()["rtt"] == before
    assert pen.connection.info()["backoff_rto"] > 400 * MS  # the backoff stays until something new is timed
    pen.connection.send(bytes(1000), pen.now)
    pen.now += 20 * MS
    pen.write(".", 1, ack=2001, win=32768)
    assert pen.connection.info()["backoff_rto"] < 400 * MS


def grown(control: CongestionControl, acked: int, limited: bool = True) -> int:
    sample = Sample()
    sample.acked, sample.limited = acked, limited
    control.acknowledged(sample)
    return control.cwnd


def test_slow_start_then_congestion_avoidance() -> None:
    reno = NewReno(1000, 10)
    assert grown(reno, 2) == 12
    assert grown(reno, 9) == 21, "by all that an ACK acknowledges, as Linux"
    assert grown(reno, 2, limited=False) == 21, "a window that is not used does not grow"
    reno.ssthresh = reno.lost(0)
    assert reno.ssthresh == 10
    reno.cwnd = 8
    assert grown(reno, 5) == 10, "slow start ends at SSTHRESH, and the rest counts towards the next segment"
    assert grown(reno, 6) == 10
    assert grown(reno, 1) == 11
    reno.cwnd = 1
    assert reno.lost(0) == 2
    reno.prior_cwnd = 20
    assert reno.undo() == 20
    reno.segment_size(500)
    assert reno.mss == 500


class Fixed(CongestionControl):
    """A window of three segments, whatever happens: a congestion control in as many lines."""

    owns_window = True

    def control(self, sample: Sample) -> None:
        self.cwnd = 3


@rfc("9293", "MAY-18")
def test_another_congestion_control_can_be_plugged_in() -> None:
    both = established(TcpSettings(congestion=Fixed), fate=lambda n, sent: None if n % 9 == 8 else [10 * MS])
    data = bytes(200_000)
    assert both.transfer(data) == data
    assert both.a.congestion.cwnd == 3


@rfc("2861", "3")
@rfc("5681", "4.1")
def test_after_an_idle_time_the_window_restarts() -> None:
    both = established()
    both.transfer(bytes(1_000_000))
    assert both.a.congestion.cwnd > 35
    both.run(5 * S)
    both.a.send(bytes(1000), both.now)
    assert both.a.congestion.cwnd == 10
    kept = established(TcpSettings(slow_start_after_idle=False))
    kept.transfer(bytes(1_000_000))
    kept.run(5 * S)
    kept.a.send(bytes(1000), kept.now)
    assert kept.a.congestion.cwnd > 35


def lossy(*lost: int) -> Pair:
    return established(TcpSettings(), fate=lambda n, sent: None if n in lost else [10 * MS])


@pytest.mark.parametrize("sacks", [True, False])
@pytest.mark.parametrize("lost", [(0,), (3, 4, 5), (2, 5, 8), tuple(range(10)), (1, 11, 12, 13)])
def test_losses_of_all_shapes_are_mended(lost: tuple[int, ...], sacks: bool) -> None:
    def fate(n: int, sent: Sent) -> list[int] | None:
        return None if n in lost and sent.side == "a" else [10 * MS]

    both = established(TcpSettings(sack=sacks), fate=fate)
    data = bytes(range(256)) * 400
    assert both.transfer(data) == data
    assert both.now < 5 * S
    both.run()
    assert both.a.snd.una == both.a.snd.nxt
    assert both.a.info()["in_flight"] == 0


@rfc("6928", "2")
def test_the_first_window_is_ten_segments_and_one_after_lost_syns() -> None:
    for lost, count in ((0, 10), (2, 1)):
        pen = Pen(Connection(A, B, PLAIN, iss=1000))
        pen.connection.open_active(0)
        for _ in range(lost):
            pen.wait(S)
        pen.write("S", 0, ack=1, options=b"\2\4\x03\xe8")
        pen.read()
        pen.connection.send(bytes(20_000), pen.now)
        assert len(pen.read()) == count
