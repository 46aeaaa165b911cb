"""A host's counters at a moment, as nstat(8) shows them: what was counted since another moment is a difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from stack.tcp.counters import LEFT_OUT

if TYPE_CHECKING:
    from stack.host.host import HostEngine

GAUGE = "TcpCurrEstab"  # says how many there are, not how many there were


class HostCounters(Mapping[str, int]):
    """By Linux's names: `counters["TcpRetransSegs"]`, `counters["TcpExtTCPTimeouts"]`; printed, those that are not 0.

    `later - earlier` is what was counted between the two (but of TcpCurrEstab what it was at the later moment). A name that
    there is not raises `KeyError`, which says why where Linux has such a counter.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, int]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> int:
        try:
            return self._values[name]
        except KeyError:
            raise KeyError(missing(name)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __sub__(self, earlier: HostCounters) -> HostCounters:
        return HostCounters({name: value - (0 if name == GAUGE else earlier[name]) for name, value in self._values.items()})

    def text(self, zeros: bool = False) -> str:
        """What nstat prints; with `zeros`, `nstat -z`. It leaves TcpCurrEstab out."""
        rows = [f"{name:<32}{value:<16}{0.0:6.1f}" for name, value in self._values.items() if (value or zeros) and name != GAUGE]
        return "\n".join(["#kernel", *rows])

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<HostCounters {({name: value for name, value in self._values.items() if value})}>"


def missing(name: str) -> str:
    """Why there is no counter of this name."""
    reason = LEFT_OUT.get(name.removeprefix("TcpExt").removeprefix("Tcp"))
    return f"there is no counter {name}" + (f": {reason}" if reason else "")


def counters(host: HostEngine) -> HostCounters:
    """What the host has counted until now.

    Of TCP: what IP, ICMP and UDP leave, they count as drops, by a reason, which are not Linux's counters: one reason is
    several layers', and both versions'.
    """
    tcp = host.tcp
    return HostCounters(tcp.counters.including(tcp.connections.values()))
