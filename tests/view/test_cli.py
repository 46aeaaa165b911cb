"""The command line, as people meet it."""

import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from stack.cli import main
from stack.lab.trace import Trace


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`packetstack …` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "stack", *arguments], cwd=cwd, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )  # fmt: skip


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, list[str], str]:
    """(exit code, lines of output, errors) of a command in this process."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    out = capsys.readouterr()
    return end.value.code, out.out.splitlines(), out.err


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """What the demo says, and the capture that it leaves."""
    folder = tmp_path_factory.mktemp("demo")
    done = run("demo", "--size", "64 KiB", cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    return lines, folder / lines[-1].split()[-1]


def test_the_demo_shows_the_handshake_and_names_its_capture(demo: tuple[list[str], Path]) -> None:
    lines, capture = demo
    assert re.search(r"client +server", lines[0])
    assert any("SYN, ACK Seq=0 Ack=1" in line for line in lines)
    assert any(re.fullmatch(r"the file +arrived intact", line) for line in lines)
    assert any(re.fullmatch(r"time +\d+\.\d{3} s virtual, \d+\.\d{3} s real", line) for line in lines)
    assert capture.name == "demo.pcapng"
    assert capture.exists()


def test_the_capture_of_the_demo_holds_the_file(demo: tuple[list[str], Path]) -> None:
    lines, capture = demo
    (flow,) = Trace.read(capture).flows()
    head, _, body = flow.received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 200 OK")
    assert f"sha256        {sha256(body).hexdigest()}" in lines


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_wireshark_has_nothing_to_complain_of(demo: tuple[list[str], Path]) -> None:
    checks = [word for layer in ("ip", "tcp", "udp") for word in ("-o", f"{layer}.check_checksum:TRUE")]
    wrong = "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0 || tcp.checksum.status == 0"
    command = ["tshark", "-r", str(demo[1]), *checks, "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", wrong]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == ""


def test_the_same_seed_gives_the_same_capture(demo: tuple[list[str], Path], tmp_path: Path) -> None:
    run("demo", "--size", "64 KiB", "-o", "again.pcapng", cwd=tmp_path)
    run("demo", "--size", "64 KiB", "-o", "other.pcapng", "--seed", "2", cwd=tmp_path)
    assert (tmp_path / "again.pcapng").read_bytes() == demo[1].read_bytes()
    assert (tmp_path / "other.pcapng").read_bytes() != demo[1].read_bytes()


def test_a_capture_is_shown_filtered_and_in_detail(
    demo: tuple[list[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(demo[1])
    code, lines, _ = told(capsys, "show", file, "-c", "3")
    assert (code, len(lines)) == (0, 3)
    assert "Who has 10.0.0.2? Tell 10.0.0.1" in lines[0]
    _, lines, _ = told(capsys, "show", file, "tcp.flags.syn", "==", "1")
    assert ["[SYN]" in lines[0], "[SYN, ACK]" in lines[1]] == [True, True]
    _, lines, _ = told(capsys, "show", file, "tcp.flags.syn == 1", "-c", "1", "-V")
    assert "    47  .... ..1.               syn                    True" in lines
    _, lines, _ = told(capsys, "show", file, "tcp.flags.syn == 1", "--ladder")
    assert "─►│" in lines[2]


def test_a_damaged_file_gives_what_is_before_the_damage(
    demo: tuple[list[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.pcapng"
    cut.write_bytes(demo[1].read_bytes()[:2000])
    code, lines, error = told(capsys, "show", str(cut))
    assert (code, len(lines) > 3, error.count("\n")) == (2, True, 1)
    assert re.match(rf"packetstack: {re.escape(str(cut))}, octet \d+: ", error)
    assert told(capsys, "show", str(cut), "-c", "2")[0] == 0, "the damage lies behind what was asked for"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["show", "nowhere.pcap"], "nowhere.pcap: No such file or directory"),
        (["show", __file__], r".*test_cli.py, octet 0: neither pcap nor pcapng.*"),
        (["show"], "Missing argument 'FILE'."),
        (["shwo"], "No such command 'shwo'.*"),
        (["demo", "--loss", "much"], "'much' is not a fraction; expected '1%' or a number from 0 to 1"),
        (["demo", "-o", "demo.txt"], "'demo.txt' does not say a format; .*"),
        (["ping", "--hops", "-1"], "Invalid value for '--hops': .*"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_on_one_line(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, lines, errors = told(capsys, *arguments)
    assert (code, lines) == (2, [])
    assert re.fullmatch(f"packetstack: {error}\n", errors)


def test_a_filter_that_is_not_understood_says_where(demo: tuple[list[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    code, _, error = told(capsys, "show", str(demo[1]), "tcp.port == ")
    assert code == 2
    assert re.fullmatch(r"packetstack: filter 'tcp.port == ', column \d+: .*\n", error)


def test_ping_crosses_routers(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines, _ = told(capsys, "ping", "-c", "2", "--hops", "3", "--delay", "10 ms")
    assert code == 0
    assert re.fullmatch(r"64 bytes from 10\.0\.3\.2: icmp_seq=2 ttl=61 time=80\.\d{3} ms", lines[2])
    assert told(capsys, "ping", "-c", "1", "-6")[0] == 0
    assert told(capsys, "ping", "-c", "1", "--loss", "100%")[0] == 1, "nothing came back"


def test_ping_shows_who_answered(capsys: pytest.CaptureFixture[str]) -> None:
    _, lines, _ = told(capsys, "ping", "-c", "1", "--ttl", "1", "--ladder")
    assert [name in "\n".join(lines) for name in ("client", "router1", "server")] == [True, True, True]
    assert any("Time-to-live exceeded" in line for line in lines)


def test_help_and_version() -> None:
    assert re.fullmatch(r"packetstack \d+\.\d+\.\d+\n", run("--version").stdout)
    shown = run("--help")
    assert shown.returncode == 0
    assert all(f"\n  {command} " in shown.stdout for command in ("demo", "ping", "show"))
    assert all(run(command, "--help").returncode == 0 for command in ("demo", "ping", "show"))


def test_a_reader_that_goes_away_is_no_error(demo: tuple[list[str], Path]) -> None:
    command = f"{sys.executable} -m stack show {demo[1]} | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
