"""TCP_INFO: the state of a connection as Linux's struct tcp_info (linux/tcp.h)."""

from __future__ import annotations

import struct

from stack.tcp.connection import Connection
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
_OPT_TIMESTAMPS, _OPT_SACK, _OPT_WSCALE, _OPT_SYN_DATA, _OPT_TFO_CHILD = 1, 2, 4, 32, 128
_WORDS = 24
_MOST = 0xFFFFFFFF


def pack(connection: Connection | None, listening: bool) -> bytes:
    """The first 104 octets of struct tcp_info: times in microseconds, windows in segments."""
    if connection is None:
        return struct.pack("8B24I", _STATES[State.LISTEN if listening else State.CLOSED], *[0] * 7, *[0] * _WORDS)
    info = connection.info()
    fast = connection.fast
    given = (
        (_OPT_TIMESTAMPS if info["timestamps"] else 0)
        | (_OPT_SACK if info["sack"] else 0)
        | (_OPT_WSCALE if info["snd_wscale"] or info["rcv_wscale"] else 0)
        | (_OPT_SYN_DATA if fast is not None and fast.acked else 0)
        | (_OPT_TFO_CHILD if fast is not None and fast.child else 0)
    )
    octets = (
        _STATES[connection.state],
        _MODES.get(info["recovery"], 0),
        min(info["retransmits"], 255),
        min(info["probes"], 255),
        0,
        given,
        (info["snd_wscale"] & 15) | (info["rcv_wscale"] & 15) << 4,
        fast.failure << 1 if fast is not None else 0,
    )
    segment = max(info["snd_mss"], 1)
    words = (
        _microseconds(info["backoff_rto"]),
        _microseconds(connection.settings.delayed_ack),
        info["snd_mss"],
        info["rcv_mss"],
        -(-info["unacked"] // segment),
        -(-info["sacked"] // segment),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        info["pmtu_mss"],
        info["rcv_wnd"],
        _microseconds(info["rtt"]),
        _microseconds(info["rttvar"]),
        info["snd_ssthresh"],
        info["snd_cwnd"],
        info["advmss"],
        3,
        0,
        info["rcv_wnd"],
        info["total_retrans"],
    )
    return struct.pack("8B24I", *octets, *(min(max(word, 0), _MOST) for word in words))


def _microseconds(time: int | None) -> int:
    return (time or 0) // 1000
