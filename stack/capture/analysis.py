"""What Wireshark's `tcp.analysis.*` says of a segment: retransmission, out of order, duplicate ACK and the like.

The rules, their order and their quirks are those of Wireshark's TCP dissector (its user's guide, "TCP Analysis"), so
that a filter gives the same packets here and there. `0` stands for "not seen yet", as it does there.
"""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple

from stack.tcp.formats.tcp import ACK, FIN, RST, SYN

FAST_RETRANSMISSION_WITHIN = 20_000_000  # ns after the last duplicate ACK
OUT_OF_ORDER_WITHIN = 3_000_000  # ns after the highest segment, where the handshake's round trip is not known
MOST_UNACKED = 10_000  # segments of one direction that are remembered until they are acknowledged
_SYN_FIN_RST = SYN | FIN | RST


class Finding(IntFlag):
    """The findings, each named as its field."""

    RETRANSMISSION = 1
    FAST_RETRANSMISSION = 2
    SPURIOUS_RETRANSMISSION = 4
    OUT_OF_ORDER = 8
    LOST_SEGMENT = 16
    ACK_LOST_SEGMENT = 32
    DUPLICATE_ACK = 64
    ZERO_WINDOW = 128
    ZERO_WINDOW_PROBE = 256
    ZERO_WINDOW_PROBE_ACK = 512
    WINDOW_UPDATE = 1024
    WINDOW_FULL = 2048
    KEEP_ALIVE = 4096
    KEEP_ALIVE_ACK = 8192
    REUSED_PORTS = 16384


# Plain integers for the rules: an IntFlag costs thirty times as much.
_RETRANSMISSION, _FAST, _SPURIOUS, _OUT_OF_ORDER, _LOST, _ACK_LOST, _DUPLICATE_ACK, _ZERO_WINDOW, _PROBE, _PROBE_ACK, \
    _WINDOW_UPDATE, _WINDOW_FULL, _KEEP_ALIVE, _KEEP_ALIVE_ACK, REUSED_PORTS = (int(one) for one in Finding)  # fmt: skip


class Segment(NamedTuple):
    """What the rules look at. `length` counts the octets of text by the IP header, captured or not."""

    number: int
    time: int
    seq: int
    ack: int
    length: int
    flags: int
    window: int


class Unacked(NamedTuple):
    """A segment that waits to be acknowledged."""

    number: int
    seq: int
    next: int


class Half:
    """One direction of a conversation, as the capture shows it."""

    __slots__ = (
        "ack", "ack_time", "duplicates", "findings", "highest_to_ack", "next", "next_time", "original_ack",
        "scale", "unacked", "window", "window_unscaled",
    )  # fmt: skip

    def __init__(self) -> None:
        self.next = 0  # the highest sequence number seen, plus one
        self.next_time = 0
        self.highest_to_ack = 0  # up to where there is no hole; 0: an ACK beyond it has been told
        self.ack = 0
        self.ack_time = 0
        self.window = 0
        self.window_unscaled = False  # the window came in a SYN
        self.scale: int | None = None  # shift; None: not known; -1: not used
        self.duplicates = 0
        self.original_ack = 0  # number of the frame that the duplicate ACKs repeat
        self.findings = 0  # of the last segment
        self.unacked: list[Unacked] = []


class Result(NamedTuple):
    """The findings about a segment, and what they refer to (numbers of frames; 0: none)."""

    findings: int
    duplicate: int = 0
    duplicate_of: int = 0
    acks_frame: int = 0


def after(a: int, b: int) -> bool:
    """a > b on the circle of 32-bit sequence numbers."""
    return 0 < a - b & 0xFFFFFFFF <= 0x80000000


def examine(segment: Segment, here: Half, there: Half, first_rtt: int) -> Result:
    """The findings about `segment`, which goes from `here` to `there`; both are brought up to date.

    `first_rtt` is the round-trip time of the handshake in ns, 0 where it is not known.
    """
    findings = _about_window(segment, here, there)
    duplicate = duplicate_of = 0
    if findings & _DUPLICATE_ACK:
        here.duplicates += 1
        duplicate, duplicate_of = here.duplicates, here.original_ack
    if segment.ack != here.ack:
        here.original_ack = segment.number
        here.duplicates = 0
    if there.highest_to_ack and segment.flags & ACK and after(segment.ack, there.highest_to_ack):
        findings |= _ACK_LOST
        # Told once; and where nothing but the ACK goes further, not again before the other side does.
        there.highest_to_ack = 0 if there.highest_to_ack == there.next else there.next
    if (segment.length or segment.flags & (SYN | FIN)) and not findings & _KEEP_ALIVE:
        findings |= _about_order(segment, here, there, first_rtt)
    _advance(segment, here, findings)
    return Result(findings, duplicate, duplicate_of, _acknowledge(segment, there))


