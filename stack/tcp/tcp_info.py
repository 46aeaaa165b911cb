"""struct tcp_info of Linux 6.18 (linux/tcp.h): what TCP_INFO tells of a connection, declared once, by Linux's names.

In a program: `TcpInfo.parse(sock.getsockopt(IPPROTO_TCP, TCP_INFO, 280)).snd_cwnd`. Of the engine's own connections:
`TcpInfo.of(connection, now)`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any

from stack.base.quantity import MICROSECOND, MILLISECOND, SECOND
from stack.tcp.congestion.accurate_echo import FIRST
from stack.tcp.congestion.base import INFINITE, CongestionState
from stack.tcp.congestion.registry import congestion_control
from stack.tcp.info import held_up
from stack.tcp.recovery.timer import WINDOW_PROBE
from stack.tcp.sending import pacing
from stack.tcp.state import State

if TYPE_CHECKING:
    from stack.tcp.block import Block
    from stack.tcp.opening.listener import Listener

# Unsigned, of so many bits
U1 = Annotated[int, 1]
U2 = Annotated[int, 2]
U4 = Annotated[int, 4]
U8 = Annotated[int, 8]
U16 = Annotated[int, 16]
U32 = Annotated[int, 32]
U64 = Annotated[int, 64]

SIZE = 280  # octets
_UNLIMITED = (1 << 64) - 1
_UNKNOWN = (1 << 32) - 1
STATES = {  # tcp_states.h
    State.ESTABLISHED: 1, State.SYN_SENT: 2, State.SYN_RECEIVED: 3, State.FIN_WAIT_1: 4, State.FIN_WAIT_2: 5,
    State.TIME_WAIT: 7,  # what is in TIME-WAIT is no socket: the program's is closed
    State.CLOSED: 7, State.CLOSE_WAIT: 8, State.LAST_ACK: 9, State.LISTEN: 10, State.CLOSING: 11,
}  # fmt: skip
OPT_TIMESTAMPS, OPT_SACK, OPT_WSCALE, OPT_ECN, OPT_ECN_SEEN, OPT_SYN_DATA, OPT_TFO_CHILD = 1, 2, 4, 8, 16, 32, 128


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """Times are microseconds where nothing else is said, sizes octets. What this host, or an older kernel, does not know is 0."""

    state: U8 = 0  # tcp_states.h
    ca_state: U8 = 0  # 0 to 4: Open, Disorder, CWR, Recovery, Loss
    retransmits: U8 = 0  # timeouts in a row
    probes: U8 = 0  # of a zero window or of keep-alive, without an answer
    backoff: U8 = 0  # doublings of the RTO
    options: U8 = 0  # OPT_…
    snd_wscale: U4 = 0
    rcv_wscale: U4 = 0
    delivery_rate_app_limited: U1 = 0
    fastopen_client_fail: U2 = 0
    rto: U32 = 0
    ato: U32 = 0  # how long the next acknowledgment would be delayed
    snd_mss: U32 = 0
    rcv_mss: U32 = 0  # what is taken for the peer's full segment
    unacked: U32 = 0  # segments outstanding; of a listener: connections to accept
    sacked: U32 = 0  # segments; of a listener: the backlog
    lost: U32 = 0  # segments
    retrans: U32 = 0  # segments sent again that are still out
    fackets: U32 = 0  # no longer used
    last_data_sent: U32 = 0  # milliseconds ago
    last_ack_sent: U32 = 0  # Linux does not remember it
    last_data_recv: U32 = 0  # milliseconds ago
    last_ack_recv: U32 = 0  # milliseconds ago
    pmtu: U32 = 0
    rcv_ssthresh: U32 = 0  # the largest window to offer for now
    rtt: U32 = 0
    rttvar: U32 = 0
    snd_ssthresh: U32 = 0  # segments
    snd_cwnd: U32 = 0  # segments
    advmss: U32 = 0
    reordering: U32 = 0  # segments
    rcv_rtt: U32 = 0
    rcv_space: U32 = 0  # what the program reads in a round trip
    total_retrans: U32 = 0
    pacing_rate: U64 = 0  # octets a second
    max_pacing_rate: U64 = 0
    bytes_acked: U64 = 0
    bytes_received: U64 = 0  # a FIN counts for one
    segs_out: U32 = 0
    segs_in: U32 = 0
    notsent_bytes: U32 = 0
    min_rtt: U32 = 0
    data_segs_in: U32 = 0
    data_segs_out: U32 = 0
    delivery_rate: U64 = 0  # octets a second; 0 where the congestion control wants no rates
    busy_time: U64 = 0
    rwnd_limited: U64 = 0
    sndbuf_limited: U64 = 0
    delivered: U32 = 0  # segments
    delivered_ce: U32 = 0  # of them, marked
    bytes_sent: U64 = 0  # repetitions included
    bytes_retrans: U64 = 0
    dsack_dups: U32 = 0  # segments reported as duplicates
    reord_seen: U32 = 0
    rcv_ooopack: U32 = 0  # segments that came above a gap
    snd_wnd: U32 = 0
    rcv_wnd: U32 = 0  # as offered last
    rehash: U32 = 0  # the choice of a new path after timeouts, which is not made here
    total_rto: U16 = 0
    total_rto_recoveries: U16 = 0  # rows of timeouts that are over, or not yet
    total_rto_time: U32 = 0  # milliseconds that they took
    received_ce: U32 = 0  # accurate ECN: segments
    delivered_e1_bytes: U32 = 0
    delivered_e0_bytes: U32 = 0
    delivered_ce_bytes: U32 = 0
    received_e1_bytes: U32 = 0
    received_e0_bytes: U32 = 0
    received_ce_bytes: U32 = 0

    @classmethod
    def parse(cls, octets: bytes) -> TcpInfo:
        """From what getsockopt() gave, by this host or by Linux; fields that it leaves out are 0."""
        whole = int.from_bytes(octets[:SIZE], "little")
        return cls(**{name: whole >> at & (1 << bits) - 1 for name, at, bits in _LAYOUT})

    def pack(self) -> bytes:
        """The octets; a value too large for its field becomes the largest."""
        whole = 0
        for name, at, bits in _LAYOUT:
            whole |= min(max(getattr(self, name), 0), (1 << bits) - 1) << at
        return whole.to_bytes(SIZE, "little")

    @classmethod
    def unconnected(cls, listener: Listener | None, initial_rto: int) -> TcpInfo:
        """Of a socket that has no connection (yet); `initial_rto` in nanoseconds."""
        rates = {"snd_cwnd": 10, "reordering": 3, "pacing_rate": _UNLIMITED, "max_pacing_rate": _UNLIMITED}
        if listener is not None:
            return cls(STATES[State.LISTEN], unacked=listener.waiting, sacked=listener.backlog, **rates)
        return cls(
            STATES[State.CLOSED], delivery_rate_app_limited=1, rto=initial_rto // MICROSECOND, snd_mss=536, rttvar=250_000,
            snd_ssthresh=INFINITE, min_rtt=_UNKNOWN, **rates,
        )  # fmt: skip

    @classmethod
    def of(cls, b: Block, now: int) -> TcpInfo:
        """Of a connection at the time `now`, in nanoseconds (tcp_get_info)."""
        info = cls(**_first(b, now), **_words(b, now), **_counts(b, now), **_congestion(b, now), **_marks(b))
        return info if b.state is not State.SYN_SENT else replace(info, **_opening(b, now))


def _layout() -> list[tuple[str, int, int]]:
    """Name, first bit and bits of each field, as a little-endian C compiler lays them out."""
    layout, at = [], 0
    for field in fields(TcpInfo):
        bits = int(str(field.type).removeprefix("U"))
        if bits >= 8:
            at = -(-at // bits) * bits
        layout.append((field.name, at, bits))
        at += bits
    return layout


_LAYOUT = _layout()


def _first(b: Block, now: int) -> dict[str, int]:
    """The octets at the front."""
    probing, rcv, fast, ecn = b.pending == WINDOW_PROBE, b.rcv, b.fast, b.ecn
    options = (
        (OPT_TIMESTAMPS if b.timestamps else 0)
        | (OPT_SACK if b.sack else 0)
        | (OPT_WSCALE if rcv.scaling else 0)
        | (OPT_ECN if ecn is not None and ecn.agreed else 0)
        | (OPT_ECN_SEEN if ecn is not None and ecn.seen else 0)
        | (OPT_SYN_DATA if fast is not None and fast.acked else 0)
        | (OPT_TFO_CHILD if fast is not None and fast.child else 0)
    )
    return {
        "state": STATES[b.state],
        "ca_state": b.recovery.state.value,
        "retransmits": 0 if probing else b.retries,
        "probes": b.retries if probing else b.probes,
        "backoff": b.backoff if probing else b.rtt.backoff,
        "options": options,
        "snd_wscale": b.snd.scale if rcv.scaling else 0,
        "rcv_wscale": rcv.scale if rcv.scaling else 0,
        "delivery_rate_app_limited": int(b.rate is None or not b.rate.interval or b.rate.limited),
        "fastopen_client_fail": fast.failure if fast is not None else 0,
    }


def _words(b: Block, now: int) -> dict[str, int]:
    """From `rto` to `total_retrans`, but for what concerns congestion."""
    snd, rcv, rtt, acks = b.snd, b.rcv, b.rtt, b.acks
    path = b.path_mss if b.mtu_search is None else b.mtu_search.path
    return {
        "rto": rtt.rto // MICROSECOND,
        "ato": acks.ato // MICROSECOND,
        "snd_mss": snd.mss,
        "rcv_mss": rcv.full if b.congestion.mss else 88,  # TCP_MIN_MSS
        "last_data_sent": (now - b.last_sent) // MILLISECOND,
        "last_data_recv": (now - acks.heard) // MILLISECOND,
        "last_ack_recv": (now - b.heard) // MILLISECOND,
        "pmtu": path + (60 if len(b.local[0]) == 16 else 40),
        "rcv_ssthresh": rcv.ssthresh,
        "rtt": max(rtt.srtt // MICROSECOND, 1) if rtt.srtt else 0,
        "rttvar": rtt.rttvar // MICROSECOND if rtt.srtt else 750_000 if b.congestion.mss else 250_000,  # RFC 6298 rule 5.7
        "min_rtt": max(rtt.minimum // MICROSECOND, 1) if rtt.minimum else _UNKNOWN,
        "advmss": rcv.advmss,
        "rcv_rtt": (b.sizing.rtt >> 3) // MICROSECOND,
        "rcv_space": b.sizing.space,
        "snd_wnd": snd.wnd,
        "rcv_wnd": rcv.offered,
    }


def _counts(b: Block, now: int) -> dict[str, int]:
    """Segments and octets."""
    snd, rcv, recovery = b.snd, b.rcv, b.recovery
    busy, window, buffer = (time // MICROSECOND for time in held_up(b, now))
    fin_sent = b.fin is not None and snd.nxt > b.fin
    since = recovery.timeout_began
    lasting = (now - since) // MILLISECOND if since is not None else 0
    return {
        "total_retrans": b.retransmitted,
        "bytes_acked": snd.una - b.iss - b.passive,  # who opened counts its SYN
        "bytes_received": rcv.nxt - b.irs - 1 if rcv.nxt else 0,
        "segs_out": b.segments_out,
        "segs_in": b.segments_in,
        "notsent_bytes": b.not_sent + (b.fin_queued and b.fin is None),
        "data_segs_in": b.data_segments_in,
        "data_segs_out": b.data_segments_out,
        "busy_time": busy,
        "rwnd_limited": window,
        "sndbuf_limited": buffer,
        "bytes_sent": max(0, snd.nxt - b.iss - 1 - fin_sent) + recovery.bytes_resent,
        "bytes_retrans": recovery.bytes_resent,
        "dsack_dups": recovery.dsack_dups,
        "reord_seen": recovery.reordering_seen,
        "rcv_ooopack": rcv.out_of_order,
        "total_rto": recovery.timeouts,
        "total_rto_recoveries": recovery.timeout_recoveries,
        "total_rto_time": (recovery.timeout_time // MILLISECOND) + lasting,
    }


def _congestion(b: Block, now: int) -> dict[str, int]:
    """The sender's view of the path."""
    rtx, control, rate, most = b.rtx, b.congestion, b.rate, b.settings.maximum_pacing_rate
    syn = b.snd.una == b.iss < b.snd.nxt and not b.passive
    return {
        "unacked": len(rtx) + syn,
        "sacked": rtx.sacked_out,
        "lost": rtx.lost_out,
        "retrans": rtx.retrans_out,
        "snd_ssthresh": min(control.ssthresh, INFINITE) if control.mss else INFINITE,
        "snd_cwnd": control.cwnd if control.mss else 10,
        "reordering": b.recovery.reordering,
        "pacing_rate": pacing.rate(b) or _UNLIMITED,
        "max_pacing_rate": _UNLIMITED if most is None else most,
        "delivery_rate": rate.delivered * b.snd.mss * SECOND // rate.interval if rate is not None and rate.interval else 0,
        "delivered": rtx.delivered,
        "delivered_ce": rtx.delivered_ce,
    }


