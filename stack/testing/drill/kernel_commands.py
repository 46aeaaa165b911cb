"""What the back-quoted lines of scripts do to the network namespace of a run against this machine's kernel. No shell runs them."""

from __future__ import annotations

import os
from collections.abc import Callable

from stack.host.counters import HostCounters
from stack.tcp.sysctl import SysctlError
from stack.testing.drill.command_reader import CommandReader, Unmapped
from stack.testing.drill.kernel_ip import ifconfig, ip, tc
from stack.testing.drill.kernel_process import KernelProcess
from stack.testing.drill.nstat import FILES
from stack.testing.drill.shell import Simple

_OF_THE_NETWORK = "net."
_CONTROL = "net.ipv4.tcp_congestion_control"
# What a new namespace takes over from the machine's own, as the kernel comes with them (net/ipv4/tcp_ipv4.c, tcp.c)
_AS_NEW = {
    _CONTROL: "cubic", "net.ipv4.tcp_rmem": "4096 131072 6291456", "net.ipv4.tcp_wmem": "4096 16384 4194304",
}  # fmt: skip


class KernelCommands(CommandReader):
    """The commands of one script: to the namespace in which this process is, and to nothing else of the machine."""

    def __init__(self, process: KernelProcess) -> None:
        super().__init__(process)
        self.process: KernelProcess = process
        version = process.profile.wire
        self.programs |= {"ip": lambda simple: _asked(lambda: ip(simple, version), simple),
                          "ifconfig": lambda simple: _asked(lambda: ifconfig(simple), simple),
                          "tc": lambda simple: _asked(lambda: tc(simple), simple)}  # fmt: skip

    def as_new(self) -> None:
        """The settings with which the kernel comes, where this machine's own would be taken over."""
        for name, value in _AS_NEW.items():
            self.set_sysctl(name, value)

    def set_sysctl(self, name: str, value: str) -> None:
        path = _path(name)
        if name == _CONTROL:
            self.process.control = None
        try:
            with open(path, "w") as file:
                file.write(value)
        except FileNotFoundError:
            raise SysctlError(f"sysctl {name} does not exist in this kernel, or not in a network namespace") from None
        except OSError as error:
            if self._has(path, value):
                return
            if name == _CONTROL and value in self.read_sysctl("net.ipv4.tcp_available_congestion_control").split():
                self.process.control = value  # one that only this machine's own namespace may have as its default
                return
            raise SysctlError(f"sysctl {name} cannot be set to {value!r} in a network namespace: {error.strerror}") from None

    def _has(self, path: str, value: str) -> bool:
        try:
            with open(path) as file:
                return file.read().split() == value.split()
        except OSError:
            return False

    def read_sysctl(self, name: str) -> str:
        if name == _CONTROL and self.process.control is not None:
            return self.process.control
        try:
            with open(_path(name)) as file:
                return file.read().rstrip("\n")
        except PermissionError:
            raise SysctlError(f"sysctl {name} cannot be read") from None

    def counters(self) -> HostCounters:
        found: dict[str, int] = {}
        for path in FILES:
            with open(path) as file:
                lines = [line.split() for line in file]
            for names, values in zip(lines[::2], lines[1::2], strict=True):
                group = names[0].removesuffix(":")
                found |= {group + name: int(value) for name, value in zip(names[1:], values[1:], strict=True)}
        return HostCounters(found)

    def look(self, path: str) -> str:
        """The kernel's own files of counters have all of its columns."""
        return self.look_elsewhere(path) if path in FILES else super().look(path)

    def look_elsewhere(self, path: str) -> str:
        """/proc/net is the namespace's."""
        if not path.startswith("/proc/net/") or ".." in path:
            raise Unmapped(f"{path} cannot be mapped: it is not of a network namespace")
        with open(path) as file:
            return file.read()

    def write_elsewhere(self, path: str, text: str) -> None:
        raise Unmapped(f"{path} cannot be written: it is the whole machine's, not a network namespace's")


def _path(name: str) -> str:
    key = name.replace("/", ".")
    if not key.startswith(_OF_THE_NETWORK) or ".." in key:
        raise SysctlError(f"sysctl {name} is not of a network namespace")
    return os.path.join("/proc/sys", key.replace(".", "/"))


def _asked(request: Callable[[], None], simple: Simple) -> None:
    """What the kernel refuses is said with the command."""
    try:
        request()
    except OSError as error:
        raise Unmapped(f"{simple}: the kernel says: {error.strerror}") from None
