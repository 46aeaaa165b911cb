"""TCP_INFO: the state of a connection as Linux's struct tcp_info (linux/tcp.h)."""

from __future__ import annotations

import re
import struct
from typing import Any

from stack.base.quantity import MILLISECOND
from stack.tcp import pacing
from stack.tcp.connection import Connection
from stack.tcp.info import held_up
from stack.tcp.state import State

# The numbers of enum in Linux's tcp_states.h.
_STATES = {
    State.ESTABLISHED: 1,
    State.SYN_SENT: 2,
    State.SYN_RECEIVED: 3,
    State.FIN_WAIT_1: 4,
    State.FIN_WAIT_2: 5,
    State.TIME_WAIT: 6,
    State.CLOSED: 7,
    State.CLOSE_WAIT: 8,
    State.LAST_ACK: 9,
    State.LISTEN: 10,
    State.CLOSING: 11,
}
_MODES = {"open": 0, "disorder": 1, "cwr": 2, "recovery": 3, "loss": 4}
_OPT_TIMESTAMPS, _OPT_SACK, _OPT_WSCALE, _OPT_ECN, _OPT_ECN_SEEN, _OPT_SYN_DATA, _OPT_TFO_CHILD = 1, 2, 4, 8, 16, 32, 128
_WORDS = "24I" + "4Q6I4Q2I2Q6I" + "2HI"  # tcpi_rto…tcpi_total_retrans, tcpi_pacing_rate…tcpi_rehash, tcpi_total_rto…
_LAYOUT = struct.Struct("=8B" + _WORDS)
_SIZES = {"I": 4, "Q": 8, "H": 2}
_LARGEST = [
    (1 << 8 * _SIZES[kind]) - 1 for count, kind in re.findall(r"(\d*)([IQH])", _WORDS) for _ in range(int(count or 1))
]  # of each field
_ALL = (1 << 64) - 1  # no limit


def pack(connection: Connection | None, listening: bool, now: int = 0) -> bytes:
    """struct tcp_info as of Linux 6.12, 248 octets: times in microseconds (but for the four `last`, in milliseconds)."""
    if connection is None:
        return bytes([_STATES[State.LISTEN if listening else State.CLOSED]]) + bytes(_LAYOUT.size - 1)
    info = connection.info()
    fast = connection.fast
    given = (
        (_OPT_TIMESTAMPS if info["timestamps"] else 0)
        | (_OPT_SACK if info["sack"] else 0)
        | (_OPT_WSCALE if info["snd_wscale"] or info["rcv_wscale"] else 0)
        | (_OPT_ECN if connection.ecn is not None and connection.ecn.agreed else 0)
        | (_OPT_ECN_SEEN if connection.ecn is not None and connection.ecn.seen else 0)
        | (_OPT_SYN_DATA if fast is not None and fast.acked else 0)
        | (_OPT_TFO_CHILD if fast is not None and fast.child else 0)
    )
    octets = (
        _STATES[connection.state],
        _MODES[info["recovery"]],
        min(info["retransmits"], 255),
        min(info["probes"], 255),
        min(info["backoff"], 255),
        given,
        (info["snd_wscale"] & 15) | (info["rcv_wscale"] & 15) << 4,
        info["app_limited"] | (fast.failure << 1 if fast is not None else 0),
    )
    words = (*_words(connection, info, now), *_later(connection, info, now))
    return _LAYOUT.pack(*octets, *(min(max(word, 0), most) for word, most in zip(words, _LARGEST, strict=True)))


def _words(connection: Connection, info: dict[str, Any], now: int) -> tuple[int, ...]:
    """From tcpi_rto to tcpi_total_retrans."""
    heard = (now - connection.heard) // MILLISECOND
    return (
        _microseconds(info["backoff_rto"]), _microseconds(connection.settings.delayed_ack), info["snd_mss"], info["rcv_mss"],
        info["unacked"], info["sacked"], info["lost"], info["retrans"], 0,
        (now - info["last_data_sent"]) // MILLISECOND, 0, heard, heard, info["pmtu"], info["rcv_wnd"],
        _microseconds(info["rtt"]), _microseconds(info["rttvar"]), info["snd_ssthresh"], info["snd_cwnd"], info["advmss"],
        info["reordering"], 0, info["rcv_wnd"], info["total_retrans"],
    )  # fmt: skip


def _later(connection: Connection, info: dict[str, Any], now: int) -> tuple[int, ...]:
    """From tcpi_pacing_rate on."""
    busy, window, buffer = (_microseconds(time) for time in held_up(connection, now))
    most = connection.settings.maximum_pacing_rate
    return (
        pacing.rate(connection) or _ALL, _ALL if most is None else most, info["bytes_acked"], info["bytes_received"], info["segs_out"], info["segs_in"],
        info["notsent"], _microseconds(info["min_rtt"]), 0, info["data_segs_out"], info["delivery_rate"], busy, window, buffer,
        info["delivered"], info["delivered_ce"], info["bytes_sent"], info["bytes_retrans"], info["dsack_dups"], info["reord_seen"],
        0, info["snd_wnd"], info["rcv_wnd"], 0,
        info["total_rto"], info["total_rto_recoveries"], info["total_rto_time"] // MILLISECOND,
    )  # fmt: skip


def _microseconds(time: int) -> int:
    return time // 1000
