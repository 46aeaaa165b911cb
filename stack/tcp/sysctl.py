"""Linux's sysctls as changes of `TcpSettings`: what `sysctl net.ipv4.tcp_sack=0` means here (Linux's ip-sysctl.rst)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stack.base.errors import StackError
from stack.base.quantity import MILLISECOND, SECOND

Change = Callable[[str], dict[str, Any]]


class SysctlError(StackError, ValueError):
    """A sysctl that is not known, that is not emulated, or that has no such value."""


# What these decide does not exist here, or is always so: any value is taken, and changes nothing.
NO_EFFECT = {
    "net.core.busy_poll": "no driver to poll",
    "net.core.busy_read": "no driver to poll",
    "net.core.default_qdisc": "a link has the queue that `net.link` gave it",
    "net.core.netdev_max_backlog": "a host takes every frame as it comes",
    "net.core.optmem_max": "control messages are not counted",
    "net.core.rmem_default": "of TCP's sockets tcp_rmem decides",
    "net.core.txrehash": "paths are not chosen by hashes",
    "net.core.wmem_default": "of TCP's sockets tcp_wmem decides",
    "net.ipv4.conf.all.rp_filter": "a host takes what is addressed to it",
    "net.ipv4.conf.default.rp_filter": "a host takes what is addressed to it",
    "net.ipv4.route.flush": "routes are not cached",
    "net.ipv4.tcp_adv_win_scale": "obsolete since Linux 6.6",
    "net.ipv4.tcp_allowed_congestion_control": "every program may choose",
    "net.ipv4.tcp_autocorking": "no driver's queue holds segments back",
    "net.ipv4.tcp_available_congestion_control": "read only",
    "net.ipv4.tcp_backlog_ack_defer": "no socket is locked while segments arrive",
    "net.ipv4.tcp_child_ehash_entries": "a hash table's size",
    "net.ipv4.tcp_early_demux": "a look-up's speed",
    "net.ipv4.tcp_ehash_entries": "a hash table's size",
    "net.ipv4.tcp_fack": "obsolete since Linux 4.15",
    "net.ipv4.tcp_fwmark_accept": "no marks of a firewall",
    "net.ipv4.tcp_l3mdev_accept": "no VRF",
    "net.ipv4.tcp_limit_output_bytes": "no driver's queue holds segments back",
    "net.ipv4.tcp_low_latency": "obsolete since Linux 4.14",
    "net.ipv4.tcp_max_orphans": "no memory pressure",
    "net.ipv4.tcp_max_tw_buckets": "no memory pressure",
    "net.ipv4.tcp_mem": "no memory pressure",
    "net.ipv4.tcp_migrate_req": "no SO_REUSEPORT groups to migrate between",
    "net.ipv4.tcp_no_metrics_save": "no connection inherits from an earlier one",
    "net.ipv4.tcp_no_ssthresh_metrics_save": "no connection inherits from an earlier one",
    "net.ipv4.tcp_plb_cong_thresh": "PLB is off",
    "net.ipv4.tcp_plb_enabled": "paths are not chosen by flow labels",
    "net.ipv4.tcp_plb_idle_rehash_rounds": "PLB is off",
    "net.ipv4.tcp_plb_rehash_rounds": "PLB is off",
    "net.ipv4.tcp_plb_suspend_rto_sec": "PLB is off",
    "net.ipv4.tcp_thin_dupack": "obsolete since Linux 4.15",
    "net.ipv4.tcp_tso_rtt_log": "every segment is made alone",
    "net.ipv4.tcp_tso_win_divisor": "every segment is made alone",
}  # fmt: skip


def changes(name: str, value: str) -> dict[str, Any]:
    """The fields of `TcpSettings`, with their new values, that the sysctl `name` sets when it is written.

    `name` is as sysctl(8) takes it, with dots or slashes, or a path under /proc/sys. Raises `SysctlError`.
    """
    key = name.removeprefix("/proc/sys/").strip("/").replace("/", ".")
    if key in NO_EFFECT:
        return {}
    change = EFFECT.get(key)
    if change is None:
        raise SysctlError(f"sysctl {key} is not emulated")
    try:
        return change(value.strip().strip("\"'"))
    except (ValueError, IndexError):
        raise SysctlError(f"sysctl {key} does not take {value!r}") from None


def _number(text: str) -> int:
    return int(text, 0)


def _whole(field: str, unit: int = 1) -> Change:
    return lambda text: {field: _number(text) * unit}


def _switch(field: str) -> Change:
    return lambda text: {field: _number(text) != 0}


def _buffer(field: str) -> Change:
    """Minimum, default and maximum, of which Linux uses the first under memory pressure only."""

    def change(text: str) -> dict[str, Any]:
        _, default, most = (_number(part) for part in text.split())
        return {field: default, f"{field}_max": most}

    return change


def _keys(text: str) -> dict[str, Any]:
    """One key or two, joined by a comma: each four numbers of 32 bits in hexadecimal, joined by hyphens."""
    keys = tuple(b"".join(int(part, 16).to_bytes(4, "little") for part in key.split("-")) for key in text.split(","))
    if len(keys) > 2 or any(len(key) != 16 for key in keys):
        raise ValueError
    return {"fast_open_keys": keys}


def _control(text: str) -> dict[str, Any]:
    from stack.tcp.congestion.registry import available

    if text not in available():
        raise ValueError(text)
    return {"congestion": text}


def _low_water(text: str) -> dict[str, Any]:
    """Linux's default, the largest number, is no bound: 0 here. And 0 is the least there can be."""
    number = _number(text)
    return {"not_sent_low_water": 0 if number >= 0xFFFFFFFF else max(number, 1)}


