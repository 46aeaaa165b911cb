"""What FreeBSD's scripts set and ask: its sysctls as changes of `TcpSettings`, sockstat(1), tcpdrop(8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stack.base.quantity import MILLISECOND, SECOND
from stack.tcp.state import State
from stack.tcp.sysctl import SysctlError
from stack.testing.drill.emulated_process import EmulatedProcess
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.shell import Simple

_PREFIX = "net.inet.tcp."
_STATES = {"SYN_RCVD": "SYN_RECEIVED", "CLOSED": "CLOSED"}


def is_bsd(name: str) -> bool:
    """Is it a sysctl of FreeBSD?"""
    return name.startswith(("net.inet.", "net.inet6.", "kern.", "vfs.", "security."))


def changes(name: str, value: str) -> dict[str, Any]:
    """The fields of `TcpSettings` that a sysctl of FreeBSD sets. Raises `SysctlError`."""
    if not name.startswith(_PREFIX):
        return {}  # of other parts of that system
    key = name.removeprefix(_PREFIX)
    if key in NO_EFFECT:
        return {}
    change = EFFECT.get(key)
    if change is None:
        raise SysctlError(f"sysctl {name} is not emulated")
    try:
        return change(int(value.strip(), 0))
    except ValueError:
        raise SysctlError(f"sysctl {name} does not take {value!r}") from None


# What decides something that does not exist here, or that Linux's TCP, which this one is, always does.
NO_EFFECT = frozenset({
    "hostcache.purgenow", "hostcache.purge", "hostcache.expire", "hostcache.enable", "insecure_rst", "insecure_syn", "insecure_ack",
    "blackhole", "log_in_vain", "log_debug", "drop_synfin", "always_keepalive", "icmp_may_rst", "isn_reseed_interval",
    "rexmit_slop", "rexmit_drop_options", "syncache.rexmtlimit", "syncookies_only", "tso", "do_lrd", "do_prr", "sack.revised",
    "ecn.maxretries", "path_mtu_discovery", "minmss", "mssdflt", "v6mssdflt", "recvbuf_auto", "sendbuf_auto", "sendbuf_inc",
    "functions_default", "functions_inherit_listen_socket_stack", "hw_tls", "msl", "nolocaltimewait", "soreceive_stream",
    "newcwv", "rfc3042", "rfc3465", "abc_l_var", "fast_finwait2_recycle", "udp_tunneling_port", "pacing_limit", "rfc6675_pipe",
    "lro.entries", "hpts.precision", "tolerate_missing_ts", "per_cpu_timers", "reass.maxqueuelen", "reass.maxsegments",
})  # fmt: skip

EFFECT: dict[str, Callable[[int], dict[str, Any]]] = {
    "recvspace": lambda value: {"receive_buffer": value},
    "sendspace": lambda value: {"send_buffer": value},
    "recvbuf_max": lambda value: {"receive_buffer_max": value},
    "sendbuf_max": lambda value: {"send_buffer_max": value},
    "rfc1323": lambda value: {"window_scaling": value != 0, "timestamps": value == 1},
    "sack.enable": lambda value: {"sack": value != 0},
    "ecn.enable": lambda value: {},
    "delacktime": lambda value: {"delayed_ack": value * MILLISECOND},
    "delayed_ack": lambda value: {} if value else {"delayed_ack": 0},
    "rexmit_initial": lambda value: {"initial_rto": value * MILLISECOND},
    "rexmit_min": lambda value: {"minimum_rto": value * MILLISECOND},
    "keepidle": lambda value: {"keepalive_idle": value * MILLISECOND},
    "keepintvl": lambda value: {"keepalive_interval": value * MILLISECOND},
    "keepinit": lambda value: {},
    "keepcnt": lambda value: {"keepalive_probes": value},
    "finwait2_timeout": lambda value: {"fin_wait_2": value * MILLISECOND},
    "syncookies": lambda value: {},
    "initcwnd_segments": lambda value: {"initial_segments": value},
    "maxtcptw": lambda value: {},
    "rexmit_max": lambda value: {"maximum_rto": min(value * MILLISECOND, 120 * SECOND)},
}


def sockstat(process: EmulatedProcess, pipeline: Sequence[Simple]) -> None:
    """`sockstat -4 -P tcp -s | grep -c TIME_WAIT | grep 1`: how many sockets are in a state."""
    words = [word for one in pipeline[1:] for word in one.words[1:] if not word.startswith("-")]
    states = [word for word in words if word.isupper()]
    numbers = [int(word) for word in words if word.isdecimal()]
    if len(states) != 1 or not numbers:
        raise SysctlError("sockstat is understood with one state and a number of sockets")
    wanted = State[_STATES.get(states[0], states[0])]
    tcp = process.host.engine.tcp
    found = sum(connection.state is wanted for connection in tcp.connections.values())
    if wanted is State.CLOSED:
        found = sum(1 for file in process.files if getattr(getattr(file, "description", None), "connection", None) is not None) - len(
            tcp.connections
        )
    if found != numbers[0]:
        raise Mismatch(f"sockets in {states[0]}", str(numbers[0]), str(found))


def tcpdrop(process: EmulatedProcess, simple: Simple) -> None:
    """`tcpdrop -s TIME_WAIT`: connections in a state are forgotten."""
    words = simple.words
    if len(words) != 3 or words[1] != "-s":
        raise SysctlError(f"{simple} cannot be mapped")
    wanted = State[_STATES.get(words[2], words[2])]
    for connection in list(process.host.engine.tcp.connections.values()):
        if connection.state is wanted:
            connection.abort(process.now)
    process.node.flush()
