"""Loss recovery: when to send again, with SACK (RFC 6675) and without (RFC 6582), and after a timeout (RFC 5681)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from stack.tcp.congestion.base import CongestionState, Happening
from stack.tcp.sack import DUPLICATES, Scoreboard

if TYPE_CHECKING:
    from stack.tcp.block import Block


class Mode(Enum):
    """What the sender believes."""

    DISORDER = "disorder"  # duplicates came; not yet enough of them
    FAST = "fast recovery"
    LOSS = "loss"  # the retransmission timer went off: whatever the peer does not hold is lost


class Recovery:
    """Exists only while duplicates, selective acknowledgments or retransmissions are on the books."""

    __slots__ = ("board", "duplicates", "force", "inferred", "mode", "point")

    def __init__(self, una: int, limit: int) -> None:
        self.mode = Mode.DISORDER
        self.board = Scoreboard(una, limit)
        self.point: int | None = None  # RecoveryPoint, RFC 6582's `recover`: recovery ends when it is acknowledged
        self.duplicates = 0
        self.inferred = 0  # without SACK: octets that duplicate ACKs say have left the network
        self.force = False  # the next hole is sent whatever the congestion window says


def pipe(b: Block) -> int:
    """The octets thought to be in the network."""
    recovery = b.recovery
    if recovery is None:
        return b.snd.nxt - b.snd.una
    return max(0, recovery.board.pipe(b.snd.una, b.snd.nxt) - recovery.inferred)


def grow(b: Block, acked: int, flight: int, limited: bool, now: int) -> None:
    """Tell the congestion control of `acked` octets; `flight` were in the network before."""
    control, sample, mss, snd = b.congestion, b.ack_sample, b.snd.mss, b.snd
    sample.now = now
    sample.una = snd.una
    sample.nxt = snd.nxt
    sample.acked = -(-acked // mss)
    sample.prior_in_flight = -(-flight // mss)
    sample.limited = limited or (control.cwnd < control.ssthresh and control.cwnd * mss < 2 * flight)
    control.measured(sample)
    control.arrived(sample)
    if control.owns_window:
        control.control(sample)
    else:
        control.acknowledged(sample)


def _started(b: Block) -> Recovery:
    if b.recovery is None:
        b.recovery = Recovery(b.snd.una, b.settings.out_of_order_limit)
    return b.recovery


def acknowledged(b: Block, acked: int, flight: int, blocks: list[tuple[int, int]], now: int) -> None:
    """SND.UNA has moved by `acked` octets; `flight` were in the network before."""
    recovery = b.recovery
    snd = b.snd
    if recovery is None:
        grow(b, acked, flight, b.limited, now)
        if blocks:
            selectively_acknowledged(b, blocks, now)
        return
    board = recovery.board
    if blocks and b.sack:
        board.update(blocks, snd.una, snd.nxt)
    board.advance(snd.una)
    recovery.inferred = max(0, recovery.inferred - max(0, acked - snd.mss))
    recovery.duplicates = 0
    done = recovery.point is None or snd.una >= recovery.point
    if recovery.mode is Mode.FAST:
        if done:
            b.congestion.entered(CongestionState.OPEN, now)
        elif not b.sack:
            board.mark_lost(min(snd.una + snd.mss, snd.nxt))  # a partial ACK: the next segment is lost too
            recovery.force = True
    else:
        grow(b, acked, flight, b.limited or recovery.mode is Mode.LOSS, now)
    if done:
        _settle(b, recovery)
    if recovery.mode is not Mode.LOSS and board.total:
        board.find_losses(snd.mss)
        _enter_if_lost(b, recovery, now)


def _settle(b: Block, recovery: Recovery) -> None:
    """What was outstanding is acknowledged. Without SACK the books stay open until SND.UNA passes the point:
    duplicates that our own repetitions cause are no losses (RFC 6582 section 3.2 step 2)."""
    recovery.mode = Mode.DISORDER
    recovery.inferred = 0
    recovery.force = False
    passed = recovery.point is None or b.snd.una > recovery.point or b.sack
    if passed:
        recovery.point = None
        if not recovery.board.total:
            b.recovery = None


def selectively_acknowledged(b: Block, blocks: list[tuple[int, int]], now: int) -> None:
    """An ACK that brought SACK blocks: what is new in them counts as a duplicate (RFC 6675 section 2)."""
    if not b.sack or b.snd.una == b.snd.nxt:
        return
    recovery = _started(b)
    if recovery.board.update(blocks, b.snd.una, b.snd.nxt):
        recovery.duplicates += 1
        if recovery.mode is not Mode.LOSS:
            recovery.board.find_losses(b.snd.mss)
            _enter_if_lost(b, recovery, now)
    elif recovery.mode is Mode.DISORDER and not recovery.board.total and recovery.point is None:
        b.recovery = None  # blocks that told nothing, such as a report of a duplicate (RFC 2883)


def duplicate_ack(b: Block, now: int) -> None:
    """A duplicate ACK as RFC 5681 section 2 defines it, on a connection without SACK."""
    recovery = _started(b)
    recovery.duplicates += 1
    if recovery.mode is Mode.LOSS:
        return
    recovery.inferred = min(recovery.inferred + b.snd.mss, b.snd.nxt - b.snd.una)
    _enter_if_lost(b, recovery, now)


def _enter_if_lost(b: Block, recovery: Recovery, now: int) -> None:
    """Fast retransmit: three duplicates, or a scoreboard that says that the first segment is lost."""
    snd = b.snd
    if recovery.mode is not Mode.DISORDER or (recovery.duplicates < DUPLICATES and recovery.board.lost <= snd.una):
        return
    if recovery.point is not None and snd.una <= recovery.point and not b.sack:
        return
    recovery.mode = Mode.FAST
    recovery.point = snd.nxt
    recovery.board.mark_lost(min(snd.una + snd.mss, snd.nxt))
    recovery.force = True
    congestion = b.congestion
    congestion.prior_cwnd = congestion.cwnd
    congestion.ssthresh = congestion.lost(now)
    if not congestion.owns_window:
        congestion.cwnd = congestion.ssthresh
    congestion.entered(CongestionState.RECOVERY, now)


def timed_out(b: Block, first: bool, now: int) -> None:
    """The retransmission timer went off: all that the peer does not hold is lost (RFC 5681 section 3.1)."""
    recovery = _started(b)
    snd = b.snd
    ranges = recovery.board.ranges()
    if ranges and ranges[0][0] <= snd.una:  # the peer gave up what it had reported: RFC 2018 section 8
        recovery.board = Scoreboard(snd.una, b.settings.out_of_order_limit)
    congestion = b.congestion
    if first:
        congestion.prior_cwnd = congestion.cwnd
        congestion.ssthresh = congestion.lost(now)
        congestion.event(Happening.LOSS, now)
        congestion.entered(CongestionState.LOSS, now)
    if not congestion.owns_window:
        congestion.cwnd = 1  # the loss window
    recovery.mode = Mode.LOSS
    recovery.point = snd.nxt
    recovery.duplicates = recovery.inferred = 0
    recovery.board.mark_lost(snd.nxt)
    recovery.board.forget_resent(snd.una)
    recovery.force = True


def repackaged(b: Block) -> None:
    """The segment size shrank (path MTU): what is outstanding was too big and is lost, which is no sign of congestion."""
    if b.snd.una == b.snd.nxt:
        return
    recovery = _started(b)
    if recovery.mode is Mode.DISORDER:
        recovery.mode = Mode.FAST
        recovery.point = b.snd.nxt
    recovery.board.mark_lost(b.snd.nxt)
    recovery.board.forget_resent(b.snd.una)
    recovery.force = True