EFFECT: dict[str, Change] = {
    "net.core.rmem_max": _whole("receive_buffer_limit"),
    "net.core.somaxconn": _whole("backlog_limit"),
    "net.core.wmem_max": _whole("send_buffer_limit"),
    "net.ipv4.tcp_abort_on_overflow": _switch("abort_on_overflow"),
    "net.ipv4.tcp_app_win": _whole("application_window"),
    "net.ipv4.tcp_challenge_ack_limit": _whole("challenge_limit"),
    "net.ipv4.tcp_comp_sack_delay_ns": _whole("sack_compression_delay"),
    "net.ipv4.tcp_comp_sack_nr": _whole("sack_compression_count"),
    "net.ipv4.tcp_comp_sack_slack_ns": _whole("sack_compression_slack"),
    "net.ipv4.tcp_dsack": _switch("duplicate_sack"),
    "net.ipv4.tcp_ecn": _whole("ecn"),
    "net.ipv4.tcp_ecn_fallback": _switch("ecn_fallback"),
    "net.ipv4.tcp_ecn_option": _whole("ecn_option"),
    "net.ipv4.tcp_ecn_option_beacon": _whole("ecn_option_beacon"),
    "net.ipv4.tcp_fastopen": _whole("fast_open"),
    "net.ipv4.tcp_fastopen_blackhole_timeout_sec": _whole("fast_open_pause", SECOND),
    "net.ipv4.tcp_fastopen_key": _keys,
    "net.ipv4.tcp_congestion_control": _control,
    "net.ipv4.tcp_fin_timeout": _whole("fin_wait_2", SECOND),
    "net.ipv4.tcp_invalid_ratelimit": _whole("invalid_interval", MILLISECOND),
    "net.ipv4.tcp_keepalive_intvl": _whole("keepalive_interval", SECOND),
    "net.ipv4.tcp_keepalive_probes": _whole("keepalive_probes"),
    "net.ipv4.tcp_keepalive_time": _whole("keepalive_idle", SECOND),
    "net.ipv4.tcp_max_syn_backlog": _whole("syn_backlog"),
    "net.ipv4.tcp_moderate_rcvbuf": _switch("moderate_receive_buffer"),
    "net.ipv4.tcp_pacing_ca_ratio": _whole("pacing_avoidance"),
    "net.ipv4.tcp_pacing_ss_ratio": _whole("pacing_slow_start"),
    "net.ipv4.tcp_orphan_retries": lambda text: {"orphan_retries": _number(text) or 8},  # 0 means 8, tcp_timer.c
    "net.ipv4.tcp_retries1": _whole("advice_retries"),
    "net.ipv4.tcp_max_reordering": _whole("reordering_limit"),
    "net.ipv4.tcp_reordering": _whole("reordering"),
    "net.ipv4.tcp_retrans_collapse": _switch("collapse"),
    "net.ipv4.tcp_recovery": lambda text: {"rack": _number(text) & 1 > 0},
    "net.ipv4.tcp_early_retrans": lambda text: {"loss_probe": _number(text) >= 3},
    "net.ipv4.tcp_min_tso_segs": _whole("least_burst"),
    "net.ipv4.tcp_frto": _switch("frto"),
    "net.ipv4.tcp_retries2": _whole("data_retries"),
    "net.ipv4.tcp_notsent_lowat": _low_water,
    "net.ipv4.tcp_mtu_probing": _whole("mtu_probing"),
    "net.ipv4.tcp_base_mss": _whole("base_mss"),
    "net.ipv4.tcp_mtu_probe_floor": _whole("mtu_probe_floor"),
    "net.ipv4.tcp_probe_interval": _whole("mtu_probe_interval", SECOND),
    "net.ipv4.tcp_probe_threshold": _whole("mtu_probe_threshold"),
    "net.ipv4.tcp_rfc1337": _switch("rfc1337"),
    "net.ipv4.tcp_rmem": _buffer("receive_buffer"),
    "net.ipv4.tcp_rto_max_ms": _whole("maximum_rto", MILLISECOND),
    "net.ipv4.tcp_rto_min_us": _whole("minimum_rto", 1000),
    "net.ipv4.tcp_sack": _switch("sack"),
    "net.ipv4.tcp_shrink_window": _switch("shrink_window"),
    "net.ipv4.tcp_slow_start_after_idle": _switch("slow_start_after_idle"),
    "net.ipv4.tcp_stdurg": _switch("standard_urgent"),
    "net.ipv4.tcp_syn_linear_timeouts": _whole("syn_linear_timeouts"),
    "net.ipv4.tcp_syn_retries": _whole("syn_retries"),
    "net.ipv4.tcp_synack_retries": _whole("synack_retries"),
    "net.ipv4.tcp_syncookies": _whole("syn_cookies"),
    "net.ipv4.tcp_thin_linear_timeouts": _switch("thin_linear_timeouts"),
    "net.ipv4.tcp_timestamps": _switch("timestamps"),
    "net.ipv4.tcp_window_scaling": _switch("window_scaling"),
    "net.ipv4.tcp_wmem": _buffer("send_buffer"),
    "net.ipv4.tcp_workaround_signed_windows": _switch("signed_windows"),
}
