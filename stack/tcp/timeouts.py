"""Timeouts: retransmission, zero-window probe, delayed ACK, TIME-WAIT, keep-alive (RFC 9293 section 3.10.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND
from stack.tcp.block import NEVER
from stack.tcp.congestion.base import INFINITE, CongestionState
from stack.tcp.ending import become_closed, give_up
from stack.tcp.opening import fastopen, half_open
from stack.tcp.receiving import delayed_ack
from stack.tcp.recovery import frto, rack
from stack.tcp.recovery.retransmit import note_resent, send_record_again
from stack.tcp.recovery.timer import (
    LOSS_PROBE,
    NOTHING,
    REORDERING,
    RETRANSMISSION,
    WINDOW_PROBE,
    probe_interval,
    rearm,
    set_timer,
)
from stack.tcp.segment import ACK
from stack.tcp.sending import mtu_probing, pacing
from stack.tcp.sending.output import send_active_reset, transmit
from stack.tcp.sending.transmit import (
    can_send_first,
    first_waiting,
    output,
    send_new,
    send_window_probe,
)
from stack.tcp.state import CLOSED, ESTABLISHED, FIN_WAIT_2, SYN_RECEIVED, SYN_SENT, TIME_WAIT

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.settings import TcpSettings

_RESOURCE_INTERVAL = 500 * MILLISECOND  # until what the interface did not take is tried again (TCP_RESOURCE_PROBE_INTERVAL)
_THIN = 4  # segments
_THIN_RETRIES = 6  # TCP_THIN_LINEAR_RETRIES


def timeout(b: Block, now: int) -> None:
    """Do what is due at `now`; then say when to come back."""
    if b.timer_at <= now:
        b.timer_at = NEVER
        if half_open.pending(b):
            half_open.synack_timeout(b, now)
        elif b.state is SYN_SENT or b.state is SYN_RECEIVED:
            syn_timeout(b, now)
        elif b.pending == LOSS_PROBE:
            loss_probe_timeout(b, now)
        elif b.pending == REORDERING:
            rack.timeout(b, now)
        else:
            pending, b.pending = b.pending, NOTHING
            if pending == WINDOW_PROBE:
                window_probe(b, now)
            elif pending == RETRANSMISSION:
                retransmission_timeout(b, now)
    if b.ack_at <= now:
        delayed_ack.expired(b)
    if b.wait_at <= now:
        wait_timeout(b, now)
    if b.keep_at <= now:
        keepalive_timeout(b, now)
    if b.pacer is not None:
        pacing.due(b, now)
    output(b, now, b.pacer is not None)
    if b.state is CLOSED:
        b.deadline = None
        return
    if b.wait_at <= now:
        b.wait_at = NEVER
    if b.reopened_at <= now:
        b.reopened_at = NEVER
    nearest = min(b.timer_at, b.ack_at, b.wait_at, b.keep_at, b.reopened_at)
    if b.pacer is not None and b.pacer.waiting and b.pacer.at < nearest:
        nearest = b.pacer.at
    b.deadline = None if nearest == NEVER else nearest


def _user_timeout(b: Block, now: int) -> bool:
    limit = b.settings.user_timeout
    return bool(limit) and now - b.progress >= limit


def syn_timeout(b: Block, now: int) -> None:
    """The SYN, or SYN,ACK, was not answered."""
    settings = b.settings
    linear = settings.syn_linear_timeouts if b.state is SYN_SENT else 0
    limit = settings.synack_retries if b.passive else settings.syn_retries
    over = b.retries >= limit + linear or (b.retries > 0 and now - b.progress >= _syn_time(settings, limit))
    b.counters.TCPTimeouts += 1
    if b.fast is not None:
        fastopen.timed_out(b, over, now)
    if over or _user_timeout(b, now):
        give_up(b, now)
        return
    b.recovery.timed_out(b.retries > 0, now)
    b.counters.TCPLostRetransmit += b.retries > 0
    b.retries += 1
    if b.retries > linear:
        b.rtt.back_off(settings)
    b.syn_due = f"retransmission timeout {b.retries}, {'SYN' if b.state is SYN_SENT else 'SYN,ACK'}"


def _syn_time(settings: TcpSettings, retries: int) -> int:
    """How long so many SYNs take whose timeout doubles each time: the linear ones take no longer (tcp_model_timeout)."""
    return sum(min(settings.initial_rto << retry, settings.maximum_rto) for retry in range(retries + 1))


def retransmission_timeout(b: Block, now: int) -> None:
    """RETRANSMISSION TIMEOUT, with the thresholds R1 and R2 of section 3.8.3 (tcp_retransmit_timer)."""
    settings, rtx = b.settings, b.rtx
    if not rtx.records:
        return
    if not b.snd.wnd and not b.closed_by_user:
        # The window was taken back: what is sent again is its probe, and the connection lives as long as it is answered.
        if _window_given_up(b, now):
            give_up(b, now)
            return
        frto.enter_loss(b, now)
        _repeat_first(b, "zero-window probe", now)
    else:
        b.counters.TCPTimeouts += 1
        if _exhausted(b, now):
            give_up(b, now)
            return
        if settings.mtu_probing and b.retries and _lasts(b, settings.advice_retries, now):
            mtu_probing.black_hole(b, now)
        if not b.retries:
            _count_failure(b)
        frto.enter_loss(b, now)
        b.recovery.timed_out(b.retries > 0, now)
        b.retries += 1
        if b.retries == settings.advice_retries and b.events is not None:
            b.events.append((now, "negative advice", b.retries))  # R1 (SHLD-9)
        if settings.local_congestion:
            set_timer(b, RETRANSMISSION, now + _RESOURCE_INTERVAL)
            return
        _repeat_first(b, f"retransmission timeout {b.retries}", now)
    if settings.thin_linear_timeouts and b.state is ESTABLISHED and _is_thin(b) and b.retries <= _THIN_RETRIES:
        b.rtt.restart(settings)
    else:
        b.rtt.back_off(settings)
    rto = b.rtt.rto
    if settings.user_timeout and b.recovery.resent_at is not None:
        rto = max(1, min(rto, b.recovery.resent_at + settings.user_timeout - now))
    set_timer(b, RETRANSMISSION, now + rto)


def _count_failure(b: Block) -> None:
    """The first timeout of a series: what it ends."""
    state, counters = b.recovery.state, b.counters
    if state is CongestionState.RECOVERY:
        counters.add("TCPSackRecoveryFail" if b.sack else "TCPRenoRecoveryFail")
    elif state is CongestionState.LOSS:
        counters.TCPLossFailures += 1
    elif state is CongestionState.DISORDER or b.rtx.sacked_out:
        counters.add("TCPSackFailures" if b.sack else "TCPRenoFailures")


def _is_thin(b: Block) -> bool:
    """So few segments are outstanding that no duplicate ACK may tell of a loss (tcp_stream_is_thin)."""
    return len(b.rtx.records) < _THIN and b.congestion.ssthresh < INFINITE


def _repeat_first(b: Block, kind: str, now: int) -> None:
    if send_record_again(b, 0, kind, now):
        b.rtx.mark_resent(b.rtx.records[0], now)
    note_resent(b, now)


def _orphan_limit(b: Block, alive: bool) -> int:
    """tcp_orphan_retries: none if ICMP said that something is wrong, and nothing was sent lately."""
    if b.soft_error and not alive:
        return 0
    return b.settings.orphan_retries


def _exhausted(b: Block, now: int) -> bool:
    """R2 as Linux has it: a time, that of so many retries on a path whose first timeout is the least there is (924.6 s)."""
    settings = b.settings
    if not b.retries or b.recovery.resent_at is None:
        return False
    limit = settings.data_retries
    if b.closed_by_user:
        limit = _orphan_limit(b, b.rtt.rto < settings.maximum_rto)
    if settings.user_timeout:
        return now - b.recovery.resent_at >= settings.user_timeout
    return _lasts(b, limit, now)


def _lasts(b: Block, retries: int, now: int) -> bool:
    """As long has gone by as so many retries take where the first timeout is the least there is (retransmits_timed_out)."""
    settings = b.settings
    most = sum(min(settings.minimum_rto << retry, settings.maximum_rto) for retry in range(retries + 1))
    return b.recovery.resent_at is not None and now - b.recovery.resent_at >= most


def _window_given_up(b: Block, now: int) -> bool:
    """Repetitions into a window that was taken back: nothing was heard for twice the longest RTO."""
    settings = b.settings
    limit = settings.user_timeout or 2 * settings.maximum_rto
    return now - b.heard > limit and now - b.rtx.records[0].sent_at > limit


def loss_probe_timeout(b: Block, now: int) -> None:
    """The probe: new data if there is any and the window lets it, else the last segment again (tcp_send_loss_probe)."""
    recovery, rtx = b.recovery, b.rtx
    sent = False
    if not recovery.probe_end and rtx.records:
        recovery.probe_resent = False
        if can_send_first(b):
            before = len(rtx.records)
            send_new(b, now, nagle=False, probe=True)
            sent = len(rtx.records) > before
        else:
            sent = send_record_again(b, len(rtx.records) - 1, "tail loss probe", now)
            recovery.probe_resent = sent
    if sent:
        b.counters.TCPLossProbes += 1
        recovery.probe_end = b.snd.nxt
        rtx.dubious = max(rtx.dubious, b.snd.nxt + 1)  # what is acknowledged beyond the probe decides
        b.pending = NOTHING  # the retransmission timer counts from now
    rearm(b, now)


def window_probe(b: Block, now: int) -> None:
    """Data has waited for the window for long: probe it (section 3.8.6.1, tcp_probe_timer)."""
    settings = b.settings
    if b.rtx.records or not first_waiting(b):
        b.retries = 0
        return
    limit = settings.data_retries
    if b.closed_by_user:
        alive = probe_interval(b) < settings.maximum_rto
        limit = _orphan_limit(b, alive)
        if not alive and b.backoff >= limit:
            give_up(b, now)
            return
    if b.retries >= limit or (settings.user_timeout and b.probing_since and now - b.probing_since >= settings.user_timeout):
        b.probes, b.retries = b.retries, 0  # which TCP_INFO still tells, and not how they were spaced
        give_up(b, now)
        return
    if not b.probing_since:
        b.probing_since = now
    if send_window_probe(b, f"zero-window probe {b.retries + 1}", now):
        b.retries = b.backoff = b.probing_since = 0
        return
    b.retries += 1
    if settings.local_congestion:
        wait = _RESOURCE_INTERVAL
    else:
        b.backoff = min(b.backoff + 1, max(b.backoff, settings.data_retries))
        wait = probe_interval(b)
    if settings.user_timeout:
        wait = max(1, min(wait, b.probing_since + settings.user_timeout - now))
    set_timer(b, WINDOW_PROBE, now + wait)


def wait_timeout(b: Block, now: int) -> None:
    """TIME-WAIT TIMEOUT; the end of an orphan's FIN-WAIT-2."""
    if b.state is TIME_WAIT or b.state is FIN_WAIT_2:
        become_closed(b, now)


def keepalive_timeout(b: Block, now: int) -> None:
    """Nothing was heard for long: probe with an old sequence number and no text (section 3.8.4, SHLD-12; tcp_keepalive_timer)."""
    settings, snd = b.settings, b.snd
    if b.probes and b.heard >= b.keep_at - settings.keepalive_interval:
        b.probes = 0  # the last one was answered
    if snd.nxt > snd.una or b.outgoing is not None:  # the other timer asks already
        b.keep_at = now + settings.keepalive_idle
        return
    idle_until = b.heard + settings.keepalive_idle
    if now < idle_until:
        b.keep_at = idle_until
        return
    limit = settings.user_timeout
    if (b.probes and now - b.heard >= limit) if limit else b.probes >= settings.keepalive_probes:
        send_active_reset(b, "keep-alive probes were not answered", now)
        give_up(b, now)
        return
    b.probes += 1
    b.counters.TCPKeepAlive += 1
    transmit(b, snd.una - 1, ACK, b"", f"keep-alive probe {b.probes}", now)
    b.keep_at = now + settings.keepalive_interval
