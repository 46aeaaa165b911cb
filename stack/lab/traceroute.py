"""Traceroute: the routers on the way to a target, by probes that die on it (RFC 1812 section 5.2.7.3, RFC 2151 section 3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stack.base.address import IPAddress, IPv6Address
from stack.base.quantity import nanoseconds
from stack.lab.arguments import whole
from stack.network.waiting import Source

if TYPE_CHECKING:
    from stack.lab.host import Host

FIRST_PORT = 33434  # where nobody listens
HOPS = 30
_MARKS = {  # ICMP type and code → how traceroute marks a probe that could not go on
    4: {(3, 0): "!N", (3, 1): "!H", (3, 2): "!P", (3, 4): "!F", (3, 9): "!X", (3, 10): "!X", (3, 13): "!X"},
    6: {(1, 0): "!N", (1, 1): "!X", (1, 3): "!H", (2, 0): "!F"},
}
_EXCEEDED = {4: (11, 0), 6: (3, 0)}  # ICMP type and code of "time exceeded in transit"


@dataclass(frozen=True)
class Answer:
    """Who answered a probe, after how many nanoseconds; `arrived`: it was the end of the way.

    `mark` is "!N" (no route to the network), "!H" (no neighbour there), "!X" (forbidden) …, where the way ends too early.
    """

    reporter: IPAddress
    name: str | None
    time: int
    arrived: bool
    mark: str = ""


@dataclass(frozen=True)
class Traceroute:
    """A tuple of answers for each hop; None for a probe that nobody answered."""

    name: str
    target: IPAddress
    hops: tuple[tuple[Answer | None, ...], ...]

    @property
    def reached(self) -> bool:
        """Did a probe get to the target?"""
        return any(one is not None and one.reporter == self.target for one in (self.hops[-1] if self.hops else ()))

    @property
    def path(self) -> tuple[IPAddress | None, ...]:
        """The first that answered at each hop."""
        return tuple(next((one.reporter for one in hop if one is not None), None) for hop in self.hops)

    def __str__(self) -> str:
        lines = [f"traceroute to {self.name} ({self.target}), {HOPS} hops max"]
        for number, hop in enumerate(self.hops, 1):
            said, last = [], None
            for one in hop:
                if one is None:
                    said.append("*")
                    continue
                who = f"{one.name or one.reporter} ({one.reporter})  " if one.reporter != last else ""
                last = one.reporter
                said.append(f"{who}{one.time / 1e6:.3f} ms{' ' * bool(one.mark)}{one.mark}")
            lines.append(f"{number:2}  {'  '.join(said)}")
        return "\n".join(lines)


def traceroute(
    host: Host,
    target: Host | str | IPAddress,
    *,
    hops: int = HOPS,
    probes: int = 3,
    timeout: str | float = 5,
    size: int = 32,
    version: int | None = None,
) -> Traceroute:
    """Send UDP datagrams of `size` octets with hop limits from 1 on, `probes` for each, until the target answers."""
    whole("hops", hops, 1, 255)
    whole("probes", probes, 1)
    whole("size", size, 0)
    address = host.resolve(target, version)
    patience = nanoseconds(timeout)
    found: list[tuple[Answer | None, ...]] = []
    port = FIRST_PORT
    for hop_limit in range(1, hops + 1):
        answers: list[Answer | None] = []
        for _ in range(probes):
            answers.append(_probe(host, address, port, hop_limit, patience, size))
            port += 1
        found.append(tuple(answers))
        if any(one is not None and one.arrived for one in answers):
            break
    return Traceroute(getattr(target, "name", str(target)), address, tuple(found))


def _probe(host: Host, address: IPAddress, port: int, hop_limit: int, patience: int, size: int) -> Answer | None:
    node = host.node
    version = 6 if isinstance(address, IPv6Address) else 4
    endpoint: Any = host.engine.udp.open(version)
    source = _Errors()
    endpoint.notify = source.wake
    endpoint.receive_errors = True
    endpoint.hop_limit = hop_limit
    try:
        sent = node.now
        endpoint.send(bytes(size), sent, (address, port))
        node.flush()
        while not endpoint.errors:
            if not host.network.programs.wait((source,), sent + patience, node, f"traceroute {address}"):
                if not endpoint.errors:
                    return None
        report = endpoint.errors.popleft()
        said = report.type, report.code
        name, mark = host.network.names.name(report.reporter), _MARKS[version].get(said, "")
        return Answer(report.reporter, name, node.now - sent, said != _EXCEEDED[version], mark)
    finally:
        endpoint.close(node.now)


class _Errors(Source):
    __slots__ = ()

    def describe(self) -> str:
        return "ICMP errors"
