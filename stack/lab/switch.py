"""A switch as users hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stack.link import switch
from stack.link.interface import Interface

if TYPE_CHECKING:
    from stack.lab.network import Network


class Switch(switch.Switch):
    """A learning switch: see `stack.link.switch.Switch`. Link hosts, routers and other switches to it."""

    def __init__(self, network: Network, name: str, **settings: Any) -> None:
        super().__init__(name, **settings)
        self.network = network
        self.node = network.wiring.add(self)

    def new_interface(self) -> Interface:
        """One more port; a link takes it."""
        return self.port(self.network.topology.mac())

    def __repr__(self) -> str:
        return f"<Switch {self.name}: {len(self.interfaces)} ports>"
