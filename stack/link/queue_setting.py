"""The setting `queue` of a link: how people say which queue discipline they want."""

from __future__ import annotations

from typing import Any

from stack.base.quantity import octets
from stack.link.drop_tail import DropTail
from stack.link.queueing import QueueDiscipline
from stack.link.setting import whole


def make_queue(value: Any) -> QueueDiscipline:
    """The discipline that a value of the setting `queue` stands for."""
    if value is None or isinstance(value, int):
        return DropTail(value)
    if isinstance(value, str):
        return DropTail(None, octets(value))
    queue = value if isinstance(value, QueueDiscipline) else value()
    if not isinstance(queue, QueueDiscipline):
        raise TypeError(f"queue makes {queue!r}; expected a QueueDiscipline")
    return queue


def queue_limit(value: Any) -> Any:
    """Frames (100), octets ("64 KB"), None for no limit, or something that makes a queue discipline when called."""
    if value is None or isinstance(value, QueueDiscipline) or callable(value):
        return value
    if isinstance(value, str):
        octets(value)
        return value
    return whole("queue", 0)(value)
