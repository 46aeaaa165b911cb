"""An emulated host under test: in virtual time, which the network keeps."""

from __future__ import annotations

from collections.abc import Sequence

from stack.lab.host import Host
from stack.network.waiting import Source
from stack.testing.drill.commands import Commands
from stack.testing.drill.emulated_process import EmulatedProcess
from stack.testing.drill.profile import Profile
from stack.testing.drill.tun import Tun


class EmulatedHost:
    """`host` of a network, with a wire whose other end is the script."""

    patience = 3600 * 10**9  # virtual time costs nothing

    def __init__(self, host: Host, profile: Profile) -> None:
        self.late = 0
        self.network = host.network
        self.tun = Tun(host, "tun0", [profile.local], profile.mtu)
        self.process = EmulatedProcess(host, profile)
        self.commands = Commands(self.process)

    @property
    def now(self) -> int:
        """The network's time."""
        return self.network.now

    def begin(self) -> None:
        """Nothing is on its way."""
        self.network.run(until=self.network.now / 1e9)
        self.process.epoch = self.network.now

    def run(self, instant: int) -> None:
        """The network runs."""
        self.network.programs.run(instant)

    def wait(self, sources: Sequence[Source], instant: int) -> None:
        """The network runs until a source wakes."""
        if instant > self.network.now:
            self.network.programs.wait(sources, instant, None, "drill")
        else:
            self.run(instant)

    def close(self) -> None:
        """The sockets are closed; the network is whoever's who made it."""
        self.process.close()
