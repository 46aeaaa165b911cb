"""Fast open: stories of two engines, and of a listener (RFC 7413)."""

import errno
import ipaddress

import pytest

from stack.tcp.connection import Connection
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import TCP
from stack.tcp.opening.fastopen import Failure, FastOpen, cookie
from stack.tcp.opening.fastopen_cache import LIMIT, FastOpenCache
from stack.tcp.opening.listener import Listener
from stack.tcp.opening.siphash import siphash
from stack.tcp.settings import TcpSettings
from stack.tcp.state import CLOSED, ESTABLISHED, FIN_WAIT_1, SYN_RECEIVED, SYN_SENT
from tests.ledger import rfc
from tests.tcp.builders import MS, MSS_1000, PLAIN, A, B, Pen

S = 1000 * MS
KEY = bytes.fromhex("a1a1a1a1b2b2b2b2c3c3c3c3d4d4d4d4")
SERVER = PLAIN.replace(fast_open=0x402, fast_open_keys=(KEY,))
COOKIE = cookie(KEY, bytes(A[0]), bytes(B[0]))
OLD = b"\x22" * 16


def make(local: tuple[bytes, int], remote: tuple[bytes, int], settings: TcpSettings, now: int) -> Connection:
    return Connection(local, remote, settings, iss=100)


def option(value: bytes, experimental: bool = False) -> bytes:
    made = b"\xfe%c\xf9\x89" % (4 + len(value)) if experimental else b"\x22%c" % (2 + len(value))
    return made + value + b"\1" * (-len(made + value) % 4)


def knock(listener: Listener, value: bytes | None, text: bytes = b"hello", n: int = 0, now: int = 0) -> Connection | None:
    header = TCP(source=A[1] + n, destination=80, syn=True, window=1000, options=TCPOptions(MSS_1000 + (option(value) if value is not None else b"")))
    return listener.receive(header, text, B, (A[0], A[1] + n), now)


def client(cache: FastOpenCache, data: bytes | None, settings: TcpSettings = PLAIN) -> tuple[Pen, int]:
    pen = Pen(Connection(A, B, settings, iss=1000))
    pen.connection.fast = FastOpen(cache)
    return pen, pen.connection.open_active(0, data)


def known(value: bytes = COOKIE, mss: int = 1000) -> FastOpenCache:
    cache = FastOpenCache()
    cache.learn(A[0], B[0], mss, value, False, False, 0, 0)
    return cache


