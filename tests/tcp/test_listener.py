import errno

from stack.tcp.connection import Connection
from stack.tcp.formats.tcp import TCP
from stack.tcp.listener import SYN_BACKLOG, Listener
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


def test_a_flood_of_syns_finds_a_bound_and_leaves_in_the_end() -> None:
    listener = Listener(B, make, PLAIN, backlog=10)
    made = [connection for n in range(1000) if (connection := knock(listener, n)) is not None]
    assert (len(made), listener.half_open, listener.dropped) == (SYN_BACKLOG, SYN_BACKLOG, 1000 - SYN_BACKLOG)
    for connection in made:
        while connection.deadline is not None:
            connection.timeout(connection.deadline)
        assert connection.state is CLOSED
    assert listener.half_open == 0


def test_a_full_queue_makes_the_last_ack_wait() -> None:
    listener = Listener(B, make, PLAIN, backlog=0)
    first, second = knock(listener, 1), None
    assert first is not None
    answer(first)
    assert listener.full
    assert knock(listener, 2) is None
    listener.accept()
    second, third = knock(listener, 2), knock(listener, 3)
    assert second is not None
    assert third is not None
    answer(second)
    answer(third)
    assert (second.state, third.state) == (ESTABLISHED, SYN_RECEIVED)
    listener.accept()
    third.timeout(S)
    answer(third, S)
    assert third.state is ESTABLISHED


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


def test_more_clients_than_the_backlog_knock_at_once_and_all_get_in() -> None:
    """As with `socketserver`, whose backlog is 5: the queue of half-open connections is longer than that of open ones."""
    listener = Listener(B, make, PLAIN, backlog=5)
    made = [connection for n in range(50) if (connection := knock(listener, n)) is not None]
    assert len(made) == 50
    for connection in made:
        answer(connection)
    accepted = [listener.accept() for _ in range(6)]
    assert accepted == made[:6]
    for connection in made[6:]:  # their ACK found the queue full, so the SYN,ACK comes again
        connection.take_output()
        connection.timeout(1 * S)
        assert [header.syn for header, _, _ in connection.take_output()] == [True]
        answer(connection)
        accepted.append(listener.accept())
    assert accepted == made
    assert listener.dropped == 44


def test_a_flood_does_not_shut_out_others_for_longer_than_a_repetition() -> None:
    listener = Listener(B, make, PLAIN)
    flood = [connection for n in range(SYN_BACKLOG) if (connection := knock(listener, n)) is not None]
    assert knock(listener, 1000) is None  # nobody has been given time to answer
    for connection in flood:
        connection.timeout(1 * S)
    honest = knock(listener, 1000)
    assert honest is not None
    assert (flood[0].state, flood[1].state, listener.half_open) == (CLOSED, SYN_RECEIVED, SYN_BACKLOG)
    answer(honest)
    assert listener.accept() is honest
