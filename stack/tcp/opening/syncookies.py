"""SYN cookies: a listener that keeps nothing of a SYN but what the numbers of its answer hold (RFC 4987 section 3.6).

The numbers are Linux's (syncookies.c). The initial sequence number is

    H1(addresses, ports) + SEG.SEQ + (minute << 24) + ((H2(addresses, ports, minute) + index) mod 2**24)

with two keys of SipHash, and the index of the peer's MSS in a table. The low six bits of the timestamp say the rest.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND, SECOND
from stack.tcp.arrives import listen_state
from stack.tcp.block import Endpoint
from stack.tcp.congestion import ecn
from stack.tcp.ending import become_closed
from stack.tcp.formats.tcp import CWR, ECE
from stack.tcp.opening.siphash import siphash
from stack.tcp.receiving import window
from stack.tcp.segment import RST, SYN, Segment
from stack.tcp.seq import MASK

if TYPE_CHECKING:
    from stack.tcp.connection import Connection
    from stack.tcp.formats.tcp import TCP
    from stack.tcp.opening.listener import Listener

MSS_V4 = (536, 1300, 1440, 1460)
MSS_V6 = (1220, 1420, 1440, 8940)
_PERIOD = 60 * SECOND
_AGE = 2  # periods for which a cookie is good
_LOW = 0xFFFFFF
_PORTS = Struct("<II").pack
_SCALE, _NO_SCALE, _SACK, _ECN, _BITS = 0xF, 0xF, 0x10, 0x20, 6
_CLASSIC = (0, 1, 2, 1, 1, 2)  # of accurate ECN's counters nothing could be kept: tcp_ecn without it


def _table(address: bytes) -> tuple[int, ...]:
    return MSS_V4 if len(address) == 4 else MSS_V6


def _hash(secret: bytes, number: int, local: Endpoint, remote: Endpoint, minute: int) -> int:
    key = secret[16 * number : 16 * number + 16]
    return siphash(key, bytes(remote[0]) + bytes(local[0]) + _PORTS(remote[1] << 16 | local[1], minute)) & MASK


def make(secret: bytes, local: Endpoint, remote: Endpoint, seq: int, index: int, now: int) -> int:
    """The initial sequence number that answers a SYN of number `seq` whose MSS has the place `index` in the table."""
    minute = now // _PERIOD
    low = _hash(secret, 2, local, remote, minute) + index & _LOW
    return _hash(secret, 1, local, remote, 0) + seq + (minute << 24) + low & MASK


def check(secret: bytes, local: Endpoint, remote: Endpoint, seq: int, number: int, now: int) -> int | None:
    """The MSS that the cookie `number` holds, for a SYN of number `seq`; None if it is none of ours, or too old."""
    minute = now // _PERIOD
    number = number - _hash(secret, 1, local, remote, 0) - seq & MASK
    age = minute - (number >> 24) & 0xFF
    if age >= _AGE:
        return None
    index = number - _hash(secret, 2, local, remote, minute - age) & _LOW
    table = _table(local[0])
    return table[index] if index < len(table) else None


def answer(listener: Listener, connection: Connection, header: TCP, now: int) -> None:
    """Send the SYN,ACK that holds what is to be remembered; the connection itself is forgotten."""
    listener.counters.SyncookiesSent += 1
    segment = Segment.read(header, b"", 0, 0)
    table = _table(connection.local[0])
    index = max((at for at, mss in enumerate(table) if mss <= (segment.mss or table[0])), default=0)
    assert connection.remote is not None
    number = make(listener.secret, connection.local, connection.remote, header.sequence, index, now)
    connection.iss = connection.snd.small = connection.snd.up = number
    settings = connection.settings
    connection.open_passive(now)
    if segment.ts_val is None or not settings.timestamps:  # nowhere to keep the other options
        connection.settings = settings.replace(timestamps=False, sack=False, window_scaling=False)
        header = header.replace(ece=False)
    else:
        settings = connection.settings = settings.replace(ecn=_CLASSIC[settings.ecn])
        ecn.syn_arrived(connection, segment)
        scale = segment.scale if segment.scale is not None and settings.window_scaling else _NO_SCALE
        held = scale | (_SACK if segment.sack_permitted and settings.sack else 0) | (_ECN if connection.ecn is not None else 0)
        clock = now // MILLISECOND
        stamp = clock >> _BITS << _BITS | held
        if stamp > clock:
            stamp -= 1 << _BITS
        connection.ts_offset += stamp - clock
    connection.receive(header, b"", now)
    become_closed(connection, now)


def accept(listener: Listener, header: TCP, text: bytes, local: Endpoint, remote: Endpoint, now: int) -> Connection | None:
    """The connection that an ACK makes by the cookie it acknowledges (cookie_v4_check); None: refuse it by a reset."""
    settings, sent = listener.settings, listener.overflowed_at
    if not settings.syn_cookies or sent is None or now - sent > _AGE * _PERIOD or header.flags & (RST | SYN):
        return None
    irs, iss = header.sequence - 1 & MASK, header.acknowledgment - 1 & MASK
    mss = check(listener.secret, local, remote, irs, iss, now)
    if mss is None:
        listener.counters.SyncookiesFailed += 1
        return None
    listener.counters.SyncookiesRecv += 1
    connection = listener.make(local, remote, settings, now)
    segment = Segment.read(header, b"", header.sequence, header.acknowledgment)
    syn = Segment(irs, None, SYN, header.window)
    syn.mss = mss
    if segment.ts_val is not None:
        options = segment.ts_ecr - connection.ts_offset
        syn.ts_val, syn.sack_permitted = segment.ts_val, bool(options & _SACK)
        if options & _SCALE != _NO_SCALE:
            syn.scale = options & _SCALE
        if options & _ECN and settings.ecn:
            syn.flags |= ECE | CWR
            connection.settings = settings.replace(ecn=_CLASSIC[settings.ecn])
        wanted = (settings.timestamps, settings.sack or not syn.sack_permitted, settings.window_scaling or syn.scale is None)
        if not all(wanted):
            connection.open_passive(now)
            become_closed(connection, now)
            return None
    connection.iss = connection.snd.small = connection.snd.up = iss
    connection.open_passive(now)
    if listener.full:
        listener.overflow()
        become_closed(connection, now)
        return connection
    arriving, connection.arriving = connection.arriving, ecn.NOT_ECT  # that of the SYN; the ACK may have another
    listen_state(connection, syn, now)
    connection.arriving = arriving
    window.begin(connection, mss, connection.rcv.scaling)  # in whole segments of the peer's, as in cookie_v4_check
    connection.rcv.edge = connection.rcv.nxt + connection.rcv.offered
    connection.syn_due = None  # it was answered
    connection.snd.nxt = iss + 1
    listener.adopt(connection)
    connection.receive(header, text, now)
    return connection
