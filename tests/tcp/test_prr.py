"""Proportional rate reduction (RFC 6937), and congestion window validation (RFC 2861)."""

from tests.ledger import rfc
from tests.tcp.builders import MS, SENDER, sacks, sender

RENO = SENDER.replace(congestion="reno", initial_segments=20)


@rfc("6937", "3")
def test_the_window_goes_down_by_the_half_of_what_is_delivered() -> None:
    pen = sender(RENO, 20)
    pen.connection.send(bytes(20_000), pen.now)
    pen.read()
    sent = []
    for n in range(2, 20):
        pen.now += 2 * MS
        pen.write(".", 1, ack=1, options=sacks(pen, (1001, 1001 + 1000 * (n - 1))))
        sent.append(len(pen.read()))
    assert sent[2:] == [1, 0] * 8, "after the fast retransmit, one segment for two that were delivered"
    pen.now += 50 * MS
    pen.write(".", 1, ack=20_001)
    info = pen.connection.info()
    assert (info["snd_cwnd"], info["snd_ssthresh"], info["recovery"]) == (10, 10, "recovery"), "until what was sent before the loss was found is acknowledged"


@rfc("6937", "3")
def test_after_heavy_losses_the_flight_grows_to_half_the_window_no_faster_than_in_slow_start() -> None:
    pen = sender(RENO, 20)
    pen.write(".", 1, ack=1, options=sacks(pen, (16_001, 20_001)))
    assert pen.connection.info()["lost"] == 16
    assert len(pen.read()) == 4, "as many as were delivered, and no burst"
    pen.wait(100 * MS)
    pen.write(".", 1, ack=2001, options=sacks(pen, (16_001, 20_001)))
    assert len(pen.read()) == 3, "one more than the two that were delivered: the ACK advances"


@rfc("2861", "3")
def test_a_window_that_is_not_used_for_long_is_half_forgotten() -> None:
    pen = sender(RENO, 0)
    for n in range(20):
        pen.connection.send(bytes(1000), pen.now)
        pen.wait(100 * MS)
        pen.write(".", 1, ack=1001 + 1000 * n)
    info = pen.connection.info()
    assert info["snd_cwnd"] == 20, "what was used counts for an initial window at least"
    small = sender(RENO.replace(initial_segments=2), 2)
    small.connection.congestion.cwnd = 40
    for n in range(20):
        small.connection.send(bytes(1000), small.now)
        small.wait(100 * MS)
        small.write(".", 1, ack=3001 + 1000 * n)
    assert 2 <= small.connection.info()["snd_cwnd"] < 10
    assert small.connection.info()["snd_ssthresh"] >= 20, "three quarters of what it was are remembered"
