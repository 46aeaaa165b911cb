"""A link as users hold it: settings and faults, live, and captures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack.lab.capturing import Capturing, capture_link
from stack.link import link

if TYPE_CHECKING:
    from stack.lab.network import Network


class Link(link.Link):
    """A full-duplex link between two members of a network: see `stack.link.link.Link` for settings and faults."""

    network: Network

    def capture(self, path: str | Path | None = None, *, at: Any = None, **options: Any) -> Capturing:
        """Record each frame once, where it enters the link.

        `at=host` records, instead, what that end of the link sends and gets; `at="both"`, what both ends do, each as a
        capture interface of its own.
        """
        return capture_link(self, path, at=at, **options)
