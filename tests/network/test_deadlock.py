"""The account of a deadlock beside a program that polls for ever: it says since when nothing has come of it."""

from __future__ import annotations

import re

import pytest

from stack.network.deadlock import Deadlock
from tests.network.places import SECOND, Host, Mailbox, sleep, two_hosts


def test_who_polls_in_vain_is_told_from_who_waits() -> None:
    def poll(box: Mailbox) -> None:
        sleep(box.host, 3)
        while True:
            try:
                box.get(timeout=0.5)
            except TimeoutError:
                pass

    def wait(host: Host) -> None:
        Mailbox(host).get()

    with two_hosts() as (programs, a, b):
        programs.start(a, poll, Mailbox(a))
        programs.start(b, wait, b)
        with b, pytest.raises(Deadlock) as told:
            Mailbox(b).get()
        text = str(told.value)
        assert re.search(r"program poll: get on the mailbox of a, until [\d.]+ s \(for the 10,000th time since 3 s\)", text)
        assert "program wait: get on the mailbox of b\n" in text + "\n"
        assert a.scheduler.now < 5003 * SECOND
