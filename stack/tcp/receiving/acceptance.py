"""Which segments are let in, and the answer to those that are not (RFC 9293 section 3.10.7.4 first, RFC 5961, as Linux does it).

Linux asks less than table 6: a segment may begin before RCV.NXT, down to where the last ACK stood, since its own ACK field
may be news; one that ends beyond the window is taken whole while the program has read everything, and not at all otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp import acknowledge
from stack.tcp.receiving import delayed_ack
from stack.tcp.segment import FIN, RST, SYN, Segment
from stack.tcp.state import CLOSE_WAIT, CLOSING, LAST_ACK

if TYPE_CHECKING:
    from stack.tcp.block import Block

_FIN_WAS_LAST = frozenset({CLOSE_WAIT, CLOSING, LAST_ACK})


def refusal(b: Block, seg: Segment) -> str | None:
    """Why the segment is not acceptable, or None if it is (tcp_sequence)."""
    rcv = b.rcv
    end = seg.seq + seg.len
    if end < rcv.acked:
        return "before the window"
    right = rcv.edge if rcv.edge > rcv.nxt else rcv.nxt
    if end > right and end - (seg.flags & FIN) > right:
        beyond = seg.seq > right or seg.seq == right > rcv.nxt
        if beyond or (b.incoming is not None and rcv.wnd):
            if not seg.flags & (RST | SYN):
                b.counters.BeyondWindow += 1
            return "beyond the window" if beyond else "its end is beyond the window"
    return None


def answer(b: Block, seg: Segment, cause: str, now: int, skipped: str = "TCPACKSkippedSeq") -> None:
    """The ACK for what is not acceptable. Segments without text may be part of a loop: those are rationed (tcp_send_dupack).

    `skipped`: the counter of what the ration does not allow.
    """
    if seg.flags & SYN:
        acknowledge.challenge_syn(b, cause, now)
        return
    if not seg.len:
        if acknowledge.allowed(b, skipped, now):
            acknowledge.now(b, cause)
        return
    if seg.seq < b.rcv.nxt:
        b.counters.DelayedACKLost += 1
        delayed_ack.hurry(b)
        if b.ecn is not None and b.ecn.accurate is not None:
            b.ecn.accurate.sent_again(seg.seq)
        report(b, seg.seq, min(seg.seq + seg.len, b.rcv.nxt))
    acknowledge.now(b, cause)


def report(b: Block, seq: int, end: int) -> None:
    """Tell with the next ACK that [seq, end) came twice (RFC 2883), once for adjoining parts of it (tcp_dsack_extend)."""
    if not b.sack or not b.settings.duplicate_sack:
        return
    dsack = b.rcv.dsack
    if dsack is None:
        b.rcv.dsack = (seq, end)
        b.counters.add("TCPDSACKOldSent" if seq < b.rcv.nxt else "TCPDSACKOfoSent")
    elif seq <= dsack[1] and dsack[0] <= end:
        b.rcv.dsack = (min(seq, dsack[0]), max(end, dsack[1]))


def old_text(b: Block, seg: Segment) -> None:
    """The segment begins before RCV.NXT: what of it is old came twice; if all is, its sender missed our ACK."""
    end = seg.seq + seg.len
    b.rcv.dsack = None
    if b.ecn is not None and b.ecn.accurate is not None:
        b.ecn.accurate.sent_again(seg.seq)
    report(b, seg.seq, min(end, b.rcv.nxt))
    if end <= b.rcv.nxt:
        b.counters.DelayedACKLost += 1
        delayed_ack.hurry(b)
        acknowledge.now(b, "old text")


def reset_is_expected(b: Block, seq: int) -> bool:
    """Whether a RST stands where its sender must believe RCV.NXT to be (RFC 5961 section 3.2): there, before the FIN that it
    sent last, or after the last block that SACK told it of."""
    rcv = b.rcv
    if seq == rcv.nxt or (seq == rcv.nxt - 1 and b.state in _FIN_WAS_LAST):
        return True
    return b.sack and b.held is not None and seq == max([end for _, end in b.held.sacks], default=None)
