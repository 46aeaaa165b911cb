"""STATUS: what is known of a connection, under TCP_INFO's names (RFC 9293 section 3.10.6, linux/tcp.h).

Times are nanoseconds, sizes octets; `unacked`, `sacked`, `lost`, `retrans`, `in_flight`, `snd_cwnd`, `snd_ssthresh`,
`reordering` and `delivered` count segments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stack.base.quantity import SECOND
from stack.tcp.recovery.timer import WINDOW_PROBE

if TYPE_CHECKING:
    from stack.tcp.block import Block


def status(b: Block) -> dict[str, Any]:
    """3.10.6. STATUS Call"""
    snd, rcv, rtt = b.snd, b.rcv, b.rtt
    probing = b.pending == WINDOW_PROBE
    return {
        "state": b.state.value,
        "recovery": b.recovery.state.name.lower(),
        "retransmits": 0 if probing else b.retries,
        "probes": b.retries if probing else b.probes,
        "backoff": b.backoff if probing else rtt.backoff,
        "backoff_rto": rtt.rto,
        "rtt": rtt.srtt,
        "rttvar": rtt.rttvar,
        "min_rtt": rtt.minimum,
        "snd_mss": snd.mss,
        "rcv_mss": rcv.full,
        "advmss": rcv.mss,
        "pmtu": b.path_mss + (40 if len(b.local[0]) == 4 else 60),
        "snd_wnd": snd.wnd,
        "rcv_wnd": rcv.wnd,
        "unread": b.unread,
        "bytes_received": max(0, rcv.nxt - rcv.fin - b.irs - 1),
        "snd_wscale": snd.scale,
        "rcv_wscale": rcv.scale,
        "timestamps": b.timestamps,
        "sack": b.sack,
        **sending(b),
    }


def sending(b: Block) -> dict[str, Any]:
    """What concerns the sender."""
    snd, rtx, recovery, rate = b.snd, b.rtx, b.recovery, b.rate
    sent = max(0, snd.nxt - b.iss - 1 - (b.fin is not None and snd.nxt > b.fin))
    return {
        "snd_cwnd": b.congestion.cwnd,
        "snd_ssthresh": b.congestion.ssthresh,
        "unacked": len(rtx),
        "sacked": rtx.sacked_out,
        "lost": rtx.lost_out,
        "retrans": rtx.retrans_out,
        "in_flight": rtx.in_flight,
        "reordering": recovery.reordering,
        "reord_seen": recovery.reordering_seen,
        "dsack_dups": recovery.dsack_dups,
        "delivered": rtx.delivered,
        "delivered_ce": rtx.delivered_ce,
        "total_retrans": b.retransmitted,
        "notsent": b.not_sent,
        "bytes_sent": sent + recovery.bytes_resent,
        "bytes_acked": max(0, snd.una - b.iss - b.passive),  # who opened counts its SYN, as Linux does
        "bytes_retrans": recovery.bytes_resent,
        "segs_out": b.segments_out,
        "segs_in": b.segments_in,
        "data_segs_out": b.data_segments_out,
        "delivery_rate": rate.delivered * snd.mss * SECOND // rate.interval if rate is not None and rate.interval else 0,
        "app_limited": rate is not None and rate.limited,
        "last_data_sent": b.last_sent,
        "total_rto": recovery.timeouts,
        "total_rto_recoveries": recovery.timeout_recoveries,
        "total_rto_time": recovery.timeout_time,
    }


def held_up(b: Block, now: int) -> tuple[int, int, int]:
    """For how long there was data to send, and for how long of it the peer's window and the send buffer held it up."""
    return b.chrono.totals(now)
