"""The retransmission queue: what was sent and is not acknowledged, a record a segment (RFC 9293 section 3.4, RFC 6675)."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stack.tcp.counters import Counters

# What a record is marked with (Linux's TCPCB_*)
SACKED = 1  # the peer holds it
RESENT = 2  # its repetition is in the network
LOST = 4
BURST_END = 32  # the last of those that went out together, as one buffer
RECORD_END = 16  # MSG_EOR: nothing is joined to it
EVER_RESENT = 128
_RESENT_EVER = RESENT | EVER_RESENT


class Record:
    """One segment: [seq, end), the FIN counted; when it was last sent, and what is known of it."""

    __slots__ = ("delivered", "end", "flags", "marks", "number", "rate", "sent_at", "seq")

    def __init__(self, seq: int, end: int, flags: int, sent_at: int, delivered: int, number: int) -> None:
        self.seq = seq
        self.end = end
        self.flags = flags  # ACK, PSH, FIN
        self.sent_at = sent_at
        self.number = number  # of the transmission: tells what was sent later at the same instant
        self.marks = 0
        self.delivered = delivered  # segments delivered before it was sent last
        self.rate: tuple[int, int, bool] | None = None  # for the delivery rate, see rate.py


# What connections share that have sent nothing, or nothing again: an empty deque takes 0.7 KB. Nothing can get into these.
_NO_RECORDS: deque[Record] = deque(maxlen=0)
_NONE_RESENT: deque[tuple[Record, int]] = deque(maxlen=0)


class RetransmitQueue:
    """Records in the order of their numbers, and how many of them are marked how; packets_out is their number."""

    __slots__ = (
        "again", "cleared", "counters", "delivered", "delivered_ce", "dubious", "highest_sack", "lost", "lost_out", "records", "resent",
        "retrans_out", "sacked_out", "sent",
    )  # fmt: skip

    def __init__(self, counters: Counters) -> None:
        self.counters = counters  # of the host
        self.records = _NO_RECORDS
        self.sacked_out = 0  # without SACK: how many duplicate ACKs say that a segment has left the network
        self.lost_out = 0
        self.retrans_out = 0
        self.highest_sack = 0  # the end of the highest record that the peer holds; means nothing without `sacked_out`
        self.delivered = 0  # segments delivered since the connection began, ever
        self.delivered_ce = 0
        self.lost = 0  # segments found lost, ever
        self.sent = 0  # transmissions, ever
        self.dubious = 0  # below it something was sent again, or a probe is out: no fast way for ACKs from below
        self.again = 0  # no record below it waits to be sent again
        self.cleared = 0  # below it RACK has nothing left to do among those that were sent once
        self.resent = _NONE_RESENT  # (record, when) in the order of repetition

    def __len__(self) -> int:
        return len(self.records)

    def opened(self) -> deque[Record]:
        """The records, for one more to be added."""
        if self.records is _NO_RECORDS:
            self.records = deque()
        return self.records

    @property
    def in_flight(self) -> int:
        """Segments thought to be in the network."""
        return len(self.records) - self.sacked_out - self.lost_out + self.retrans_out

    @property
    def left_out(self) -> int:
        """Segments that have left the network, by arrival or loss."""
        return self.sacked_out + self.lost_out

    def at(self, seq: int) -> int:
        """The place of the first record that ends after `seq`."""
        records = self.records
        if not records or seq < records[0].end:
            return 0
        return bisect_left(records, seq + 1, key=lambda record: record.end)

    @property
    def any_resent(self) -> bool:
        """A repetition is in the network, or the first record was repeated once (tcp_any_retrans_done)."""
        records = self.records
        return self.retrans_out > 0 or bool(records and records[0].marks & EVER_RESENT)

    def mark_lost(self, record: Record) -> None:
        """`record` is lost, or its repetition is (tcp_mark_skb_lost)."""
        marks = record.marks
        if marks & SACKED:
            return
        if record.seq < self.again:
            self.again = record.seq
        if not marks & LOST:
            record.marks = marks | LOST
            self.lost_out += 1
            self.lost += 1
        elif marks & RESENT:
            record.marks = marks & ~RESENT
            self.retrans_out -= 1
            self.lost += 1
            self.counters.TCPLostRetransmit += 1

    def mark_resent(self, record: Record, now: int) -> None:
        """`record` was sent again because it was lost."""
        record.marks |= _RESENT_EVER
        self.retrans_out += 1

    def sent_again(self, record: Record, now: int) -> None:
        """`record` was sent again, for whatever reason."""
        record.sent_at = now
        self.sent = record.number = self.sent + 1
        record.delivered = self.delivered
        record.marks |= EVER_RESENT
        self._note_resent(record)
        if record.end > self.dubious:
            self.dubious = record.end

    def _note_resent(self, record: Record) -> None:
        if self.resent is _NONE_RESENT:
            self.resent = deque()
        self.resent.append((record, record.sent_at))

    def forget_losses(self) -> None:
        """Nothing is lost after all."""
        for record in self.records:
            record.marks &= ~LOST
        self.lost_out = 0
        self.look_again()

    def look_again(self) -> None:
        """Marks were taken back: look from the beginning for what is to be sent again (tcp_clear_all_retrans_hints)."""
        self.again = self.cleared = 0

    def split(self, index: int, size: int) -> None:
        """Cut the record at `index` after `size` octets; both parts are marked alike (tcp_fragment)."""
        first = self.records[index]
        second = Record(first.seq + size, first.end, first.flags, first.sent_at, first.delivered, first.number)
        second.marks, second.rate = first.marks, first.rate
        first.end = second.seq
        first.flags &= ~9  # FIN and PSH go with the end
        first.marks &= ~(RECORD_END | BURST_END)
        self.records.insert(index + 1, second)
        marks = first.marks
        self.sacked_out += marks & SACKED
        self.lost_out += marks & LOST > 0
        if marks & RESENT:
            self.retrans_out += 1
        if marks & EVER_RESENT:
            self._note_resent(second)

    def join(self, index: int, flags: int) -> None:
        """The record at `index` takes in the one after it (tcp_collapse_retrans)."""
        first, second = self.records[index], self.records[index + 1]
        first.end = second.end
        first.flags |= flags | second.flags
        first.marks |= second.marks & (EVER_RESENT | RECORD_END | BURST_END)
        if second.marks & LOST:
            self.lost_out -= 1
        if second.marks & RESENT:
            self.retrans_out -= 1
        second.marks = SACKED  # whoever still points at it finds nothing to do
        del self.records[index + 1]

    def clear(self) -> None:
        """Forget all (the connection is closed)."""
        self.records.clear()
        self.resent.clear()
        self.sacked_out = self.lost_out = self.retrans_out = 0
