"""The host that scripts assume: addresses, ports, MTU, cookies (google/packetdrill's run_all.py, config.c and defaults.sh)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from stack.base.address import IPAddress, ip_address
from stack.base.errors import AddressError
from stack.base.quantity import MILLISECOND
from stack.testing.drill.place import NOWHERE
from stack.testing.drill.script import Packet, Script, ScriptError, ScriptOption, Segment
from stack.testing.drill.tcp_options import FastOpen

VERSIONS = ("ipv4", "ipv6", "ipv4-mapped-ipv6")
BIND_PORT = CONNECT_PORT = 8080
EPHEMERAL = 49152  # the script's first port; each conversation has the next one
TOLERANCE = 4 * MILLISECOND
TOLERANCE_SHARE = 12_500  # thousandths of a percent, of the time since the event before

# `defaults.sh`, which the scripts of Google and of the Linux kernel begin with, as sysctl(8) would be told
DEFAULTS = {
    "net.ipv4.tcp_rmem": "4096 540000 15728640", "net.ipv4.tcp_wmem": "4096 262144 4194304",
    "net.core.rmem_max": "15728640", "net.core.wmem_max": "4194304",
    "net.ipv4.tcp_timestamps": "1", "net.ipv4.tcp_syn_retries": "5", "net.ipv4.tcp_synack_retries": "5",
    "net.ipv4.tcp_frto": "2", "net.ipv4.tcp_sack": "1", "net.ipv4.tcp_dsack": "1", "net.ipv4.tcp_reordering": "3",
    "net.ipv4.tcp_congestion_control": "cubic", "net.ipv4.tcp_slow_start_after_idle": "0",
    "net.ipv4.tcp_early_retrans": "4", "net.ipv4.tcp_recovery": "1", "net.ipv4.tcp_ecn": "0",
    "net.ipv4.tcp_fastopen": "0x70403", "net.ipv4.tcp_fastopen_key": "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4",
    "net.ipv4.tcp_syncookies": "1", "net.ipv4.tcp_min_tso_segs": "2", "net.ipv4.tcp_notsent_lowat": "4294967295",
    "net.ipv4.tcp_pacing_ss_ratio": "200", "net.ipv4.tcp_pacing_ca_ratio": "120",
}  # fmt: skip

_COOKIES = {  # of the key above, for the addresses below, as run_all.py defines them
    "ipv4": {"TFO_COOKIE": "3021b9d889017eeb", "TFO_COOKIE_ZERO": "b7c12350a90dc8f5"},
    "ipv6": {"TFO_COOKIE": "c1d1e9742a47a9bc", "TFO_COOKIE_ZERO": "82af1a8f9a205c34"},
}  # fmt: skip
_ERRORS = {  # the control message of an error is that of the socket's family, whatever its packets are
    False: {"CMSG_LEVEL_IP": "SOL_IP", "CMSG_TYPE_RECVERR": "IP_RECVERR"},
    True: {"CMSG_LEVEL_IP": "SOL_IPV6", "CMSG_TYPE_RECVERR": "IPV6_RECVERR"},
}


@dataclass(frozen=True, slots=True)
class Profile:
    """What a script runs against, in one of its IP versions. Times in nanoseconds."""

    version: str  # ipv4, ipv6, ipv4-mapped-ipv6
    local: IPAddress
    remote: IPAddress
    mtu: int
    bind_port: int = BIND_PORT
    connect_port: int = CONNECT_PORT
    tolerance: int = TOLERANCE
    tolerance_share: int = TOLERANCE_SHARE
    offload: int = 0  # --mss: of what segments an injected one is made that is longer; 0: it is itself
    non_fatal: frozenset[str] = frozenset()  # `packet`, `syscall`: those that come otherwise are passed over
    strict_segments: bool = False  # a segment that is expected is not made up of several
    tick: int = 0  # of the host's timestamps, if they are to be compared
    scaled_echo: bool = False  # timestamps that the script echoes are found by their distance from the first

    @property
    def wire(self) -> int:
        """The IP version of the packets."""
        return 4 if len(self.local) == 4 else 6

    @property
    def mapped(self) -> bool:
        """IPv6 sockets, IPv4 packets."""
        return self.version == "ipv4-mapped-ipv6"

    @property
    def symbols(self) -> dict[str, str]:
        """What `-D` defines for every script, unless the user does."""
        return {"CODE": "host_unreachable", **_COOKIES["ipv6" if self.wire == 6 else "ipv4"], **_ERRORS[self.version != "ipv4"]}


def versions(script: Script, only: str | None = None) -> tuple[str, ...]:
    """The IP versions that a script runs in: what it says itself, what its name ends in, or else all (or `only` one).

    A Fast Open cookie is made of addresses: a script that has one of IPv4's in its text is not for IPv6.
    """
    said = script.option("ip_version")
    if said is not None:
        wanted: tuple[str, ...] = (said.replace("_", "-"),)
    else:
        stem = script.name.removesuffix(".pkt")
        ending = {"v4": ("ipv4",), "v6": ("ipv6",)}.get(stem[-2:])
        wanted = ending or VERSIONS
        if only is None and _has_cookie_of_ipv4(script):
            wanted = tuple(version for version in wanted if version != "ipv6")
    for version in wanted:
        if version not in VERSIONS:
            raise ScriptError(_place(script, "ip_version"), f"ip_version is {version!r}; expected one of {', '.join(VERSIONS)}")
    return tuple(version for version in wanted if only in (None, version))


def _has_cookie_of_ipv4(script: Script) -> bool:
    cookies = [bytes.fromhex(_COOKIES["ipv4"][name]) for name in ("TFO_COOKIE", "TFO_COOKIE_ZERO")]
    return any(
        isinstance(option, FastOpen) and option.cookie in cookies
        for event in script.events if isinstance(event.action, Packet) and isinstance(event.action.body, Segment)
        for option in event.action.body.options or ()
    )  # fmt: skip


def _place(script: Script, name: str) -> Any:
    return next((one.place for one in script.options if one.name == name), NOWHERE)


def addresses(version: int) -> Profile:
    """The host as run_all.py has it, for a version of IP."""
    if version == 6:
        return Profile("ipv6", ip_address("fd3d:0a0b:17d6::1"), ip_address("fd3d:fa7b:d17d::1"), 1520)
    return Profile("ipv4", ip_address("192.168.0.1"), ip_address("192.0.2.1"), 1500)


def profile(script: Script, version: str, tolerance: int | None = None) -> Profile:
    """The host of a script: the defaults of run_all.py, changed by what stands at its head."""
    made = replace(addresses(6 if version == "ipv6" else 4), version=version)
    if tolerance is not None:
        made = replace(made, tolerance=tolerance)
    for option in script.options:
        made = _changed(made, option)
    return made


def _changed(made: Profile, option: ScriptOption) -> Profile:
    name, value = option.name, option.value or ""
    if name in ("udp_encaps", "udp_encapsulation") and value not in ("", "none"):
        raise ScriptError(option.place, f"--{name}={value}: TCP in UDP is read, but not emulated")
    try:
        if name in ("local_ip", "remote_ip"):
            address = ip_address(value.partition("/")[0])
            if len(address) != len(made.local):
                return made  # of the other version: the script says both
            return replace(made, local=address) if name == "local_ip" else replace(made, remote=address)
        if name in ("mtu", "bind_port", "connect_port"):
            changes: dict[str, Any] = {name: int(value, 0)}
            return replace(made, **changes)
        if name == "tolerance_usecs":
            return replace(made, tolerance=int(value, 0) * 1000)
        if name == "tolerance_percent":
            return replace(made, tolerance_share=int(Decimal(value) * 1000))
        if name == "mss":
            return replace(made, offload=int(value, 0))
        if name == "non_fatal":
            return replace(made, non_fatal=frozenset(value.split(",") if value else ("packet", "syscall")))
        if name == "strict_segments":
            return replace(made, strict_segments=True)
        if name == "tcp_ts_tick_usecs":
            return replace(made, tick=int(value, 0) * 1000)
        if name == "tcp_ts_ecr_scaled":
            return replace(made, scaled_echo=True)
    except (ValueError, ArithmeticError, AddressError):
        raise ScriptError(option.place, f"--{name} is {value!r}; expected {'an address' if name.endswith('_ip') else 'a number'}") from None
    if name not in _KNOWN and not _LINK_LAYER.match(name):
        raise ScriptError(option.place, f"there is no option --{name}")
    return made


_LINK_LAYER = re.compile("(local|remote|gateway)_link")  # addresses of frames, which the wire of a drill has none of
# What is read elsewhere, or says nothing to a host that is emulated
_KNOWN = frozenset({
    "ip_version", "define", "D", "init_scripts", "gateway_ip", "netmask_ip", "speed", "send_omit_free", "debug", "verbose",
    "dry_run", "code_command", "code_format", "code_sockopt", "persistent_tun_dev", "tun_dev", "so_filename",
    "so_flags", "udp_encapsulation", "wire_client", "wire_server", "wire_server_ip", "wire_server_port", "wire_client_dev",
    "wire_server_dev", "v", "udp_encaps", "is_anyip", "no_cleanup", "so_file", "port",
})  # fmt: skip
