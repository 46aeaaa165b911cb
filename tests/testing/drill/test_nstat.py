"""nstat, netstat -s and /proc/net in scripts: the host's counters, looked at as a shell would, without one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stack.host.counters import HostCounters
from stack.tcp.counters import Counters
from stack.testing.drill.mismatch import Mismatch
from stack.testing.drill.nstat import proc, titles
from stack.testing.drill.parser import parse
from stack.testing.drill.run import run_script
from stack.testing.drill.script import ScriptError
from stack.testing.drill.shell import Simple
from stack.testing.drill.shell_run import Done
from stack.testing.drill.shell_tools import TOOLS
from tests.testing.drill.test_run import SERVER

# One segment beyond the window, whose ACK is a duplicate; a SYN, answered by a challenge
BAD = SERVER.replace("0    socket", "0 `nstat -n`\n+0 socket") + (
    "+0 < P. 2000001:2000011(10) ack 1 win 257\n+0 > . 1:1(0) ack 1\n+1 < S 1:1(0) win 257\n+0 > . 1:1(0) ack 1\n"
)


def look(*lines: str) -> None:
    run_script(parse(BAD + "".join(f"+0 `{line}`\n" for line in lines)), "ipv4")


@pytest.mark.parametrize(
    "line",
    [
        'nstat | grep TcpExtBeyondWindow | grep -q " 1 "', "nstat -as | grep TcpExtBeyondWindow | grep -q ' 1 '",
        "! nstat | grep -q TcpExtTCPTimeouts", "! nstat -a | grep TcpExtBeyondWindow | grep -q ' 2 '", "nstat TcpExtBeyondWindow",
        "nstat -aszn", "nstat -z | grep -q 'TcpExtTCPDSACKRecv  *0 '", "nstat -sz 'TcpExtTCP*Challenge*' | grep -c Challenge",
        "nstat | grep -E '^TcpExt(TCPChallengeACK|TCPSYNChallenge) +1 ' | wc -l | grep -x 2", "netstat -s | grep -q '1 passive connection openings'",
        "netstat -s | grep 'TCPSYNChallenge: 1'", "cat /proc/net/snmp | grep Tcp: | tail -1 | awk '{print $7}' | grep -x 1",
        "cat /proc/net/netstat | grep -q TCPChallengeACK", "grep -q BeyondWindow /proc/net/netstat", "/usr/bin/nstat -s | grep -i beyondwindow",
        "awk '/^Tcp:/ {print $10}' /proc/net/snmp | tail -n 1 | grep -v InSegs", "nstat | awk '$1 == \"TcpExtBeyondWindow\" {print $2}' | grep -w 1",
    ],
)  # fmt: skip
def test_every_form_is_understood(line: str) -> None:
    look(line)


@pytest.mark.parametrize(
    "line",
    [
        "nstat | grep TcpExtBeyondWindow | grep -q ' 2 '", "! nstat | grep -q TcpExtBeyondWindow", "nstat | grep TcpExtTCPTimeouts",
        "netstat -s | grep 'TCPSYNChallenge: 2'", "nstat | wc -l | grep -x 1",
    ],
)  # fmt: skip
def test_a_check_can_fail(line: str) -> None:
    with pytest.raises(Mismatch, match="exit status is 1"):
        look(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nstat | grep -q TcpExtNoSuchThing", "no counter TcpExtNoSuchThing"), ("nstat TcpExtNoSuchThing", "no counter TcpExtNoSuchThing"),
        ("nstat | grep -q TcpExtTCPRcvCoalesce", "TcpExtTCPRcvCoalesce: an account of the kernel's buffers"),
        ("! nstat | grep -q TcpExtNoSuchThing", "TcpExtNoSuchThing"), ("netstat -s | grep -q 'segments flattened'", "flattened"),
        ("nstat | perl -ne 1", "perl cannot be mapped"), ("nstat -d 3", "cannot be mapped"), ("netstat -an | grep LISTEN", "cannot be mapped"),
        ("awk '{print $3}' /proc/net/netstat", "columns"), ("nstat | awk 'BEGIN {x=1}'", "cannot be mapped"), ("nstat | grep '\\('", "does not understand"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_is_named(line: str, said: str) -> None:
    with pytest.raises(ScriptError, match=re.escape(said)):
        look(line)


def test_nstat_shows_what_came_since_it_was_last_asked() -> None:
    one = "nstat {} | grep TcpExtBeyondWindow | grep -q ' {} '"
    look(one.format("-s", 1), one.format("", 1), one.format("-z", 0), one.format("-a", 1), one.format("-r", 1), "! nstat | grep TcpExtBeyondWindow")
    look("nstat -n", one.format("-z", 0))


def test_a_mismatch_tells_the_counters() -> None:
    with pytest.raises(Mismatch, match=r"TcpExtBeyondWindow +1"):
        look("nstat | grep TcpExtBeyondWindow | grep -q ' 3 '")


@pytest.mark.parametrize(
    ("words", "text", "shown"),
    [
        (("awk", "{print $2}"), "a b\nc\n", "b\n\n"), (("awk", "/c/ {print}"), "a b\nc\n", "c\n"), (("awk", "/^a|x/"), "a b\nc\n", "a b\n"),
        (("awk", '$1 == "a" { print $2 ; }'), "a b\nc a\n", "b\n"), (("tail", "-1"), "a\nb\n", "b\n"), (("head", "-n", "1"), "a\nb\n", "a\n"),
    ],
)  # fmt: skip
def test_fields_and_ends(words: tuple[str, ...], text: str, shown: str) -> None:
    assert TOOLS[words[0]](Simple(words, text), lambda path: "") == Done(0, shown)


def numbered() -> HostCounters:
    """Counters that all differ."""
    counters = Counters()
    for number, name in enumerate(Counters.__dataclass_fields__, start=1001):
        setattr(counters, name, number)
    return HostCounters(counters.including(()))


@pytest.mark.skipif(shutil.which("nstat") is None, reason="no nstat (iproute2)")
def test_the_real_nstat_prints_the_same(tmp_path: Path) -> None:
    """Its own reading of /proc's files, which we write, and its own form."""
    now = numbered()
    places = {}
    for name in ("snmp", "netstat"):
        (tmp_path / name).write_text("\n".join(proc(now, f"/proc/net/{name}")) + "\n")
        places[f"PROC_NET_{name.upper()}"] = str(tmp_path / name)
    (tmp_path / "none").write_text("")
    environment = {**os.environ, **places, "PROC_NET_SNMP6": str(tmp_path / "none"), "PROC_NET_SCTP_SNMP": str(tmp_path / "none"), "NSTAT_HISTORY": str(tmp_path / "history")}
    shown = subprocess.run(["nstat", "-az"], env=environment, stdout=subprocess.PIPE, check=True).stdout.decode()
    assert sorted(shown.splitlines()) == sorted(str(now).splitlines())


def test_netstat_names_every_counter() -> None:
    shown = titles(numbered(), False)
    assert "    1003 failed connection attempts" in shown
    assert len(shown) == len(numbered()) + 2
