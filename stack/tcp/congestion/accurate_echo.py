"""Accurate ECN, the sender's half: how many of our segments were marked, from the ACKs (RFC 9768 sections 3.2.2.5 and 3.2.3, appendix A).

ACE has three bits: an ACK of more than seven segments may stand for eight marks more than it shows. Linux's answer, taken
here, is to believe the most that is possible unless the option's octets, or ACKs that often cover as much, say otherwise.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from stack.tcp.formats.tcp import AE, CWR, ECE

if TYPE_CHECKING:
    from stack.tcp.segment import Segment

FIRST = 5  # where the counters of segments begin, so that a field of zeros or ones is seen to be a middlebox's
NOTHING = (0, 1, 1, 0)  # and those of octets: of Not-ECT, ECT(1), ECT(0), CE (section 3.2.1)
_CE = 3
_THREE, _SIGN = 0xFFFFFF, 0x800000
_ORDERS = {172: (2, 3, 1), 174: (1, 3, 2)}  # the ECN fields that the option's counters are of, by its kind (table 5)
_ROUND = 8  # of the field
_MANY_ACKED = 4  # segments that an ACK covers where ACKs are compressed on the way (ACK_COMP_THRESH)
_WEIGHT = _PRECISION = 6  # of the average of those
_TOO_LATE = (1 << 23) - 1  # octets sent: a counter that was never seen may have gone round since


def ace(flags: int) -> int:
    """The three bits as a number."""
    return (4 if flags & AE else 0) | (2 if flags & CWR else 0) | (1 if flags & ECE else 0)


class Seen(IntEnum):
    """What came of the peer's option (saw_accecn_opt)."""

    NOTHING = 0
    EMPTY = 1
    COUNTERS = 2
    SPOILT = 3  # a middlebox has put zeros where counters begin with 1: not to be believed


class Echo:
    """What the peer is known to have counted (the RFC's s.*). s.cep itself is FIRST + `delivered_ce` of the queue."""

    __slots__ = ("acked", "field", "octets", "seen", "stamp")

    def __init__(self) -> None:
        self.octets = [0, 0, 0, 0]  # delivered, by ECN field
        self.seen = Seen.NOTHING
        self.field: int | None = None  # how octets arrive that no option tells of: as those that it told of last
        self.acked = 0  # the average of segments that an ACK covers, in 1/64
        self.stamp = 0  # TS.Recent at the last ACK

    def option_came(self, seg: Segment) -> None:
        """The first counters must not be zero (section 3.2.3.2.4, tcp_accecn_option_init)."""
        if seg.accurate is None or self.seen >= Seen.COUNTERS:
            return
        _, counters = seg.accurate
        if len(counters) < 3:
            self.seen = Seen.EMPTY
        elif not any(counters[:3]) or (len(counters) >= 9 and not any(counters[6:9])):
            self.seen = Seen.SPOILT
        else:
            self.seen = Seen.COUNTERS

    def progress(self, stamp: int, delivered: bool) -> bool:
        """Whether an ACK is later than the last one for certain: it delivers something, or its timestamp is new."""
        newer, self.stamp = stamp != self.stamp, stamp
        return delivered or newer

    def marked(self, seg: Segment, counted: int, delivered: int, octets: int, mss: int, even: bool, sent: int) -> int:
        """How many of our segments an ACK tells to have been marked, beyond the `counted` ones (__tcp_accecn_process).

        It delivers so many segments and octets; `even`: none is thought to be missing, or SACK says which; `sent`: octets
        sent so far.
        """
        before = self.octets[_CE]
        believable = self._option(seg, octets, sent)
        if delivered:
            average = self.acked
            self.acked = min((average << _WEIGHT) - average + (delivered << _PRECISION) >> _WEIGHT, 0xFFFF) if average else delivered << _PRECISION
        delta = ace(seg.flags) - FIRST - counted & _ROUND - 1
        if delivered < _ROUND:
            return delta
        most = delivered - (delivered - delta & _ROUND - 1)
        if not believable:
            return delta if self.acked > _MANY_ACKED << _PRECISION else most
        marked = self.octets[_CE] - before
        if not marked:
            return delta
        if delivered >= 2 * _ROUND and even:
            if octets <= marked:
                return most
            return min(most, delta + (-(-marked * delivered // octets) & ~(_ROUND - 1)))
        if marked > delta * mss:
            return most
        return delta if marked < most * mss >> 1 else most

    def _option(self, seg: Segment, octets: int, sent: int) -> bool:
        """Take over the option's counters; whether what they say of this ACK can be relied on (tcp_accecn_process_option)."""
        if self.seen is Seen.SPOILT:
            return False
        guess = self.field
        if seg.accurate is None:
            if self.seen is Seen.NOTHING:
                if sent >= _TOO_LATE:
                    self.seen = Seen.SPOILT
            elif guess is not None:
                self.octets[guess] += octets
                return True
            return False
        kind, counters = seg.accurate
        sure, ambiguous, changed = guess is not None, False, False
        for place, field in enumerate(_ORDERS[kind]):
            if len(counters) < 3 * place + 3:
                break
            number = int.from_bytes(counters[3 * place : 3 * place + 3], "big")
            delta = number - NOTHING[field] - self.octets[field] & _THREE
            delta -= (delta & _SIGN) << 1  # an estimate went too far
            self.octets[field] += delta
            if delta < 0 or (delta and field != guess and changed):
                ambiguous = True
            if delta and field != guess and not changed:
                self.field, changed = field, True
        if ambiguous:
            self.field = None
        return sure and not ambiguous
