"""Two threads may make the first network of a process at the same time: neither goes on with half of the library replaced."""

from __future__ import annotations

import threading
from importlib import import_module
from types import ModuleType

import pytest

from stack.socket import switch as room
from stack.socket.switch import Switch


def test_whoever_comes_second_waits_until_everything_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly(name: str) -> ModuleType:
        begun.set()
        go_on.wait(10)
        return import_module(name)

    switch = Switch()
    monkeypatch.setattr(room, "PARTS", ("machine",))
    monkeypatch.setattr(room, "import_module", slowly)
    first, second = (threading.Thread(target=switch.install) for _ in range(2))
    try:
        first.start()
        assert begun.wait(10)
        second.start()
        second.join(0.05)
        assert second.is_alive()
        assert not switch.installed
    finally:
        go_on.set()
        first.join()
        second.join()
        switch.uninstall()
