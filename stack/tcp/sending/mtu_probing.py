"""Path MTU discovery by probing: does the path carry more, or less, than was thought? (RFC 4821; Linux's tcp_mtu_probe)

Sizes are MSS: octets of text and options that a segment holds. While a search is on, segments are of the size that is known
to arrive (`low`); a probe is one segment of real data between that and `high`. Its loss is no sign of congestion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.tcp.congestion.base import CongestionState
from stack.tcp.opening import handshake
from stack.tcp.recovery.retransmit_queue import Record
from stack.tcp.segment import ACK, PSH
from stack.tcp.sending.mtu_search import begin
from stack.tcp.sending.output import transmit

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.sending.mtu_search import Search

_LEAST_WINDOW = 11  # segments; with fewer, a lost probe would be repeated by timeout only


def synchronize(b: Block, path: int) -> None:
    """Routes or routers say that the path carries `path`, and the search what it has found so far (tcp_sync_mss)."""
    search = b.mtu_search
    if search is None:
        b.path_mss = path
    else:
        search.path = path
        search.high = min(search.high, path)
        b.path_mss = min(path, search.low)
    if b.peer_mss:
        handshake.set_segment_size(b)


def black_hole(b: Block, now: int) -> None:
    """Nothing arrives, again and again: large segments may vanish without a word, so try small ones (tcp_mtu_probing)."""
    settings = b.settings
    if not settings.mtu_probing:
        return
    search = b.mtu_search
    if search is None:
        begin(b, now)
        synchronize(b, b.path_mss)
    else:
        search.low = max(min(search.low >> 1, settings.base_mss), settings.mtu_probe_floor, settings.least_mss)
        synchronize(b, search.path)


def send_probe(b: Block, search: Search, now: int) -> bool | None:
    """Send a probe if there is reason, data and room for one. True: sent; False: wait for room; None: no probe now."""
    snd, rtx, recovery, control = b.snd, b.rtx, b.recovery, b.congestion
    if search.size or recovery.state is not CongestionState.OPEN or control.cwnd < _LEAST_WINDOW:
        return None
    if b.held is not None or b.rcv.dsack is not None:
        return None
    probe = search.low + search.high >> 1
    if search.high - search.low < b.settings.mtu_probe_threshold:
        _search_again(b, search, now)
        return None
    size = probe - handshake.option_room(b)
    needed = size + (recovery.reordering + 1) * snd.mss  # enough behind it that its loss is seen
    pieces, nxt = b.pieces, snd.nxt
    if not pieces or pieces[-1].end - nxt < needed or snd.wnd < needed:
        return None
    if any(piece.record for piece in pieces if piece.end < nxt + size):
        return None
    if nxt + needed > snd.una + snd.wnd:
        return False
    if rtx.in_flight + 2 > control.cwnd:
        return False if rtx.in_flight else None
    assert b.outgoing is not None
    end = nxt + size
    flags = ACK
    while pieces and pieces[0].end <= end:
        if pieces.popleft().end == end:
            flags |= PSH
    rtx.sent += 1
    record = Record(nxt, end, flags, now, rtx.delivered, rtx.sent)
    rtx.opened().append(record)
    if b.rate is not None:
        b.rate.sent(record, rtx, now)
    control.cwnd -= 1  # the probe counts for two
    b.counters.TCPOrigDataSent += 1
    transmit(b, nxt, flags, b.outgoing.slice(nxt, size), f"path MTU probe of {probe} octets", now)
    snd.nxt = rtx.dubious = end  # its ACK is looked at, not predicted
    search.size, search.start, search.end = probe, nxt, end
    return True


def acknowledged(b: Block, search: Search) -> None:
    """The probe arrived: segments may be as large (tcp_mtup_probe_success)."""
    control = b.congestion
    b.counters.TCPMTUPSuccess += 1
    control.cwnd = max(1, control.cwnd * b.snd.mss // search.size)
    control.cwnd_count = 0
    search.low, search.size = search.size, 0
    synchronize(b, search.path)


def _search_again(b: Block, search: Search, now: int) -> None:
    """Paths change: look again after a while (tcp_mtu_check_reprobe)."""
    if now - search.began >= b.settings.mtu_probe_interval:
        search.high = min(b.peer_mss, search.path)
        search.began = now
