"""This machine's kernel under test: the network namespace in which this process is, in real time."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence

from stack.network.waiting import Source
from stack.testing.drill.kernel_commands import KernelCommands
from stack.testing.drill.kernel_process import KernelProcess
from stack.testing.drill.kernel_tun import KernelTun
from stack.testing.drill.profile import Profile

_SETTLING = 0.01  # seconds in which the kernel is done with what follows from a new device


class KernelHost:
    """The namespace must be new: it gets a wire, and the settings with which the kernel comes, whatever this machine's are."""

    patience = 60 * 10**9  # packetdrill's is 3 s for calls; some of SO_RCVTIMEO's are longer

    def __init__(self, profile: Profile, record: bool = False) -> None:
        self.commands = KernelCommands(KernelProcess(profile))
        self.commands.as_new()
        self.process = self.commands.process
        self.tun = KernelTun(profile, record)
        self.late = 0

    @property
    def now(self) -> int:
        """The machine's monotonic clock."""
        return time.monotonic_ns()

    def begin(self) -> None:
        """What the kernel sent because of the new device is passed over."""
        time.sleep(_SETTLING)
        self.tun.take()
        self.tun.sent.clear()
        self.process.realtime = time.time_ns()
        self.process.epoch = time.monotonic_ns()

    def run(self, instant: int) -> None:
        """Sleep."""
        slept = False
        while (left := instant - time.monotonic_ns()) > 0:
            select.select([self.tun], (), (), left / 1e9)
            self.tun.take()
            slept = True
        self.tun.take()
        if slept:
            self.late = max(self.late, -left)

    def wait(self, sources: Sequence[Source], instant: int) -> None:
        """Sleep until the kernel has sent something, or the call on its way has returned."""
        wanted = self.tun in sources
        left = instant - time.monotonic_ns()
        if left > 0 and not (wanted and self.tun.sent):
            files = (self.process.calls.fileno(), self.tun.fileno()) if wanted else (self.process.calls.fileno(),)
            if not select.select(files, (), (), left / 1e9)[0]:
                self.late = max(self.late, time.monotonic_ns() - instant)
        self.process.calls.seen()
        self.tun.take()

    def close(self) -> None:
        """The sockets are closed. The wire is closed by `end()`, when its capture has been written."""
        self.process.close()
        self.tun.take()

    def end(self) -> None:
        """Nothing is left."""
        self.tun.close()
