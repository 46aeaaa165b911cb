"""Frames that have left their place in the order: each arrives at its time, or when enough others have passed it."""

from __future__ import annotations

from heapq import heappop, heappush

from stack.codec.packet import Packet


class _Held:
    """A packet that waits; None once it is out."""

    __slots__ = ("packet",)

    def __init__(self, packet: Packet) -> None:
        self.packet: Packet | None = packet

    def release(self) -> list[Packet]:
        packet, self.packet = self.packet, None
        return [] if packet is None else [packet]


class Late:
    """Two heaps over the same packets: by the time that is due, and by the arrival that is the last to pass."""

    __slots__ = ("_arrival", "_by_arrival", "_by_time", "_order")

    def __init__(self) -> None:
        self._order = 0
        self._arrival = 0  # counts those that pass
        self._by_time: list[tuple[int, int, _Held]] = []
        self._by_arrival: list[tuple[int, int, _Held]] = []

    def add(self, due: int, passing: int | None, packet: Packet) -> None:
        """Hold a packet until `due`, or until `passing` arrivals have passed it if that comes first."""
        self._order += 1
        held = _Held(packet)
        heappush(self._by_time, (due, self._order, held))
        if passing is not None:
            heappush(self._by_arrival, (self._arrival + passing, self._order, held))

    def passed(self) -> list[Packet]:
        """There was an arrival: those that have now seen enough of them come out."""
        self._arrival += 1
        out: list[Packet] = []
        while self._by_arrival and self._by_arrival[0][0] <= self._arrival:
            out += heappop(self._by_arrival)[2].release()
        self._tidy()
        return out

    def due(self, now: int) -> list[Packet]:
        """Those whose time has come, the earliest first."""
        out: list[Packet] = []
        while self._by_time and self._by_time[0][0] <= now:
            out += heappop(self._by_time)[2].release()
        self._tidy()
        return out

    def clear(self) -> list[Packet]:
        """All of them, taken out, in the order of their coming."""
        held = sorted(self._by_time, key=lambda entry: entry[1])
        self._by_time.clear()
        self._by_arrival.clear()
        return [packet for entry in held for packet in entry[2].release()]

    @property
    def next(self) -> int | None:
        """When the first of them is due."""
        return self._by_time[0][0] if self._by_time else None

    def __bool__(self) -> bool:
        return bool(self._by_time)

    def _tidy(self) -> None:
        """The heads of both heaps are packets that wait."""
        for heap in (self._by_time, self._by_arrival):
            while heap and heap[0][2].packet is None:
                heappop(heap)
