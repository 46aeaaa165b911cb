"""What a notebook shows of networks' packets and traces."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stack import Packet
from tests.lab.build import pair

SHELL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
from stack import IPv4, TCP, Ethernet, Network
packet = Ethernet() / IPv4(source="10.0.0.1") / TCP(source=4000, destination=80, syn=True)
shown, _ = shell.display_formatter.format(packet)
assert "10.0.0.1" in shown["text/html"] and "<" in shown["text/html"], shown
net = Network(seed=1)
a, b = net.host("a"), net.host("b")
net.link(a, b)
with a.capture() as trace:
    a.ping(b, 1)
for value in (trace, trace[0], trace.ladder()):
    shown, _ = shell.display_formatter.format(value)
    assert "<" in shown["text/html"], value
"""


def test_packets_records_traces_and_ladders_show_themselves() -> None:
    pytest.importorskip("IPython", reason="IPython is not installed")
    done = subprocess.run([sys.executable, "-c", SHELL], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_a_notebook_nothing_is_loaded_for_one() -> None:
    question = "import sys, stack; stack.Packet; print([one for one in ('IPython', 'scapy', 'jinja2') if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_trace_in_a_notebook_is_a_list_whose_packets_open() -> None:
    _, a, b, _ = pair()
    with a.capture() as trace:
        a.ping(b, 1)
    shown = trace._repr_html_()
    assert shown.count("Echo (ping)") >= 2
    assert "<script" not in shown, "nothing runs"
    assert isinstance(trace[0].packet, Packet)
