"""Selective acknowledgments: tagging the queue by their blocks, D-SACK, and what tells of reordering (RFC 2018, 2883, 6675)."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from stack.tcp.congestion.base import CongestionState
from stack.tcp.recovery.retransmit_queue import EVER_RESENT, LOST, RESENT, SACKED, Record

if TYPE_CHECKING:
    from stack.tcp.acknowledgment import Acknowledgment
    from stack.tcp.block import Block

Blocks = list[tuple[int, int]]


def tag(b: Block, ack: Acknowledgment, blocks: Blocks, now: int) -> None:
    """Take the blocks of an ACK (tcp_sacktag_write_queue)."""
    rtx, recovery, snd = b.rtx, b.recovery, b.snd
    if not rtx.sacked_out:
        rtx.highest_sack = snd.una
        recovery.known = ()
    duplicate = report_of_duplicate(b, ack, blocks)
    if ack.ack < ack.prior_una - snd.max_wnd or not rtx.records:
        return
    taken = []
    for place, (left, right) in enumerate(blocks):
        reported = duplicate and not place
        if not believable(b, reported, left, right):
            _discard(b, ack, reported, right)
        elif right > ack.prior_una:
            taken.append((left, right, reported))
    taken.sort()
    for left, right, reported in taken:
        walk(b, ack, left, right, reported, now)
    recovery.known = [(left, right) for left, right, reported in taken if not reported]
    if recovery.state is not CongestionState.LOSS or recovery.undo_marker is not None:
        check_reordering(b, ack.reordered)


def _discard(b: Block, ack: Acknowledgment, reported: bool, right: int) -> None:
    if reported:
        b.counters.add("TCPDSACKIgnoredNoUndo" if b.recovery.undo_marker is None else "TCPDSACKIgnoredOld")
    elif ack.ack == b.snd.una or right > b.snd.una:  # else it came late
        b.counters.TCPSACKDiscard += 1


def walk(b: Block, ack: Acknowledgment, left: int, right: int, reported: bool, now: int) -> None:
    """Tag what a block covers. What the last ACK said already is not looked at again."""
    rtx = b.rtx
    start = left
    if not reported:
        for known_left, known_right in b.recovery.known:
            if known_left <= left < known_right:
                start = known_right
    if start >= right:
        return
    for record in islice(rtx.records, rtx.at(start), None):
        if record.seq >= right:
            return
        if left <= record.seq and record.end <= right:
            tag_one(b, ack, record, reported, now)


def tag_one(b: Block, ack: Acknowledgment, record: Record, reported: bool, now: int) -> None:
    """The peer holds `record`; `reported`: it says that it came twice (tcp_sacktag_one)."""
    rtx, recovery = b.rtx, b.recovery
    marks = record.marks
    if reported and marks & (RESENT | EVER_RESENT):
        if recovery.undo_marker is not None and recovery.undo_retrans > 0 and record.end > recovery.undo_marker:
            recovery.undo_retrans -= 1
        if marks & SACKED:
            ack.reordered = min(ack.reordered, record.seq)
    if record.end <= b.snd.una:
        return
    if not marks & SACKED:
        b.rack.advance(record, b.rtt.minimum, now)
        if marks & RESENT:
            # If it is not lost, its repetition is believed to be in the network still.
            if marks & LOST:
                marks &= ~(LOST | RESENT)
                rtx.lost_out -= 1
                rtx.retrans_out -= 1
        else:
            if not marks & EVER_RESENT:
                if record.seq < highest(b):
                    ack.reordered = min(ack.reordered, record.seq)
                if record.end <= recovery.point:
                    ack.original = True
                if ack.first_sacked is None:
                    ack.first_sacked = record.sent_at
                ack.last_sacked = record.sent_at
            if marks & LOST:
                marks &= ~LOST
                rtx.lost_out -= 1
        marks |= SACKED
        ack.newly_sacked = True
        rtx.sacked_out += 1
        rtx.delivered += 1
        ack.prior_delivered = max(ack.prior_delivered, record.delivered)
        if b.rate is not None:
            record.marks = marks
            b.rate.took(record)
        if record.end > rtx.highest_sack:
            rtx.highest_sack = record.end
    if reported and marks & RESENT:
        marks &= ~RESENT
        rtx.retrans_out -= 1
    record.marks = marks


def highest(b: Block) -> int:
    """The end of what is SACKed."""
    return b.rtx.highest_sack if b.rtx.sacked_out else b.snd.una


def believable(b: Block, reported: bool, left: int, right: int) -> bool:
    """Whether a block can be true (tcp_is_sackblock_valid); `reported`: as the report of a duplicate."""
    snd, marker = b.snd, b.recovery.undo_marker
    if right > snd.nxt or left >= right:
        return False
    if left > snd.una:
        return True
    if not reported or marker is None or right > snd.una:
        return False
    if left >= marker:
        return True
    return right > marker and left >= right - snd.max_wnd


def report_of_duplicate(b: Block, ack: Acknowledgment, blocks: Blocks) -> bool:
    """The first block reports what came twice: it lies below the ACK, or inside the second block (RFC 2883)."""
    left, right = blocks[0]
    recovery, snd, counters = b.recovery, b.snd, b.counters
    if left < ack.ack:
        counters.TCPDSACKRecv += 1
    elif len(blocks) > 1 and blocks[1][0] <= left and right <= blocks[1][1]:
        counters.TCPDSACKOfoRecv += 1
    else:
        return False
    size = right - left
    if not 0 < size <= snd.max_wnd:
        counters.TCPDSACKIgnoredDubious += 1
        return False
    segments = 1
    if size > snd.mss:
        segments = -(-size // snd.mss)
    elif recovery.probe_end and recovery.probe_end == right:
        ack.dsacked_probe = True
    recovery.dsack_dups += segments
    if recovery.dsack_dups > b.retransmitted:
        counters.TCPDSACKIgnoredDubious += 1
        return False  # the network made the duplicate, we did not
    if recovery.reordering_seen and not ack.dsacked_probe:
        b.rack.dsack_seen = True
    ack.dsacked = True
    counters.TCPDSACKRecvSegs += segments
    b.rtx.delivered += segments
    marker = recovery.undo_marker
    if marker is not None and recovery.undo_retrans > 0 and marker < right <= ack.prior_una:
        recovery.undo_retrans = max(0, recovery.undo_retrans - segments)
    return True


def check_reordering(b: Block, low: int, by_time: bool = False) -> None:
    """Something as low as `low` was delivered after what lies above it, as SACK or a timestamp tells (tcp_check_sack_reordering)."""
    fack = highest(b)
    if low >= fack:
        return
    recovery = b.recovery
    span = fack - low
    if span > recovery.reordering * b.snd.mss:
        recovery.reordering = min(-(-span // b.snd.mss), b.settings.reordering_limit)
    recovery.reordering_seen += 1
    b.counters.add("TCPTSReorder" if by_time else "TCPSACKReorder")
