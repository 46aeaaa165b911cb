"""Explicit congestion notification: negotiation, marks received and echoed, reductions announced (RFC 3168; RFC 8311's relaxations).

Which mode two ends speak is agreed in the SYNs. Classic: a mark (CE) is echoed by ECE in every ACK until the sender says
CWR. Accurate (RFC 9768): ACKs count the marks; see `accurate_ecn.py`. A connection without ECN has no `Ecn` and pays nothing.
ECT(0) goes on new data only: not on pure ACKs, on repetitions, on window probes (sections 6.1.4 to 6.1.6), unless the
congestion control needs it on all (DCTCP).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.congestion import accurate_ecn
from stack.tcp.congestion.accurate_ecn import Accurate
from stack.tcp.congestion.base import CongestionState, Happening
from stack.tcp.congestion.registry import congestion_control
from stack.tcp.formats.options import TCPOptions
from stack.tcp.formats.tcp import AE, CWR, ECE, SYN
from stack.tcp.receiving import delayed_ack
from stack.tcp.state import SYN_RECEIVED, SYN_SENT

if TYPE_CHECKING:
    from stack.tcp.acknowledgment import Acknowledgment
    from stack.tcp.block import Block
    from stack.tcp.segment import Segment

NOT_ECT, ECT_1, ECT_0, CE = range(4)  # the ECN field of an IP header
ACE = AE | CWR | ECE  # all three, which AccECN uses as one field

# tcp_ecn: what a SYN asks for, and what is granted to a SYN that asks
_ASKS = (None, "classic", None, "accurate", "classic", None)
_GRANTS = (None, "classic", "classic", "accurate", "accurate", "accurate")


class Ecn:
    """Of a connection that has ECN, or has asked for it."""

    __slots__ = ("accurate", "agreed", "ask", "demand_cwr", "queue_cwr", "seen", "sent_to", "uses_ect")

    def __init__(self) -> None:
        self.ask: str | None = None  # what our SYN asked for
        self.agreed = False
        self.accurate: Accurate | None = None  # the counters, where that is what was agreed on
        self.demand_cwr = False  # CE came: echo it until CWR comes
        self.queue_cwr = False  # the window was reduced: the next new data says so
        self.seen = False  # ECT or CE came
        self.sent_to = 0  # the end of what was sent: data from there on is new
        self.uses_ect = True  # our data may be marked; False where the path is known to spoil it


def needed(b: Block) -> bool:
    """Whether the congestion control lives by marks."""
    return congestion_control(b.settings.congestion).needs_ecn


# Opening (RFC 3168 section 6.1.1, RFC 9768 section 3.1)


def syn_flags(b: Block, answer: bool) -> int:
    """The three bits for our SYN or SYN,ACK; sets the ECN field of its datagram."""
    ecn = b.ecn
    always = needed(b)
    b.ect = ECT_0 if always else NOT_ECT
    if answer:
        if ecn is None:
            b.ect = NOT_ECT
            return 0
        if ecn.accurate is not None:
            # The answer tells how the SYN arrived; repeated, it may be the bits that a middlebox cannot bear
            if b.retries > 1 and b.settings.ecn_fallback:
                ecn.uses_ect = False  # who sent or received zeros in the handshake sends no ECT (RFC 9768 section 3.1.5)
                return 0
            return accurate_ecn.HANDSHAKE[ecn.accurate.syn_ect]
        return ECE
    wants = _ASKS[b.settings.ecn] or ("classic" if always else None)
    if wants is None:
        return 0
    if ecn is None:
        ecn = b.ecn = Ecn()
        ecn.ask = wants
    if b.settings.ecn_fallback and (b.retries > 1 if wants == "accurate" else b.snd.nxt > b.iss):
        b.ect = NOT_ECT
        ecn.uses_ect &= wants != "accurate"
        return 0  # a path that drops SYNs with these bits lets this one pass (section 6.1.1.1; RFC 9768 section 3.1.4.1)
    return ACE if wants == "accurate" else ECE | CWR


def syn_arrived(b: Block, seg: Segment) -> None:
    """A SYN, without ACK: what it asks for, granted by our settings."""
    asked = seg.flags & ACE
    grant = _GRANTS[b.settings.ecn] or ("classic" if needed(b) else None)
    accurate = asked not in (0, ECE | CWR)  # whatever else it may mean some day (RFC 9768 section 3.1.3)
    if b.ecn is not None and not b.passive:  # a simultaneous open: both have to have asked for the same
        if accurate and b.ecn.ask == "accurate":
            b.ecn.accurate = Accurate(b.arriving)
        b.ecn.agreed = b.ecn.accurate is not None or asked & (ECE | CWR) == ECE | CWR
        if not b.ecn.agreed:
            b.ecn = None
        return
    b.ecn = None
    if accurate and grant == "accurate":
        b.ecn = Ecn()
        b.ecn.agreed = True
        b.ecn.accurate = Accurate(b.arriving)
    elif grant is None or asked & (ECE | CWR) != ECE | CWR:
        return
    elif b.arriving == NOT_ECT or asked & AE or needed(b):
        b.ecn = Ecn()  # a marked SYN is no honest classic one: ECN would not survive where marks go unheard
        b.ecn.agreed = True


def synack_arrived(b: Block, seg: Segment) -> None:
    """The peer's answer to what we asked for."""
    ecn = b.ecn
    if ecn is None:
        return
    bits = seg.flags & ACE
    if ecn.ask == "accurate" and bits not in (0, ACE, ECE, ECE | AE):
        ecn.agreed = True
        accurate = ecn.accurate = Accurate(b.arriving)
        accurate.packets += b.arriving == CE
        accurate.untold = int(b.arriving == CE)
        accurate.echo.option_came(seg)
        accurate.demand = 2 if accurate.echo.seen else 0
    elif bits & (ECE | CWR) == ECE:
        ecn.agreed = True
    else:
        b.ecn = None


