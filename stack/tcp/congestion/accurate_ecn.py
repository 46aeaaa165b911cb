"""Accurate ECN, the receiver's half: how many segments and octets came marked, told in every ACK (RFC 9768).

The three bits AE, CWR and ECE are the field ACE: the lowest three bits of a counter of CE-marked segments; an option counts
octets by their ECN field. In the last ACK of the handshake ACE says how the SYN,ACK arrived instead. What the sender makes
of it is in `accurate_echo.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.quantity import MICROSECOND
from stack.tcp.congestion.accurate_echo import FIRST, NOTHING, Echo
from stack.tcp.formats.tcp import AE, CWR, ECE

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.segment import Segment

NOT_ECT, _, ECT_0, CE = range(4)
HANDSHAKE = (CWR, CWR | ECE, AE, AE | CWR)  # for Not-ECT, ECT(1), ECT(0), CE: tables 2 and 3
KIND = 174  # order 1 of the option: ECT(1), CE, ECT(0), as Linux sends it
OCTETS = 12  # of the whole option, with a NOP
_SPACE = 40  # for all options
_BLOCK = 8  # octets of a SACK block
_NEEDED = (0, 1, 3, 2)  # fields that tell of an octet with each ECN field, in the option's order
_THREE = 0xFFFFFF
_OFTEN = 22  # the option goes once at least while a counter of 24 bits grows by 2**22 (section 3.2.3.3)


class Accurate:
    """The counters of what comes in (the RFC's r.*), and the echo of what goes out."""

    __slots__ = (
        "answering", "changed", "demand", "echo", "last", "least", "octets", "option_at", "packets", "sends", "syn_ect", "told_twice",
        "untold",
    )  # fmt: skip

    def __init__(self, field: int) -> None:
        self.echo = Echo()
        self.syn_ect = field  # how the peer's SYN, or SYN,ACK, arrived
        self.packets = FIRST  # r.cep. A marked SYN is told in the SYN,ACK, and counts in neither host's numbers
        self.octets = list(NOTHING)  # r.*: by ECN field
        self.answering = False  # the next ACK without text is the last of the handshake
        self.sends = True  # our option gets through
        self.last = field  # how the segment before arrived
        self.changed = False  # and that what came then arrived otherwise was not told yet
        self.untold = 0  # marks that no ACK has told yet
        self.demand = 0  # so many ACKs are to have the option where it goes with few (tcp_ecn_option=1)
        self.least = 0  # fields that the next option has to have, to tell what is new
        self.option_at: int | None = None  # when the option went last
        self.told_twice: int | None = None  # where the duplicate began that a D-SACK beside our last option reported

    def arrived(self, field: int, size: int) -> bool:
        """Any segment came, with so many octets of text; True if an ACK has to tell it at once: the text, or an ACK before
        it, came with another ECN field than what was before, or a second mark waits (section 3.2.2.5.1,
        tcp_ecn_received_counters)."""
        if size and field != NOT_ECT:
            before = self.octets[field]
            self.octets[field] = before + size
            self.least = max(self.least, _NEEDED[field])
            if before >> _OFTEN != before + size >> _OFTEN:
                self.demand = max(self.demand, 1)
        if field == CE:
            self.packets += 1
            self.untold += 1
        if field == CE or field != self.last:
            self.demand = 2  # the second tells which of two fields the first meant
        self.changed |= field != self.last
        self.last = field
        return size > 0 and (self.changed or self.untold > 1)

    def bits(self, size: int) -> int:
        """ACE, for any segment that is not a SYN."""
        self.changed = False
        self.untold = 0
        if self.answering:
            self.answering = False
            if not size:
                return HANDSHAKE[self.syn_ect]
        low = self.packets & 7
        return (AE if low & 4 else 0) | (CWR if low & 2 else 0) | (ECE if low & 1 else 0)

    def wants_option(self, when: int, beacon: int, srtt: int, now: int) -> bool:
        """Whether the option goes with a segment: `when` is tcp_ecn_option, and `beacon` (tcp_ecn_option_beacon) how often
        in a round trip it goes though there is nothing new."""
        if not when or not self.sends or not self.echo.seen:
            return False
        if when > 1 or self.demand > 0:
            return True
        return beacon > 0 and (self.option_at is None or (now - self.option_at) // MICROSECOND * beacon >= srtt // MICROSECOND)

    def beside(self, first: bytes, blocks: bytes, count: int, now: int) -> bytes:
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
        self.option_at = now
        return first + self._written(self.octets, fields, 2 if blocks else 0) + blocks[2:]

    def in_synack(self, first: bytes, rest: bytes) -> bytes:
        """The option with all counters as they begin, after what comes `first`; `rest` is aligned."""
        return first + self._written(list(NOTHING), 3, 0) + rest

    def _fields(self, before: int, blocks: int) -> int | None:
        spared = 2 if blocks else 0  # octets: the NOPs of SACK's option
        for fields in (3, 2, 1, 0):
            size = 2 + 3 * fields
            if fields >= self.least and before + blocks + size - spared + (-(size - spared) % 4) <= _SPACE:
                return fields
        return None

    def _written(self, octets: list[int], fields: int, follows: int) -> bytes:
        """The option, and NOPs so that it ends a word once `follows` octets have come after it."""
        _, one, zero, marked = octets
        counters = b"".join((each & _THREE).to_bytes(3, "big") for each in (one, marked, zero)[:fields])
        size = 2 + len(counters)
        return bytes((KIND, size)) + counters + b"\1" * (-(size + follows) % 4)

    def sent_again(self, seq: int) -> None:
        """Text came twice: for the second time, though a D-SACK beside our option told of it? Then segments with the option
        do not get through (section 3.2.3.2.2, tcp_rcv_spurious_retrans)."""
        if seq == self.told_twice:
            self.sends = False


def segment_arrived(b: Block, seg: Segment) -> None:
    """Count how an acceptable segment came, with all its text; a change brings out an ACK."""
    ecn = b.ecn
    assert ecn is not None
    accurate = ecn.accurate
    assert accurate is not None
    accurate.echo.option_came(seg)
    if accurate.arrived(b.arriving, len(seg.text)):
        b.ack_now = True
