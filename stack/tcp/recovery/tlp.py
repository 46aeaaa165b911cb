"""Tail loss probe: a segment that brings out the ACKs which tell whether the last ones were lost (RFC 8985 section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND, SECOND
from stack.tcp.congestion.base import CongestionState
from stack.tcp.recovery import prr
from stack.tcp.recovery.timer import LOSS_PROBE

if TYPE_CHECKING:
    from stack.tcp.acknowledgment import Acknowledgment
    from stack.tcp.block import Block

_LEAST = 2 * MILLISECOND  # TCP_TIMEOUT_MIN: two ticks of Linux's timers
_UNKNOWN = 1 * SECOND  # until there is a round-trip time
_OPEN, _CWR = CongestionState.OPEN, CongestionState.CWR


def schedule_probe(b: Block, now: int, from_now: bool) -> bool:
    """Set the probe timer, where a probe may help; whether it was (tcp_schedule_loss_probe).

    Two round trips, and when a single segment is outstanding the time of a delayed ACK. `from_now`: the retransmission
    timer, which would go off no earlier, counts from now; otherwise from when the first segment was sent.
    """
    recovery = b.recovery
    records = b.rtx.records
    if b.fast is not None and b.fast.usable and b.snd.una == b.iss:
        return False  # the timer is the SYN,ACK's
    if not b.sack or not records or (recovery.state is not _OPEN and recovery.state is not _CWR) or not b.settings.loss_probe:
        return False
    rtt = b.rtt
    scaled = rtt.srtt
    if scaled:
        at = now + 2 * scaled + (b.settings.minimum_rto if len(records) == 1 else _LEAST)
    else:
        at = now + _UNKNOWN
    limit = (now if from_now else records[0].sent_at) + rtt.rto
    if now < limit < at:
        at = limit
    b.pending = LOSS_PROBE
    b.timer_at = at
    if b.deadline is None or at < b.deadline:
        b.arm(at)
    return True


def probe_acknowledged(b: Block, ack: Acknowledgment, now: int) -> None:
    """What this ACK says of the probe that is out (tcp_process_tlp_ack)."""
    recovery = b.recovery
    if ack.ack < recovery.probe_end:
        return
    if not recovery.probe_resent or ack.dsacked_probe:
        recovery.probe_end = 0  # new data arrived; or both the original and the probe did
    elif ack.ack > recovery.probe_end:
        # The probe repaired a loss, of which nothing else would tell: the window is let down for it.
        prr.begin(b, now)
        recovery.enter(b, CongestionState.CWR, now)
        prr.end(b, now)
        recovery.keep_open(b, now)
        b.counters.TCPLossProbeRecovery += 1
    elif ack.duplicate:
        recovery.probe_end = 0  # the original and the probe arrived
