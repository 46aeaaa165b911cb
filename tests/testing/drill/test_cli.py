"""`packetstack drill`: what it prints, its exit codes, captures, JUnit's XML, and scripts that are changed."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from stack import Trace
from stack.cli import main
from tests.testing.drill.test_run import SERVER

BAD = SERVER.replace("S. 0:0(0) ack 1", "S. 0:0(0) ack 7")


def drill(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["drill", *map(str, arguments)])
    return int(ended.value.code or 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.pkt").write_text(SERVER)
    return tmp_path


def test_all_pass(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drill(folder) == 0
    assert capsys.readouterr().out.startswith("1 of 1 scripts passed, 3 of 3 runs, in ")
    assert drill(folder, "-v", "--ip-version", "ipv6") == 0
    assert capsys.readouterr().out.splitlines()[0] == f"PASS {folder / 'good.pkt'} [ipv6]"


def test_a_failure_is_shown_and_makes_the_exit_code_1(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad-v4.pkt").write_text(BAD)
    assert drill(folder, "-j", "2") == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"FAIL {folder / 'bad-v4.pkt'} [ipv4]"
    assert "bad-v4.pkt:7:" in out[1]
    assert out[2].strip() == "expected: > S. 0:0(0) ack 7 <...>"
    assert out[3].strip().startswith("actual: > S. 0:0(0) ack 1 ")
    assert out[4].startswith("1 of 2 scripts passed, 3 of 4 runs")


def test_what_is_no_script_makes_it_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "odd.pkt").write_text("0 socket(\n")
    assert drill(folder) == 2
    assert drill(folder, "-D", "nonsense") == 2
    assert drill(folder / "absent.pkt") == 2
    (folder / "empty").mkdir()
    assert drill(folder / "empty") == 2


def test_symbols_tolerance_and_profile(folder: Path) -> None:
    (folder / "good.pkt").write_text(SERVER.replace("win 257", "win WINDOW") + "+.003 < . 1:1(0) ack 1 win 257\n")
    assert drill(folder) == 2
    assert drill(folder, "-D", "WINDOW=300", "--profile", "rfc") == 0
    late = SERVER.replace("+0   > S.", "+.003 > S.")
    (folder / "good.pkt").write_text(late)
    assert drill(folder) == 0
    assert drill(folder, "--tolerance-usecs", "1000") == 1


def test_captures_and_junit(folder: Path) -> None:
    (folder / "bad-v4.pkt").write_text(BAD)
    assert drill(folder, "--pcap", folder / "captures", "--junit", folder / "results.xml") == 1
    traces = [Trace.read(path) for path in sorted((folder / "captures").iterdir())]
    assert [len(trace.filter("tcp.flags.syn == 1")) for trace in traces] == [2, 2, 2, 2]
    suite = ElementTree.parse(folder / "results.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("4", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "ack 7" in (failure.text or "")


def test_changed_scripts_are_rejected(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drill(folder, "--mutate") == 0
    assert capsys.readouterr().out == "1 of 1 changed scripts rejected (100.0 %)\n"
