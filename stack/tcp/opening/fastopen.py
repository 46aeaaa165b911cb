"""TCP fast open: data in the SYN, allowed by a cookie (RFC 7413)."""

from __future__ import annotations

from collections import deque
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING

from stack.base.quantity import SECOND
from stack.tcp.buffers import SendBuffer
from stack.tcp.opening.fastopen_cache import FastOpenCache
from stack.tcp.opening.handshake import begin_transfer
from stack.tcp.opening.siphash import siphash
from stack.tcp.receiving.deliver import accept
from stack.tcp.recovery.retransmit_queue import Record
from stack.tcp.recovery.states import lost_without_congestion
from stack.tcp.segment import ACK, PSH

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.opening.listener import Listener
    from stack.tcp.segment import Segment

_MOST_OPTIONS = 40  # the SYN's data leaves room for options that a middlebox adds, as in Linux (MAX_TCP_OPTION_SPACE)
_SPOOFED = 60 * SECOND  # how long a child that was reset counts against the queue (section 5.1)


class Bits(IntFlag):
    """The bits of `fast_open`, the sysctl net.ipv4.tcp_fastopen."""

    CLIENT = 0x1
    SERVER = 0x2
    CLIENT_NO_COOKIE = 0x4  # send data in the SYN though there is no cookie
    SERVER_NO_COOKIE = 0x200  # take data that comes without one
    ALL_LISTENERS = 0x400  # every listener has a queue, as long as its backlog, without TCP_FASTOPEN


class Failure(IntEnum):
    """Why a client's fast open came to nothing: tcpi_fastopen_client_fail."""

    NONE = 0
    COOKIE_UNAVAILABLE = 1
    DATA_NOT_ACKED = 2
    SYN_RETRANSMITTED = 3


class FastOpen:
    """The fast open of one connection, at either end."""

    __slots__ = ("accepted", "acked", "asked", "cache", "child", "cookie", "deferred", "experimental", "failure", "listener", "text", "waiting", "whole", "window")

    def __init__(self, cache: FastOpenCache | None = None) -> None:
        self.cookie: bytes | None = None  # goes with the next SYN or SYN,ACK; b"" asks for one; None: no option
        self.experimental = False  # in the option of RFC 6994 with the magic number 0xF989, not in kind 34
        self.acked = False  # data in the SYN was taken: TCPI_OPT_SYN_DATA
        # The client's
        self.cache = cache or FastOpenCache()
        self.asked = False  # our SYN had the option
        self.text = 0  # octets that the SYN carried
        self.whole = False  # and those were all that the program gave
        self.waiting = False  # the program waits to send the rest
        self.deferred = False  # TCP_FASTOPEN_CONNECT: the SYN waits for the first data
        self.failure = Failure.NONE
        # The server's
        self.listener: Listener | None = None  # whose handshake is not over; the connection can be used already
        self.window = 0  # that the SYN,ACK offered
        self.child = False  # opened by the data or the cookie of its SYN
        self.accepted = False  # the program has it

    @property
    def usable(self) -> bool:
        """A server's connection in SYN-RECEIVED on which data may be sent already."""
        return self.listener is not None

    def handshake_over(self, now: int, reset: bool = False) -> None:
        """The client's ACK came, or the child is gone."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.fast_open.over(reset and self.accepted and not listener.closed, now)

    def ended_above_a_gap(self, b: Block, now: int) -> None:
        """A FIN or a RST came above a gap, and never any data: a middlebox may have ended a client's connection, so the host
        leaves fast open alone for a while (tcp_fastopen_active_disable_ofo_check)."""
        if not self.child and (self.asked or self.text) and not b.data_segments_in:
            self.cache.disable(b.settings.fast_open_pause, now)

    def option(self) -> bytes:
        """The option of the next SYN or SYN,ACK, padded to whole words."""
        cookie = self.cookie
        if cookie is None:
            return b""
        head = bytes((254, 4 + len(cookie), 0xF9, 0x89)) if self.experimental else bytes((34, 2 + len(cookie)))
        return head + cookie + b"\1" * (-(len(head) + len(cookie)) % 4)


def cookie(key: bytes, client: bytes, server: bytes) -> bytes:
    """The cookie of Linux 5.4 and later: SipHash of the addresses of the SYN, 8 octets."""
    return siphash(key, client + server).to_bytes(8, "little")


# The client


def has_cookie(b: Block, now: int) -> bool:
    """Whether data may go with the SYN: we know a cookie, or need none (tcp_fastopen_cookie_check)."""
    fast, settings = b.fast, b.settings
    assert fast is not None
    assert b.remote is not None
    known = fast.cache.find(b.local[0], b.remote[0])
    fast.cookie = known.cookie if known is not None else b""
    fast.experimental = known is not None and known.wants_experimental
    if fast.cache.disabled(settings.fast_open_pause, now):
        fast.cookie = None
        return False
    if settings.fast_open & Bits.CLIENT_NO_COOKIE or settings.fast_open_no_cookie:
        fast.cookie = None
        return True
    if fast.cookie:
        return True
    fast.failure = Failure.COOKIE_UNAVAILABLE
    return False


def load_syn(b: Block, data: bytes, now: int) -> None:
    """Let as much of `data` go with the SYN as the server's cached MSS, ours and the path allow (tcp_send_syn_data)."""
    fast = b.fast
    assert fast is not None
    assert b.remote is not None
    if not has_cookie(b, now):
        return
    known = fast.cache.find(b.local[0], b.remote[0])
    most = min(known.mss if known is not None and known.mss else b.rcv.mss, b.path_mss)
    if b.settings.maximum_segment is not None:
        most = min(most, b.settings.maximum_segment)
    fast.text = min(max(0, most - _MOST_OPTIONS), len(data))
    fast.whole = fast.text == len(data)
    if fast.text:
        b.outgoing = SendBuffer(b.iss + 1)
        b.outgoing.append(data[: fast.text])


