"""A link as users hold it: settings and faults, live, and captures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack.lab.capturing import DRAIN, Capturing, capture_link
from stack.link import link

if TYPE_CHECKING:
    from stack.lab.network import Network


class Link(link.Link):
    """A full-duplex link between two members of a network: see `stack.link.link.Link` for settings and faults."""

    network: Network

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(self, "directions") and not hasattr(type(self), name) and name not in {*self.__dict__, "network"}:
            raise AttributeError(f"a link has no setting {name!r}; expected one of {', '.join(link.SETTINGS)}")
        super().__setattr__(name, value)

    def capture(
        self,
        path: str | Path | None = None,
        *,
        at: Any = None,
        snaplen: int | None = None,
        drain: str | float | bool = DRAIN,
    ) -> Capturing:
        """Record each frame once, where it enters the link.

        `at=host` records, instead, what that end of the link sends and gets; `at="both"`, what both ends do, each as a
        capture interface of its own.
        """
        return capture_link(self, path, at=at, snaplen=snaplen, drain=drain)
