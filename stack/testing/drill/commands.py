"""What the back-quoted lines of scripts do to the host: sysctls, routes, counters. Mapped, never executed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from stack.tcp.sysctl import EFFECT, SysctlError, changes, value_of
from stack.tcp.sysctl import NO_EFFECT as SYSCTLS_WITHOUT_EFFECT
from stack.testing.drill import bsd, disk, proc_net, sysctl_host
from stack.testing.drill.commands_ip import Unmapped, ifconfig, ip, tc
from stack.testing.drill.files import SocketFile
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.nstat import FILES, Nstat
from stack.testing.drill.process import Process
from stack.testing.drill.profile import DEFAULTS
from stack.testing.drill.script import Command, ScriptError
from stack.testing.drill.shell import Simple, read
from stack.testing.drill.shell_run import Done, Shell
from stack.testing.drill.shell_tools import TOOLS
from stack.testing.drill.shell_words import ShellError

# What has no effect on a host that is emulated, and why.
NO_EFFECT = {
    "sleep": "virtual time is the script's own",
    "true": "nothing", ":": "nothing", "set": "nothing", "unset": "nothing", "sync": "nothing", "wait": "nothing", "trap": "nothing",
    "ulimit": "files and memory are not counted", "ethtool": "every segment is made alone, as without offloads",
    "modprobe": "what there is, is there", "kldload": "what there is, is there", "kldunload": "what there is, is there",
    "mkdir": "no folders", "chmod": "no rights", "cd": "no folders", "kill": "no processes", "killall": "no processes", "pkill": "no processes",
    "iptables": "nothing is filtered", "ip6tables": "nothing is filtered", "nft": "nothing is filtered", "conntrack": "nothing is tracked",
}  # fmt: skip
# Commands before a command, which they leave as it is
_WRAPPERS = frozenset({"sudo", "bash", "sh", "source", ".", "env", "command", "exec", "nice", "python", "python3", "time"})
# Latched when a socket is made, in Linux: those that there are keep theirs.
AT_BIRTH = frozenset({"receive_buffer", "send_buffer", "congestion"})
_PROC = "/proc/sys/"
_MODULE = re.compile(r"/sys/module/tcp_(\w+)/parameters/(\w+)")


class Commands:
    """The commands of one script on its host."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.shell = Shell(self.execute, self.write, self.look)
        self._nstat = Nstat(process)
        self._written: dict[str, str] = {}  # sysctls as they were last written
        self._seen = ""  # what the last command of a pipeline was given to look through

    def defaults(self) -> None:
        """`defaults.sh`: the settings of Google's and the kernel's scripts."""
        for name, value in DEFAULTS.items():
            try:
                self._sysctl(name, value)
            except SysctlError:  # does not exist here
                continue

    def run(self, command: Command) -> None:
        """Do what a text says. Raises `ScriptError` for what cannot be mapped, `Mismatch` for what ends with another status than 0."""
        self._seen = ""
        try:
            status = self.shell.run(command.text).status
        except (ShellError, SysctlError, Unmapped, ValueError) as trouble:
            raise ScriptError(command.place, f"`{' '.join(command.text.split())}`: {getattr(trouble, 'reason', trouble)}") from None
        except Mismatch as mismatch:
            mismatch.place = command.place
            raise
        if status:
            said = f"`{' '.join(command.text.split())}`"
            raise Mismatch(f"a command's exit status is {status}", said, self._seen.strip() or "no such line", command.place)

    def execute(self, commands: list[Simple]) -> Done:
        """A pipeline of simple commands."""
        commands = [self._unwrapped(one) for one in commands]
        if _name(commands[0]) == "sockstat":
            bsd.sockstat(self.process, commands)
            return Done()
        self._nstat.check(commands)
        done = self._one(commands[0], last=len(commands) == 1)
        for at, one in enumerate(commands[1:], 2):
            self._seen = done.text
            done = self._one(Simple(one.words, done.text), last=at == len(commands))
        return done

    def _unwrapped(self, simple: Simple) -> Simple:
        """Without what only says how a command is run: `sudo`, `bash`, `source`."""
        words = simple.words
        while len(words) > 1 and words[0].rsplit("/", 1)[-1] in _WRAPPERS and words[1] != "-c":
            words = words[1:]
            while len(words) > 1 and words[0].startswith("-"):
                words = words[1:]
        return Simple(words, simple.stdin)

    def _one(self, simple: Simple, last: bool) -> Done:
        """One command of a pipeline."""
        name = _name(simple)
        tool, function = TOOLS.get(name), COMMANDS.get(name)
        if not last and (name in NO_EFFECT or name in ("ip", "tc", "ifconfig")):  # what would be read there is not there, and so cannot be looked for
            raise Unmapped(f"{name} in a pipeline cannot be mapped")
        if tool is not None:
            try:
                return tool(simple, self.look)
            except FileNotFoundError:
                return Done(1)
        if function is not None:
            try:
                return Done(0, function(self, simple) or "")
            except SysctlError:
                if self.shell.tested:  # `sysctl … || true`, `if sysctl …`: whoever writes that has thought of it
                    return Done(255)
                raise
        if name == "false":
            return Done(1)
        if (name in ("sh", "bash") and simple.words[1:2] == ("-c",)) or name == "eval":
            return self.shell.block(read(simple.words[-1]))
        if name in NO_EFFECT or name.startswith("sysctl_restore_"):
            return Done()
        raise Unmapped(f"{name} cannot be mapped")

    # Files: those of the script, and the kernel's

    def look(self, path: str) -> str:
        """What a file holds. Raises `FileNotFoundError`."""
        if path in FILES:
            return self._nstat.file(path)
        if path in proc_net.FILES:
            return "".join(f"{line}\n" for line in proc_net.lines(self.process, proc_net.FILES[path]))
        if path.startswith(_PROC):
            return self._read_sysctl(path.removeprefix(_PROC).replace("/", ".")) + "\n"
        if path == "/dev/null":
            return ""
        if path in self.process.disk:
            return bytes(self.process.disk[path]).decode("latin-1")
        if path.startswith(("/proc/", "/sys/")):
            raise Unmapped(f"{path} cannot be mapped")
        raise FileNotFoundError(path)

    def write(self, path: str, text: str, append: bool) -> None:
        """Put into a file what a command prints."""
        if path.startswith(_PROC):
            self._sysctl(path.removeprefix(_PROC).replace("/", "."), text.strip())
        elif found := _MODULE.fullmatch(path):
            self.change(**module(found[1], found[2], text))
        elif path.startswith("/") and not path.startswith("/tmp/"):
            raise Unmapped(f"{path} cannot be mapped")
        else:  # in memory, as what dd makes
            before = self.process.disk.get(path, bytearray()) if append else bytearray()
            self.process.disk[path] = before + text.encode("latin-1", "replace")

    # Sysctls

    def _sysctl(self, name: str, value: str) -> None:
        key = name.replace("/", ".")
        self._written[key] = value
        if bsd.is_bsd(key):
            self.change(**bsd.changes(key, value))
        elif not sysctl_host.apply(self.process, key, value):
            self.change(**changes(key, value))

    def _read_sysctl(self, name: str) -> str:
        """A sysctl's value. Raises `FileNotFoundError`, and `SysctlError` where there is one that nobody has written."""
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

    def _set_sysctl(self, simple: Simple) -> str:
        """sysctl(8): sets with `=`, else shows; with -e what does not exist is passed over"""
        options = {letter for word in simple.words if re.fullmatch("-[a-zA-Z]+", word) for letter in word[1:]}
        lenient = "e" in options or "--ignore" in simple.words
        shown = ""
        for word in simple.words[1:]:
            if word.startswith("-"):
                continue
            name, equals, value = word.partition("=")
            try:
                if equals:
                    self._sysctl(name.strip(), value.strip())
                else:
                    shown += ("" if "n" in options else f"{name} = ") + self._read_sysctl(name.replace("/", ".")) + "\n"
            except FileNotFoundError:
                raise SysctlError(f"sysctl {name} is not emulated") from None
            except SysctlError:
                if not lenient:
                    raise
        return shown

    def _set_sysctls(self, simple: Simple) -> None:
        """set_sysctls.py: paths and values"""
        for word in simple.words[1:]:
            path, equals, value = word.partition("=")
            if not equals:
                raise Unmapped(f"{word!r} is not PATH=VALUE")
            self.write(path, value, append=False)

    def _tee(self, simple: Simple) -> str:
        for name in simple.words[1:]:
            if not name.startswith("-"):
                self.write(name, simple.stdin, "-a" in simple.words)
        return simple.stdin

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
        raise Unmapped(f"the parameter {parameter} of tcp_{control} is not emulated")
    return {name: int(value.strip(), 0)}


