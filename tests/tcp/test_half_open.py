"""Half-open connections of a listener, as Linux's request sockets: what does not complete the handshake."""

import errno

from stack.tcp.connection import Connection
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.opening.listener import Listener
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED, ESTABLISHED, SYN_RECEIVED
from tests.tcp.builders import MS, PLAIN, A, B

S = 1000 * MS


class Half:
    """A listener, one half-open connection, and what it sends: `flags seq ack`."""

    def __init__(self, settings: TcpSettings = PLAIN, options: bytes = b"") -> None:
        self.listener = Listener(B, lambda *given: Connection(*given[:3], iss=100), settings)
        made = self.listener.receive(TCP(syn=True, window=1000, options=TCPOptions(options)), b"", B, A, 0)
        assert made is not None
        self.connection = made
        self.read()

    def write(self, now: int = 0, text: bytes = b"", options: bytes = b"", **fields: object) -> list[str]:
        self.connection.receive(TCP(window=1000, options=TCPOptions(options), **fields), text, now)  # type: ignore[arg-type]
        return self.read()

    def read(self) -> list[str]:
        return [f"{header.flags} {header.sequence} {header.acknowledgment}" for header, _, _ in self.connection.take_output()]

    def wait(self, until: int) -> list[tuple[int, str]]:
        sent = []
        while self.connection.deadline is not None and self.connection.deadline <= until:
            now = self.connection.deadline
            self.connection.timeout(now)
            sent += [(now // S, line) for line in self.read()]
        return sent


def test_a_syn_that_comes_again_is_answered_again_but_not_too_often() -> None:
    half = Half()
    assert half.write(syn=True, now=100 * MS) == ["18 100 1"]
    assert half.write(syn=True, now=200 * MS) == []
    assert half.write(syn=True, now=700 * MS) == ["18 100 1"]
    assert half.wait(3 * S) == [(1, "18 100 1")]  # 1 s after the last


def test_what_is_outside_the_window_is_acknowledged() -> None:
    half = Half()
    assert half.write(sequence=70_000, acknowledgment=101, ack=True) == ["16 101 1"]
    assert half.write(sequence=70_000, rst=True, now=S) == []
    assert half.connection.state is SYN_RECEIVED


def test_an_ack_of_something_else_is_reset_and_the_handshake_goes_on() -> None:
    half = Half()
    assert half.write(sequence=1, acknowledgment=105, ack=True) == ["4 105 0"]
    assert half.write(sequence=1, acknowledgment=101, ack=True) == []
    assert half.connection.state is ESTABLISHED


def test_another_syn_in_the_window_ends_it_with_a_reset() -> None:
    half = Half()
    assert half.write(sequence=5, syn=True) == ["20 0 6"]
    assert (half.connection.state, half.listener.half_open) == (CLOSED, 0)


def test_an_old_timestamp_is_outside_the_window() -> None:
    def stamp(value: int) -> bytes:
        return b"\1\1\x08\n" + value.to_bytes(4, "big") + bytes(4)

    half = Half(TcpSettings(), stamp(1000))
    assert half.write(sequence=1, acknowledgment=101, ack=True, options=stamp(999)) == ["16 101 1"]
    assert half.connection.state is SYN_RECEIVED
    half.write(sequence=1, acknowledgment=101, ack=True, options=stamp(1000))
    assert half.connection.state is ESTABLISHED


def test_a_deferred_accept_waits_for_data() -> None:
    half = Half(PLAIN.replace(defer_accept=3))
    assert half.write(sequence=1, acknowledgment=101, ack=True) == []
    assert half.wait(3 * S) == []  # the peer believes that the connection stands
    half.write(sequence=1, acknowledgment=101, ack=True, text=b"words", now=4 * S)
    accepted = half.listener.accept()
    assert accepted is half.connection
    assert accepted.recv(10, 4 * S) == b"words"


def test_a_deferred_accept_that_waited_long_enough_takes_a_bare_ack() -> None:
    half = Half(PLAIN.replace(defer_accept=2))
    half.write(sequence=1, acknowledgment=101, ack=True)
    assert half.wait(4 * S) == [(3, "18 100 1")]  # a last chance
    half.write(sequence=1, acknowledgment=101, ack=True, now=4 * S)
    assert half.listener.readable


def test_syn_acks_are_repeated_at_one_three_seven_seconds() -> None:
    half = Half()
    assert half.wait(100 * S) == [(second, "18 100 1") for second in (1, 3, 7, 15, 31)]
    assert (half.connection.state, half.listener.half_open) == (CLOSED, 0)


def test_what_the_network_says_ends_a_request_in_silence_and_what_the_port_says_does_not() -> None:
    half = Half()
    half.connection.icmp_error(errno.ECONNREFUSED, True, 0, 100)
    assert half.connection.state is SYN_RECEIVED
    half.connection.icmp_error(errno.EHOSTUNREACH, False, 0, 100)
    assert (half.connection.state, half.connection.error, half.listener.half_open, half.read()) == (CLOSED, None, 0, [])
