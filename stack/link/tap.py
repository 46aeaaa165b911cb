"""A TAP or TUN device: a network interface of this machine's kernel, whose other end is a file (Linux's tuntap.rst)."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from struct import pack
from typing import Any

from stack.base.address import IPAddress, IPv6Address
from stack.base.errors import StackError
from stack.link.rtnetlink import Rtnetlink

try:
    from fcntl import ioctl  # the library's own: taken before any host makes something else of it
except ImportError:  # not on this platform
    ioctl = None  # type: ignore[assignment]

DEVICE = "/dev/net/tun"
LONGEST_NAME = 15  # IFNAMSIZ, less the end of the text
QUEUE = 10_000  # frames that wait for us in the kernel: it drops those beyond
_TUNSETIFF = 0x400454CA
_TUN, _TAP, _NO_INFORMATION, _OFFLOAD = 0x0001, 0x0002, 0x1000, 0x4000  # IFF_TUN, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR
_NEW_NETWORK = 0x40000000  # CLONE_NEWNET


class Device:
    """Made in `namespace` (a name of `ip netns`, or a path; None: where this process is), up, without addresses.

    `read()` gives what the kernel sends, `write()` is what it receives: Ethernet frames, or datagrams of a TUN (`mac` None);
    with `offload`, after a `struct virtio_net_hdr` each.
    Raises `PermissionError` where this process is not root (CAP_NET_ADMIN), `StackError` where there are no such devices.
    """

    def __init__(self, name: str, mac: bytes | None, mtu: int, namespace: str | None = None, *, offload: bool = False) -> None:
        if ioctl is None or not os.path.exists(DEVICE):
            raise StackError(f"no {DEVICE} on this machine: TAP and TUN devices need Linux, with its tun module")
        self.name = name
        self.namespace = namespace
        self.mtu = mtu
        self._file = -1
        self._flags = _NO_INFORMATION | (_OFFLOAD if offload else 0)
        _within(namespace, lambda: self._open(mac))

    def _open(self, mac: bytes | None) -> None:
        kind = _TUN if mac is None else _TAP
        try:
            self._file = os.open(DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            ioctl(self._file, _TUNSETIFF, pack("16sH22x", self.name.encode(), kind | self._flags))
            self.index = socket.if_nametoindex(self.name)
            if os.path.isdir(f"/proc/sys/net/ipv6/conf/{self.name}"):
                self._sysctl("addr_gen_mode", 1)  # no link-local address but the one that it is given
                self._sysctl("accept_ra", 0)
            self._kernel = Rtnetlink()
            self._kernel.set_up(self.index, mtu=self.mtu, queue=QUEUE, mac=mac)
        except PermissionError as error:
            self.close()
            raise PermissionError(error.errno, f"{self.name} needs root (CAP_NET_ADMIN): its other end is this machine's kernel") from error
        except OSError as error:
            self.close()
            raise StackError(f"no device {self.name!r}: {error.strerror}") from error

    def _sysctl(self, name: str, value: int) -> None:
        with open(f"/proc/sys/net/ipv6/conf/{self.name}/{name}", "w") as file:
            file.write(str(value))

    def fileno(self) -> int:
        """The file to be waited for."""
        return self._file

    def read(self) -> bytes | None:
        """The next frame or datagram of the kernel; None if none waits."""
        try:
            return os.read(self._file, 65536)
        except BlockingIOError:
            return None

    def write(self, data: bytes) -> bool:
        """Let the kernel receive a frame or datagram; False where it does not (the interface was set down)."""
        try:
            os.write(self._file, data)
        except OSError:
            return False
        return True

    def add_address(self, address: IPAddress, prefix: int) -> None:
        """Give the kernel an address here, usable at once."""
        if isinstance(address, IPv6Address) and not os.path.isdir("/proc/sys/net/ipv6"):
            return
        try:
            self._kernel.add_address(self.index, address, prefix)
        except FileExistsError:
            pass

    def route(self, network: IPAddress, prefix: int, gateway: IPAddress | None, *, add: bool = True) -> None:
        """Add or delete a route of the kernel by way of this interface; raises `OSError`."""
        self._kernel.route(self.index, network, prefix, gateway, add=add)

    def close(self) -> None:
        """The kernel's interface disappears, with its addresses and routes. Closing twice is allowed."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if hasattr(self, "_kernel"):
            self._kernel.close()

    def __repr__(self) -> str:
        return f"<Device {self.name}{f' in {self.namespace}' if self.namespace else ''}>"


def _within(namespace: str | None, function: Callable[[], None]) -> None:
    """Call the function in a thread that has entered the namespace: entering one changes a thread for good."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            if namespace is not None:
                _enter(namespace)
            function()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _enter(namespace: str) -> None:
    path = namespace if "/" in namespace else f"/run/netns/{namespace}"
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise StackError(f"no network namespace {namespace!r}: ip netns add {namespace}") from None
    try:
        _setns(file)
    finally:
        os.close(file)


def _setns(file: int) -> None:
    own: Any = getattr(os, "setns", None)  # from Python 3.12 on
    if own is not None:
        own(file, _NEW_NETWORK)
        return
    import ctypes

    if ctypes.CDLL(None, use_errno=True).setns(file, _NEW_NETWORK):
        number = ctypes.get_errno()
        raise OSError(number, f"entering a network namespace: {os.strerror(number)}")
