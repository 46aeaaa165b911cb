"""The parameters of TCP: one immutable set a connection, of two profiles, Linux's and the RFCs'."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from stack.base.quantity import MILLISECOND, SECOND

if TYPE_CHECKING:
    from stack.tcp.congestion.base import CongestionControl
    from stack.tcp.signing.ao import MasterKey
    from stack.tcp.signing.md5 import MD5Key


def _predicting() -> bool:
    return os.environ.get("STACK_TCP_PREDICTION", "1") != "0"


@dataclass(frozen=True, slots=True)
class TcpSettings:
    """Times are nanoseconds, sizes octets. `settings.replace(nodelay=True)` gives a changed copy.

    The defaults are those of Linux 6.x; `TcpSettings.rfc()` has what the RFCs want where Linux differs. A comment names
    the socket option, and the sysctl (of net.ipv4 where it says no more), whose value a field is; `with_sysctl` sets it
    by that name.
    """

    # What a SYN offers
    window_scaling: bool = True  # tcp_window_scaling; RFC 7323 section 2
    # Once agreed on, a segment without is dropped (RFC 7323 section 3.2), and so is one a tick older than the last (5.3);
    timestamps_required: bool = False  # Linux takes both
    timestamps: bool = True  # tcp_timestamps; RFC 7323 section 3
    sack: bool = True  # tcp_sack; RFC 2018
    maximum_segment: int | None = None  # TCP_MAXSEG, before the handshake: bound of the MSS announced and used; None: what the MTU allows

    # Opening
    syn_retries: int = 6  # tcp_syn_retries, TCP_SYNCNT: 131 s with the linear timeouts; RFC 9293 MUST-23 wants 3 minutes: 7
    syn_linear_timeouts: int = 4  # tcp_syn_linear_timeouts: so many more SYNs before the timeout is doubled each time
    synack_retries: int = 5  # tcp_synack_retries
    syn_backlog: int = 4096  # tcp_max_syn_backlog: without SYN cookies, three quarters of it may be half open
    backlog_limit: int = 4096  # net.core.somaxconn: what listen() may ask for
    syn_cookies: int = 1  # tcp_syncookies, RFC 4987: 1: once the queue of half-open connections is full; 2: always
    abort_on_overflow: bool = False  # tcp_abort_on_overflow: a RST for the last ACK that finds no room in the queue to accept
    defer_accept: int = 0  # TCP_DEFER_ACCEPT as SYN,ACKs: accepted with the first data, or after so many; see `half_open.py`
    keep_syn_text: bool = False  # text of a SYN that does not open fast waits, or of its answer; Linux drops it

    # Fast open (RFC 7413), see `fastopen.py`
    fast_open: int = 0x1  # tcp_fastopen: `fastopen.Bits`
    fast_open_keys: tuple[bytes, ...] = ()  # tcp_fastopen_key, TCP_FASTOPEN_KEY: that of new cookies, a backup; none: random
    fast_open_queue: int | None = None  # TCP_FASTOPEN: children of a listener whose handshake is not over; None: see `Bits`
    fast_open_connect: bool = False  # TCP_FASTOPEN_CONNECT: connect() leaves the SYN to the first send()
    fast_open_no_cookie: bool = False  # TCP_FASTOPEN_NO_COOKIE
    fast_open_pause: int = 0  # tcp_fastopen_blackhole_timeout_sec: after connections that were swallowed; 0: none

    # Signatures, by the address of the peer
    md5_keys: tuple[MD5Key, ...] = ()  # TCP_MD5SIG, RFC 2385
    ao_keys: tuple[MasterKey, ...] = ()  # TCP_AO_ADD_KEY, RFC 5925

    # Buffers. The receive buffer counts what Linux counts: segments with their buffers and bookkeeping (`memory.py`).
    send_buffer: int = 131_072  # tcp_wmem[1]: where autotuning begins, or the size that SO_SNDBUF fixed
    send_buffer_max: int = 4_194_304  # tcp_wmem[2]
    send_buffer_limit: int = 212_992  # net.core.wmem_max: what SO_SNDBUF may ask for
    fixed_send_buffer: bool = False  # SO_SNDBUF was set: no autotuning
    receive_buffer: int = 131_072  # tcp_rmem[1]: where autotuning begins, or twice what was asked by SO_RCVBUF
    receive_buffer_max: int = 6_291_456  # tcp_rmem[2]
    receive_buffer_limit: int = 212_992  # net.core.rmem_max: what SO_RCVBUF may ask for; the window scale allows for it
    fixed_receive_buffer: bool = False  # SO_RCVBUF was set
    out_of_order_limit: int = 4096  # pieces kept above a gap, and ranges of a SACK scoreboard

    # The receive window (RFC 9293 section 3.8.6)
    moderate_receive_buffer: bool = True  # tcp_moderate_rcvbuf: autotuning
    shrink_window: bool = False  # tcp_shrink_window: what was offered may be taken back when memory is short (not SHLD-14)
    application_window: int = 31  # tcp_app_win: 1/2**31 of the window is kept for the program; 0 keeps nothing
    signed_windows: bool = False  # tcp_workaround_signed_windows: no window over 32767 where it is not scaled
    receive_low_water: int = 1  # SO_RCVLOWAT: a program does not wake for less, and an ACK of less waits for no reader
    window_clamp: int = 0  # TCP_WINDOW_CLAMP: the largest window to offer; 0: what the buffer allows

    # Acknowledgments
    duplicate_sack: bool = True  # tcp_dsack; RFC 2883
    sack_compression_delay: int = 1 * MILLISECOND  # tcp_comp_sack_delay_ns: ACKs of segments above a gap wait so long at most
    sack_compression_percent: int = 5  # tcp_comp_sack_rtt_percent, of the round trip: no longer than that (Linux 6.18 has it fixed)
    sack_compression_slack: int = 100_000  # tcp_comp_sack_slack_ns
    sack_compression_count: int = 44  # tcp_comp_sack_nr: so many wait at most; 0: none does

    # When to send (RFC 9293 sections 3.7.4 and 3.8.6)
    nodelay: bool = False  # TCP_NODELAY: no Nagle algorithm
    cork: bool = False  # TCP_CORK: full segments only, however long that takes
    not_sent_low_water: int = 0  # tcp_notsent_lowat, TCP_NOTSENT_LOWAT: no more waits unsent; 0: no bound
    pingpong_threshold: int = 1  # tcp_pingpong_thresh: so many answers at once to data that came, and ACKs ride on answers
    delayed_ack: int = 40 * MILLISECOND  # below 0.5 s (MUST-40); 0: every segment is acknowledged at once
    quick_acks: int = 16  # ACKs that are not delayed when a connection begins or was idle; Linux's TCP_MAX_QUICKACKS

    # Congestion control (RFC 5681, 6582, 6928)
    congestion: str | type[CongestionControl] = "cubic"  # TCP_CONGESTION: a name of congestion/registry.py, or a class
    cubic_hystart: bool = True  # parameter of Linux's module tcp_cubic
    cubic_hystart_detect: int = 3  # and another: 1 by trains of ACKs, 2 by delay
    pacing_slow_start: int = 200  # tcp_pacing_ss_ratio: % of the window in a round trip
    pacing_avoidance: int = 120  # tcp_pacing_ca_ratio
    maximum_pacing_rate: int | None = None  # SO_MAX_PACING_RATE: octets a second; segments are paced then
    local_congestion: bool = False  # the interface's queue has no room (pfifo limit 0): what is sent is dropped there, and TCP is told
    paced: bool = False  # the queue discipline is fq: every connection is paced, at the rate that TCP_INFO shows
    initial_segments: int = 10  # initial window in segments, RFC 6928
    initial_receive_segments: int = 0  # the most that a SYN offers, in segments: a route's initrwnd; 0: what the buffer allows
    ecn: int = 2  # tcp_ecn: 0 off, 1 ask and grant, 2 grant, 3 ask for and grant accurate ECN, 4 ask for classic, 5 grant accurate
    ecn_fallback: bool = True  # tcp_ecn_fallback: a SYN that is repeated does without, RFC 3168 section 6.1.1.1
    ecn_option: int = 2  # tcp_ecn_option: accurate ECN's option: 0 never, 1 with what changes, 2 in all segments
    ecn_option_beacon: int = 3  # tcp_ecn_option_beacon: with 1, and so often in a round trip at least
    slow_start_after_idle: bool = True  # tcp_slow_start_after_idle; RFC 5681 section 4.1

    # Retransmission (RFC 6298, RFC 9293 section 3.8.3)
    initial_rto: int = 1 * SECOND
    fallback_rto: int = 3 * SECOND  # after a SYN that had to be repeated, RFC 6298 rule 5.7
    minimum_rto: int = 200 * MILLISECOND  # tcp_rto_min_us; RFC 6298 says 1 s
    maximum_rto: int = 120 * SECOND  # tcp_rto_max_ms
    advice_retries: int = 3  # tcp_retries1. R1: after so many, tell IP that the path may be bad
    data_retries: int = 15  # tcp_retries2. R2, as the time that so many take on the fastest path: 924.6 s, as Linux
    thin_linear_timeouts: bool = False  # tcp_thin_linear_timeouts, TCP_THIN_LINEAR_TIMEOUTS: of fewer than 4 segments, 6 timeouts alike
    orphan_retries: int = 8  # tcp_orphan_retries. R2 once the program has closed the socket
    reordering: int = 3  # tcp_reordering: by so many segments the path may reorder, until it shows that it does by more;
    reordering_limit: int = 300  # tcp_max_reordering: up to so many
    collapse: bool = True  # tcp_retrans_collapse: small segments go again as one
    rack: bool = True  # losses are found by time (RFC 8985), not by number (RFC 6675); Linux knows no other way any more
    rack_fixed_window: bool = False  # tcp_recovery, bit 2: D-SACKs do not widen the reordering window
    rack_alone: bool = False  # tcp_recovery, bit 4: that `reordering` segments were overtaken does not close it
    loss_probe: bool = True  # tcp_early_retrans: tail loss probe (RFC 8985 section 7)
    frto: bool = True  # tcp_frto: is the timeout for nothing? (RFC 5682)
    window_probe_octet: bool = False  # a probe of a shut window carries an octet, RFC 9293 MUST-36; Linux's carries none
    least_burst: int = 2  # tcp_min_tso_segs: segments that go out as one buffer at least, see burst.py
    user_timeout: int = 0  # TCP_USER_TIMEOUT; 0: data_retries decides

    # Path MTU discovery by probing (RFC 4821)
    mtu_probing: int = 0  # tcp_mtu_probing: 0 off, 1 once nothing arrives, 2 always
    base_mss: int = 1024  # tcp_base_mss: where the search begins
    least_mss: int = 48  # tcp_min_snd_mss: a peer that announces less wants us to send nothing but headers
    mtu_probe_floor: int = 48  # tcp_mtu_probe_floor: and the least it comes to where nothing arrives
    mtu_probe_interval: int = 600 * SECOND  # tcp_probe_interval: how long what was found is believed
    mtu_probe_threshold: int = 8  # tcp_probe_threshold: the search ends when it is as narrow

    # Closing
    time_wait: int = 60 * SECOND  # 2 MSL
    fin_wait_2: int = 60 * SECOND  # tcp_fin_timeout, TCP_LINGER2: only once the program has closed the socket
    rfc1337: bool = False  # tcp_rfc1337: a RST does not end TIME-WAIT
    linger: int | None = None  # SO_LINGER: None: off; 0: close() resets

    # Keep-alive (RFC 9293 section 3.8.4)
    keepalive: bool = False  # SO_KEEPALIVE, MUST-25
    keepalive_idle: int = 7200 * SECOND  # tcp_keepalive_time, TCP_KEEPIDLE
    keepalive_interval: int = 75 * SECOND  # tcp_keepalive_intvl, TCP_KEEPINTVL
    keepalive_probes: int = 9  # tcp_keepalive_probes, TCP_KEEPCNT

    # Bad input
    # The ACKs that bad segments bring out, each kind at most once in this time for a connection: tcp_invalid_ratelimit
    invalid_interval: int = 500 * MILLISECOND
    challenge_limit: int = 2_147_483_647  # tcp_challenge_ack_limit: challenge ACKs of a host in a second, RFC 5961 section 7
    abort_on_hard_icmp: bool = False  # RFC 9293 SHLD-26 says True; Linux keeps a synchronized connection

    # What IP is asked for (RFC 9293 section 3.9.2)
    reflect_service: bool = False  # tcp_reflect_tos: a connection that came has the Diffserv field of its SYN
    traffic_class: int = 0  # Diffserv field and, in its last two bits, ECN: IP_TOS, IPV6_TCLASS; MUST-48
    hop_limit: int | None = None  # IP_TTL, IPV6_UNICAST_HOPS; None: the host's time to live; MUST-49

    urgent_inline: bool = False  # SO_OOBINLINE
    standard_urgent: bool = False  # tcp_stdurg: a pointer that comes names the last urgent octet, as in RFC 1122
    offload_segment: int = 0  # a longer segment that comes is made of such, joined by the interface; 0: it is itself
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

    def with_sysctl(self, name: str, value: str) -> Self:
        """These settings as the sysctl `name` ("net.ipv4.tcp_rmem"), set to `value`, makes them.

        Raises `SysctlError` for one that is not emulated; one that has no effect on what is emulated changes nothing.
        """
        from stack.tcp.sysctl import changes

        return replace(self, **changes(name, value))

    @classmethod
    def linux(cls) -> Self:
        """What a Linux 6.x host does by default; the defaults of the fields."""
        return cls()

    @classmethod
    def rfc(cls) -> Self:
        """What the RFCs require or recommend, where Linux's defaults do something else."""
        return cls(
            sack_compression_count=0,  # RFC 5681 section 4.2: above a gap an ACK goes out at once
            quick_acks=0,  # RFC 9293 SHLD-18, RFC 5681 section 4.2: ACKs are delayed from the first segment on
            minimum_rto=1 * SECOND,  # RFC 6298 rule 2.4
            timestamps_required=True,  # RFC 7323 section 3.2
            keep_syn_text=True,  # RFC 9293 section 3.10.7.2: text of a SYN is processed once the connection stands
            window_probe_octet=True,  # RFC 9293 MUST-36
            syn_retries=7,  # RFC 9293 MUST-23: a SYN is repeated for 3 minutes at least
            abort_on_hard_icmp=True,  # RFC 9293 SHLD-26
            time_wait=240 * SECOND,  # RFC 9293 MUST-13: 2 MSL, with section 3.4.2's MSL of 2 minutes
        )


DEFAULT = TcpSettings()
