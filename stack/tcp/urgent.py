"""Urgent data: one octet out of band, the mark in the stream (RFC 9293 section 3.8.5, RFC 6093; BSD sockets).

The urgent pointer names the octet after the urgent data. As every system does, the last octet of the urgent data is the
one that MSG_OOB gives, and the mark stands before it.
"""

from __future__ import annotations

import errno


class Urgent:
    """The receiver's side, made when the first urgent pointer comes. `mark`: where the urgent octet stands."""

    __slots__ = ("mark", "octet", "taken")

    def __init__(self, mark: int) -> None:
        self.mark = mark
        self.octet: bytes | None = None  # None: the pointer is ahead of the data
        self.taken = False  # the octet was read by MSG_OOB

    def arrived(self, seq: int, text: bytes) -> bool:
        """Text at `seq` came; True if the urgent octet is in it and was awaited."""
        if self.octet is None and seq <= self.mark < seq + len(text):
            self.octet = text[self.mark - seq : self.mark - seq + 1]
            return True
        return False

    def read(self, peek: bool) -> bytes:
        """The urgent octet; raises OSError(EINVAL) if it was read, OSError(EAGAIN) if it has not come."""
        if self.taken:
            raise OSError(errno.EINVAL, "the urgent octet was read already")
        if self.octet is None:
            raise OSError(errno.EAGAIN, "the urgent octet has not arrived")
        self.taken = not peek
        return self.octet
