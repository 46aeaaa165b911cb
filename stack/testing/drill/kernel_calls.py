"""System calls of Linux that Python does not have, or not in all its versions: unshare(2), prctl(2), connect(2) to nowhere."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from collections.abc import Callable
from socket import AF_UNSPEC
from typing import Any

_NEW_NETWORK = 0x40000000  # CLONE_NEWNET
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


def _library() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _checked(call: Callable[[], int]) -> None:
    if call():
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def own_network() -> None:
    """This process is in a network namespace of its own from now on, which ends with it. Raises `OSError`."""
    _checked(lambda: int(_library().unshare(_NEW_NETWORK)))


def die_with_parent() -> None:
    """This process is killed when the one that made it ends, however that ends."""
    _checked(lambda: int(_library().prctl(_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0)))


def disconnect(number: int) -> None:
    """connect(2) with AF_UNSPEC: the socket has no peer any more. Raises `OSError`."""
    nowhere = struct.pack("=H14x", AF_UNSPEC)
    _checked(lambda: int(_library().connect(number, nowhere, len(nowhere))))
