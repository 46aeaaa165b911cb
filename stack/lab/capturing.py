"""Captures of an emulated network: of a host, of a link, of all links."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stack.base.errors import StackError
from stack.base.quantity import nanoseconds
from stack.capture.recorder import Recorder
from stack.lab.arguments import whole
from stack.lab.draining import drain
from stack.lab.trace import Trace
from stack.socket.clock import EPOCH

if TYPE_CHECKING:
    from stack.lab.host import Host
    from stack.lab.link import Link
    from stack.lab.network import Network

DRAIN = "10 s"


class Capturing:
    """A capture that runs until `close()`, or until the end of its `with` block, which gives the `Trace`.

    Leaving the block first drains what is closing: the network runs until connections whose programs have closed them are
    gone, for `drain` of virtual time at most; `drain=False` cuts at once. `path` ends in .pcap or .pcapng, with .gz or
    without; without a path the packets are kept in memory. `snaplen` cuts frames to so many octets.
    """

    def __init__(
        self,
        network: Network,
        attach: Callable[[Recorder], None],
        follow: Callable[[Recorder, Link], None],
        path: str | Path | None,
        *,
        snaplen: int | None = None,
        drain: str | float | bool = DRAIN,
    ) -> None:
        network.update()
        self.network = network
        if snaplen is not None:
            whole("snaplen", snaplen, 1)
        self._drain = 0 if drain is False else nanoseconds(DRAIN if drain is True else drain)
        names = {str(address): [name] for name in network.names for address in network.names.addresses(name) or ()}
        self._follow = follow
        for other in network.captures:
            if path is not None and other.recorder.path == str(path):
                raise StackError(f"{str(path)!r} is being captured into already: close that capture first")
        self.recorder: Recorder = Recorder(path, names, snaplen=snaplen, epoch=EPOCH, kind=Trace)
        attach(self.recorder)
        network.captures.append(self)

    @property
    def trace(self) -> Trace:
        """What was captured so far; it grows while the capture runs."""
        trace = self.recorder.trace
        assert isinstance(trace, Trace)
        return trace

    def linked(self, link: Link) -> None:
        """A link was made while the capture runs: is it one to record?"""
        self._follow(self.recorder, link)

    def close(self) -> Trace:
        """Stop, finish the file, give the trace. A second call changes nothing."""
        if self in self.network.captures:
            self.network.captures.remove(self)
        self.recorder.close()
        return self.trace

    def __enter__(self) -> Trace:
        return self.trace

    def __repr__(self) -> str:
        return f"<Capturing {self.recorder.path or 'in memory'}: {len(self.trace)} packets{'' if self in self.network.captures else ', closed'}>"

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            if kind is None and self._drain and not self.network.programs.closed:
                drain(self.network, self._drain)
        finally:
            self.close()


def capture_host(host: Host, path: str | Path | None, **options: Any) -> Capturing:
    """All interfaces of a host, loopback too, and those that it gets later."""

    def attach(recorder: Recorder) -> None:
        several = len(host.interfaces) > 1
        for interface in host.engine.interfaces:
            if interface.loopback:
                continue
            name = f"{host.name} {interface.name}" if several else host.name
            recorder.attach(interface, name)
        recorder.attach(host.engine.loopback.interface, f"{host.name} lo")

    def follow(recorder: Recorder, link: Link) -> None:
        for end in link.ends:
            if end in host.interfaces:
                recorder.attach(end, f"{host.name} {end.name}")

    return Capturing(host.network, attach, follow, path, **options)


def capture_link(link: Link, path: str | Path | None, *, at: Any = None, **options: Any) -> Capturing:
    """A link where frames enter it, or (`at`) what one end or both ends see."""

    def attach(recorder: Recorder) -> None:
        if at is None:
            for direction in link.directions:
                recorder.attach_direction(direction, link.name)
            return
        wanted = list(link.ends) if at == "both" else [link.toward(at)]
        for end in link.ends:
            if at == "both" or link.toward(end) in wanted:
                recorder.attach(end, end.owner)

    return Capturing(link.network, attach, lambda recorder, link: None, path, **options)


def capture_network(network: Network, path: str | Path | None, **options: Any) -> Capturing:
    """Every link there is, and that is made later, one capture interface each."""
    if not network.links:
        raise StackError("this network has no links to capture yet")

    def attach(recorder: Recorder) -> None:
        for link in network.links.values():
            follow(recorder, link)

    def follow(recorder: Recorder, link: Link) -> None:
        for direction in link.directions:
            recorder.attach_direction(direction, link.name)

    return Capturing(network, attach, follow, path, **options)
