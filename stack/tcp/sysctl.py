"""Linux's sysctls as changes of `TcpSettings`: what `sysctl net.ipv4.tcp_sack=0` means here (Linux's ip-sysctl.rst)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stack.base.errors import StackError
from stack.base.quantity import MILLISECOND, SECOND

if TYPE_CHECKING:
    from stack.tcp.settings import TcpSettings

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


def value_of(name: str, settings: TcpSettings) -> str | None:
    """What reading a sysctl shows, where a setting alone says it; else None."""
    change = EFFECT.get(name)
    if isinstance(change, _Whole | _Switch | _Buffer):
        return change.shown(settings)
    return str(settings.congestion) if name == "net.ipv4.tcp_congestion_control" and isinstance(settings.congestion, str) else None


def _number(text: str) -> int:
    return int(text, 0)


@dataclass(frozen=True, slots=True)
class _Whole:
    """A number, in units of the setting's."""

    field: str
    unit: int = 1

    def __call__(self, text: str) -> dict[str, Any]:
        return {self.field: _number(text) * self.unit}

    def shown(self, settings: TcpSettings) -> str:
        return str(getattr(settings, self.field) // self.unit)


@dataclass(frozen=True, slots=True)
class _Switch:
    """0 or another number."""

    field: str

    def __call__(self, text: str) -> dict[str, Any]:
        return {self.field: _number(text) != 0}

    def shown(self, settings: TcpSettings) -> str:
        return str(int(getattr(settings, self.field)))


@dataclass(frozen=True, slots=True)
class _Buffer:
    """Minimum, default and maximum, of which Linux uses the first under memory pressure only."""

    field: str

    def __call__(self, text: str) -> dict[str, Any]:
        _, default, most = (_number(part) for part in text.split())
        return {self.field: default, f"{self.field}_max": most}

    def shown(self, settings: TcpSettings) -> str:
        return f"4096\t{getattr(settings, self.field)}\t{getattr(settings, f'{self.field}_max')}"


def _only(*values: int) -> Change:
    """What there is of a sysctl; another value is refused."""

    def change(text: str) -> dict[str, Any]:
        if _number(text) not in values:
            raise ValueError(text)
        return {}

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
    "net.core.rmem_max": _Whole("receive_buffer_limit"),
    "net.core.somaxconn": _Whole("backlog_limit"),
    "net.core.wmem_max": _Whole("send_buffer_limit"),
    "net.ipv4.tcp_abort_on_overflow": _Switch("abort_on_overflow"),
    "net.ipv4.tcp_app_win": _Whole("application_window"),
    "net.ipv4.tcp_challenge_ack_limit": _Whole("challenge_limit"),
    "net.ipv4.tcp_comp_sack_delay_ns": _Whole("sack_compression_delay"),
    "net.ipv4.tcp_comp_sack_nr": _Whole("sack_compression_count"),
    "net.ipv4.tcp_comp_sack_rtt_percent": _Whole("sack_compression_percent"),
    "net.ipv4.tcp_comp_sack_slack_ns": _Whole("sack_compression_slack"),
    "net.ipv4.tcp_dsack": _Switch("duplicate_sack"),
    "net.ipv4.tcp_ecn": _Whole("ecn"),
    "net.ipv4.tcp_ecn_fallback": _Switch("ecn_fallback"),
    "net.ipv4.tcp_ecn_option": _Whole("ecn_option"),
    "net.ipv4.tcp_ecn_option_beacon": _Whole("ecn_option_beacon"),
    "net.ipv4.tcp_fastopen": _Whole("fast_open"),
    "net.ipv4.tcp_fastopen_blackhole_timeout_sec": _Whole("fast_open_pause", SECOND),
    "net.ipv4.tcp_fastopen_key": _keys,
    "net.ipv4.tcp_congestion_control": _control,
    "net.ipv4.tcp_fin_timeout": _Whole("fin_wait_2", SECOND),
    "net.ipv4.tcp_invalid_ratelimit": _Whole("invalid_interval", MILLISECOND),
    "net.ipv4.tcp_keepalive_intvl": _Whole("keepalive_interval", SECOND),
    "net.ipv4.tcp_keepalive_probes": _Whole("keepalive_probes"),
    "net.ipv4.tcp_keepalive_time": _Whole("keepalive_idle", SECOND),
    "net.ipv4.tcp_max_syn_backlog": _Whole("syn_backlog"),
    "net.ipv4.tcp_moderate_rcvbuf": _Switch("moderate_receive_buffer"),
    "net.ipv4.tcp_pacing_ca_ratio": _Whole("pacing_avoidance"),
    "net.ipv4.tcp_pacing_ss_ratio": _Whole("pacing_slow_start"),
    "net.ipv4.tcp_orphan_retries": lambda text: {"orphan_retries": _number(text) or 8},  # 0 means 8, tcp_timer.c
    "net.ipv4.tcp_retries1": _Whole("advice_retries"),
    "net.ipv4.tcp_max_reordering": _Whole("reordering_limit"),
    "net.ipv4.tcp_reordering": _Whole("reordering"),
    "net.ipv4.tcp_retrans_collapse": _Switch("collapse"),
    "net.ipv4.tcp_recovery": lambda text: {"rack_fixed_window": _number(text) & 2 > 0, "rack_alone": _number(text) & 4 > 0},  # 1 says nothing since 6.17
    "net.ipv4.tcp_early_retrans": lambda text: {"loss_probe": _number(text) >= 3},
    "net.ipv4.tcp_min_tso_segs": _Whole("least_burst"),
    "net.ipv4.tcp_frto": _Switch("frto"),
    "net.ipv4.tcp_retries2": _Whole("data_retries"),
    "net.ipv4.tcp_notsent_lowat": _low_water,
    "net.ipv4.tcp_min_snd_mss": _Whole("least_mss"),
    "net.ipv4.tcp_mtu_probing": _Whole("mtu_probing"),
    "net.ipv4.tcp_base_mss": _Whole("base_mss"),
    "net.ipv4.tcp_mtu_probe_floor": _Whole("mtu_probe_floor"),
    "net.ipv4.tcp_pingpong_thresh": _Whole("pingpong_threshold"),
    "net.ipv4.tcp_probe_interval": _Whole("mtu_probe_interval", SECOND),
    "net.ipv4.tcp_probe_threshold": _Whole("mtu_probe_threshold"),
    "net.ipv4.tcp_reflect_tos": _Switch("reflect_service"),
    "net.ipv4.tcp_rfc1337": _Switch("rfc1337"),
    "net.ipv4.tcp_rmem": _Buffer("receive_buffer"),
    "net.ipv4.tcp_rto_max_ms": _Whole("maximum_rto", MILLISECOND),
    "net.ipv4.tcp_rto_min_us": _Whole("minimum_rto", 1000),
    "net.ipv4.tcp_sack": _Switch("sack"),
    "net.ipv4.tcp_shrink_window": _Switch("shrink_window"),
    "net.ipv4.tcp_slow_start_after_idle": _Switch("slow_start_after_idle"),
    "net.ipv4.tcp_stdurg": _Switch("standard_urgent"),
    "net.ipv4.tcp_syn_linear_timeouts": _Whole("syn_linear_timeouts"),
    "net.ipv4.tcp_syn_retries": _Whole("syn_retries"),
    "net.ipv4.tcp_synack_retries": _Whole("synack_retries"),
    "net.ipv4.tcp_syncookies": _Whole("syn_cookies"),
    "net.ipv4.tcp_thin_linear_timeouts": _Switch("thin_linear_timeouts"),
    "net.ipv4.tcp_timestamps": _Switch("timestamps"),
    "net.ipv4.tcp_tw_reuse": _only(0, 2),  # 2, the default, is for the loopback
    "net.ipv4.tcp_tw_reuse_delay": _only(1000),
    "net.ipv4.tcp_window_scaling": _Switch("window_scaling"),
    "net.ipv4.tcp_wmem": _Buffer("send_buffer"),
    "net.ipv4.tcp_workaround_signed_windows": _Switch("signed_windows"),
}
