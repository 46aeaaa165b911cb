"""Text on its way to the program: in order, or held above a gap; urgent octets; the end (RFC 9293 section 3.10.7.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp import acknowledge
from stack.tcp.block import NEVER
from stack.tcp.buffers import ReceiveBuffer
from stack.tcp.congestion import ecn
from stack.tcp.receiving import autotune, delayed_ack, window
from stack.tcp.receiving.acceptance import report
from stack.tcp.receiving.reassembly import Reassembly
from stack.tcp.segment import FIN, PSH, URG
from stack.tcp.sending.output import send_acknowledgment
from stack.tcp.urgent import Urgent

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.segment import Segment


def note_marks(b: Block, seg: Segment, now: int) -> None:
    """How the datagram of this text was marked (RFC 3168 section 6.1.3)."""
    if b.ack_at != NEVER and ecn.turns(b):
        b.ack_cause = "the marks of congestion change"
        send_acknowledgment(b, now)  # with the old echo, for the text before: the one segment that a step sends by itself
    ecn.text_arrived(b, seg, now)

_LAST = FIN | PSH | URG  # a segment with one of these need not be full


def deliver_text(b: Block, seq: int, text: bytes, flags: int, now: int, old: int = 0) -> bool:
    """Text inside the window; `old` octets of the segment were before RCV.NXT, and count for its size only. False if there was no memory for it (tcp_data_queue)."""
    rcv = b.rcv
    if seq != rcv.nxt:
        return above_gap(b, seq, text, flags, now)
    size = len(text)
    if (b.incoming is not None or b.held is not None or size > rcv.buff) and not window.takes(b, seq, size):
        b.acks.no_memory = b.acks.scheduled = True
        acknowledge.now(b, "no memory for what came")
        if b.incoming is not None:
            b.counters.TCPRcvQDrop += 1
            return False
    if b.incoming is None and b.urgent is None:
        b.incoming = ReceiveBuffer(text)
        rcv.nxt = seq + size
    else:
        accept(b, text)
    delayed_ack.text_arrived(b, size + old, bool(flags & _LAST), now)
    if b.held is not None:
        take_held(b, now)
    if b.notify is not None:
        b.notify()
    return True


def accept(b: Block, text: bytes) -> None:
    """Take responsibility for the text that is next."""
    if b.urgent is not None:
        b.urgent.arrived(b.rcv.nxt, text)
    if b.incoming is None:
        b.incoming = ReceiveBuffer(text)
    else:
        b.incoming.append(text)
    b.rcv.nxt += len(text)


def above_gap(b: Block, seq: int, text: bytes, flags: int, now: int) -> bool:
    """Text, or a FIN, came above a gap: hold it, and say so (SHLD-31, RFC 2018, RFC 2883; tcp_data_queue_ofo)."""
    rcv, acks, counters = b.rcv, b.acks, b.counters
    size = len(text)
    if not window.takes(b, seq, size):
        counters.TCPOFODrop += 1
        return False
    if b.urgent is not None:
        b.urgent.arrived(seq, text)
    delayed_ack.measure(b, size, bool(flags & _LAST))
    acks.scheduled = b.ack_check = True
    b.ack_cause = f"duplicate ACK, gap at {rcv.nxt - b.irs}"
    rcv.out_of_order += 1
    counters.TCPOFOQueue += 1
    if b.held is None:
        b.held = Reassembly()
    held, end = b.held, seq + size + (flags & FIN)
    rcv.dsack = None
    again = held.overlap(seq, seq + size)
    if again is not None:
        report(b, *again)
    if b.sack:
        if acks.compressed and held.distant(seq, end):
            counters.TCPAckCompressed -= 1
            send_acknowledgment(b, now)  # before a third block would push out what it has to say
            acks.scheduled = b.ack_check = True
        held.note(seq, end)
    if again == (seq, seq + size):
        counters.TCPOFOMerge += 1
    else:
        if again is not None:
            counters.TCPOFOMerge += held.within(seq, seq + size)
        if size and not held.insert(seq, text, b.settings.out_of_order_limit):
            return False
        if flags & FIN:
            held.fin = seq + size
        if b.sack:  # without it, a window that stays lets the sender see duplicates
            window.grow(b, size)
    if b.notify is not None:
        autotune.grow(b, b.sizing.space)
    return True


def hold(b: Block, seq: int, text: bytes) -> None:
    """Keep text for later."""
    if b.held is None:
        b.held = Reassembly()
    b.held.insert(seq, text, b.settings.out_of_order_limit)


def hold_fin(b: Block, at: int) -> None:
    """A FIN came before it may be taken."""
    if b.held is None:
        b.held = Reassembly()
    b.held.fin = at


def take_held(b: Block, now: int) -> None:
    """Accept what follows RCV.NXT now that a gap is filled; acknowledged at once if it was the last (RFC 5681 section 4.2)."""
    held = b.held
    if held is None:
        return
    again = held.overlap(0, b.rcv.nxt)
    if again is not None:
        report(b, *again)
    for piece in held.take(b.rcv.nxt):
        accept(b, piece)
    if not held:
        acknowledge.now(b, None)
        if held.fin is None:
            b.held = None
    b.wake()


def end_of_data(b: Block) -> None:
    """The peer's FIN is next: nothing comes after it."""
    b.rcv.nxt += 1
    b.rcv.fin = True
    b.rcv.edge = max(b.rcv.edge, b.rcv.nxt)
    b.held = None
    b.rcv.dsack = None  # as Linux: nothing is to be repeated any more
    b.acks.scheduled = b.ack_check = True


def note_urgent(b: Block, up: int) -> None:
    """RCV.UP <- max(RCV.UP, SEG.UP); tell the user if the pointer advanced (MUST-32). `up`: the octet after."""
    mark = up if b.settings.standard_urgent else up - 1
    read_to = b.rcv.nxt - b.unread
    if mark < read_to or mark < b.rcv.nxt or (b.urgent is not None and mark <= b.urgent.mark):
        return
    if b.urgent is not None and b.urgent.mark == read_to and b.incoming is not None and not b.settings.urgent_inline:
        b.incoming.take(1)  # the octet out of band before this one leaves the stream
    b.urgent = Urgent(mark)
    if b.events is not None:
        b.events.append((b.heard, "urgent", mark - b.irs))
    b.wake()
