"""Accurate ECN: how many segments and octets were marked, counted by the receiver in every ACK (RFC 9768).

The three bits AE, CWR and ECE are the field ACE: the lowest three bits of a counter of CE-marked segments; an option counts
octets by their ECN field. In the last ACK of the handshake ACE says how the SYN,ACK arrived instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.formats.tcp import AE, CWR, ECE

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.segment import Segment

_CE = 3
HANDSHAKE = (CWR, CWR | ECE, AE, AE | CWR)  # for Not-ECT, ECT(1), ECT(0), CE: tables 2 and 3
FIRST = 5  # where the counter of segments begins, so that a field of zeros or ones is seen to be a middlebox's
KIND = 174  # order 1 of the option: ECT(1), CE, ECT(0), as Linux sends it
OCTETS = 12  # of the whole option, with a NOP
_THREE = 0xFFFFFF
_NOTHING = (0, 1, 1, 0)  # where the counters of octets begin: of Not-ECT, ECT(1), ECT(0), CE (section 3.2.1)


class Accurate:
    """The receiver's counters (r.), and the sender's idea of the peer's (s.)."""

    __slots__ = ("answering", "ce_octets", "octets", "option", "packets", "sent_packets", "syn_ect")

    def __init__(self, field: int) -> None:
        self.syn_ect = field  # how the peer's SYN, or SYN,ACK, arrived
        self.packets = FIRST + (field == _CE)  # r.cep
        self.sent_packets = FIRST  # s.cep, not cut to three bits
        self.octets = list(_NOTHING)  # r.*: by ECN field
        self.ce_octets: int | None = None  # s.ceb: the counter in the option of the last ACK
        self.answering = False  # the next ACK is the last of the handshake
        self.option = False  # the peer sends the option, so it is known to pass

    def synack_arrived(self, bits: int) -> None:
        """It says how our SYN arrived."""
        self.answering = True
        self.sent_packets = FIRST + (bits == HANDSHAKE[_CE])

    def handshake_over(self, bits: int) -> bool:
        """The last ACK says how our SYN,ACK arrived; False where a middlebox clears the bits, and ECT is better not used
        (section 3.2.2.1)."""
        self.sent_packets = FIRST + (bits == HANDSHAKE[_CE])
        return bits != 0

    def arrived(self, field: int, size: int) -> bool:
        """Any segment came, with so many octets of text; True if it was marked, which is told at once."""
        self.octets[field] += size
        if field == _CE:
            self.packets += 1
            return True
        return False

    def bits(self) -> int:
        """ACE, for any segment that is not a SYN."""
        if self.answering:
            self.answering = False
            return HANDSHAKE[self.syn_ect]
        low = self.packets & 7
        return (AE if low & 4 else 0) | (CWR if low & 2 else 0) | (ECE if low & 1 else 0)

    def options(self) -> bytes:
        """The option with all three counters."""
        _, one, zero, marked = self.octets
        counters = b"".join((each & _THREE).to_bytes(3, "big") for each in (one, marked, zero))
        return bytes((KIND, 11)) + counters + b"\1"

    def marked(self, seg: Segment, delivered: int, mss: int) -> int:
        """How many of the segments that this ACK delivered were marked (appendix A.1 and A.2.2)."""
        ace = (4 if seg.flags & AE else 0) | (2 if seg.flags & CWR else 0) | (1 if seg.flags & ECE else 0)
        delta = ace - self.sent_packets & 7
        octets = None
        if seg.accurate is not None:
            counter = seg.accurate
            if self.ce_octets is not None:
                octets = counter - self.ce_octets & _THREE
            self.ce_octets = counter
        if delivered > 7:
            # The field may have gone round: the most that is possible, unless the octets say less
            safe = delivered - (delivered - delta & 7)
            if octets is None or octets > delta * mss:
                delta = safe if octets is None or 2 * octets >= safe * mss else max(delta, -(-octets // mss))
        self.sent_packets += delta
        return delta


def read_option(octets: bytes) -> int | None:
    """The counter of marked octets in the option, the second in either order; None if it is not there (section 3.2.3)."""
    return int.from_bytes(octets[3:6], "big") if len(octets) >= 6 else None


def segment_arrived(b: Block, seg: Segment) -> None:
    """Count how it came. Every mark brings out an ACK: more often than section 3.2.2.5.1 asks for, and never too late."""
    ecn = b.ecn
    assert ecn is not None
    accurate = ecn.accurate
    assert accurate is not None
    accurate.option |= seg.accurate is not None
    if accurate.arrived(b.arriving, len(seg.text)):
        b.ack_now = True
