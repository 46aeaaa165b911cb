"""The kernel's world: a TUN in a network namespace of this process's own. Time is real."""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import struct
import subprocess
import time

from tests.tap.fuzz.wire import Flow
from tests.tap.fuzz.world import World

_TUNSETIFF, _TUN_WITHOUT_INFORMATION, _NEW_NETWORK = 0x400454CA, 0x1001, 0x40000000


class Device:
    """The TUN, and the namespace's sysctls."""

    def __init__(self, sysctls: dict[str, str]) -> None:
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK):
            raise PermissionError("unshare: a network namespace needs root")
        self.descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.descriptor, _TUNSETIFF, struct.pack("16sH", b"tun0", _TUN_WITHOUT_INFORMATION))
        for name in ("all", "default", "tun0"):
            self.write(f"net.ipv4.conf.{name}.rp_filter", "0")
            self.write(f"net.ipv6.conf.{name}.disable_ipv6", "1")
        self.before: dict[str, str] = {}
        for name, value in sysctls.items():
            self.write(name, value)
        commands = "ip link set lo up; ip link set tun0 mtu 1500 up; ip addr add 192.168.0.1/16 dev tun0; ip route add default dev tun0"
        subprocess.run(commands, shell=True, check=True)

    def write(self, name: str, value: str) -> None:
        with open(_path(name), "w") as file:
            file.write(value)

    def change(self, name: str, value: str) -> None:
        """Until `restore()`."""
        with open(_path(name)) as file:
            self.before.setdefault(name, file.read().strip())
        self.write(name, value)

    def restore(self) -> None:
        for name, value in self.before.items():
            self.write(name, value)
        self.before.clear()

    def drain(self) -> None:
        while True:
            try:
                os.read(self.descriptor, 1 << 17)
            except BlockingIOError:
                return


def _path(name: str) -> str:
    return "/proc/sys/" + name.replace(".", "/")


class Kernel(World):
    def __init__(self, flow: Flow, device: Device) -> None:
        super().__init__(flow)
        self.device = device
        self.began = time.monotonic_ns()

    def now(self) -> int:
        return time.monotonic_ns() - self.began

    def put(self, octets: bytes) -> None:
        os.write(self.device.descriptor, octets)

    def flush(self) -> None:
        while True:
            try:
                octets = os.read(self.device.descriptor, 1 << 17)
            except BlockingIOError:
                return
            self.saw(self.now(), octets)

    def wait(self, until: int) -> None:
        while (left := until - self.now()) > 0:
            select.select([self.device.descriptor], [], [], left / 1e9)
            self.flush()

    def sysctl(self, name: str, value: str) -> None:
        self.device.change(name, value)
