"""The buffers of sending and receiving calls, as CPython's socket takes them."""

from __future__ import annotations

import socket
from typing import Any

from stack.socket import numbers
from stack.socket.description import Description
from stack.socket.error_queue import Control

_RECEIVE_LIMIT = numbers.SOL_SOCKET, numbers.SO_RCVTIMEO
_SEND_LIMIT = numbers.SOL_SOCKET, numbers.SO_SNDTIMEO
_CMSG_HEADER = 16  # octets of struct cmsghdr


def octets(data: Any) -> bytes:
    """What a program gives to be sent, as bytes."""
    if isinstance(data, bytes):
        return data
    try:
        return memoryview(data).tobytes()
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not {type(data).__name__!r}") from None


def room(buffer: Any, size: int, caller: str) -> tuple[memoryview, int]:
    """A buffer to receive into, and how many octets of it; 0 stands for all."""
    view = memoryview(buffer).cast("B")
    if size < 0:
        raise ValueError(f"negative buffersize in {caller}")
    if size > len(view):
        raise ValueError("buffer too small for requested bytes" if caller == "recv_into" else "nbytes is greater than the length of the buffer")
    return view, size or len(view)


def scatter(data: bytes, views: list[memoryview]) -> None:
    """Fill one buffer after the other."""
    at = 0
    for view in views:
        piece = data[at : at + len(view)]
        view[: len(piece)] = piece
        at += len(piece)


def control_room(control: Control, room: int) -> tuple[Control, int]:
    """What of the control messages fits into a buffer of `room` octets, and MSG_CTRUNC where not all of it does."""
    kept: Control = []
    for level, kind, octets in control:
        most = room - _CMSG_HEADER
        if most <= 0:
            return kept, numbers.MSG_CTRUNC
        kept.append((level, kind, octets[:most]))
        if len(octets) > most:
            return kept, numbers.MSG_CTRUNC
        room -= socket.CMSG_SPACE(len(octets))
    return kept, 0


def time_limit(file: Description, doing: str) -> int | None:
    """When SO_RCVTIMEO or SO_SNDTIMEO ends a call that begins now: virtual nanoseconds, or None."""
    limit = _SEND_LIMIT if "send" in doing else _RECEIVE_LIMIT
    if file.extra is None or limit not in file.extra:
        return None
    after = file.option(*limit)
    return file.node.now + after if after else None
