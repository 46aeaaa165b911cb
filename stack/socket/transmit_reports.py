"""What a stream tells its program about what it sent: transmit time stamps (SO_TIMESTAMPING) and the completion of sends
without a copy (SO_ZEROCOPY), both on the error queue (Documentation/networking/timestamping.rst, msg_zerocopy.rst)."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from stack.socket import numbers as n
from stack.socket.clock import EPOCH
from stack.socket.error_queue import ErrorQueue, Notice
from stack.tcp.marks import Reached

if TYPE_CHECKING:
    from stack.socket.description import Description
    from stack.tcp.connection import Connection

#: Flags of SO_TIMESTAMPING that ask for a record of what is sent.
TX_RECORD = n.SOF_TIMESTAMPING_TX_SCHED | n.SOF_TIMESTAMPING_TX_SOFTWARE | n.SOF_TIMESTAMPING_TX_ACK
_SENT = (
    (n.SOF_TIMESTAMPING_TX_SCHED, n.SCM_TSTAMP_SCHED),
    (n.SOF_TIMESTAMPING_TX_SOFTWARE, n.SCM_TSTAMP_SND),
)


def _stamp(flags: int, kind: int, key: int, size: int, at: int) -> Notice:
    """One time stamp. The packet that Linux gives beside it, unless told not to, is counted and not given."""
    return Notice(
        errno.ENOMSG,
        n.SO_EE_ORIGIN_TIMESTAMPING,
        info=kind,
        data=key,
        hidden=0 if flags & n.SOF_TIMESTAMPING_OPT_TSONLY else size,
        moment=EPOCH + at if flags & n.SOF_TIMESTAMPING_SOFTWARE else None,
    )


def sent_stamps(flags: int, key: int, size: int, at: int) -> list[Notice]:
    """The time stamps that `flags` ask for of what was sent just now: into the queue of the interface, and out of it."""
    return [_stamp(flags, kind, key, size, at) for flag, kind in _SENT if flags & flag]


class TransmitReports:
    """The counters behind the identities that the reports carry."""

    __slots__ = ("_file", "_sends", "_zero")

    def __init__(self, file: Description) -> None:
        self._file = file
        self._zero = 0  # sk_tskey: the sequence number that SOF_TIMESTAMPING_OPT_ID counts from
        self._sends = 0  # sk_zckey: calls with MSG_ZEROCOPY

    def count_from(self, sequence: int) -> None:
        """SOF_TIMESTAMPING_OPT_ID was switched on."""
        self._zero = sequence

    def stamp(self, connection: Connection, flags: int, size: int, now: int) -> None:
        """Tell when the last of what was queued just now, `size` octets, is sent and acknowledged."""
        end = connection.outgoing.end if connection.outgoing is not None else connection.snd.nxt
        key = end - 1 - self._zero if flags & n.SOF_TIMESTAMPING_OPT_ID else 0

        def told(reached: Reached, at: int) -> None:
            made = sent_stamps(flags, key, size, at) if reached is Reached.SENT else []
            if reached is Reached.ACKNOWLEDGED and flags & n.SOF_TIMESTAMPING_TX_ACK:
                made = [_stamp(flags, n.SCM_TSTAMP_ACK, key, size, at)]
            for notice in made:
                self._queue().add(notice)
            if made:
                self._file.wake()

        connection.mark(told, now)

    def zerocopy(self, connection: Connection, now: int) -> None:
        """Tell when the buffers of this send are no longer needed."""
        number = self._sends
        self._sends = (number + 1) & 0xFFFFFFFF

        def told(reached: Reached, at: int) -> None:
            if reached is not Reached.SENT:
                self._queue().completed(number, number)
                self._file.wake()

        connection.mark(told, now)

    def _queue(self) -> ErrorQueue:
        if self._file.notices is None:
            self._file.notices = ErrorQueue()
        return self._file.notices
