"""Linux's sysctls beside TCP's, on a drill's host: IP, ICMP, ports (ip-sysctl.rst). TCP's are in stack/tcp/sysctl.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from stack.base.quantity import MILLISECOND
from stack.host.host import HostEngine
from stack.tcp.sysctl import SysctlError
from stack.testing.drill import symbols
from stack.testing.drill.emulated_process import EmulatedProcess

# What these decide does not exist here, or no script can see it: any value is taken, and changes nothing.
NO_EFFECT = (
    (r"net\.ipv4\.(ip_forward|ip_forward_\w+|fib_\w+|nexthop_\w+)", "a host with one wire forwards nothing"),
    (r"net\.ipv4\.(ip_early_demux|udp_early_demux)", "a look-up's speed"),
    (r"net\.ipv4\.(fwmark_reflect|ip_dynaddr|ip_autobind_reuse|ip_unprivileged_port_start|ping_group_range)", "no marks, no rights"),
    (r"net\.ipv4\.udp_\w+", "no memory pressure"),
    (r"net\.ipv4\.(icmp_ratemask|icmp_ignore_bogus_error_responses|icmp_echo_ignore_broadcasts|icmp_errors_use_inbound_ifaddr)", "the defaults' way"),
    (r"net\.ipv4\.(igmp_\w+|ipfrag_\w+|inet_peer_\w+|cipso_\w+|xfrm4_\w+)", "not of TCP"),
    (r"net\.ipv4\.conf\.\w+\.(rp_filter|accept_\w+|arp_\w+|log_martians|send_redirects|secure_redirects|forwarding|accept_local|route_localnet)",
     "a host takes what is addressed to it, and has no neighbours"),
    (r"net\.ipv[46]\.neigh\.\w+\.\w+", "no neighbours are asked"),
    (r"net\.ipv4\.route\.(flush|mtu_expires|gc_\w+|redirect_\w+|max_size|error_\w+)", "no drill is so long"),
    (r"net\.ipv6\.conf\.\w+\.(forwarding|accept_\w+|autoconf|dad_transmits|router_\w+|use_tempaddr|seg6_\w+|disable_ipv6|addr_gen_mode|optimistic_dad)",
     "addresses are given, and usable at once"),
    (r"net\.ipv6\.(route|icmp|ip6frag_\w+|mld_\w+)(\.\w+)*", "not of TCP"),
    (r"net\.ipv6\.(bindv6only|flowlabel_\w+|auto_flowlabels|fwmark_reflect|idgen_\w+)", "scripts name no flow labels that a host chose"),
    (r"net\.(mptcp|netfilter|unix|mpls)\..*", "not emulated, and not of TCP"),
    (r"(kernel|vm|fs|debug)\..*", "not of the network"),
    (r"net\.core\.(dev_weight|flow_limit_\w+|gro_\w+|message_\w+|netdev_\w+|rps_\w+|tstamp_\w+|warnings|xfrm_\w+|bpf_\w+|skb_defer_max|max_skb_frags|"
     r"mem_pcpu_rsv|high_order_alloc_disable)", "no driver"),
)  # fmt: skip
_WITHOUT = re.compile("|".join(f"(?:{pattern})" for pattern, _ in NO_EFFECT))
Change = Callable[[HostEngine, int], None]


def apply(process: EmulatedProcess, name: str, value: str) -> bool:
    """Set a sysctl that is not TCP's; False if it is none of these. Raises `SysctlError`."""
    engine = process.host.engine
    try:
        if name == "net.ipv4.ip_local_port_range":
            low, high = (int(part) for part in value.split())
            engine.tcp.ports.ephemeral = engine.udp.ports.ephemeral = range(low, high + 1)
        elif name == "net.ipv4.ip_no_pmtu_disc":
            _no_discovery(process, int(value, 0))
        elif found := next((change for pattern, change in EFFECT if re.fullmatch(pattern, name)), None):
            found(engine, int(value, 0))
        else:
            return _WITHOUT.fullmatch(name) is not None
    except ValueError:
        raise SysctlError(f"sysctl {name} does not take {value!r}") from None
    return True


def _no_discovery(process: EmulatedProcess, value: int) -> None:
    """0: sockets discover the path's MTU; 1: new ones do not. Else Linux believes only some errors, which is not done here."""
    if value not in (0, 1):
        raise ValueError
    process.path_mtu_discovery = symbols.number("IP_PMTUDISC_DONT") if value else None


def _hops(engine: HostEngine, value: int) -> None:
    if not 1 <= value <= 255:
        raise ValueError
    engine.settings = replace(engine.settings, time_to_live=value)


def _echo(engine: HostEngine, value: int) -> None:
    engine.settings = replace(engine.settings, answer_echo=value == 0)


def _interval(engine: HostEngine, value: int) -> None:
    engine.icmp.limit.peer_interval = value * MILLISECOND


def _second(engine: HostEngine, value: int) -> None:
    engine.icmp.limit.per_second = engine.icmpv6.limit.per_second = value


def _burst(engine: HostEngine, value: int) -> None:
    engine.icmp.limit.burst = engine.icmpv6.limit.burst = value


EFFECT: tuple[tuple[str, Change], ...] = (
    (r"net\.ipv4\.ip_default_ttl|net\.ipv6\.conf\.\w+\.hop_limit", _hops),
    (r"net\.ipv4\.icmp_echo_ignore_all", _echo),
    (r"net\.ipv4\.icmp_ratelimit", _interval),
    (r"net\.ipv4\.icmp_msgs_per_sec", _second),
    (r"net\.ipv4\.icmp_msgs_burst", _burst),
)