MODULE: dict[tuple[str, str], str] = {}
# Parameters that are not settings here: the value that they have in Linux may be written
FIXED = {
    ("cubic", "fast_convergence"): 1, ("cubic", "beta"): 717, ("cubic", "bic_scale"): 41, ("cubic", "initial_ssthresh"): 0,
    ("cubic", "tcp_friendliness"): 1, ("cubic", "hystart_low_window"): 16, ("cubic", "hystart_ack_delta_us"): 2000,
}  # fmt: skip

COMMANDS: dict[str, Callable[[Commands, Simple], str | None]] = {
    "defaults.sh": Commands._defaults,
    "set_sysctls.py": Commands._set_sysctls,
    "sysctl": Commands._set_sysctl,
    "tee": Commands._tee,
    "ip": lambda commands, simple: ip(commands.process, simple),
    "ifconfig": lambda commands, simple: ifconfig(commands.process, simple),
    "nstat": lambda commands, simple: commands._nstat.nstat(simple),
    "netstat": lambda commands, simple: commands._nstat.netstat(simple),
    "tc": lambda commands, simple: commands.change(**tc(simple)),
    "dd": lambda commands, simple: disk.dd(commands.process.disk, simple),
    "rm": lambda commands, simple: disk.remove(commands.process.disk, simple),
    "touch": lambda commands, simple: disk.touch(commands.process.disk, simple),
    "truncate": lambda commands, simple: disk.truncate(commands.process.disk, simple),
    "tcpdrop": lambda commands, simple: bsd.tcpdrop(commands.process, simple),
}


def _name(simple: Simple) -> str:
    """A command's name, wherever its file is."""
    return simple.words[0].rsplit("/", 1)[-1]
