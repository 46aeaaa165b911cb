import pytest

from stack.tcp.connection import Connection
from stack.tcp.formats.tcp import TCP
from stack.tcp.state import CLOSED, ESTABLISHED, LISTEN, SYNCHRONIZED, TIME_WAIT, TRANSITIONS, State, diagram, table
from tests.ledger import rfc
from tests.tcp.builders import A, B, established


@rfc("9293", "3.3.2")
def test_every_state_can_be_reached_and_left() -> None:
    assert {new for _, new in TRANSITIONS} == set(State) == {old for old, _ in TRANSITIONS}


@rfc("9293", "3.3.2")
def test_a_transition_that_figure_5_lacks_is_refused() -> None:
    connection = Connection(A, B, iss=0)
    with pytest.raises(AssertionError, match="CLOSED → TIME-WAIT"):
        connection.enter(TIME_WAIT, 0)


def test_a_connection_keeps_what_it_went_through() -> None:
    connection = Connection(A, B, iss=0)
    assert connection.take_events() == []
    connection.watch()
    connection.watch()
    connection.open_passive(7)
    assert connection.take_events() == [(7, "state", (CLOSED, LISTEN, "passive OPEN"))]
    assert connection.take_events() == []


def test_the_table_draws_itself() -> None:
    assert '"ESTABLISHED" -> "CLOSE-WAIT" [label="rcv FIN, snd ACK"];' in diagram()
    assert "ESTABLISHED → CLOSE-WAIT    rcv FIN, snd ACK" in table()
    assert ESTABLISHED in SYNCHRONIZED
    assert LISTEN not in SYNCHRONIZED


def test_events_tell_where_a_segment_ended_and_how_the_window_grew() -> None:
    both = established()
    both.a.watch()
    both.transfer(bytes(100_000))
    samples = [detail for _, what, detail in both.a.take_events() if what == "cwnd"]
    assert samples[0][0] == 15_928
    assert [cwnd for cwnd, _ in samples] == sorted(cwnd for cwnd, _ in samples)
    both.a.receive(TCP(sequence=5, rst=True), b"", both.now)
    assert both.a.take_events() == [(both.now, "ended", "check_sequence_number")]
