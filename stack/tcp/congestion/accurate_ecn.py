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
_SPACE = 40  # for all options
_BLOCK = 8  # octets of a SACK block
_NEEDED = (0, 1, 3, 2)  # fields that tell of an octet with each ECN field, in the option's order
_THREE = 0xFFFFFF
_NOTHING = (0, 1, 1, 0)  # where the counters of octets begin: of Not-ECT, ECT(1), ECT(0), CE (section 3.2.1)


class Accurate:
    """The receiver's counters (r.), and the sender's idea of the peer's (s.)."""

    __slots__ = (
        "answering", "ce_octets", "changed", "demand", "last", "least", "octets", "option", "packets", "sent_packets", "syn_ect",
        "untold",
    )  # fmt: skip

    def __init__(self, field: int) -> None:
        self.syn_ect = field  # how the peer's SYN, or SYN,ACK, arrived
        self.packets = FIRST + (field == _CE)  # r.cep
        self.sent_packets = FIRST  # s.cep, not cut to three bits
        self.octets = list(_NOTHING)  # r.*: by ECN field
        self.ce_octets: int | None = None  # s.ceb: the counter in the option of the last ACK
        self.answering = False  # the next ACK is the last of the handshake
        self.option = False  # the peer sends the option, so it is known to pass
        self.last = field  # how the segment before arrived
        self.changed = False  # and that what came then arrived otherwise was not told yet
        self.untold = 0  # marks that no ACK has told yet
        self.demand = 1  # so many ACKs are to have the option where it goes with few (tcp_ecn_option=1)
        self.least = 0  # fields that the next option has to have, to tell what is new

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
        """Any segment came, with so many octets of text; True if an ACK has to tell it at once: the text, or an ACK before
        it, came with another ECN field than what was before, or a second mark waits (section 3.2.2.5.1,
        tcp_ecn_received_counters)."""
        self.octets[field] += size
        if size:
            self.least = max(self.least, _NEEDED[field])
        if field == _CE:
            self.packets += 1
            self.untold += 1
        if field == _CE or field != self.last:
            self.demand = 2  # the second tells which of two fields the first meant
        self.changed |= field != self.last
        self.last = field
        return size > 0 and (self.changed or self.untold > 1)

    def bits(self) -> int:
        """ACE, for any segment that is not a SYN."""
        self.changed = False
        self.untold = 0
        if self.answering:
            self.answering = False
            return HANDSHAKE[self.syn_ect]
        low = self.packets & 7
        return (AE if low & 4 else 0) | (CWR if low & 2 else 0) | (ECE if low & 1 else 0)

    def beside(self, first: bytes, blocks: bytes, count: int) -> bytes:
        """The options `first`, ours with as many counters as there is room for, then SACK's with `count` blocks, which
        begins with two NOPs. A third block gives way to what ours has to tell (tcp_options_fit_accecn)."""
        fields = self._fields(len(first), len(blocks))
        if fields is None and count > 2 and self.least:
            fields = self._fields(len(first), len(blocks) - _BLOCK)
            if fields is not None:
                blocks = b"\1\1\5" + bytes((blocks[3] - _BLOCK,)) + blocks[4:-_BLOCK]
        if fields is None:
            return first + blocks
        self.least = 0
        self.demand = max(0, self.demand - 1)
        return first + self._written(fields, 2 if blocks else 0) + blocks[2:]

    def in_synack(self, first: bytes, rest: bytes) -> bytes:
        """The option with all counters, after what comes `first`; `rest` is aligned."""
        return first + self._written(3, 0) + rest

    def _fields(self, before: int, blocks: int) -> int | None:
        spared = 2 if blocks else 0  # octets: the NOPs of SACK's option
        for fields in (3, 2, 1, 0):
            size = 2 + 3 * fields
            if fields >= self.least and before + blocks + size - spared + (-(size - spared) % 4) <= _SPACE:
                return fields
        return None

    def _written(self, fields: int, follows: int) -> bytes:
        """The option, and NOPs so that it ends a word once `follows` octets have come after it."""
        _, one, zero, marked = self.octets
        counters = b"".join((each & _THREE).to_bytes(3, "big") for each in (one, marked, zero)[:fields])
        size = 2 + len(counters)
        return bytes((KIND, size)) + counters + b"\1" * (-(size + follows) % 4)

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
    """Count how it came; a change brings out an ACK."""
    ecn = b.ecn
    assert ecn is not None
    accurate = ecn.accurate
    assert accurate is not None
    accurate.option |= seg.has_accurate
    if accurate.arrived(b.arriving, len(seg.text)):
        b.ack_now = True