def _about_window(segment: Segment, here: Half, there: Half) -> int:
    """Findings that need no look at what is repeated; the first of the last group ends the search."""
    _, _, seq, ack, length, flags, window = segment
    if length == 1 and seq == here.next and there.window == 0:
        return _PROBE
    findings = 0
    if window == 0 and not flags & _SYN_FIN_RST:
        findings |= _ZERO_WINDOW
    if here.next and after(seq, here.next) and not flags & RST:
        findings |= _LOST
    if flags & _SYN_FIN_RST:
        return findings
    if length <= 1 and seq == here.next - 1 & 0xFFFFFFFF:
        findings |= _KEEP_ALIVE
    if length == 0 and window and window != here.window and seq == here.next and ack == here.ack:
        findings |= _WINDOW_UPDATE
    if length and there.scale is not None:
        shift = 0 if there.window_unscaled else max(there.scale, 0)
        if seq + length & 0xFFFFFFFF == there.ack + (there.window << shift) & 0xFFFFFFFF:
            findings |= _WINDOW_FULL
    if length == 0 and window == here.window and seq == here.next:
        findings |= _about_repetition(segment, here, there)
    return findings


def _about_repetition(segment: Segment, here: Half, there: Half) -> int:
    """A bare segment that changes neither window nor numbers."""
    if segment.ack != here.ack:
        return 0
    if not segment.window:
        return _PROBE_ACK if there.findings & _PROBE else 0
    return _KEEP_ALIVE_ACK if there.findings & _KEEP_ALIVE else _DUPLICATE_ACK


def _about_order(segment: Segment, here: Half, there: Half, first_rtt: int) -> int:
    """A segment that does not advance the sequence number is one of four things."""
    time, seq, length = segment.time, segment.seq, segment.length
    not_advanced = bool(here.next) and after(here.next, seq)
    if length > 1 and here.next - 1 & 0xFFFFFFFF == seq:
        not_advanced = False  # the segment before was a probe of one octet, perhaps
    if length and there.ack and not after(seq + length & 0xFFFFFFFF, there.ack):
        return _SPURIOUS | _RETRANSMISSION
    if not not_advanced:
        return 0
    if there.duplicates >= 2 and there.ack == seq and time - there.ack_time < FAST_RETRANSMISSION_WITHIN:
        return _FAST | _RETRANSMISSION
    within = first_rtt or OUT_OF_ORDER_WITHIN
    if time - here.next_time < within and here.next != _following(segment):
        return _OUT_OF_ORDER
    return _RETRANSMISSION


def _following(segment: Segment) -> int:
    """The sequence number after the segment: SYN and FIN take one."""
    return segment.seq + segment.length + bool(segment.flags & (SYN | FIN)) & 0xFFFFFFFF


def _advance(segment: Segment, here: Half, findings: int) -> None:
    """Remember what later segments are compared with."""
    number, time, seq, ack, length, flags, window = segment
    following = seq + length & 0xFFFFFFFF
    if (length or flags & (SYN | FIN)) and len(here.unacked) < MOST_UNACKED:
        following = _following(segment)
        here.unacked.append(Unacked(number, seq, following))
    if not findings & _PROBE:
        known = here.next
        if after(following, known) or not known:
            here.next = following
            here.next_time = time
            if not here.highest_to_ack:
                here.highest_to_ack = following if seq == known or not known else known
        if seq == here.highest_to_ack:
            here.highest_to_ack = here.next
    here.window = window
    here.window_unscaled = bool(flags & SYN)
    here.ack = ack
    here.ack_time = time
    here.findings = findings


def _acknowledge(segment: Segment, there: Half) -> int:
    """The number of the frame that this ACK acknowledges exactly, or 0; what it covers is forgotten."""
    ack = segment.ack
    found = 0
    kept: list[Unacked] = []
    for one in there.unacked:
        if ack == one.next:
            found = found or one.number
        elif after(ack, one.seq) and not after(ack, one.next):
            kept.append(one._replace(seq=ack))
        elif after(one.next, ack):
            kept.append(one)
    there.unacked = kept
    return found
