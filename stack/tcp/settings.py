"""The parameters of TCP: one immutable set a connection, with Linux's defaults where RFC 9293 leaves a choice."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from stack.base.quantity import MILLISECOND, SECOND

if TYPE_CHECKING:
    from stack.tcp.congestion.base import CongestionControl


def _predicting() -> bool:
    return os.environ.get("STACK_TCP_PREDICTION", "1") != "0"


@dataclass(frozen=True, slots=True)
class TcpSettings:
    """Times are nanoseconds, sizes octets. `settings.replace(nodelay=True)` gives a changed copy."""

    # What a SYN offers
    window_scaling: bool = True  # RFC 7323 section 2
    timestamps: bool = True  # RFC 7323 section 3
    sack: bool = True  # RFC 2018
    maximum_segment: int | None = None  # TCP_MAXSEG: bound of the MSS announced and used; None: what the MTU allows

    # Buffers
    send_buffer: int = 131_072  # where autotuning begins, or the size that SO_SNDBUF fixed
    send_buffer_max: int = 4_194_304
    receive_buffer: int = 131_072
    receive_buffer_max: int = 6_291_456
    fixed_send_buffer: bool = False  # SO_SNDBUF was set: no autotuning
    fixed_receive_buffer: bool = False  # SO_RCVBUF was set
    out_of_order_limit: int = 4096  # pieces kept above a gap, and ranges of a SACK scoreboard

    # When to send (RFC 9293 sections 3.7.4 and 3.8.6)
    nodelay: bool = False  # TCP_NODELAY: no Nagle algorithm
    cork: bool = False  # TCP_CORK: full segments only, for at most `cork_limit`
    cork_limit: int = 200 * MILLISECOND
    delayed_ack: int = 40 * MILLISECOND  # below 0.5 s (MUST-40); 0: every segment is acknowledged at once
    quick_acks: int = 16  # ACKs that are not delayed when a connection begins, as Linux does, until it sends data

    # Congestion control (RFC 5681, 6582, 6928)
    congestion: str | type[CongestionControl] = "reno"  # TCP_CONGESTION: a name of congestion/registry.py, or a class
    initial_segments: int = 10  # initial window in segments, RFC 6928
    slow_start_after_idle: bool = True  # RFC 5681 section 4.1

    # Retransmission (RFC 6298, RFC 9293 section 3.8.3)
    initial_rto: int = 1 * SECOND
    fallback_rto: int = 3 * SECOND  # after a SYN that had to be repeated, RFC 6298 rule 5.7
    minimum_rto: int = 200 * MILLISECOND  # Linux; RFC 6298 says 1 s
    maximum_rto: int = 120 * SECOND
    syn_retries: int = 6  # 127 s, as Linux; RFC 9293 MUST-23 wants 3 minutes: 7
    synack_retries: int = 5
    advice_retries: int = 3  # R1: after so many, tell IP that the path may be bad
    data_retries: int = 15  # R2, as the time that so many take on the fastest path: 924.6 s, as Linux
    orphan_retries: int = 8  # R2 once the program has closed the socket
    user_timeout: int = 0  # TCP_USER_TIMEOUT; 0: data_retries decides

    # Closing
    time_wait: int = 60 * SECOND  # 2 MSL
    fin_wait_2: int = 60 * SECOND  # only once the program has closed the socket
    linger: int | None = None  # SO_LINGER: None: off; 0: close() resets

    # Keep-alive (RFC 9293 section 3.8.4)
    keepalive: bool = False  # SO_KEEPALIVE, MUST-25
    keepalive_idle: int = 7200 * SECOND
    keepalive_interval: int = 75 * SECOND
    keepalive_probes: int = 9

    # Bad input
    challenge_interval: int = 500 * MILLISECOND  # at most one challenge ACK a connection in this time, RFC 5961 section 7
    abort_on_hard_icmp: bool = False  # RFC 9293 SHLD-26 says True; Linux keeps a synchronized connection

    # What IP is asked for (RFC 9293 section 3.9.2)
    traffic_class: int = 0  # Diffserv field and, in its last two bits, ECN: IP_TOS, IPV6_TCLASS; MUST-48
    hop_limit: int | None = None  # IP_TTL, IPV6_UNICAST_HOPS; None: the host's time to live; MUST-49

    urgent_inline: bool = False  # SO_OOBINLINE
    prediction: bool = field(default_factory=_predicting)  # the fast path; STACK_TCP_PREDICTION=0 turns it off

    def __post_init__(self) -> None:
        for name in ("send_buffer", "receive_buffer", "initial_rto", "minimum_rto", "initial_segments"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; expected more than 0")
        if not 0 <= self.delayed_ack < 500 * MILLISECOND:
            raise ValueError(f"delayed_ack is {self.delayed_ack} ns; expected less than 0.5 s (RFC 9293 MUST-40)")
        if self.maximum_segment is not None and not 1 <= self.maximum_segment <= 65_535:
            raise ValueError(f"maximum_segment is {self.maximum_segment}; expected 1 to 65535")

    def replace(self, **changes: Any) -> Self:
        """These settings with some changed."""
        return replace(self, **changes)


DEFAULT = TcpSettings()
