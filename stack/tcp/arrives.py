"""SEGMENT ARRIVES: RFC 9293 section 3.10.7, in its own order and words.

Nothing here sends. A step sets `b.ack_now`, `b.reset_due` or `b.syn_due`; output.py makes the segments afterwards, so
that one acknowledgment answers all that a segment set off (MUST-58, MUST-59).
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING

from stack.base.quantity import MILLISECOND
from stack.tcp import acknowledge
from stack.tcp.congestion import accurate_ecn, ecn
from stack.tcp.ending import await_fin, become_closed, refuse, start_time_wait
from stack.tcp.opening import fastopen, half_open
from stack.tcp.opening.handshake import established, learn_options, listen_again
from stack.tcp.receiving import autotune, delayed_ack, timestamps
from stack.tcp.receiving.acceptance import answer, old_text, refusal, report, reset_is_expected
from stack.tcp.receiving.deliver import (
    above_gap,
    deliver_text,
    end_of_data,
    hold,
    hold_fin,
    note_marks,
    note_urgent,
    take_held,
)
from stack.tcp.segment import FIN, RST, SYN, URG, Segment
from stack.tcp.sending import send_space
from stack.tcp.sending.transmit import repair
from stack.tcp.state import (
    CLOSE_WAIT,
    CLOSED,
    CLOSING,
    ESTABLISHED,
    FIN_RECEIVED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    LAST_ACK,
    LISTEN,
    MAY_RECEIVE,
    SYN_RECEIVED,
    SYN_SENT,
)  # fmt: skip
from stack.tcp.time_wait import time_wait_state, waits

if TYPE_CHECKING:
    from stack.tcp.block import Block

DONE = True  # "... and return"
GO_ON = False
_SYN_AGAIN = 2 * MILLISECOND  # Linux's TCP_TIMEOUT_MIN
_DATA_SOON = 200 * MILLISECOND  # TCP_DELACK_MAX
Step = Callable[["Block", Segment, int], bool]


def segment_arrives(b: Block, seg: Segment, now: int) -> str | None:
    """3.10.7. The name of the step that ended processing, or None if all passed."""
    if b.state is CLOSED:
        closed_state(b, seg)
        return closed_state.__name__
    if b.state is LISTEN:
        listen_state(b, seg, now)
        return listen_state.__name__
    if b.state is SYN_SENT:
        if syn_sent_state(b, seg, now) is DONE:
            return syn_sent_state.__name__
        steps = OTHER_STATES[5:]  # "continue processing at the sixth step"
    elif waits(b):
        time_wait_state(b, seg, now)  # what the steps say of TIME-WAIT, as Linux does it
        return time_wait_state.__name__
    elif half_open.pending(b) and half_open.check_half_open(b, seg, now) is DONE:
        return half_open.check_half_open.__name__  # a listener's: asked in Linux's order first, more strictly than below
    else:
        steps = OTHER_STATES
    for step in steps:
        if step(b, seg, now) is DONE:
            return step.__name__
    return None


def closed_state(b: Block, seg: Segment) -> None:
    """3.10.7.1. CLOSED STATE: "all data in the incoming segment is discarded" """
    if seg.flags & RST:
        return
    if seg.ack is None:
        b.reset_due = (0, seg.seq + seg.len, "no connection")
    else:
        b.reset_due = (seg.ack, None, "no connection")


def listen_state(b: Block, seg: Segment, now: int) -> None:
    """3.10.7.2. LISTEN STATE"""
    if seg.flags & RST:  # First, check for a RST
        return
    if seg.ack is not None:  # Second, check for an ACK
        b.reset_due = (seg.ack, None, "an ACK to a listening port")
        return
    if not seg.flags & SYN or seg.flags & FIN:  # Linux drops SYN,FIN too: no one sends it but to look for holes
        return
    # Third, check for a SYN
    learn_options(b, seg, now)
    ecn.syn_arrived(b, seg)
    b.snd.wnd = b.snd.max_wnd = seg.wnd
    b.snd.wl1 = seg.seq
    b.snd.una = b.snd.nxt = b.iss
    b.syn_due = ""
    b.enter(SYN_RECEIVED, now)
    seg.trim(seg.seq, b.rcv.edge)
    if b.listener is not None:
        b.listener.syn_received(b, seg, now)
        if b.fast is not None and b.fast.usable:
            return
    if seg.text and b.settings.keep_syn_text:  # "any other control or text should be queued for processing later"
        hold(b, seg.seq + 1, seg.text)


def syn_sent_state(b: Block, seg: Segment, now: int) -> bool:
    """3.10.7.3. SYN-SENT STATE"""
    snd = b.snd
    ack = seg.ack
    if ack is not None and not b.iss < ack <= snd.nxt:  # First, check the ACK bit
        if not seg.flags & RST:
            b.reset_due = (ack, None, "the ACK of something not sent")
        if not b.retries:  # our reset, or this one, makes room for our SYN, as in Linux
            b.timer_at = now + _SYN_AGAIN
            b.arm(b.timer_at)
        return DONE
    if ack is not None and timestamps.strange_echo(b, seg, now):
        b.counters.PAWSActive += 1
        if not seg.flags & RST:
            b.reset_due = (ack, None, "the echo of a timestamp not sent")
        return DONE
    if seg.flags & RST:  # Second, check the RST bit
        if ack is not None:
            refuse(b, now)
        return DONE
    # Third, check security: no connection has any
    if not seg.flags & SYN:  # Fifth, if neither of the SYN or RST bits is set
        return DONE
    # Fourth, check the SYN bit
    learn_options(b, seg, now)
    if ack is None:
        ecn.syn_arrived(b, seg)
    else:
        ecn.synack_arrived(b, seg)
    seg.flags &= ~SYN
    seg.seq += 1
    seg.trim(b.rcv.nxt, b.rcv.edge)
    fast = b.fast
    if not b.settings.keep_syn_text and (ack is None or fast is None or not (fast.asked or fast.text)):
        seg.text, seg.flags = b"", seg.flags & ~FIN
    if ack is not None:
        acknowledge.update_window(b, seg, seg.wnd)
        snd.wl1 = b.irs  # what comes next has a later number: its window is believed though it is smaller
        acknowledge.syn_acknowledged(b, ack, seg, now)
        established(b, now)
        if fast is not None:
            fastopen.syn_acknowledged(b, seg, ack, now)
        acknowledge_synack(b, now)
        return GO_ON if seg.text or seg.flags & (FIN | URG) else DONE
    # "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment": both have opened actively
    snd.wnd = snd.max_wnd = seg.wnd
    snd.wl1, snd.wl2 = seg.seq - 1, b.iss
    b.syn_due = "simultaneous open"
    b.enter(SYN_RECEIVED, now)
    if seg.text:
        hold(b, seg.seq, seg.text)
    if seg.flags & FIN:
        hold_fin(b, seg.seq + len(seg.text))
    return DONE


def acknowledge_synack(b: Block, now: int) -> None:
    """The last ACK of the handshake; it waits for the data where the program will send some soon, as in Linux"""
    fast = b.fast
    b.acks.heard = now
    if b.settings.defer_accept or b.acks.pingpong or (fast is not None and fast.waiting):
        b.acks.scheduled = True
        delayed_ack.hurry(b)
        b.ack_at = now + _DATA_SOON  # it goes with the data
        b.arm(b.ack_at)
    else:
        b.ack_now = True
        if b.ecn is not None and b.ecn.accurate is not None:
            b.ecn.accurate.answering = True


def check_sequence_number(b: Block, seg: Segment, now: int) -> bool:
    """3.10.7.4. First, check sequence number (table 6), after the timestamps of RFC 7323 section 5.3"""
    rcv = b.rcv
    if seg.ack is None and not seg.flags & (SYN | RST):
        return DONE  # step five would drop it, and Linux does not ask first whether it is in the window
    # Appendix A.2: in a simultaneous open the peer's SYN, or SYN,ACK, stands before the window
    if b.state is SYN_RECEIVED and seg.flags & SYN and seg.seq == b.irs and not seg.flags & RST:
        if seg.ack is None:
            if b.passive:
                b.syn_due = "the SYN came again"
            else:
                acknowledge.challenge_syn(b, "challenge ACK: the SYN of a simultaneous open came again", now)
            return DONE
        seg.trim(rcv.nxt, rcv.edge)  # of the SYN,ACK only its ACK is new; its sender waits for ours (tcp_data_queue)
        report(b, b.irs, b.irs + 1)
        delayed_ack.hurry(b)
        acknowledge.now(b, "the SYN,ACK of a simultaneous open")
    if b.timestamps and (cause := timestamps.rejects(b, seg, now)) is not None:
        if cause:
            b.counters.PAWSEstab += not seg.flags & SYN
            answer(b, seg, cause, now, "TCPACKSkippedPAWS")
        elif seg.ts_val is not None:
            b.counters.PAWSOldAck += 1
        return DONE
    cause = refusal(b, seg)  # table 6
    if cause is not None:
        if not seg.flags & RST:  # "unless the RST bit is set, if so drop the segment and return"
            answer(b, seg, cause, now)
        elif reset_is_expected(b, seg.seq):
            return GO_ON
        return DONE
    if seg.flags & (SYN | RST):  # whose own number must be RCV.NXT: text before it would let an attacker guess wide of it
        return GO_ON
    if b.ecn is not None and b.ecn.accurate is not None:
        accurate_ecn.segment_arrived(b, seg)  # its text comes to be counted as often as it comes (RFC 9768 section 3.2.1)
    if b.state is CLOSE_WAIT and seg.seq < rcv.nxt < seg.seq + len(seg.text) and seg.ack is not None and seg.ack <= b.snd.nxt:
        b.reset_due = (seg.ack, None, "text reaches beyond the FIN")  # what came before is lost on its sender's stack (tcp_reset)
        become_closed(b, now, errno.EPIPE)
        return DONE
    # "It is assumed that the segment is the idealized segment that begins at RCV.NXT and does not exceed the window": trim it
    if seg.len and seg.seq < rcv.nxt:
        old_text(b, seg)
    right = seg.seq + seg.len
    if seg.len and seg.seq + seg.len > rcv.nxt and not rcv.wnd:
        # "special allowance should be made to accept valid ACKs, URGs, and RSTs" (MUST-66); and, as Linux does, a FIN
        # with no text before it, lest its sender repeats it for ever.
        delayed_ack.hurry(b)
        b.counters.TCPZeroWindowDrop += seg.text != b""
        acknowledge.now(b, "the window is closed")
        right = rcv.nxt + (not seg.text and seg.flags & FIN)
    seg.trim(rcv.nxt, right)
    return GO_ON


def check_rst_bit(b: Block, seg: Segment, now: int) -> bool:
    """Second, check the RST bit, as RFC 5961 section 3 does; its check 1, outside the window, was made in step one"""
    if not seg.flags & RST:
        return GO_ON
    if not reset_is_expected(b, seg.seq):  # check 3
        if b.fast is not None and b.state is ESTABLISHED:
            b.fast.ended_above_a_gap(b, now)
        acknowledge.challenge(b, "challenge ACK: a RST inside the window", now)
        return DONE
    if b.state is SYN_RECEIVED and b.passive:
        listen_again(b, now)
    else:  # "connection refused", "connection reset", or nothing: it depends on the state
        refuse(b, now)
    return DONE


def check_security(b: Block, seg: Segment, now: int) -> bool:
    """Third, check security: no connection has a compartment (RFC 9293 appendix A.1)"""
    return GO_ON


def check_syn_bit(b: Block, seg: Segment, now: int) -> bool:
    """Fourth, check the SYN bit, as RFC 5961 section 4 does; a SYN that may end TIME-WAIT was taken by host/tcp.py before"""
    if not seg.flags & SYN:
        return GO_ON
    if b.state is SYN_RECEIVED and b.passive:
        listen_again(b, now)
    else:
        acknowledge.challenge_syn(b, "challenge ACK: a SYN on a connection", now)
        if b.ack_now:
            ecn.synack_again(b, seg)
    return DONE


def check_ack_field(b: Block, seg: Segment, now: int) -> bool:
    """Fifth, check the ACK field"""
    ack = seg.ack
    snd = b.snd
    if ack is None:  # "if the ACK bit is off, drop the segment and return"
        return DONE
    if b.state is SYN_RECEIVED:
        if not snd.una < ack <= snd.nxt:
            b.ack_now = False
            b.reset_due = (ack, None, "the ACK of something not sent")
            return DONE
        b.counters.TCPPureAcks += not seg.sent_len
        if b.timestamps:
            timestamps.remember(b, seg, now)
        syn = seg.scale is not None  # the SYN,ACK of a simultaneous open: its window is not scaled (RFC 7323 section 2.2)
        acknowledge.update_window(b, seg, seg.wnd if syn else seg.wnd << snd.scale)
        acknowledge.syn_acknowledged(b, ack, seg, now)
        ecn.handshake_over(b, seg)
        listener = b.listener
        established(b, now)
        if listener is not None:
            listener.established(b)
        elif not b.passive:
            b.rtx.delivered += 1  # by this step, besides what its ACK delivers, as in Linux
            if b.fast is not None:  # of two that opened fast at once
                fastopen.syn_acknowledged(b, seg, ack, now, learn=False)
        take_held(b, now)
    elif ack > snd.nxt or ack < snd.una - min(snd.max_wnd, snd.una - b.iss - b.passive):  # MAY-12
        b.ack_now, b.rcv.dsack = False, None  # nor is its old text answered
        acknowledge.challenge(b, "challenge ACK: an ACK outside the window", now)  # RFC 5961 section 5
        return DONE
    else:  # ESTABLISHED STATE; all others "do the same processing", and then their own
        if b.timestamps and ack >= snd.una:
            timestamps.remember(b, seg, now)
        if b.fast is not None and b.fast.usable:
            b.fast.handshake_over(now)  # of a child that was closed before
        acknowledge.acknowledged(b, seg, ack, now)
        if b.short_of_space:
            send_space.check(b)
        if b.recovery.repair and seg.text and seg.sack:
            repair(b, now)  # before the text is taken in, as in Linux, whose fast path, which has it first, knows no SACK blocks
    if b.fin_acknowledged:
        if b.state is FIN_WAIT_1:
            b.enter(FIN_WAIT_2, now)
            if b.closed_by_user and b.settings.fin_wait_2 < 0:  # TCP_LINGER2: its program does not want to wait
                b.reset_due = (ack, None, "no time to wait for a FIN")
                b.counters.TCPAbortOnData += 1
                become_closed(b, now)
                return DONE
            if b.closed_by_user:
                await_fin(b, now)
            b.wake()
        elif b.state is CLOSING:
            start_time_wait(b, now)
            b.ack_now = False  # should the FIN have come again with it: its sender knows by now that we have it
        elif b.state is LAST_ACK:
            become_closed(b, now)
            return DONE
    return DONE if b.state is CLOSING else GO_ON  # CLOSING: "otherwise, ignore the segment"


def check_urg_bit(b: Block, seg: Segment, now: int) -> bool:
    """Sixth, check the URG bit"""
    if seg.flags & URG and seg.up is not None and b.state in MAY_RECEIVE:
        note_urgent(b, seg.up)
    return GO_ON


def process_segment_text(b: Block, seg: Segment, now: int) -> bool:
    """Seventh, process the segment text"""
    if b.state not in MAY_RECEIVE or not (seg.text or (seg.flags & FIN and seg.seq > b.rcv.nxt)):
        return GO_ON
    if b.closed_by_user or (b.no_more_reads and b.state is not ESTABLISHED):
        # The socket is gone: what came is lost, and the peer is told (section 3.6.1, SHLD-3; RFC 2525 section 2.17)
        b.counters.TCPAbortOnData += 1
        b.reset_due = (seg.ack if seg.ack is not None else b.snd.nxt, None, "data after close")
        refuse(b, now)
        return DONE
    if not seg.text:  # a FIN above a gap: it tells of text to come
        return GO_ON
    if b.ecn is not None:
        note_marks(b, seg, now)
    autotune.echoed(b, len(seg.text), seg.ts_ecr, now)
    if not deliver_text(b, seg.seq, seg.text, seg.flags, now, seg.old):
        seg.flags &= ~FIN
    return GO_ON


def check_fin_bit(b: Block, seg: Segment, now: int) -> bool:
    """Eighth, check the FIN bit"""
    held = b.held
    if seg.flags & FIN and b.state not in FIN_RECEIVED:  # those "remain" as they are
        at = seg.seq + len(seg.text)
        if at != b.rcv.nxt:
            if at > b.rcv.nxt and not seg.text:
                above_gap(b, at, b"", FIN, now)
            return DONE
    elif held is None or held.fin != b.rcv.nxt:  # nor has the gap been filled below a FIN that came before
        return GO_ON
    end_of_data(b)
    if b.state is ESTABLISHED or b.state is SYN_RECEIVED:
        b.acks.pingpong = 1  # the program is likely to close in turn: the ACK waits for its FIN, as in Linux
        b.enter(CLOSE_WAIT, now)
        b.wake()
        return GO_ON
    acknowledge.now(b, None)
    if b.state is FIN_WAIT_1:
        b.enter(CLOSING, now)  # its FIN is not acknowledged: step five would have entered FIN-WAIT-2
    elif b.state is FIN_WAIT_2:
        start_time_wait(b, now)
    b.wake()
    return GO_ON


OTHER_STATES: tuple[Step, ...] = (
    check_sequence_number, check_rst_bit, check_security, check_syn_bit,
    check_ack_field, check_urg_bit, process_segment_text, check_fin_bit,
)  # fmt: skip