def test_siphash_is_that_of_its_paper() -> None:
    assert siphash(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5


@pytest.mark.parametrize(
    ("key", "client", "server", "value"),
    [
        (KEY, "192.0.2.1", "192.168.0.1", "3021b9d889017eeb"),
        (KEY, "fd3d:fa7b:d17d::1", "fd3d:0a0b:17d6::1", "c1d1e9742a47a9bc"),
        (bytes(16), "192.0.2.1", "192.168.0.1", "b7c12350a90dc8f5"),
        (bytes(16), "fd3d:fa7b:d17d::1", "fd3d:0a0b:17d6::1", "82af1a8f9a205c34"),
    ],
)
def test_cookies_are_linuxs(key: bytes, client: str, server: str, value: str) -> None:
    assert cookie(key, ipaddress.ip_address(client).packed, ipaddress.ip_address(server).packed).hex() == value


@rfc("7413", "4.1.2")
def test_a_server_gives_a_cookie_and_then_takes_data_with_it() -> None:
    listener = Listener(B, make, SERVER)
    asked = knock(listener, b"", b"")
    assert asked is not None
    header, text, _ = asked.take_output()[0]
    assert (bytes(header.options)[4:], header.acknowledgment, text) == (option(COOKIE), 1, b"")
    assert not listener.readable
    opened = knock(listener, COOKIE, n=1)
    assert opened is not None
    header, _, _ = opened.take_output()[0]
    assert (header.flags, header.acknowledgment, bytes(header.options)) == (18, 6, b"\2\4\x05\xb4")
    assert listener.accept() is opened
    assert (opened.state, opened.recv(10, 0)) == (SYN_RECEIVED, b"hello")
    assert opened.send(b"answer", 0) == 6
    assert [text for _, text, _ in opened.take_output()] == [b"answer"]
    opened.receive(TCP(sequence=6, acknowledgment=107, ack=True, window=1000), b"", 0)
    assert (opened.state, opened.snd.una, listener.fast_open.pending) == (ESTABLISHED, 107, 0)


@rfc("7413", "4.1.2")
def test_a_wrong_cookie_costs_the_data_and_brings_the_right_one() -> None:
    listener = Listener(B, make, SERVER)
    connection = knock(listener, b"\xaa" * 8)
    assert connection is not None
    header, _, _ = connection.take_output()[0]
    assert (header.acknowledgment, bytes(header.options)[4:]) == (1, option(COOKIE))
    assert not listener.readable
    connection.timeout(1 * S)
    assert bytes(connection.take_output()[0][0].options) == b"\2\4\x05\xb4"  # once
    connection.receive(TCP(sequence=1, acknowledgment=101, ack=True), b"hello", 0)
    assert connection.recv(10, 0) == b"hello"


def test_a_cookie_of_the_backup_key_is_good_and_is_renewed() -> None:
    listener = Listener(B, make, SERVER.replace(fast_open_keys=(OLD, KEY)))
    connection = knock(listener, COOKIE)
    assert connection is not None
    header, _, _ = connection.take_output()[0]
    assert (header.acknowledgment, bytes(header.options)[4:]) == (6, option(cookie(OLD, bytes(A[0]), bytes(B[0]))))


@pytest.mark.parametrize(("bits", "queue", "opens"), [(0x1, None, False), (0x2, None, False), (0x2, 5, True), (0x402, 0, False)])
def test_who_takes_data_in_a_syn(bits: int, queue: int | None, opens: bool) -> None:
    connection = knock(Listener(B, make, SERVER.replace(fast_open=bits, fast_open_queue=queue)), COOKIE)
    assert connection is not None
    assert connection.take_output()[0][0].acknowledgment == (6 if opens else 1)


def test_a_server_may_do_without_cookies() -> None:
    for settings in (SERVER.replace(fast_open=0x602), SERVER.replace(fast_open_no_cookie=True)):
        connection = knock(Listener(B, make, settings), None)
        assert connection is not None
        assert connection.take_output()[0][0].acknowledgment == 6


@rfc("7413", "5.1")
def test_a_child_reset_after_it_was_accepted_counts_for_a_minute() -> None:
    listener = Listener(B, make, SERVER.replace(fast_open_queue=1))
    child = knock(listener, COOKIE)
    assert child is not None
    second = knock(listener, COOKIE, n=1)
    assert second is not None
    assert second.take_output()[0][0].acknowledgment == 1  # the queue is full: an ordinary handshake
    assert listener.accept() is child
    child.receive(TCP(sequence=6, rst=True), b"", 0)
    assert (child.state, child.recv(10, 0), child.take_error()) == (CLOSED, b"hello", errno.ECONNRESET)
    for n, (now, acknowledged) in enumerate([(59 * S, 1), (60 * S, 6)]):
        again = knock(listener, COOKIE, n=2 + n, now=now)
        assert again is not None
        assert again.take_output()[0][0].acknowledgment == acknowledged


def test_a_child_reset_before_it_was_accepted_is_accepted_with_its_data() -> None:
    listener = Listener(B, make, SERVER)
    child = knock(listener, COOKIE)
    assert child is not None
    child.receive(TCP(sequence=6, rst=True), b"", 0)
    assert listener.accept() is child
    assert (child.recv(10, 0), child.take_error(), listener.fast_open.pending) == (b"hello", errno.ECONNRESET, 0)


def test_a_child_whose_handshake_does_not_end_sends_nothing_again_but_its_syn_ack() -> None:
    listener = Listener(B, make, SERVER)
    child = knock(listener, COOKIE)
    assert child is not None
    child.send(b"answer", 0)
    child.take_output()
    times = []
    while child.deadline is not None:
        now = child.deadline
        child.timeout(now)
        times += [(now // S, header.flags, header.acknowledgment) for header, _, _ in child.take_output()]
    assert times == [(second, 18, 6) for second in (1, 3, 7, 15, 31, 63)]  # one more than without fast open
    assert child.take_error() == errno.ETIMEDOUT


def test_a_child_that_is_closed_sends_its_fin_before_the_handshake_is_over() -> None:
    child = knock(Listener(B, make, SERVER), COOKIE)
    assert child is not None
    child.recv(10, 0)
    child.take_output()
    child.close(0)
    assert (child.state, [header.flags for header, _, _ in child.take_output()]) == (FIN_WAIT_1, [17])


def test_a_listener_that_closes_resets_its_children() -> None:
    listener = Listener(B, make, SERVER)
    child = knock(listener, COOKIE)
    assert child is not None
    child.take_output()
    listener.close(0)
    assert [(header.flags, header.sequence, header.acknowledgment) for header, _, _ in child.take_output()] == [(20, 101, 6)]


@rfc("7413", "4.1.1")
@rfc("7413", "4.2.1")
def test_a_client_asks_for_a_cookie_keeps_it_and_sends_data_with_it() -> None:
    cache = FastOpenCache()
    pen, taken = client(cache, b"data")
    assert (taken, pen.connection.fast is not None and pen.connection.fast.failure) == (0, Failure.COOKIE_UNAVAILABLE)
    assert bytes(pen.connection.take_output()[0][0].options)[4:] == b"\x22\2\1\1"
    pen.write("S", 0, ack=1, options=MSS_1000 + option(COOKIE))
    found = cache.find(A[0], B[0])
    assert found is not None
    assert (found.cookie, found.mss) == (COOKIE, 1000)
    pen, taken = client(cache, bytes(2000))
    assert taken == 960  # the server's MSS less the most that options may take
    header, text, _ = pen.connection.take_output()[0]
    assert (header.flags, len(text), bytes(header.options)[4:]) == (2, 960, option(COOKIE))
    pen.write("S", 0, ack=961, options=MSS_1000)
    assert (pen.read(), pen.connection.state) == ([". 961:961(0) ack 1"], ESTABLISHED)
    assert pen.connection.fast is not None
    assert pen.connection.fast.acked


@rfc("7413", "4.2.2")
def test_data_that_the_server_did_not_take_goes_again() -> None:
    for ack, again in ((1, "P. 1:5(4) ack 1"), (3, "P. 3:5(2) ack 1")):
        pen, _ = client(known(), b"data")
        pen.read()
        pen.write("S", 0, ack=ack, options=MSS_1000)
        assert pen.read() == [again]
        assert pen.connection.fast is not None
        assert pen.connection.fast.failure is Failure.DATA_NOT_ACKED


def test_a_repeated_syn_has_neither_data_nor_cookie() -> None:
    cache = known()
    pen, _ = client(cache, b"data")
    assert pen.read() == ["S 0:4(4)"]
    pen.wait(1 * S)
    header, text, _ = pen.connection.take_output()[0]
    assert (text, bytes(header.options)) == (b"", b"\2\4\x05\xb4")
    pen.write("S", 0, ack=1, options=MSS_1000)
    assert pen.read() == ["P. 1:5(4) ack 1"]
    assert pen.connection.fast is not None
    assert pen.connection.fast.failure is Failure.SYN_RETRANSMITTED
    found = cache.find(A[0], B[0])
    assert found is not None
    assert (found.syn_losses, found.cookie) == (1, COOKIE)


def test_an_answer_with_text_and_fin_is_taken_where_it_was_opened_fast() -> None:
    pen, _ = client(known(), b"data")
    pen.read()
    pen.write("SF", 0, ack=5, text=b"early", options=MSS_1000)
    assert (pen.read(), pen.connection.recv(10, 0), pen.connection.eof) == ([". 5:5(0) ack 7"], b"early", True)


def test_a_cookie_that_is_too_short_or_too_long_or_odd_is_not_kept() -> None:
    for value in (b"\x11\x22", b"x" * 18, b"abc"):
        cache = known()
        pen, _ = client(cache, b"data")
        pen.write("S", 0, ack=5, options=b"\2\4\3\x84" + option(value))
        found = cache.find(A[0], B[0])
        assert found is not None
        assert (found.cookie, found.mss) == (COOKIE, 900)


def test_who_is_not_answered_in_one_option_tries_the_other() -> None:
    cache = FastOpenCache()
    seen = []
    for _ in range(3):
        pen, _ = client(cache, b"")
        seen.append(bytes(pen.connection.take_output()[0][0].options)[4:])
        pen.write("S", 0, ack=1, options=MSS_1000)
    assert seen == [b"\x22\2\1\1", b"\xfe\4\xf9\x89", b"\x22\2\1\1"]
    pen, _ = client(cache, b"")
    pen.write("S", 0, ack=1, options=MSS_1000 + option(COOKIE, experimental=True))
    pen, taken = client(cache, b"data")
    assert (taken, bytes(pen.connection.take_output()[0][0].options)[4:]) == (4, option(COOKIE, experimental=True))


def test_without_a_cookie_where_that_is_wanted() -> None:
    pen, taken = client(FastOpenCache(), b"data", PLAIN.replace(fast_open=0x5))
    header, text, _ = pen.connection.take_output()[0]
    assert (taken, text, bytes(header.options)) == (4, b"data", b"\2\4\x05\xb4")


def test_connect_may_leave_the_syn_to_the_first_data() -> None:
    pen, _ = client(known(), None)
    connection = pen.connection
    assert (pen.read(), connection.state, connection.writable, connection.deadline) == ([], SYN_SENT, True, None)
    assert connection.open_active(0, b"data") == 4
    assert pen.read() == ["S 0:4(4)"]
    unknown, _ = client(FastOpenCache(), None)
    assert unknown.read() == ["S 0:0(0)"]


def test_a_path_that_is_too_narrow_for_the_syn_brings_a_smaller_one_at_once() -> None:
    pen, _ = client(known(), bytes(900))
    pen.read()
    pen.connection.path_mtu(800, 5 * MS, 1000)
    header, text, _ = pen.connection.take_output()[0]
    assert (header.flags, text, bytes(header.options)) == (2, b"", b"\2\4\2\xf8")
    pen.write("S", 0, ack=1, options=MSS_1000)
    assert pen.read() == [". 1:761(760) ack 1", "P. 761:901(140) ack 1"]


@rfc("7413", "4.1.3.1")
def test_connections_that_are_swallowed_bring_a_pause() -> None:
    settings = PLAIN.replace(fast_open_pause=60 * S)
    cache = known()
    pen, _ = client(cache, b"data", settings)
    pen.wait(3 * S)  # the third timeout in a row
    assert cache.disabled(60 * S, 62 * S)
    assert not cache.disabled(60 * S, 63 * S)
    pen, taken = client(cache, b"data", settings)
    assert (taken, bytes(pen.connection.take_output()[0][0].options)) == (0, b"\2\4\x05\xb4")
    cache.disable(60 * S, 100 * S)
    assert cache.disabled(60 * S, 219 * S)


def test_what_is_remembered_is_bounded() -> None:
    cache = FastOpenCache()
    for number in range(LIMIT + 1):
        cache.learn(A[0], number.to_bytes(4, "big"), 1000, None, False, False, 0, 0)
    assert cache.find(A[0], bytes(4)) is None
    assert cache.find(A[0], b"\0\0\0\1") is not None


@pytest.mark.parametrize(("ack", "answer"), [(5, [". 5:5(0) ack 1"]), (1, ["P. 1:5(4) ack 1"]), (3, ["P. 3:5(2) ack 1"])])
def test_two_that_open_fast_at_once_acknowledge_no_data_but_their_own_may_be(ack: int, answer: list[str]) -> None:
    pen, _ = client(known(), b"data")
    pen.read()
    pen.write("S", 0, text=b"theirs", options=MSS_1000 + option(COOKIE))
    assert pen.read() == ["S. 0:0(0) ack 1"]
    pen.write("S", 0, ack=ack, options=MSS_1000)
    assert (pen.connection.state, pen.read()) == (ESTABLISHED, answer)


def test_the_ack_that_ends_the_handshake_may_report_holes() -> None:
    listener = Listener(B, make, SERVER.replace(sack=True))
    header = TCP(source=A[1], destination=80, syn=True, window=60000, options=TCPOptions(MSS_1000 + b"\4\2\1\1" + option(COOKIE)))
    child = listener.receive(header, b"hello", B, A, 0)
    assert child is not None
    child.send(bytes(5000), 0)
    child.take_output()
    report = b"\1\1\5\x0a" + (2101).to_bytes(4, "big") + (5101).to_bytes(4, "big")
    child.receive(TCP(sequence=6, acknowledgment=101, ack=True, window=60000, options=TCPOptions(report)), b"", 10 * MS)
    sent = [header.sequence for header, text, _ in child.take_output() if text]
    assert (child.state, sent[:1]) == (ESTABLISHED, [101])


@pytest.mark.parametrize("accepted", [False, True])
def test_an_unreachable_network_ends_a_child_that_nobody_has_accepted(accepted: bool) -> None:
    listener = Listener(B, make, SERVER)
    child = knock(listener, COOKIE)
    assert child is not None
    if accepted:
        listener.accept()
    child.icmp_error(errno.EHOSTUNREACH, False, 0, 5000)  # about nothing that was sent
    assert child.state is SYN_RECEIVED
    child.icmp_error(errno.EHOSTUNREACH, False, 0, 100)
    if accepted:
        assert (child.state, child.error) == (SYN_RECEIVED, None)
    else:
        assert listener.accept() is child
        assert (child.state, child.recv(10, 0), child.take_error()) == (CLOSED, b"hello", errno.EHOSTUNREACH)


def test_data_of_the_syn_that_goes_again_holds_nothing_back() -> None:
    """Nagle's algorithm looks at new segments only: what follows at once goes at once."""
    pen, _ = client(known(mss=1000), bytes(960))
    pen.read()
    pen.write("S", 0, ack=1, options=MSS_1000)
    pen.connection.send(b"more", 0)
    assert pen.read() == ["P. 1:961(960) ack 1", "P. 961:965(4) ack 1"]
