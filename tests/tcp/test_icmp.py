import errno

from stack.base.address import IPv6Address
from stack.tcp.connection import Connection
from stack.tcp.state import CLOSED, ESTABLISHED
from tests.ledger import rfc
from tests.tcp.builders import PLAIN, A, B, Pen, client


@rfc("9293", "MUST-54")
def test_an_unreachable_ends_an_attempt_to_connect() -> None:
    pen = Pen(Connection(A, B, PLAIN, iss=1000))
    pen.connection.open_active(0)
    pen.connection.icmp_error(errno.ENETUNREACH, False, 0, sequence=5000)  # about no segment of ours
    assert pen.connection.state is not CLOSED
    pen.connection.icmp_error(errno.ENETUNREACH, False, 0, sequence=1000)
    pen.connection.icmp_error(errno.ECONNREFUSED, True, 0)
    assert (pen.connection.state, pen.connection.take_error()) == (CLOSED, errno.ENETUNREACH)


@rfc("9293", "MUST-56")
@rfc("9293", "MUST-47")
@rfc("9293", "SHLD-25")
def test_a_soft_error_does_not_end_a_connection_but_is_told() -> None:
    pen = client()
    pen.connection.watch()
    pen.connection.icmp_error(errno.EHOSTUNREACH, False, 7)
    pen.connection.icmp_error(errno.ECONNREFUSED, True, 7)
    assert (pen.connection.state, pen.connection.soft_error) == (ESTABLISHED, errno.ECONNREFUSED)
    assert pen.connection.take_events()[0] == (7, "icmp", errno.EHOSTUNREACH)


@rfc("9293", "SHLD-26")
def test_a_hard_error_ends_a_connection_where_that_is_asked_for() -> None:
    pen = client(PLAIN.replace(abort_on_hard_icmp=True))
    pen.connection.icmp_error(errno.EHOSTUNREACH, False, 0)
    assert pen.connection.state is ESTABLISHED
    pen.connection.icmp_error(errno.ECONNREFUSED, True, 0)
    assert pen.connection.error == errno.ECONNREFUSED


@rfc("1191", "6.4")
def test_a_smaller_path_sends_the_same_octets_again_in_smaller_segments() -> None:
    pen = client(options=b"\2\4\x05\xb4", win=65535)
    pen.connection.send(bytes(3000), 0)
    pen.read()
    pen.connection.path_mtu(576, 0, sequence=1)
    assert pen.read() == []  # about a segment that is not ours
    pen.connection.path_mtu(576, 0, sequence=1001)
    made = pen.connection.take_output()
    assert [len(text) for _, text, _ in made] == [536] * 5 + [320]
    assert pen.connection.info()["snd_cwnd"] == 10
    pen.write(".", 1, ack=3001)
    pen.connection.path_mtu(1400, 0)
    pen.connection.path_mtu(20, 0)
    assert pen.connection.info()["snd_mss"] == 28
    pen.connection.send(b"x", 0)
    pen.write(".", 1, ack=3002)
    assert pen.connection.info()["recovery"] == "open"
    assert pen.connection.info()["snd_cwnd"] >= 10


def test_a_smaller_path_before_and_during_the_handshake() -> None:
    address = IPv6Address("fd00::1")
    pen = Pen(Connection((address, 1), (address, 2), PLAIN, iss=0))
    pen.connection.open_active(0)
    pen.connection.path_mtu(1300, 0)
    pen.connection.path_mtu(100, 0)
    pen.write("S", 0, ack=1, options=b"\2\4\x05\xb4")
    assert pen.connection.info()["snd_mss"] == 1220


def test_a_smaller_path_while_data_is_being_recovered() -> None:
    pen = client(options=b"\2\4\x05\xb4", win=65535)
    pen.connection.send(bytes(6000), 0)
    for _ in range(3):
        pen.write(".", 1, ack=1)
    pen.read()
    pen.connection.path_mtu(1000, 0)
    assert "1:961(960)" in pen.read()[0]