def handshake_over(b: Block, seg: Segment) -> None:
    """The last ACK of the handshake, which tells how our SYN,ACK arrived: Not-ECT, as it was sent, unless the path spoils the
    field. Zeros are a middlebox's. Either way marks would not mean what they should, and we send no ECT (RFC 9768 sections
    3.2.2.1 and 3.2.2.3; tcp_accecn_third_ack)."""
    ecn = b.ecn
    if ecn is None or ecn.accurate is None or not b.passive:
        return
    ecn.accurate.demand = max(1, ecn.accurate.demand)
    bits = seg.flags & ACE
    if not bits:
        ecn.uses_ect = False
    elif bits in accurate_ecn.HANDSHAKE and not seg.len:
        field = accurate_ecn.HANDSHAKE.index(bits)
        if b.settings.ecn_fallback and _spoilt(ECT_0 if needed(b) else NOT_ECT, field):
            ecn.uses_ect = False
        elif field == CE:
            b.rtx.delivered_ce = 1


def _spoilt(sent: int, came: int) -> bool:
    """Whether nothing on a path may change the field so (RFC 9768 section 3.2.2.3)."""
    return came != sent and (NOT_ECT in (sent, came) or sent == CE)


def syn_again(b: Block, seg: Segment) -> None:
    """The peer's SYN came again, half open: the next SYN,ACK tells how this one arrived."""
    ecn = b.ecn
    if ecn is not None and ecn.accurate is not None:
        ecn.accurate.syn_ect = b.arriving
        ecn.uses_ect &= seg.flags & ACE != 0  # zeros: RFC 9768 section 3.1.5


def synack_again(b: Block, seg: Segment) -> None:
    """The peer's SYN,ACK came again: our ACK was lost, or what it said of the first (section 3.2.2.1)."""
    accurate = b.ecn.accurate if b.ecn is not None else None
    if accurate is not None:
        accurate.syn_ect = b.arriving
        accurate.answering = True
        accurate.echo.option_came(seg)
        accurate.demand = max(1, accurate.demand)


# Marks that come in


def text_arrived(b: Block, seg: Segment, now: int) -> None:
    """New text was brought by a datagram with this ECN field (tcp_ecn_accept_cwr, tcp_data_ecn_check)."""
    ecn = b.ecn
    assert ecn is not None
    field = b.arriving
    if ecn.accurate is not None:
        ecn.seen |= field != NOT_ECT
        return
    if seg.flags & CWR:
        b.ack_now = True  # its window may be down to one segment
        if not b.congestion.needs_ecn:
            ecn.demand_cwr = False
    if field == NOT_ECT:
        if ecn.seen:
            delayed_ack.hurry(b, 2)  # a repetition, probably: its sender waits
        return
    ecn.seen = True
    control = b.congestion
    if control.needs_ecn:
        if ecn.demand_cwr != (field == CE):
            b.ack_now = True
            ecn.demand_cwr = field == CE
        control.event(Happening.CE if field == CE else Happening.NO_CE, now)
    elif field == CE and not ecn.demand_cwr:
        delayed_ack.hurry(b, 2)
        ecn.demand_cwr = True


