"""Text on its way to the program: in order, or held above a gap; urgent octets; the end (RFC 9293 section 3.10.7.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp import acknowledge, ecn
from stack.tcp.block import NEVER
from stack.tcp.buffers import ReceiveBuffer
from stack.tcp.output import delay_acknowledgment, send_acknowledgment
from stack.tcp.reassembly import Reassembly
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


def deliver_text(b: Block, seq: int, text: bytes, now: int) -> None:
    """Text inside the window, nothing of it before RCV.NXT."""
    rcv = b.rcv
    if seq != rcv.nxt:
        if b.urgent is not None:
            b.urgent.arrived(seq, text)
        hold(b, seq, text)
        acknowledge.now(b, f"duplicate ACK, gap at {rcv.nxt - b.irs}")
        return
    accept(b, text)
    if b.held is not None:
        take_held(b, now)
    elif rcv.nxt - rcv.acked > rcv.full:
        b.ack_now = True  # every second full segment (SHLD-19)
    else:
        delay_acknowledgment(b, now)
    if b.notify is not None:
        b.notify()


def accept(b: Block, text: bytes) -> None:
    """Take responsibility for the text that is next."""
    rcv = b.rcv
    size = len(text)
    if b.urgent is not None:
        b.urgent.arrived(rcv.nxt, text)
    if b.incoming is None:
        b.incoming = ReceiveBuffer()
    b.incoming.append(text)
    rcv.nxt += size
    if size > rcv.full:
        rcv.full = min(size, rcv.mss)


def hold(b: Block, seq: int, text: bytes) -> None:
    """Keep text that came above a gap (SHLD-31)."""
    if b.held is None:
        b.held = Reassembly()
    b.held.insert(seq, text, b.settings.out_of_order_limit)


def hold_fin(b: Block, at: int) -> None:
    """A FIN came above a gap."""
    if b.held is None:
        b.held = Reassembly()
    b.held.fin = at
    acknowledge.now(b, f"duplicate ACK, gap at {b.rcv.nxt - b.irs}")


def take_held(b: Block, now: int) -> None:
    """Accept what follows RCV.NXT now that a gap is filled; acknowledged at once (RFC 5681 section 4.2)."""
    held = b.held
    if held is None:
        return
    for piece in held.take(b.rcv.nxt):
        accept(b, piece)
    acknowledge.now(b, None)
    if not held and held.fin is None:
        b.held = None
    b.wake()


def end_of_data(b: Block) -> None:
    """The peer's FIN is next: nothing comes after it."""
    b.rcv.nxt += 1
    b.rcv.fin = True
    b.rcv.edge = max(b.rcv.edge, b.rcv.nxt)
    b.held = None


def note_urgent(b: Block, up: int) -> None:
    """RCV.UP <- max(RCV.UP, SEG.UP); tell the user if the pointer advanced (MUST-32). `up`: the octet after."""
    mark = up - 1
    read_to = b.rcv.nxt - b.unread
    if mark < read_to or mark < b.rcv.nxt or (b.urgent is not None and mark <= b.urgent.mark):
        return
    b.urgent = Urgent(mark)
    if b.events is not None:
        b.events.append((b.heard, "urgent", mark - b.irs))
    b.wake()
