import errno

from stack.tcp.connection import Connection
from stack.tcp.formats.tcp import TCP
from stack.tcp.opening.listener import Listener
from stack.tcp.reset import refusal
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED
from tests.ledger import rfc
from tests.tcp.builders import MS, PLAIN, A, B

S = 1000 * MS


def make(local: tuple[bytes, int], remote: tuple[bytes, int], settings: TcpSettings, now: int) -> Connection:
    return Connection(local, remote, settings, iss=100)


def peer(n: int) -> tuple[bytes, int]:
    return A[0], 40000 + n


def knock(listener: Listener, n: int, seq: int = 0) -> Connection | None:
    return listener.receive(TCP(source=40000 + n, destination=80, sequence=seq, syn=True), b"", B, peer(n), 0)


def answer(connection: Connection, now: int = 0) -> None:
    connection.receive(TCP(sequence=1, acknowledgment=connection.iss + 1, ack=True), b"", now)


def test_connections_are_accepted_in_the_order_in_which_they_were_opened() -> None:
    listener = Listener(B, make, PLAIN, backlog=5)
    told: list[bool] = []
    listener.notify = lambda: told.append(listener.readable)
    assert listener.accept() is None
    first, second = knock(listener, 1), knock(listener, 2)
    assert first is not None
    assert second is not None
    assert listener.half_open == 2
    answer(second)
    answer(first)
    assert (listener.half_open, told) == (0, [True, True])
    assert [listener.accept(), listener.accept(), listener.accept()] == [second, first, None]
    assert repr(listener) == "<Listener 10.0.0.2:80, 0 to accept>"


@rfc("9293", "3.10.7.2")
def test_only_a_syn_makes_a_connection() -> None:
    listener = Listener(B, make)
    for flags in ({"rst": True}, {"ack": True}, {"syn": True, "ack": True}, {"syn": True, "fin": True}, {"fin": True}):
        assert listener.receive(TCP(**flags), b"", B, A, 0) is None  # type: ignore[arg-type]


@rfc("4987", "3.2")
def test_a_flood_of_syns_finds_a_bound_and_leaves_in_the_end() -> None:
    listener = Listener(B, make, PLAIN.replace(syn_cookies=0), backlog=10)
    made = [connection for n in range(1000) if (connection := knock(listener, n)) is not None]
    assert (len(made), listener.half_open, listener.dropped) == (11, 11, 1000 - 11)
    for connection in made:
        while connection.deadline is not None:
            connection.timeout(connection.deadline)
        assert connection.state is CLOSED
    assert listener.half_open == 0


def test_a_full_queue_makes_the_last_ack_wait() -> None:
    listener = Listener(B, make, PLAIN, backlog=1)
    made = [connection for n in range(2) if (connection := knock(listener, n)) is not None]
    answer(made[0])
    made += [connection for n in (2,) if (connection := knock(listener, n)) is not None]
    answer(made[1])
    assert listener.full
    assert knock(listener, 3) is None
    last = made[2]
    answer(last)
    assert (listener.dropped, last.state) == (2, SYN_RECEIVED)
    assert listener.accept() is made[0]
    last.take_output()
    last.timeout(1 * S)
    assert [header.syn for header, _, _ in last.take_output()] == [True]
    answer(last, 1 * S)
    assert last.state is ESTABLISHED


def test_a_reset_while_half_open_makes_room() -> None:
    listener = Listener(B, make, PLAIN, backlog=0)
    connection = knock(listener, 1)
    assert connection is not None
    connection.receive(TCP(sequence=1, rst=True), b"", 0)
    assert (connection.state, listener.half_open) == (CLOSED, 0)


def test_closing_ends_what_was_not_accepted() -> None:
    listener = Listener(B, make, PLAIN)
    half, whole = knock(listener, 1), knock(listener, 2)
    assert half is not None
    assert whole is not None
    answer(whole)
    half.take_output()
    whole.take_output()
    listener.close(0)
    assert (half.state, half.take_output()) == (CLOSED, [])
    assert [header.rst for header, _, _ in whole.take_output()] == [True]
    assert whole.state is CLOSED


def test_a_connection_that_was_reset_before_it_was_accepted_is_still_accepted() -> None:
    listener = Listener(B, make, PLAIN)
    connection = knock(listener, 1)
    assert connection is not None
    answer(connection)
    connection.receive(TCP(sequence=1, rst=True), b"", 0)
    accepted = listener.accept()
    assert accepted is connection
    assert accepted.take_error() == errno.ECONNRESET


@rfc("9293", "MAY-2")
def test_a_new_incarnation_begins_above_the_old_one() -> None:
    listener = Listener(B, make, PLAIN)
    connection = listener.receive(TCP(syn=True), b"", B, A, 0, above=2**32 + 5)
    assert connection is not None
    assert connection.take_output()[0][0].sequence == 5 + 65537
    answer(connection)
    assert connection.state is ESTABLISHED


@rfc("9293", "3.10.7.1")
@rfc("9293", "3.5.2")
def test_the_reset_for_a_segment_without_a_connection() -> None:
    reply = refusal(TCP(source=1, destination=2, sequence=2**32 - 2, syn=True, fin=True), 3)
    assert reply is not None
    assert (reply.source, reply.destination, reply.sequence, reply.acknowledgment) == (2, 1, 0, 3)
    assert (reply.rst, reply.ack) == (True, True)
    reply = refusal(TCP(sequence=5, acknowledgment=77, ack=True), 0)
    assert reply is not None
    assert (reply.sequence, reply.rst, reply.ack) == (77, True, False)
    assert refusal(TCP(rst=True), 0) is None


@rfc("4987", "3.4")
def test_old_half_open_connections_are_given_up_sooner_where_they_crowd_out_young_ones() -> None:
    """reqsk_timer_handler: half of the room is for the young."""
    listener = Listener(B, make, PLAIN, backlog=10)
    made = [connection for n in range(11) if (connection := knock(listener, n)) is not None]
    alone = knock(Listener(B, make, PLAIN, backlog=100), 1)
    assert alone is not None
    for second in (1, 3, 7):
        for connection in (*made, alone):
            connection.timeout(second * S)
    assert [connection.state for connection in made] == [CLOSED] * 6 + [SYN_RECEIVED] * 5
    assert alone.state is SYN_RECEIVED


def test_without_cookies_the_last_quarter_of_the_backlog_is_kept() -> None:
    listener = Listener(B, make, PLAIN.replace(syn_cookies=0, syn_backlog=16), backlog=100)
    assert [knock(listener, n) is not None for n in range(14)] == [True] * 13 + [False]


def test_a_last_ack_that_finds_no_room_is_reset_where_that_is_wanted() -> None:
    listener = Listener(B, make, PLAIN.replace(abort_on_overflow=True), backlog=1)
    first, second = knock(listener, 1), knock(listener, 2)
    assert first is not None
    assert second is not None
    answer(first)
    listener.backlog = 0
    second.take_output()
    answer(second)
    assert [header.flags for header, _, _ in second.take_output()] == [4]
    assert (second.state, listener.half_open) == (CLOSED, 0)