def turns(b: Block) -> bool:
    """DCTCP's receiver tells each change of CE at once (RFC 8257 section 3.2): this text arrived otherwise than the last."""
    ecn = b.ecn
    return (
        ecn is not None and ecn.accurate is None and b.congestion.needs_ecn and b.arriving != NOT_ECT
        and ecn.demand_cwr != (b.arriving == CE)
    )  # fmt: skip


# What goes out


def outgoing(b: Block, seq: int, size: int) -> int:
    """The three bits for a segment; sets the ECN field of its datagram (tcp_ecn_send)."""
    ecn = b.ecn
    assert ecn is not None
    bits = 0
    new = size > 0 and seq >= ecn.sent_to and ecn.uses_ect
    if new:
        ecn.sent_to = seq + size
    if ecn.agreed:
        # Whatever is marked is counted where ECN is accurate: so all is ECT, as in Linux (RFC 9768 section 3.2.2.5)
        b.ect = ECT_0 if new or b.congestion.needs_ecn or (ecn.accurate is not None and ecn.uses_ect) else NOT_ECT
    if ecn.accurate is not None:
        return ecn.accurate.bits(size)
    if new and ecn.queue_cwr and ecn.agreed:
        ecn.queue_cwr = False
        bits = CWR
    return bits | ECE if ecn.demand_cwr else bits


def sends_option(b: Block, now: int) -> bool:
    """Whether a segment has accurate ECN's option: the path lets the peer's pass, so, it seems, ours (tcp_ecn_option)."""
    accurate, settings = b.ecn.accurate if b.ecn is not None else None, b.settings
    return accurate is not None and accurate.wants_option(settings.ecn_option, settings.ecn_option_beacon, b.rtt.srtt, now)


def with_counters(b: Block, first: TCPOptions, options: TCPOptions, size: int, duplicate: int | None, now: int) -> TCPOptions:
    """Accurate ECN's option between the `first` of the options and SACK's, where there is room for it. `duplicate`: where
    what SACK's first block reports as come twice begins."""
    if not sends_option(b, now):
        return options
    if size and size + len(options) + accurate_ecn.OCTETS > b.snd.mss + (12 if b.timestamps else 0):
        return options  # a repetition of what was made when it had no option
    assert b.ecn is not None
    assert b.ecn.accurate is not None
    blocks = options[len(first) :]
    made = TCPOptions(b.ecn.accurate.beside(first, blocks, len(blocks) // 8, now))
    b.ecn.accurate.told_twice = duplicate if made is not options else None
    return made


def in_synack(b: Block, options: TCPOptions) -> TCPOptions:
    """The first SYN,ACK tries whether the path lets the option pass: after MSS and timestamps, as Linux orders them."""
    accurate = b.ecn.accurate if b.ecn is not None else None
    if accurate is None or not b.settings.ecn_option or b.retries or len(options) + accurate_ecn.OCTETS > 40:
        return options
    at = 16 if b.timestamps else 4
    return TCPOptions(accurate.in_synack(options[:at], options[at:]))


# What the peer echoes


def echoed(b: Block, seg: Segment) -> bool:
    """The ACK says that a mark came through (classic)."""
    ecn = b.ecn
    return ecn is not None and ecn.agreed and ecn.accurate is None and seg.flags & (ECE | SYN) == ECE


def count_marks(b: Block, told: Acknowledgment, seg: Segment, delivered: int, by_sack: bool) -> None:
    """How many of the segments delivered were marked: all that a classic echo covers, or what accurate ECN counts."""
    assert b.ecn is not None
    accurate, snd = b.ecn.accurate, b.snd
    if accurate is not None:
        echo, marked = accurate.echo, 0
        progress = echo.progress(b.ts_recent, told.advanced or told.newly_sacked)
        if progress and b.state is not SYN_RECEIVED and b.state is not SYN_SENT:  # in a handshake ACE is no count
            octets = delivered * snd.mss if by_sack else snd.una - told.prior_una
            even = b.sack or b.recovery.state in (CongestionState.OPEN, CongestionState.CWR)
            marked = echo.marked(seg, b.rtx.delivered_ce, delivered, octets, snd.mss, even, snd.nxt - b.iss)
        told.ece = marked > 0
    else:
        marked = delivered if told.ece else 0
    b.rtx.delivered_ce += marked
