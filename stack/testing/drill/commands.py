"""What the back-quoted lines of scripts do to the host: sysctls, routes, counters. Mapped, never executed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stack.base.address import ip_address
from stack.base.errors import AddressError
from stack.tcp.sysctl import SysctlError, changes
from stack.testing.drill import bsd, disk, proc_net
from stack.testing.drill.files import SocketFile
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.process import Process
from stack.testing.drill.profile import DEFAULTS
from stack.testing.drill.routes import route_change
from stack.testing.drill.script import Command, ScriptError
from stack.testing.drill.shell import Pipeline, ShellError, Simple, read

# What has no effect on a host that is emulated, and why.
NO_EFFECT = {
    "sleep": "virtual time is the script's own",
    "true": "nothing", ":": "nothing", "set": "nothing", "sync": "nothing", "wait": "nothing", "exit": "nothing", "export": "nothing",
    "ethtool": "every segment is made alone, as without offloads",
    "modprobe": "what there is, is there", "kldload": "what there is, is there", "kldunload": "what there is, is there",
    "mkdir": "no files", "chmod": "no files", "touch": "no files", "cat": "what it prints goes nowhere",
    "ifconfig": "the wire is set up", "sockstat": "see below", "iptables": "nothing is filtered", "ip6tables": "nothing is filtered",
}  # fmt: skip
# Latched when a socket is made, in Linux: those that there are keep theirs.
AT_BIRTH = frozenset({"receive_buffer", "send_buffer", "congestion"})
_PROC = "/proc/sys/"
_MODULE = re.compile(r"/sys/module/tcp_(\w+)/parameters/(\w+)")
_NUMBER = re.compile(r"\s*(\d+)\s*")


@dataclass(frozen=True, slots=True)
class _Failed(Exception):
    reason: str


class Commands:
    """The commands of one script on its host."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._base: dict[str, int] = {}  # of the counters, what `nstat -n` saw

    def defaults(self) -> None:
        """`defaults.sh`: the settings of Google's and the kernel's scripts."""
        for name, value in DEFAULTS.items():
            try:
                self._sysctl(name, value)
            except SysctlError:  # does not exist here
                continue

    def run(self, command: Command) -> None:
        """Do what a text says. Raises `ScriptError` for what cannot be mapped, `Mismatch` for a check that fails."""
        try:
            for pipeline in read(command.text):
                self._pipeline(pipeline, command)
        except (ShellError, SysctlError, _Failed) as trouble:
            raise ScriptError(command.place, f"`{' '.join(command.text.split())}`: {getattr(trouble, 'reason', trouble)}") from None

    def _pipeline(self, pipeline: Pipeline, command: Command) -> None:
        first = pipeline[0]
        name = first.words[0].rsplit("/", 1)[-1] if first.words else ""
        if len(pipeline) > 1:
            if name == "nstat":
                self._counter(pipeline, command)
                return
            if name == "sockstat":
                bsd.sockstat(self.process, pipeline, command)
                return
            if name == "grep" and not proc_net.FILES.keys().isdisjoint(first.words):
                self._grep(pipeline, command)
                return
            last = pipeline[-1]
            if len(pipeline) == 2 and name in ("echo", "printf") and last.words[0] in ("tee", "sudo"):
                first = Simple(first.words, last.words[-1])  # `echo 1 | tee /proc/sys/…`
            else:  # what would be read there is not there, and so cannot be looked for
                raise _Failed(f"{name} in a pipeline cannot be mapped")
        function = COMMANDS.get(name)
        if function is not None:
            function(self, first)
        elif name.startswith("sysctl_restore_") or name in NO_EFFECT:
            return
        else:
            raise _Failed(f"{name} cannot be mapped")

    # Sysctls

    def _sysctl(self, name: str, value: str) -> None:
        made = bsd.changes(name, value) if bsd.is_bsd(name) else changes(name, value)
        self.change(**made)

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

    def _set_sysctl(self, simple: Simple) -> None:
        """sysctl(8); with -e what does not exist is passed over"""
        lenient = "-e" in simple.words or "--ignore" in simple.words
        for word in simple.words[1:]:
            if word.startswith("-"):
                continue
            name, equals, value = word.partition("=")
            if equals:
                try:
                    self._sysctl(name, value)
                except SysctlError:
                    if not lenient:
                        raise

    def _set_sysctls(self, simple: Simple) -> None:
        """set_sysctls.py: paths and values"""
        for word in simple.words[1:]:
            path, equals, value = word.partition("=")
            if not equals:
                raise _Failed(f"{word!r} is not PATH=VALUE")
            self._write(path, value)

    def _echo(self, simple: Simple) -> None:
        if simple.target is not None:
            self._write(simple.target, " ".join(word for word in simple.words[1:] if word not in ("-n", "-e")))

    def _write(self, path: str, value: str) -> None:
        if path.startswith(_PROC):
            self._sysctl(path.removeprefix(_PROC).replace("/", "."), value)
            return
        found = _MODULE.fullmatch(path)
        if found is None:
            raise _Failed(f"{path} cannot be mapped")
        self.change(**module(found[1], found[2], value))

    # ip(8)

    def _ip(self, simple: Simple) -> None:
        words = [word for word in simple.words[1:] if word not in ("-4", "-6")]
        if not words:
            return
        if words[0] in ("tcp_metrics", "tcpmetrics"):
            metrics = getattr(self.process.host.engine.tcp, "metrics", None)
            if metrics is not None:
                metrics.clear()
        elif words[0] in ("route", "ro", "r") and len(words) > 1:
            route_change(self.process, words[1:], _Failed)
        elif words[:2] in (["link", "set"], ["l", "set"]):
            self._link(words[2:])
        elif words[0] in ("neigh", "rule"):
            return  # nothing is behind the wire but the script
        elif words[:2] in (["addr", "add"], ["address", "add"], ["a", "add"]) and len(words) > 2:
            self._address(words[2])
        else:
            raise _Failed(f"ip {words[0]} cannot be mapped")

    def _link(self, words: list[str]) -> None:
        if "mtu" in words[:-1]:
            interface = self.process.host.interfaces[0]
            interface.mtu = int(words[words.index("mtu") + 1])
            self.process.host.engine.routes.changed()
        elif "down" in words:
            self.process.host.interfaces[0].up = False
        elif "up" in words:
            self.process.host.interfaces[0].up = True

    def _address(self, text: str) -> None:
        try:
            address = ip_address(text.partition("/")[0])
        except AddressError:
            raise _Failed(f"{text!r} is no address") from None
        host = self.process.host
        if address not in host.engine.addresses.local:
            host.engine.add_address(host.interfaces[0], address, 8 * len(address))

    def _tc(self, simple: Simple) -> None:
        """tc(8): of the queue disciplines fq is one that shows on the wire of a drill, which never has a queue: it paces."""
        words = simple.words[1:]
        if words[:1] == ("qdisc",) and words[1:2] in (("add",), ("replace",), ("change",), ("del",)):
            self.change(paced=words[1] != "del" and "fq" in words and "nopacing" not in words)

    # Counters

    def counters(self) -> dict[str, int]:
        """The host's counters by the names that nstat(8) shows."""
        tcp = self.process.host.engine.tcp
        return tcp.counters.including(tcp.connections.values())

    def _nstat(self, simple: Simple) -> None:
        """`nstat -n`: count from here."""
        self._base = self.counters()

    def _counter(self, pipeline: Pipeline, command: Command) -> None:
        """`nstat | grep NAME | grep -q " N "`"""
        patterns = [word for one in pipeline[1:] for word in one.words[1:] if not word.startswith("-")]
        now = self.counters()
        name = next((one for one in patterns if one.startswith(("Tcp", "Ip", "Udp", "Icmp", "MPTcp"))), None)
        if name is None:
            raise _Failed("nstat without a counter's name cannot be mapped")
        if name not in now:
            raise _Failed(f"there is no counter {name}")
        found = now[name] - self._base.get(name, 0)
        wanted = [int(match[1]) for one in patterns if (match := _NUMBER.fullmatch(one))]
        if wanted and wanted[0] != found:
            raise Mismatch(f"the counter {name} is another", str(wanted[0]), str(found), command.place)
        self._base = now  # nstat shows what came since it was last asked

    def _grep(self, pipeline: Pipeline, command: Command) -> None:
        """grep(1) through the list of sockets: it must find something."""
        if not proc_net.search(self.process, pipeline):
            raise Mismatch("no such socket", command.text, "nothing", command.place)

    def _defaults(self, simple: Simple) -> None:
        self.defaults()


