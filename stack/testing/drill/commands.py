"""What the back-quoted lines of scripts do to an emulated host: sysctls, routes, counters. Mapped, never executed."""

from __future__ import annotations

import re
from typing import Any

from stack.host.counters import HostCounters
from stack.tcp.sysctl import EFFECT, SysctlError, changes, value_of
from stack.tcp.sysctl import NO_EFFECT as SYSCTLS_WITHOUT_EFFECT
from stack.testing.drill import bsd, proc_net, sysctl_host
from stack.testing.drill.command_reader import NO_EFFECT, CommandReader, Unmapped, command_name
from stack.testing.drill.commands_ip import ifconfig, ip, tc
from stack.testing.drill.emulated_process import EmulatedProcess
from stack.testing.drill.files import SocketFile
from stack.testing.drill.shell import Simple

# Latched when a socket is made, in Linux: those that there are keep theirs.
AT_BIRTH = frozenset({"receive_buffer", "send_buffer", "congestion"})
_MODULE = re.compile(r"/sys/module/tcp_(\w+)/parameters/(\w+)")


class Commands(CommandReader):
    """The commands of one script on its host."""

    without_effect = NO_EFFECT | {
        "iptables": "nothing is filtered", "ip6tables": "nothing is filtered", "nft": "nothing is filtered",
        "conntrack": "nothing is tracked",
    }  # fmt: skip

    def __init__(self, process: EmulatedProcess) -> None:
        super().__init__(process)
        self.process: EmulatedProcess = process
        self._written: dict[str, str] = {}  # sysctls as they were last written
        self.programs |= {
            "ip": lambda simple: ip(process, simple),
            "ifconfig": lambda simple: ifconfig(process, simple),
            "tc": lambda simple: self.change(**tc(simple)),
            "tcpdrop": lambda simple: bsd.tcpdrop(process, simple),
        }

    def defaults(self) -> None:
        super().defaults()
        self.process.host.engine.tcp.fast_open.forget()  # `ip tcp_metrics flush all`

    def whole(self, commands: list[Simple]) -> bool:
        """sockstat is understood with what looks through it."""
        if command_name(commands[0]) != "sockstat":
            return False
        bsd.sockstat(self.process, commands)
        return True

    def look_elsewhere(self, path: str) -> str:
        """/proc/net/tcp and tcp6."""
        if path in proc_net.FILES:
            return "".join(f"{line}\n" for line in proc_net.lines(self.process, proc_net.FILES[path]))
        raise Unmapped(f"{path} cannot be mapped")

    def write_elsewhere(self, path: str, text: str) -> None:
        """Parameters of congestion controls."""
        found = _MODULE.fullmatch(path)
        if found is None:
            raise Unmapped(f"{path} cannot be mapped")
        self.change(**module(found[1], found[2], text))

    def counters(self) -> HostCounters:
        counters: HostCounters = self.process.host.engine.counters()
        return counters

    def set_sysctl(self, name: str, value: str) -> None:
        key = name.replace("/", ".")
        self._written[key] = value
        if bsd.is_bsd(key):
            self.change(**bsd.changes(key, value))
        elif not sysctl_host.apply(self.process, key, value):
            self.change(**changes(key, value))
            if key == "net.ipv4.tcp_fastopen_blackhole_timeout_sec":
                self.process.host.engine.tcp.fast_open.enable()  # writing it ends a pause (proc_tfo_blackhole_detect_timeout)

    def read_sysctl(self, name: str) -> str:
        if name not in EFFECT and name not in SYSCTLS_WITHOUT_EFFECT:
            raise FileNotFoundError(name)
        found = value_of(name, self.process.host.engine.tcp.settings) or self._written.get(name)
        if found is None:
            raise SysctlError(f"sysctl {name} cannot be read")
        return found

    def change(self, **made: Any) -> None:
        """Other TCP settings for the host, and for the sockets that had the old ones."""
        tcp = self.process.host.engine.tcp
        old = tcp.settings
        tcp.settings = old.replace(**made)
        live = {name: value for name, value in made.items() if name not in AT_BIRTH and value != getattr(old, name)}
        if not live:
            return
        now = self.process.now
        sockets = [file.description for file in self.process.files if isinstance(file, SocketFile)]
        for one in sockets:
            settings = getattr(one, "settings", None)
            mine = {name: value for name, value in live.items() if getattr(settings, name, value) == getattr(old, name)}
            if settings is not None and mine:
                one.configure(**mine)  # type: ignore[attr-defined]
            listener = getattr(one, "listener", None)
            if listener is not None:  # which has its own settings, though the socket may have none
                mine = {name: value for name, value in live.items() if getattr(listener.settings, name) == getattr(old, name)}
                mine["fast_open_queue"] = listener.fast_open_limit  # which listen() decided
                listener.settings = listener.settings.replace(**mine)
        for connection in tcp.connections.values():
            mine = {name: value for name, value in live.items() if getattr(connection.settings, name) == getattr(old, name)}
            if mine:
                connection.configure(now, **mine)


def module(control: str, parameter: str, value: str) -> dict[str, Any]:
    """A parameter of a congestion control's kernel module: a setting named after both."""
    from dataclasses import fields

    from stack.tcp.settings import TcpSettings

    if FIXED.get((control, parameter)) == int(value.strip(), 0):
        return {}
    name = MODULE.get((control, parameter), f"{control}_{parameter}")
    if name not in {field.name for field in fields(TcpSettings)}:
        raise Unmapped(f"the parameter {parameter} of tcp_{control} is not emulated")
    return {name: int(value.strip(), 0)}


MODULE: dict[tuple[str, str], str] = {}
# Parameters that are not settings here: the value that they have in Linux may be written
FIXED = {
    ("cubic", "fast_convergence"): 1, ("cubic", "beta"): 717, ("cubic", "bic_scale"): 41, ("cubic", "initial_ssthresh"): 0,
    ("cubic", "tcp_friendliness"): 1, ("cubic", "hystart_low_window"): 16, ("cubic", "hystart_ack_delta_us"): 2000,
}  # fmt: skip
