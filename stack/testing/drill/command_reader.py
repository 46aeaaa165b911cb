"""Reads the back-quoted lines of scripts, and hands what they say to the host: sysctls, files, programs. Nothing is executed."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable

from stack.host.counters import HostCounters
from stack.tcp.sysctl import SysctlError
from stack.testing.drill import disk
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.nstat import FILES, Nstat
from stack.testing.drill.process import Process
from stack.testing.drill.profile import DEFAULTS
from stack.testing.drill.script import Command, ScriptError
from stack.testing.drill.shell import Simple, read
from stack.testing.drill.shell_run import Done, Shell
from stack.testing.drill.shell_tools import TOOLS
from stack.testing.drill.shell_words import ShellError

# What has no effect on any host, and why.
NO_EFFECT = {
    "sleep": "events have times of their own", "true": "nothing", ":": "nothing", "set": "nothing", "unset": "nothing", "sync": "nothing",
    "wait": "nothing", "trap": "nothing", "ulimit": "files and memory are not counted", "modprobe": "what there is, is there",
    "kldload": "what there is, is there", "kldunload": "what there is, is there", "mkdir": "no folders", "chmod": "no rights",
    "cd": "no folders", "kill": "no processes", "killall": "no processes", "pkill": "no processes",
    "ethtool": "every segment is on the wire alone, as without offloads",
}  # fmt: skip
# Commands before a command, which they leave as it is
_WRAPPERS = frozenset({"sudo", "bash", "sh", "source", ".", "env", "command", "exec", "nice", "python", "python3", "time"})
_PROC = "/proc/sys/"
Program = Callable[[Simple], str | None]


class Unmapped(Exception):
    """What a command asks for has no counterpart here."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CommandReader(ABC):
    """The commands of one script. What they do to its host, the host says: see "what a host does" below."""

    #: Commands that are taken, and do nothing: why.
    without_effect: dict[str, str] = NO_EFFECT

    def __init__(self, process: Process) -> None:
        self.process = process
        self.shell = Shell(self.execute, self.write, self.look)
        self.programs: dict[str, Program] = {
            "defaults.sh": lambda simple: self.defaults(),
            "set_sysctls.py": self._set_sysctls,
            "sysctl": self._sysctl,
            "tee": self._tee,
            "nstat": lambda simple: self._nstat.nstat(simple),
            "netstat": lambda simple: self._nstat.netstat(simple),
            "dd": lambda simple: disk.dd(process.disk, simple),
            "rm": lambda simple: disk.remove(process.disk, simple),
            "touch": lambda simple: disk.touch(process.disk, simple),
            "truncate": lambda simple: disk.truncate(process.disk, simple),
        }
        self._nstat = Nstat(self.counters)
        self._seen = ""  # what the last command of a pipeline was given to look through

    # What a host does

    @abstractmethod
    def set_sysctl(self, name: str, value: str) -> None:
        """Set it. Raises `SysctlError`."""

    @abstractmethod
    def read_sysctl(self, name: str) -> str:
        """A sysctl's value. Raises `FileNotFoundError`, and `SysctlError` where there is one that cannot be read."""

    @abstractmethod
    def counters(self) -> HostCounters:
        """What it has counted until now."""

    @abstractmethod
    def look_elsewhere(self, path: str) -> str:
        """What a file of the system (/proc/…, /sys/…) holds. Raises `Unmapped`."""

    @abstractmethod
    def write_elsewhere(self, path: str, text: str) -> None:
        """Put text into a file of the system. Raises `Unmapped`."""

    def whole(self, commands: list[Simple]) -> bool:
        """Whether this pipeline was done as a whole."""
        return False

    # What commands say

    def defaults(self) -> None:
        """`defaults.sh`: the settings of Google's and the kernel's scripts."""
        for name, value in DEFAULTS.items():
            try:
                self.set_sysctl(name, value)
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
        if self.whole(commands):
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
        name = command_name(simple)
        tool, function = TOOLS.get(name), self.programs.get(name)
        if not last and (name in self.without_effect or name in ("ip", "tc", "ifconfig")):  # what would be read there is not there, and so cannot be looked for
            raise Unmapped(f"{name} in a pipeline cannot be mapped")
        if tool is not None:
            try:
                return tool(simple, self.look)
            except FileNotFoundError:
                return Done(1)
        if function is not None:
            try:
                return Done(0, function(simple) or "")
            except SysctlError:
                if self.shell.tested:  # `sysctl … || true`, `if sysctl …`: whoever writes that has thought of it
                    return Done(255)
                raise
        if name == "false":
            return Done(1)
        if (name in ("sh", "bash") and simple.words[1:2] == ("-c",)) or name == "eval":
            return self.shell.block(read(simple.words[-1]))
        if name in self.without_effect or name.startswith("sysctl_restore_"):
            return Done()
        raise Unmapped(f"{name} cannot be mapped")

    # Files: those of the script, and the kernel's

    def look(self, path: str) -> str:
        """What a file holds. Raises `FileNotFoundError`."""
        if path in FILES:
            return self._nstat.file(path)
        if path.startswith(_PROC):
            return self.read_sysctl(path.removeprefix(_PROC).replace("/", ".")) + "\n"
        if path == "/dev/null":
            return ""
        if path in self.process.disk:
            return bytes(self.process.disk[path]).decode("latin-1")
        if path.startswith(("/proc/", "/sys/")):
            return self.look_elsewhere(path)
        raise FileNotFoundError(path)

    def write(self, path: str, text: str, append: bool) -> None:
        """Put into a file what a command prints."""
        if path.startswith(_PROC):
            self.set_sysctl(path.removeprefix(_PROC).replace("/", "."), text.strip())
        elif path.startswith("/") and not path.startswith("/tmp/"):
            self.write_elsewhere(path, text)
        else:  # in memory, as what dd makes
            before = self.process.disk.get(path, bytearray()) if append else bytearray()
            self.process.disk[path] = before + text.encode("latin-1", "replace")

    # Sysctls

    def _sysctl(self, simple: Simple) -> str:
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
                    self.set_sysctl(name.strip(), value.strip())
                else:
                    shown += ("" if "n" in options else f"{name} = ") + self.read_sysctl(name.replace("/", ".")) + "\n"
            except FileNotFoundError:
                raise SysctlError(f"sysctl {name} does not exist") from None
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

def command_name(simple: Simple) -> str:
    """A command's name, wherever its file is."""
    return simple.words[0].rsplit("/", 1)[-1]
