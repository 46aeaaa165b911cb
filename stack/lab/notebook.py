"""What a notebook shows of values from rooms that know no views: packets and captured records, with their fields and octets."""

from __future__ import annotations

import sys
from typing import Any


def register() -> None:
    """Tell IPython, where it is running, how to show them. By name: nothing is imported before it is shown."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    if shell is None:
        return
    html = shell.display_formatter.formatters["text/html"]
    html.for_type_by_name("stack.codec.packet", "Packet", _packet)
    html.for_type_by_name("stack.capture.trace", "Record", _record)


def _packet(packet: Any) -> str:
    from stack.view.html import packet as draw

    return draw(packet)


def _record(record: Any) -> str:
    return _packet(record.packet)