def syn_acknowledged(b: Block, seg: Segment, ack: int, now: int, learn: bool = True) -> None:
    """The SYN,ACK is here: what it says of the cookie is kept, unless both opened; data that it does not acknowledge goes out again."""
    fast = b.fast
    assert fast is not None
    assert b.remote is not None
    refused = bool(fast.text) and ack < b.snd.nxt
    given = seg.cookie if fast.asked else None
    lost, experiment = False, 0
    if fast.asked and b.retransmitted:
        lost = given is None and refused
    elif fast.asked and given is None and not fast.text:
        experiment = 2 if fast.experimental else 1
    if learn:
        fast.cache.learn(b.local[0], b.remote[0], seg.mss or 0, given, seg.experimental_cookie, lost, experiment, now)
    if refused:
        fast.failure = Failure.SYN_RETRANSMITTED if b.retransmitted else Failure.DATA_NOT_ACKED
        b.counters.TCPFastOpenActiveFail += 1
        rtx, mss = b.rtx, b.snd.mss
        records = rtx.opened()
        records.append(Record(ack, b.snd.nxt, ACK | PSH, now, rtx.delivered, rtx.sent))
        while records[-1].end - records[-1].seq > mss:
            rtx.split(len(records) - 1, mss)
        for record in records:
            rtx.mark_lost(record)
        lost_without_congestion(b, now)  # which is what Linux calls it, too
    else:
        fast.acked = fast.text > 0
        b.counters.TCPFastOpenActive += fast.acked


def timed_out(b: Block, expired: bool, now: int) -> None:
    """A timeout of a connection that was opened fast: the third in a row, or the last, may mean that a middlebox swallows
    such connections, and the host leaves fast open alone for a while (tcp_fastopen_active_detect_blackhole)."""
    fast = b.fast
    if fast is None or fast.listener is not None or not (fast.asked or fast.text):
        return
    if b.retries == 2 or (b.retries < 2 and expired):
        b.counters.TCPFastOpenBlackhole += b.settings.fast_open_pause > 0
        fast.cache.disable(b.settings.fast_open_pause, now)


# The server


class Queue:
    """The children of a listener whose handshake is not over, and those reset before: no more than `limit` (section 5.1)."""

    __slots__ = ("_resets", "pending")

    def __init__(self) -> None:
        self.pending = 0
        self._resets: deque[int] = deque()  # when each no longer counts

    def room(self, limit: int, now: int) -> bool:
        """Whether one more fits: the oldest reset may make room once its time is over."""
        if not limit:
            return False
        if self.pending + len(self._resets) < limit:
            return True
        if not self._resets or self._resets[0] > now:
            return False
        self._resets.popleft()
        return True

    def over(self, reset_after_accept: bool, now: int) -> None:
        """A child's handshake is over. One that was accepted and then reset may be spoofed: it counts for 60 s more."""
        self.pending -= 1
        if reset_after_accept:
            self._resets.append(now + _SPOOFED)


def syn_received(b: Block, seg: Segment, listener: Listener, now: int) -> bool:
    """A listener's SYN: whether it opens the connection at once (tcp_try_fastopen). Else the SYN,ACK may bring a cookie."""
    settings, asked, counters = b.settings, seg.cookie, b.counters
    counters.TCPFastOpenCookieReqd += asked == b""
    if not settings.fast_open & Bits.SERVER or not (seg.text or asked is not None):
        return False
    if not listener.fast_open.room(listener.fast_open_limit, now):
        counters.TCPFastOpenListenOverflow += listener.fast_open_limit > 0
        return False
    assert b.remote is not None
    good = bool(settings.fast_open & Bits.SERVER_NO_COOKIE) or settings.fast_open_no_cookie
    answer: bytes | None = None
    if not good and asked is not None:
        valid = [cookie(key, bytes(b.remote[0]), bytes(b.local[0])) for key in listener.fast_open_keys]
        good = asked in valid
        if not good or asked != valid[0]:
            answer = valid[0]  # also to a client whose cookie is of the backup key
        counters.TCPFastOpenPassiveFail += not good and asked != b""
        counters.TCPFastOpenPassiveAltKey += good and answer is not None
    if good or answer is not None:
        b.fast = FastOpen()
        b.fast.cookie, b.fast.experimental = answer, seg.experimental_cookie
    if good:
        counters.TCPFastOpenPassive += 1
        _child(b, seg, listener, now)
    return good


def _child(b: Block, seg: Segment, listener: Listener, now: int) -> None:
    fast = b.fast
    assert fast is not None
    fast.listener, fast.child = listener, True
    listener.fast_open.pending += 1
    begin_transfer(b, now)
    if seg.text:
        fast.acked = True
        accept(b, seg.text)  # the SYN,ACK acknowledges it
