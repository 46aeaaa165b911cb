"""The greatest, or least, of a window of time, from three samples only (Kathleen Nichols; Linux's lib/win_minmax.c)."""

from __future__ import annotations

Sample = tuple[int, int]  # (time, value)


class WindowedMaximum:
    """Keeps the best sample, the best after it, and the best after that, each from a later part of the window.

    Times and the window may count anything: nanoseconds, round trips.
    """

    __slots__ = ("samples",)

    def __init__(self) -> None:
        self.samples: list[Sample] = [(0, 0)] * 3

    @property
    def value(self) -> int:
        """The greatest value of the window, as of the last update."""
        return self.samples[0][1]

    def reset(self, time: int, value: int) -> int:
        """Forget all before."""
        self.samples = [(time, value)] * 3
        return value

    def update(self, window: int, time: int, value: int) -> int:
        """Take in a value; the greatest of the window that ends with it."""
        first, second, third = self.samples
        if self.better(value, first[1]) or time - third[0] > window:
            return self.reset(time, value)
        new = (time, value)
        if self.better(value, second[1]):
            second = third = new
        elif self.better(value, third[1]):
            third = new
        passed = time - first[0]
        if passed > window:
            first, second, third = second, third, new
            if time - first[0] > window:
                first, second, third = second, third, new
        elif second[0] == first[0] and passed > window // 4:
            second = third = new  # a quarter of the window without a second best
        elif third[0] == second[0] and passed > window // 2:
            third = new
        self.samples = [first, second, third]
        return first[1]

    @staticmethod
    def better(one: int, other: int) -> bool:
        """Whether `one` replaces `other`."""
        return one >= other


class WindowedMinimum(WindowedMaximum):
    """The least value of the window."""

    __slots__ = ()

    @staticmethod
    def better(one: int, other: int) -> bool:
        return one <= other
