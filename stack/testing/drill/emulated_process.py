"""The process of a script on an emulated host: its sockets are that host's, its time is virtual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stack.lab.host import Host
from stack.network.place import inside
from stack.socket import numbers
from stack.socket.clock import EPOCH
from stack.socket.epoll import Epoll
from stack.socket.socket import Socket
from stack.testing.drill.files import Call
from stack.testing.drill.process import Process
from stack.testing.drill.profile import Profile
from stack.testing.drill.script import Syscall

if TYPE_CHECKING:
    from stack.network.node import Node


class EmulatedProcess(Process):
    """A process on `host`."""

    def __init__(self, host: Host, profile: Profile) -> None:
        super().__init__(profile)
        self.host = host
        #: IP_MTU_DISCOVER of new sockets, where a sysctl says it.
        self.path_mtu_discovery: int | None = None

    @property
    def node(self) -> Node:
        """The host's place in the network."""
        return self.host.node

    @property
    def now(self) -> int:
        return self.host.network.now

    @property
    def realtime_epoch(self) -> int:
        return EPOCH + self.epoch

    def new_socket(self, family: int, kind: int, protocol: int) -> Socket:
        with inside(self.node):
            made = Socket(family, kind, protocol)
            if self.path_mtu_discovery is not None:
                made.setsockopt(numbers.SOL_IP, numbers.IP_MTU_DISCOVER, self.path_mtu_discovery)
            return made

    def new_epoll(self) -> Epoll:
        return Epoll(self.node)

    def start(self, syscall: Syscall) -> Call[int]:
        self.host.network.programs.polls = 0  # a script's looks are not those of a program that spins
        return super().start(syscall)
