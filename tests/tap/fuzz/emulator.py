"""The emulated world: a host of ours, in virtual time."""

from __future__ import annotations

from stack import Network
from stack.testing.drill.python import Drill
from tests.tap.fuzz.wire import Flow
from tests.tap.fuzz.world import World


class Emulator(World):
    def __init__(self, flow: Flow, sysctls: dict[str, str]) -> None:
        super().__init__(flow)
        self.network = Network(seed=1)
        self.host = self.network.host("h")
        self.drill: Drill = self.network.drill(self.host, remote=self.address(), mtu=1500)
        for name, value in sysctls.items():
            self.sysctl(name, value)

    def now(self) -> int:
        return self.network.now - self.began

    def put(self, octets: bytes) -> None:
        self.drill.tun.inject(octets)

    def flush(self) -> None:
        self.drill._run(self.network.now)
        while self.drill.tun.sent:
            sent = self.drill.tun.sent.popleft()
            self.saw(sent.time - self.began, sent.frame[14:])

    def wait(self, until: int) -> None:
        self.drill._run(self.began + until)
        self.flush()

    def sysctl(self, name: str, value: str) -> None:
        tcp = self.host.engine.tcp
        tcp.settings = tcp.settings.with_sysctl(name, value)