def module(control: str, parameter: str, value: str) -> dict[str, Any]:
    """A parameter of a congestion control's kernel module: a setting named after both."""
    from dataclasses import fields

    from stack.tcp.settings import TcpSettings

    if FIXED.get((control, parameter)) == int(value.strip(), 0):
        return {}
    name = MODULE.get((control, parameter), f"{control}_{parameter}")
    if name not in {field.name for field in fields(TcpSettings)}:
        raise _Failed(f"the parameter {parameter} of tcp_{control} is not emulated")
    return {name: int(value.strip(), 0)}


MODULE: dict[tuple[str, str], str] = {}
# Parameters that are not settings here: the value that they have in Linux may be written
FIXED = {
    ("cubic", "fast_convergence"): 1, ("cubic", "beta"): 717, ("cubic", "bic_scale"): 41, ("cubic", "initial_ssthresh"): 0,
    ("cubic", "tcp_friendliness"): 1, ("cubic", "hystart_low_window"): 16, ("cubic", "hystart_ack_delta_us"): 2000,
}  # fmt: skip

COMMANDS: dict[str, Callable[[Commands, Simple], None]] = {
    "defaults.sh": Commands._defaults,
    "set_sysctls.py": Commands._set_sysctls,
    "sysctl": Commands._set_sysctl,
    "echo": Commands._echo,
    "printf": Commands._echo,
    "ip": Commands._ip,
    "nstat": Commands._nstat,
    "tc": Commands._tc,
    "dd": lambda commands, simple: disk.dd(commands.process.disk, simple),
    "rm": lambda commands, simple: disk.remove(commands.process.disk, simple),
    "grep": lambda commands, simple: commands._grep((simple,), Command(str(simple))),
    "tcpdrop": lambda commands, simple: bsd.tcpdrop(commands.process, simple),
}
