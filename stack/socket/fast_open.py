"""Fast open in the calls of a stream socket: MSG_FASTOPEN, TCP_FASTOPEN_CONNECT (RFC 7413 appendix A; tcp(7))."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from stack.socket.description import Address, error
from stack.socket.numbers import MSG_FASTOPEN as MSG_FASTOPEN
from stack.socket.numbers import MSG_ZEROCOPY, SO_ZEROCOPY, SOL_SOCKET
from stack.socket.stream_options import CONNECTED, CONNECTING
from stack.tcp.opening.fastopen import Bits
from stack.tcp.state import CLOSED

if TYPE_CHECKING:
    from stack.socket.stream import Stream

def deferred(stream: Stream) -> bool:
    """Whether the SYN waits for the first data: connect() has returned, and there is no connection yet."""
    fast = stream.connection.fast if stream.connection is not None else None
    return fast is not None and fast.deferred


def begin(stream: Stream, data: bytes, flags: int, to: Address | None) -> int:
    """Open the connection with as much of `data` as may go with the SYN: how much that is, as tcp_sendmsg_fastopen."""
    if not stream.settings.fast_open & Bits.CLIENT:
        raise error(errno.EOPNOTSUPP)
    connection = stream.connection
    if connection is not None and not deferred(stream):
        if stream.phase == CONNECTING and not stream.connecting and connection.state is not CLOSED:
            stream.phase = CONNECTED  # this is the first call that finds it there: an ordinary one, to Linux
            return stream.send(data, flags, None) or 0
        raise error(errno.EALREADY if stream.connecting else errno.EISCONN)
    if connection is not None:
        taken = connection.open_active(stream.node.now, data)
    elif stream.listener is not None:
        raise error(errno.EISCONN)
    elif to is None:
        raise error(errno.EINVAL)
    else:
        taken = stream.start(to, data)
    if taken and flags & MSG_ZEROCOPY and stream.connection is not None and stream.option(SOL_SOCKET, SO_ZEROCOPY):
        stream.transmit_reports().zerocopy(stream.connection, stream.node.now)  # of a SYN's data there are no time stamps in Linux
    stream.node.flush()
    return taken


def waits(stream: Stream) -> None:
    """The call waits to send the rest: the SYN,ACK is acknowledged with it."""
    fast = stream.connection.fast if stream.connection is not None else None
    if fast is not None:
        fast.waiting = fast.text > 0 and not fast.whole
