"""What a script runs against, as the player sees it: a wire, system calls, commands, a clock. Emulated, or this machine's kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from stack.network.waiting import Source
from stack.testing.drill.command_reader import CommandReader
from stack.testing.drill.process import Process
from stack.testing.drill.tun import Device


class HostUnderTest(Protocol):
    """Times are nanoseconds of the host's own clock: virtual, or the machine's."""

    #: How late the script itself was at worst: 0 in virtual time; on a machine that has other things to do, more.
    late: int

    @property
    def process(self) -> Process:
        """Who makes system calls."""

    @property
    def commands(self) -> CommandReader:
        """Who does what stands between back quotes."""

    @property
    def tun(self) -> Device:
        """The wire."""

    @property
    def now(self) -> int:
        """The time."""

    @property
    def patience(self) -> int:
        """How long is waited for what the script gives no time."""

    def begin(self) -> None:
        """The script's clock starts: what was before is done with."""

    def run(self, instant: int) -> None:
        """Let time pass until then; what follows now, follows."""

    def wait(self, sources: Sequence[Source], instant: int) -> None:
        """Let time pass until one of these may have something new, at the latest until then."""

    def close(self) -> None:
        """End: what the process has open is closed."""
