"""Scripts as pytest's tests: collected by their ending, a test for each IP version, failures said by their lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PASSING = """
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
"""


@pytest.fixture
def run(tmp_path: Path) -> object:
    def run(files: dict[str, str | bytes], *arguments: str) -> subprocess.CompletedProcess[str]:
        for name, text in files.items():
            (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        plugin = [] if _installed() else ["-p", "stack.testing.plugin"]
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), *plugin, *arguments, str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    return run


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(one.value == "stack.testing.plugin" for one in entry_points(group="pytest11"))


def test_a_script_is_a_test_for_each_ip_version(run: object) -> None:
    done = run({"one.pkt": PASSING, "two-v6.pkt": PASSING}, "-v")  # type: ignore[operator]
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("one.pkt::ipv4 ", "one.pkt::ipv6 ", "one.pkt::ipv4-mapped-ipv6 ", "two-v6.pkt::ipv6 "):
        assert f"{name}PASSED" in done.stdout
    assert "4 passed" in done.stdout


def test_a_failure_shows_the_line_and_both_packets(run: object) -> None:
    done = run({"one-v4.pkt": PASSING.replace("S. 0:0(0) ack 1", "S. 0:0(0) ack 2")}, "-rN")  # type: ignore[operator]
    assert done.returncode == 1
    assert "one-v4.pkt:6:4" in done.stdout
    assert "expected: > S. 0:0(0) ack 2 <...>" in done.stdout
    assert "actual: > S. 0:0(0) ack 1" in done.stdout
    assert "player.py" not in done.stdout


def test_what_is_no_script_is_an_error_or_not_looked_at(run: object) -> None:
    done = run({"bad.pkt": "0 socket(", "binary.pkt": b"PK\0\0"})  # type: ignore[operator]
    assert done.returncode == 2
    assert "bad.pkt:1:" in done.stdout
    assert "binary.pkt" not in done.stdout
