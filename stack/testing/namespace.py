"""A network namespace of this machine, for programs that use the kernel's own network: made, and removed with all that runs in it."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

_numbers = itertools.count(1)


def missing_device() -> str | None:
    """What a TAP or TUN lacks here; None if nothing."""
    if not sys.platform.startswith("linux"):
        return "not Linux"
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists("/dev/net/tun"):
        return "no /dev/net/tun"
    return None


def missing() -> str | None:
    """What a TAP in a namespace of its own lacks here; None if nothing."""
    lacking = missing_device()
    if lacking is None and shutil.which("ip") is None:
        return "no `ip` (iproute2)"
    return lacking


class Namespace:
    """`with Namespace() as linux: linux.start("curl", …)`. Its name is its own, so that several processes can have theirs.

    `sysctls` by name (`net.ipv4.tcp_congestion_control="reno"` has dots: give them as a mapping).
    """

    def __init__(self, sysctls: dict[str, str | int] | None = None) -> None:
        self.name = f"stack-{os.getpid()}-{next(_numbers)}"
        _ip("netns", "add", self.name)
        self.programs: list[subprocess.Popen[bytes]] = []
        _ip("-n", self.name, "link", "set", "lo", "up")
        try:
            for name, value in (sysctls or {}).items():
                self.sysctl(name, value)
        except BaseException:
            self.close()
            raise

    def sysctl(self, name: str, value: str | int) -> None:
        """Set one of the namespace's; raises `CalledProcessError` if the kernel has none such, or refuses the value."""
        path = "/proc/sys/" + name.replace(".", "/")
        self.run("sh", "-c", f"printf %s '{value}' > {path}")

    def run(self, *command: str, **options: Any) -> bytes:
        """Run a command here until its end, and give its output. The network does not run meanwhile."""
        command = ("ip", "netns", "exec", self.name, *command)
        done: subprocess.CompletedProcess[bytes] = subprocess.run(command, check=True, stdout=subprocess.PIPE, **options)
        return done.stdout

    def start(self, *command: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command here; it ends with the namespace at the latest."""
        program = subprocess.Popen(["ip", "netns", "exec", self.name, *command], start_new_session=True, **options)
        self.programs.append(program)
        return program

    def python(self, source: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a Python program here; its standard output is a pipe, unless an option says something else."""
        options.setdefault("stdout", subprocess.PIPE)
        return self.start(sys.executable, "-c", source, *arguments, **options)

    def close(self) -> None:
        """End the programs, remove the namespace."""
        for program in self.programs:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
            for pipe in (program.stdin, program.stdout, program.stderr):
                if pipe is not None:
                    pipe.close()
        self.programs.clear()
        if Path(f"/run/netns/{self.name}").exists():
            _ip("netns", "delete", self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
