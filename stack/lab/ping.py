"""Ping: echo requests to a target, and what became of each (RFC 792, RFC 4443 section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stack.base.address import IPAddress
from stack.base.quantity import nanoseconds
from stack.host.echo import EchoResult
from stack.lab.arguments import whole
from stack.network.waiting import Source

if TYPE_CHECKING:
    from stack.lab.host import Host

DATA = 56  # octets, as ping has it: 64 with the ICMP header


@dataclass(frozen=True)
class Ping:
    """What a ping found. `results` has an entry for each answer; times are nanoseconds. `print` shows it as ping does."""

    name: str
    target: IPAddress
    size: int
    sent: int
    results: tuple[EchoResult, ...]

    @property
    def received(self) -> int:
        """Requests that were answered."""
        return sum(1 for one in self.results if one.reply is not None and not one.duplicate)

    @property
    def loss(self) -> float:
        """The fraction of requests that was not answered."""
        return 1 - self.received / self.sent if self.sent else 0.0

    @property
    def times(self) -> tuple[int, ...]:
        """Round-trip times of the answers, in order."""
        return tuple(one.round_trip for one in self.results if one.reply is not None and one.round_trip is not None)

    def __bool__(self) -> bool:
        return self.received > 0

    def __str__(self) -> str:
        lines = [f"PING {self.name} ({self.target}): {self.size} data bytes", *map(self._line, self.results), ""]
        lines += [f"--- {self.name} ping statistics ---"]
        again = sum(one.duplicate for one in self.results)
        lines += [
            f"{self.sent} packets transmitted, {self.received} received"
            f"{f', +{again} duplicates' if again else ''}, {100 * self.loss:.3g}% packet loss"
        ]
        if self.times:
            least, most, mean = min(self.times), max(self.times), sum(self.times) // len(self.times)
            lines += [f"round-trip min/avg/max = {least / 1e6:.3f}/{mean / 1e6:.3f}/{most / 1e6:.3f} ms"]
        return "\n".join(lines)

    def _line(self, one: EchoResult) -> str:
        if one.reply is None:
            assert one.error is not None
            return f"From {one.error.reporter}: icmp_seq={one.sequence} ICMP type {one.error.type} code {one.error.code}"
        again = " (DUP!)" if one.duplicate else ""
        time = (one.round_trip or 0) / 1e6
        return (
            f"{len(one.reply.data) + 8} bytes from {one.reply.sender}: icmp_seq={one.sequence} "
            f"ttl={one.reply.hop_limit} time={time:.3f} ms{again}"
        )


def ping(
    host: Host,
    target: Host | str | IPAddress,
    count: int = 4,
    *,
    interval: str | float = 1,
    timeout: str | float = 1,
    size: int = DATA,
    hop_limit: int | None = None,
    dont_fragment: bool = False,
    version: int | None = None,
) -> Ping:
    """Send `count` echo requests of `size` octets, one each `interval`, and wait `timeout` for the last answer.

    Raises the `OSError` of a request that cannot be sent (no route, too big and not to be fragmented).
    """
    whole("count", count, 1)
    whole("size", size, 0)
    address = host.resolve(target, version)
    network, node = host.network, host.node
    gap, patience = nanoseconds(interval), nanoseconds(timeout)
    endpoint = host.engine.icmp.open(address)
    source = _Echoes()
    endpoint.notify = source.wake
    data = bytes(index & 0xFF for index in range(size))
    results: list[EchoResult] = []
    try:
        start = node.now
        for sequence in range(1, count + 1):
            endpoint.send(address, sequence, node.now, data, hop_limit=hop_limit, dont_fragment=dont_fragment)
            node.flush()
            last = sequence == count
            deadline = node.now + patience if last else start + gap * sequence
            while not (last and sum(not one.duplicate for one in results) >= count):
                waited = network.programs.wait((source,), deadline, node, f"ping {address}")
                while (result := endpoint.receive()) is not None:
                    results.append(result)
                if not waited:
                    break
    finally:
        endpoint.close(node.now)
    return Ping(getattr(target, "name", str(target)), address, size, count, tuple(results))


class _Echoes(Source):
    __slots__ = ()

    def describe(self) -> str:
        return "echo replies"


