"""The machine that a host is: how many processors it has, the same everywhere, for pools of threads are as large as that."""

from __future__ import annotations

import os

from stack.network.place import Place
from stack.socket.switch import Switch

PROCESSORS = 4


def cpu_count(node: Place) -> int:
    return PROCESSORS


def install(switch: Switch) -> None:
    for name in ("cpu_count", "process_cpu_count"):
        if hasattr(os, name):
            switch.function("os", name, cpu_count)
