"""Timeouts: retransmission, zero-window probe, delayed ACK, TIME-WAIT, keep-alive (RFC 9293 section 3.10.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp import fastopen, half_open, recovery
from stack.tcp.block import NEVER
from stack.tcp.ending import become_closed, give_up
from stack.tcp.output import delayed, output, resend, segment_room, start_timer, transmit
from stack.tcp.segment import ACK, FIN
from stack.tcp.state import CLOSED, FIN_WAIT_2, SYN_RECEIVED, SYN_SENT, TIME_WAIT

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.settings import TcpSettings


def timeout(b: Block, now: int) -> None:
    """Do what is due at `now`; then say when to come back."""
    if b.timer_at <= now:
        b.timer_at = NEVER
        if half_open.pending(b):
            half_open.synack_timeout(b, now)
        elif b.state is SYN_SENT or b.state is SYN_RECEIVED:
            syn_timeout(b, now)
        elif b.probing or (not b.snd.wnd and b.snd.nxt > b.snd.una):
            window_probe(b, now)
        else:
            retransmission_timeout(b, now)
    if b.ack_at <= now:
        b.ack_at = NEVER
        b.ack_now = True
        b.ack_cause = delayed(b)
    if b.wait_at <= now:
        wait_timeout(b, now)
    if b.keep_at <= now:
        keepalive_timeout(b, now)
    output(b, now)
    if b.state is CLOSED:
        b.deadline = None
        return
    if b.wait_at <= now:
        b.wait_at = NEVER
    if b.reopened_at <= now:
        b.reopened_at = NEVER
    nearest = min(b.timer_at, b.ack_at, b.wait_at, b.keep_at, b.reopened_at)
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
    if b.fast is not None:
        fastopen.timed_out(b, over, now)
    if over or _user_timeout(b, now):
        give_up(b, now)
        return
    b.retries += 1
    if b.retries > linear:
        b.rtt.back_off(settings)
    b.syn_due = f"retransmission timeout {b.retries}, {'SYN' if b.state is SYN_SENT else 'SYN,ACK'}"


def _syn_time(settings: TcpSettings, retries: int) -> int:
    """How long so many SYNs take whose timeout doubles each time: the linear ones take no longer (tcp_model_timeout)."""
    return sum(min(settings.initial_rto << retry, settings.maximum_rto) for retry in range(retries + 1))


def retransmission_timeout(b: Block, now: int) -> None:
    """RETRANSMISSION TIMEOUT, with the thresholds R1 and R2 of section 3.8.3."""
    settings = b.settings
    if _user_timeout(b, now) or (not settings.user_timeout and _exhausted(b, now)):
        give_up(b, now)
        return
    b.retries += 1
    if b.retries == settings.advice_retries and b.events is not None:
        b.events.append((now, "negative advice", b.retries))  # R1 (SHLD-9)
    recovery.timed_out(b, b.retries == 1, now)
    b.rtt.back_off(settings)
    start_timer(b, now)


def _limit(b: Block) -> int:
    settings = b.settings
    return min(settings.orphan_retries, settings.data_retries) if b.closed_by_user else settings.data_retries


def _exhausted(b: Block, now: int) -> bool:
    """R2 as Linux has it: a time, that of so many retries on a path whose first timeout is the least there is (924.6 s)."""
    settings, limit = b.settings, _limit(b)
    if b.retries < min(limit, 1):
        return False
    return now - b.progress >= sum(min(settings.minimum_rto << retry, settings.maximum_rto) for retry in range(limit + 1))


def window_probe(b: Block, now: int) -> None:
    """The window has been too small for an RTO: fill it (the override timeout of 3.8.6.2.1); send an octet if it is closed (3.8.6.1)."""
    settings, snd = b.settings, b.snd
    # Whoever answers probes may keep its window closed (MUST-37), but not for ever to a program that is gone (Linux)
    if b.retries >= _limit(b) or _user_timeout(b, now) or (b.closed_by_user and b.rtt.rto >= settings.maximum_rto):
        give_up(b, now)
        return
    b.retries += 1
    cause = f"zero-window probe {b.retries}"
    open_to = snd.una + snd.wnd
    if b.outgoing is not None and snd.nxt < min(open_to, b.outgoing.end):
        size = min(open_to - snd.nxt, b.outgoing.end - snd.nxt, segment_room(b))
        transmit(b, snd.nxt, ACK, b.outgoing.slice(snd.nxt, size), "override timeout: a small window", now)
        snd.nxt += size
    elif snd.nxt > snd.una:
        resend(b, snd.una, 1, cause, now)
    elif b.outgoing is not None:
        transmit(b, snd.nxt, ACK, b.outgoing.slice(snd.nxt, 1), cause, now)
        snd.nxt += 1
    else:
        b.fin = snd.nxt
        transmit(b, snd.nxt, ACK | FIN, b"", cause, now)
        snd.nxt += 1
    b.probing = True
    b.rtt.back_off(settings)
    start_timer(b, now)


def wait_timeout(b: Block, now: int) -> None:
    """TIME-WAIT TIMEOUT; the end of an orphan's FIN-WAIT-2. For a cork, that it is over is all there is to it."""
    if b.state is TIME_WAIT or b.state is FIN_WAIT_2:
        become_closed(b, now)


def keepalive_timeout(b: Block, now: int) -> None:
    """Nothing was heard for long: probe with an old sequence number and no text (section 3.8.4, SHLD-12)."""
    settings, snd = b.settings, b.snd
    b.keep_at = NEVER
    idle_until = b.heard + settings.keepalive_idle
    if now < idle_until or snd.nxt > snd.una or b.outgoing is not None:  # the other timer asks already
        b.probes = 0
        b.keep_at = max(idle_until, now + settings.keepalive_interval)
        return
    limit = settings.user_timeout
    if (b.probes and now - b.heard >= limit) if limit else b.probes >= settings.keepalive_probes:
        b.reset_due = (snd.nxt, b.rcv.nxt, "keep-alive probes were not answered")
        give_up(b, now)
        return
    b.probes += 1
    transmit(b, snd.una - 1, ACK, b"", f"keep-alive probe {b.probes}", now)
    b.keep_at = now + settings.keepalive_interval
