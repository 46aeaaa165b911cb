"""The user calls: OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS (RFC 9293 sections 3.10.1 to 3.10.6).

Errors are `OSError`s with the errno that Linux gives.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from stack.tcp import acknowledge
from stack.tcp.block import NEVER
from stack.tcp.buffers import SendBuffer
from stack.tcp.congestion import rate
from stack.tcp.ending import await_fin, become_closed
from stack.tcp.opening import fastopen
from stack.tcp.receiving import autotune, delayed_ack, window
from stack.tcp.sending.output import send_active_reset
from stack.tcp.sending.transmit import output
from stack.tcp.sending.write import queue
from stack.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    LISTEN,
    MAY_RECEIVE,
    SYN_RECEIVED,
    SYN_SENT,
)  # fmt: skip

if TYPE_CHECKING:
    from stack.tcp.block import Block

_QUEUES = frozenset({SYN_SENT, SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT})
_READS = MAY_RECEIVE | {CLOSE_WAIT}
_RESETS = frozenset({SYN_RECEIVED, ESTABLISHED, FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT})


def error(number: int) -> OSError:
    """The exception for an errno."""
    return OSError(number, os.strerror(number))


def open_active(b: Block, now: int, data: bytes | None = None) -> int:
    """3.10.1. OPEN Call, active. With `data`, fast, if `b.fast` is set: how many octets of them go with the SYN."""
    fast = b.fast
    deferred = fast is not None and fast.deferred
    if b.state is not CLOSED and b.state is not LISTEN and not deferred:
        raise error(errno.EISCONN)
    if b.remote is None:
        raise error(errno.EDESTADDRREQ)
    if not deferred:
        b.passive = False
        window.begin(b, b.rcv.mss, b.settings.window_scaling)
        b.enter(SYN_SENT, now)
    if fast is not None:
        if data is None and fastopen.has_cookie(b, now):
            fast.deferred = True
            return 0
        fast.deferred = False
        fastopen.load_syn(b, data or b"", now)
    b.syn_due = ""
    b.counters.ActiveOpens += 1
    output(b, now)
    return fast.text if fast is not None else 0


def open_passive(b: Block, now: int) -> None:
    """3.10.1. OPEN Call, passive"""
    if b.state is not CLOSED:
        raise error(errno.EISCONN)
    b.passive = True
    b.enter(LISTEN, now)


def send(b: Block, data: bytes, now: int, urgent: bool = False, more: bool = False, record: bool = False) -> int:
    """3.10.2. SEND Call. How many octets were queued: less than given when the send buffer is full.

    `more`: what does not fill a segment waits for the next call (MSG_MORE). `record`: nothing that is sent later goes
    into a segment with these octets (MSG_EOR).
    """
    if b.state not in _QUEUES or b.fin_queued:
        raise error(take_error(b) or errno.EPIPE)
    if b.error is not None:
        raise error(take_error(b) or errno.EPIPE)
    if b.rate is not None:
        rate.check(b)
    if not data:
        return 0
    if b.outgoing is None:
        b.outgoing = SendBuffer(max(b.snd.nxt, b.iss + 1))
    taken = queue(b, bytes(data), more, record, now, urgent)
    if taken < len(data):
        b.short_of_space = True
    if taken:
        b.more = more and taken == len(data)
        output(b, now)
        b.more = False
    return taken


def take_error(b: Block) -> int | None:
    """The pending error, which is told once (SO_ERROR)."""
    number, b.error = b.error, None
    return number


def receive(b: Block, limit: int, now: int, peek: bool = False) -> bytes:
    """3.10.3. RECEIVE Call. Up to `limit` octets of what is here, none past the urgent mark; b"" if there is nothing."""
    incoming = b.incoming
    if incoming is None or not incoming.size or limit <= 0:
        return b""
    urgent = b.urgent
    if urgent is not None:
        at = read_position(b)
        if at == urgent.mark and not b.settings.urgent_inline:
            if peek:
                return incoming.take(limit + 1, peek=True)[1:]
            incoming.take(1)  # the octet out of band is not in the stream
            at += 1
        if at < urgent.mark:
            limit = min(limit, urgent.mark - at)
    data = incoming.take(limit, peek)
    if not peek:
        if urgent is not None and read_position(b) > urgent.mark:
            b.urgent = None
        if not incoming.size:
            b.incoming = None
        taken(b, len(data), now)
    return data


def read_position(b: Block) -> int:
    """The sequence number of the next octet that the program reads."""
    return b.rcv.nxt - b.rcv.fin - b.unread


def taken(b: Block, size: int, now: int) -> None:
    """The program read `size` octets: the receive buffer grows with its appetite, and the window may open again."""
    rcv = b.rcv
    autotune.taken(b, now)
    cause = delayed_ack.wanted_by_reader(b, size) if b.state in _READS else None
    if cause is None:
        return
    if rcv.wnd < rcv.full and b.state in MAY_RECEIVE:
        # The peer may have data that waits for this. Should the update be lost, the peer's next probe brings it out:
        # until then the connection is not at rest, though it has no more to do itself.
        b.reopened_at, b.reopened_to = now + b.settings.maximum_rto, rcv.nxt
        b.arm(b.reopened_at)
    acknowledge.now(b, cause)
    output(b, now)


def receive_urgent(b: Block, peek: bool = False) -> bytes:
    """MSG_OOB: the urgent octet; raises EINVAL where there is none, EAGAIN where it has not come. b"": nor will it."""
    if b.urgent is None or b.settings.urgent_inline:
        raise error(errno.EINVAL)
    if b.urgent.octet is None and (b.rcv.fin or b.no_more_reads or b.state is CLOSED):
        return b""
    return b.urgent.read(peek)


def shutdown_read(b: Block) -> None:
    """SHUT_RD: the program will not read what comes from now on."""
    b.no_more_reads = True
    b.wake()


def shutdown_write(b: Block, now: int) -> None:
    """3.10.4. CLOSE Call, of the sending direction"""
    if b.state in (CLOSED, LISTEN, SYN_SENT):
        raise error(errno.ENOTCONN)
    if b.fin_queued:
        return
    b.fin_queued = True  # in SYN-RECEIVED it waits for ESTABLISHED
    if b.state is ESTABLISHED or (b.fast is not None and b.fast.usable):
        b.enter(FIN_WAIT_1, now)
    elif b.state is CLOSE_WAIT:
        b.enter(LAST_ACK, now)
    output(b, now)


def close(b: Block, now: int) -> None:
    """3.10.4. CLOSE Call, of the socket: what is queued is still delivered, what comes is refused."""
    if b.closed_by_user:
        return
    b.closed_by_user = True
    b.notify = None
    if b.state is CLOSED:
        return
    if b.state is LISTEN or b.state is SYN_SENT:
        become_closed(b, now)
        return
    unread, b.incoming = b.unread, None
    if unread:
        b.counters.TCPAbortOnClose += 1
        abort(b, now, "closed with unread data")  # SHLD-3, RFC 2525 section 2.17
    elif b.settings.linger == 0:
        b.counters.TCPAbortOnData += 1
        abort(b, now, "closed with a linger time of 0")
    else:
        shutdown_write(b, now)
        if b.state is FIN_WAIT_2 and b.settings.fin_wait_2 < 0:
            b.counters.TCPAbortOnLinger += 1
            abort(b, now, "no time to wait for a FIN")
        elif b.state is FIN_WAIT_2 and b.wait_at == NEVER:
            await_fin(b, now)


def abort(b: Block, now: int, cause: str | None = "aborted") -> None:
    """3.10.5. ABORT Call"""
    if b.state is CLOSED:
        return
    resets = b.state in _RESETS
    if resets:
        send_active_reset(b, cause, now)
    become_closed(b, now, errno.ECONNRESET if resets and not b.closed_by_user else None)
