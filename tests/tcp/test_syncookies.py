"""SYN cookies: a listener under a flood (RFC 4987 section 3.6)."""

from stack.tcp.connection import Connection
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.opening import syncookies
from stack.tcp.opening.listener import Listener
from stack.tcp.segment import syn_options
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED, ESTABLISHED
from tests.ledger import rfc
from tests.tcp.builders import MS, A, B

S = 1000 * MS
SECRET = bytes(range(48))
ALWAYS = TcpSettings(syn_cookies=2)
OFFSET = 0xFFFFFF00


class Host:
    """A listener and the segments of its connections."""

    def __init__(self, settings: TcpSettings = ALWAYS, backlog: int = 5) -> None:
        self.sent: list[TCP] = []
        self.listener = Listener(B, self.make, settings, backlog, SECRET)

    def make(self, local: tuple[bytes, int], remote: tuple[bytes, int], settings: TcpSettings, now: int) -> Connection:
        return Connection(local, remote, settings, iss=7, ts_offset=OFFSET, sink=lambda c, header, text, cause: self.sent.append(header))

    def knock(self, options: bytes = b"\2\4\5\x78", now: int = 0, n: int = 0) -> TCP:
        header = TCP(source=A[1] + n, destination=80, sequence=999, syn=True, window=1000, options=TCPOptions(options))
        self.listener.receive(header, b"", B, (A[0], A[1] + n), now)
        return self.sent.pop()

    def answer(self, number: int, now: int = 0, options: bytes = b"", text: bytes = b"", seq: int = 1000, n: int = 0) -> Connection | None:
        header = TCP(source=A[1] + n, destination=80, sequence=seq, acknowledgment=number, ack=True, window=5000, options=TCPOptions(options))
        return self.listener.receive(header, text, B, (A[0], A[1] + n), now)


@rfc("4987", "3.6")
def test_nothing_is_kept_of_a_syn_and_its_ack_opens_the_connection() -> None:
    host = Host()
    reply = host.knock()
    assert (host.listener.half_open, reply.flags, reply.acknowledgment, bytes(reply.options)) == (0, 18, 1000, b"\2\4\5\xb4")
    connection = host.answer(reply.sequence + 1, text=b"words")
    assert connection is not None
    assert host.listener.accept() is connection
    assert (connection.state, connection.snd.mss, connection.recv(10, 0)) == (ESTABLISHED, 1300, b"words")  # of 1400 announced


def test_the_timestamp_remembers_the_other_options() -> None:
    for scale, sack in ((9, True), (None, True), (3, False)):
        host = Host()
        reply = host.knock(syn_options(1460, scale, sack, (5, 0)), now=100 * MS)
        assert reply.options.timestamps is not None
        value, echo = reply.options.timestamps
        assert (echo, value - OFFSET & 0x3F, value - OFFSET & 0xFFFFFFFF) == (5, (15 if scale is None else scale) | sack << 4, value - OFFSET & 0xFFFFFFFF)
        assert 0 <= 100 - (value - OFFSET & 0xFFFFFFFF) <= 64
        stamp = b"\1\1\x08\n" + (6).to_bytes(4, "big") + value.to_bytes(4, "big")
        connection = host.answer(reply.sequence + 1, now=200 * MS, options=stamp)
        assert connection is not None
        info = connection.info()
        assert (info["snd_wscale"], info["sack"], info["timestamps"], info["snd_mss"]) == (scale or 0, sack, True, 1448)
        assert connection.snd.wnd == 5000 << (scale or 0)


def test_a_cookie_is_good_for_two_minutes_at_most_and_for_its_sender() -> None:
    host = Host()
    number = host.knock().sequence + 1
    assert host.answer(number, n=1) is None  # another port
    assert host.answer(number, seq=2000) is None  # another SYN
    assert host.answer(number + 2000) is None
    assert host.answer(number, now=120 * S) is None
    assert host.answer(number, now=119 * S) is not None


def test_an_ack_is_no_cookie_where_none_was_sent() -> None:
    number = Host().knock().sequence + 1
    quiet = Host(TcpSettings())
    assert quiet.answer(number) is None
    assert Host(TcpSettings(syn_cookies=0)).answer(number) is None


@rfc("4987", "3.6")
def test_a_flood_does_not_shut_out_others() -> None:
    host = Host(TcpSettings(), backlog=2)
    for n in range(100):
        reply = host.knock(n=n)
    assert (host.listener.half_open, host.listener.dropped) == (3, 0)
    honest = host.answer(reply.sequence + 1, n=99)
    assert host.listener.accept() is honest


def test_a_cookie_that_finds_the_queue_full_is_dropped_and_may_come_again() -> None:
    host = Host(backlog=0)
    first, second = host.knock(), host.knock(n=1)
    assert host.answer(first.sequence + 1) is not None
    refused = host.answer(second.sequence + 1, n=1)
    assert refused is not None
    assert (refused.state, host.sent, host.listener.dropped) == (CLOSED, [], 1)
    host.listener.accept()
    again = host.answer(second.sequence + 1, n=1, text=b"words")
    assert host.listener.accept() is again


def test_the_number_is_a_sum_of_the_peers_and_of_a_place_in_the_table() -> None:
    number = syncookies.make(SECRET, B, A, 5, 2, 61 * S)
    assert syncookies.check(SECRET, B, A, 5, number, 62 * S) == 1440
    assert number - syncookies.make(SECRET, B, A, 4, 2, 61 * S) & 0xFFFFFFFF == 1
    assert number - syncookies.make(SECRET, B, A, 5, 1, 61 * S) & 0xFFFFFFFF == 1