def _opening(b: Block, now: int) -> dict[str, Any]:
    """What is different before the SYN is answered: it is a segment of the queue, and its text another."""
    known: dict[str, Any] = {"snd_mss": min(1220 if len(b.local[0]) == 16 else 536, b.path_mss) - 12 * b.settings.timestamps, "rcv_mss": 88}
    if b.fast is not None and b.fast.text:
        known["unacked"] = 2
    if b.retries:
        control = congestion_control(b.settings.congestion)(536, 10)
        known |= {"ca_state": CongestionState.LOSS.value, "lost": 1, "retrans": 1, "snd_cwnd": 1, "snd_ssthresh": control.lost(now)}
    return known


def _marks(b: Block) -> dict[str, Any]:
    """What accurate ECN counts."""
    accurate = b.ecn.accurate if b.ecn is not None else None
    if accurate is None:
        return {}
    return {
        "received_ce": accurate.packets - FIRST,
        "received_e1_bytes": accurate.octets[1] - 1,
        "received_e0_bytes": accurate.octets[2] - 1,
        "received_ce_bytes": accurate.octets[3],
        "delivered_e1_bytes": accurate.echo.octets[1],
        "delivered_e0_bytes": accurate.echo.octets[2],
        "delivered_ce_bytes": accurate.echo.octets[3],
    }
