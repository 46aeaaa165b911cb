"""Opening a connection: what the SYNs agree on, and the way into ESTABLISHED (RFC 9293 sections 3.5, 3.7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.block import NEVER
from stack.tcp.congestion.rate import DeliveryRate
from stack.tcp.congestion.registry import congestion_control
from stack.tcp.ending import become_closed
from stack.tcp.receiving import window
from stack.tcp.segment import MSS_DEFAULT_V4, MSS_DEFAULT_V6
from stack.tcp.sending import pacing
from stack.tcp.sending.mtu_search import begin
from stack.tcp.sending.send_space import expand
from stack.tcp.signing.md5 import MD5_KIND
from stack.tcp.state import ESTABLISHED, FIN_WAIT_1, LISTEN

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.segment import Segment

_TIMESTAMPS = 12  # octets of the timestamps option, aligned
_SMALL_WINDOW = 536  # up to here a segment may fill the window (Linux's tcp_bound_to_half_wnd)


def learn_options(b: Block, seg: Segment, now: int) -> None:
    """IRS and RCV.NXT from the peer's SYN, and its options; what either side did not offer is not used."""
    settings, rcv, snd = b.settings, b.rcv, b.snd
    b.irs = seg.seq
    rcv.nxt = rcv.acked = seg.seq + 1
    most = b.settings.maximum_segment
    b.peer_mss = min(seg.mss, most or seg.mss) if seg.mss else MSS_DEFAULT_V6 if len(b.local[0]) == 16 else MSS_DEFAULT_V4
    rcv.scaling = settings.window_scaling and seg.scale is not None
    rcv.scale_offered = rcv.scale
    if rcv.scaling:
        snd.scale = seg.scale or 0
    else:
        snd.scale = 0
    b.timestamps = settings.timestamps and seg.ts_val is not None
    if b.timestamps:
        b.ts_recent = seg.ts_val or 0
        b.ts_recent_at = now
    b.sack = settings.sack and seg.sack_permitted
    if b.sack and b.signature is not None and b.signature.kind == MD5_KIND:
        b.timestamps = False  # no SACK option fits beside both: Linux's choice
    if b.passive:
        window.begin(b, rcv.mss - (_TIMESTAMPS if b.timestamps else 0), rcv.scaling)
    elif not rcv.scaling:
        rcv.scale = 0
        rcv.clamp = min(rcv.clamp, 0xFFFF)
    rcv.edge = rcv.nxt + rcv.offered
    set_segment_size(b)


def set_segment_size(b: Block) -> None:
    """Eff.snd.MSS, less the options that every segment carries (MUST-16)."""
    size = max(min(max(b.peer_mss, b.settings.least_mss), b.path_mss) - option_room(b), 1)
    largest = b.snd.max_wnd
    half = largest >> 1 if largest > _SMALL_WINDOW else largest
    b.snd.mss = max(half, 68 - 20 - (_TIMESTAMPS if b.timestamps else 0)) if 0 < half < size else size
    if b.congestion.mss and b.congestion.mss != b.snd.mss:
        b.congestion.segment_size(b.snd.mss)


def option_room(b: Block) -> int:
    """Octets of the options that every segment carries."""
    return (_TIMESTAMPS if b.timestamps else 0) + (b.signature.size if b.signature is not None else 0)


def begin_transfer(b: Block, now: int) -> None:
    """What data in both directions needs: the initial windows (tcp_init_transfer)."""
    settings = b.settings
    window.established(b, now)
    recovery, kind = b.recovery, congestion_control(settings.congestion)
    lost = b.retransmitted > 1 and recovery.undo_marker is not None  # RFC 6928: lost SYNs are a sign of congestion
    segments = 1 if lost else settings.initial_segments
    if settings.mtu_probing == 2:
        begin(b, now)
        if not b.passive:  # who was called believes the route at first, as in Linux
            b.path_mss = min(b.path_mss, settings.base_mss)
            set_segment_size(b)
    b.congestion = kind(b.snd.mss, segments)
    b.congestion.counters = b.counters
    b.congestion.configure(settings)
    b.congestion.opened(b.rtt.srtt, now)
    expand(b)
    if b.congestion.wants_rate:
        b.rate = DeliveryRate()
    if pacing.wanted(b):
        b.pacer = pacing.Pacer()
    b.pushed = b.iss + 1
    recovery.undo_marker = None
    recovery.point = b.snd.nxt


def established(b: Block, now: int) -> None:
    """Our SYN is acknowledged and the peer's is here."""
    settings, fast = b.settings, b.fast
    if fast is not None and fast.usable:
        fast.handshake_over(now)  # data was sent already
    else:
        begin_transfer(b, now)
    if b.retransmitted and not b.rtt.srtt:
        b.rtt.rto = settings.fallback_rto
    b.enter(FIN_WAIT_1 if b.fin_queued else ESTABLISHED, now)
    b.heard = now
    b.last_sent = b.last_sent or now  # as if data had been sent and received, in Linux
    b.acks.heard = b.acks.heard or now
    watch_idle(b, now)
    b.wake()


def watch_idle(b: Block, now: int) -> None:
    """Set or clear the keep-alive timer."""
    settings = b.settings
    b.keep_at = max(now, b.heard + settings.keepalive_idle) if settings.keepalive else NEVER
    b.probes = 0
    if settings.keepalive:
        b.arm(b.keep_at)


def listen_again(b: Block, now: int) -> None:
    """SYN-RECEIVED back to LISTEN: "the user need not be informed". A listener's half-open connection just ends."""
    b.enter(LISTEN, now)
    b.timer_at = NEVER
    b.held = None
    b.retries = b.retransmitted = 0
    if b.listener is not None:
        become_closed(b, now)
