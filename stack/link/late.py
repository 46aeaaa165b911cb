"""Frames that have left their place in the order: each arrives at its time, or when enough others have passed it."""

from __future__ import annotations

from stack.codec.packet import Packet


class Late:
    """Few at a time, so a list that is searched."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int | None, Packet]] = []

    def add(self, due: int, passing: int | None, packet: Packet) -> None:
        """Hold a packet until `due`, or until `passing` arrivals have passed it if that comes first."""
        self._waiting.append((due, passing, packet))

    def passed(self) -> list[Packet]:
        """One arrival has passed those that count; those that have seen enough pass come out."""
        left: list[tuple[int, int | None, Packet]] = []
        out: list[Packet] = []
        for due, passing, packet in self._waiting:
            if passing == 1:
                out.append(packet)
            else:
                left.append((due, None if passing is None else passing - 1, packet))
        self._waiting = left
        return out

    def due(self, now: int) -> list[Packet]:
        """Those whose time has come, the earliest first."""
        if self.next is None or self.next > now:
            return []
        out = sorted((one for one in self._waiting if one[0] <= now), key=lambda one: one[0])
        self._waiting = [one for one in self._waiting if one[0] > now]
        return [packet for _, _, packet in out]

    @property
    def next(self) -> int | None:
        """When the first of them is due."""
        return min((due for due, _, _ in self._waiting), default=None)

    def clear(self) -> list[Packet]:
        """All of them, taken out."""
        waiting, self._waiting = self._waiting, []
        return [packet for _, _, packet in waiting]

    def __len__(self) -> int:
        return len(self._waiting)
